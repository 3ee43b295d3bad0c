import { RECORDED_CODES } from '#kernel';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { NaiveModel } from './naive-model/model.ts';
import { STEP_KINDS } from './naive-model/step.ts';
import { script } from './scripts.ts';

const SCRIPTS = 500;

/** In how many scripts each kind of step is accepted, and each code comes up, by the model alone. */
function tally(): ReadonlyMap<string, number> {
  const inScripts = new Map<string, number>();
  for (const steps of fc.sample(script, { numRuns: SCRIPTS, seed: 20_220_224 })) {
    const model = new NaiveModel();
    const found = new Set<string>();
    for (const [at, step] of steps.entries()) {
      if (model.command(step) === undefined) continue;
      const freezeIds = new Map([...model.state.accounts.keys()].map((index) => [index, `${1_000 + at}-${index}`]));
      const came = model.apply(step, freezeIds);
      found.add(came.includes('accepted') ? step.kind : came);
    }
    for (const each of found) inScripts.set(each, (inScripts.get(each) ?? 0) + 1);
  }
  return inScripts;
}

/** A script of which everything is refused tests nothing. */
describe('scripts', () => {
  const inScripts = tally();

  it.each(STEP_KINDS)('often come to a step that is accepted: %s', (kind) => {
    expect(inScripts.get(kind) ?? 0).toBeGreaterThan(SCRIPTS / 25);
  });

  it.each([...RECORDED_CODES])('come to a refusal that is on record: %s', (code) => {
    expect(inScripts.get(code) ?? 0).toBeGreaterThan(SCRIPTS / 25);
  });
});
