import type { SnapshotOutcome } from '#command-handling';
import { registry } from '#replay';
import { describe, expect, it } from '@jest/globals';
import { LIMIT_MS, SEEDS } from './effort.ts';
import { explain } from './whole-core/explain.ts';
import {
  APPEND_FATES,
  DISK_FAULTS,
  keepOnly,
  keptAsText,
  keptFromText,
  planOf,
  SPELLS,
  type Plan,
} from './whole-core/plan.ts';
import { run, type Ran } from './whole-core/run.ts';
import { shrink } from './whole-core/shrink.ts';

/** One seed to be played alone, and which parts of its plan: as a failure prints them. */
const seed = process.env['WRIT_SEED'];
const kept = process.env['WRIT_KEEP'];

/** So many seeds show all that can happen. */
const ENOUGH = 300;
/** Seeds of one test; the first of them is played a second time. */
const BATCH = 25;

/** Only races in which two commands cross at one very moment bring these: the interleavings of each are tried elsewhere. */
const RARE = ['AccountOpeningAbandoned', 'AccountDetached', 'FreezeAbandoned'];
const EVENTS = Object.values(registry).flatMap((types) => [...types.keys()].filter((type) => !RARE.includes(type)));

/** What becomes of snapshots. */
const SNAPSHOTS: readonly SnapshotOutcome[] = ['used', 'damaged', 'other-log'];

function planFor(each: number): Plan {
  const plan = planOf(each);
  return kept === undefined ? plan : keepOnly(plan, keptFromText(kept));
}

async function play(each: number): Promise<Ran> {
  const plan = planFor(each);
  const ran = await run(plan);
  if (seed !== undefined) console.log(ran.story.join('\n'));
  // Parts that were named are as few as they get.
  if (ran.failure !== undefined) throw kept === undefined ? await explain(plan, ran.failure) : ran.failure;
  return ran;
}

describe('the whole core, twice over one faulty store, does the same for the same seed and keeps its promises', () => {
  const came = new Set<string>();
  const [first, end] = seed === undefined ? SEEDS : [Number(seed), Number(seed) + 1];
  const batches = Array.from({ length: Math.ceil((end - first) / BATCH) }, (_, index) => first + index * BATCH);

  it.each(batches.map((from) => [from, Math.min(from + BATCH, end) - 1]))(
    'of seeds %i to %i',
    async (from, last) => {
      for (let each = from; each <= last; each += 1) {
        const ran = await play(each);
        for (const name of [...ran.events, ...ran.mishaps]) came.add(name);
        if (each !== from) continue;
        const again = await run(planFor(each));
        expect({ log: again.logSha256, story: again.story }).toEqual({ log: ran.logSha256, story: ran.story });
      }
    },
    LIMIT_MS,
  );

  it('whatever can happen', () => {
    // Fewer seeds need not show everything.
    const demanded =
      end - first < ENOUGH ? [] : [...EVENTS, ...APPEND_FATES, ...SPELLS, ...DISK_FAULTS, 'left', ...SNAPSHOTS];
    expect(demanded.filter((name) => !came.has(name))).toEqual([]);
  });
});

describe('what a failing run is made smaller by', () => {
  const parts = Array.from({ length: 40 }, (_, index) => index);

  it('keeps what the failure needs, and nothing else', async () => {
    const needed = [3, 17, 18, 39];
    const fails = (some: readonly number[]): Promise<boolean> =>
      Promise.resolve(needed.every((each) => some.includes(each)));
    expect(await shrink(parts, fails, () => true)).toEqual(needed);
  });

  it('comes to nothing for what fails by itself', async () => {
    expect(
      await shrink(
        parts,
        () => Promise.resolve(true),
        () => true,
      ),
    ).toEqual([]);
  });

  it('stops when the time for it is over', async () => {
    let tries = 0;
    const fails = (): Promise<boolean> => Promise.resolve((tries += 1) > 3);
    await shrink(parts, fails, () => tries < 5);
    expect(tries).toBe(5);
  });

  it('is told, and told again, by the places of the parts that are kept', () => {
    for (const some of [
      { actions: [0, 3, 7], mishaps: [2] },
      { actions: [], mishaps: [] },
    ]) {
      expect(keptFromText(keptAsText(some))).toEqual(some);
    }
  });
});
