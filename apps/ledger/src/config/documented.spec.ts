import { expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { type ConfigError, readConfig, VARIABLES, type Environment } from './config.ts';

interface Row {
  readonly variable: string;
  readonly fallback: string;
  readonly rule: string;
}

const page = readFileSync(new URL('../../../../docs/operations.md', import.meta.url), 'utf8');
const rows: readonly Row[] = [...page.matchAll(/^\| `([A-Z_]+)` *\| *(.*?) *\| *(.*?) *\|$/gm)].map(
  ([, variable = '', fallback = '', rule = '']) => ({ variable, fallback: fallback.replaceAll('`', ''), rule }),
);

/** The rule that a value of a variable breaks; undefined when it may be. */
function ruleBrokenBy(variable: string, value: string): string | undefined {
  try {
    readConfig({ [variable]: value });
    return undefined;
  } catch (error) {
    return (error as ConfigError).problems.find((problem) => problem.variable === variable)?.rule;
  }
}

function configOf(environment: Environment): readonly string[] {
  return Object.values(readConfig(environment)).map((value) => JSON.stringify(value));
}

it('the page has each variable, and no other', () => {
  expect(rows.map(({ variable }) => variable).sort()).toEqual(['HOST', 'PORT', ...VARIABLES].sort());
});

it('the page has the range of each number', () => {
  const ranges = rows.flatMap(({ variable, rule }) => {
    const [range] = /from \d+ to \d+/.exec(ruleBrokenBy(variable, '-1') ?? '') ?? [];
    return range === undefined ? [] : [[variable, rule.includes(range) ? range : rule, range]];
  });
  expect(ranges.length).toBeGreaterThan(5);
  for (const [variable, said, range] of ranges) expect([variable, said]).toEqual([variable, range]);
});

it('the page has the values of each choice', () => {
  for (const { variable, rule } of rows) {
    const [, values] = /^must be one of (.+)$/.exec(ruleBrokenBy(variable, '?') ?? '') ?? [];
    for (const value of values?.split(', ') ?? [])
      expect([variable, rule]).toEqual([variable, expect.stringContaining(`\`${value}\``)]);
  }
});

it('the page has the default of each: set to it, nothing is another', () => {
  const development = configOf({});
  for (const { variable, fallback } of rows) {
    const [production = '', inDevelopment] = fallback.split('; in development ');
    if (fallback === '') continue;
    expect([variable, configOf({ [variable]: inDevelopment ?? production })]).toEqual([variable, development]);
    if (inDevelopment === undefined) continue;
    const provider = { WRIT_JWKS_FILE: 'f', WRIT_JWT_ISSUER: 'i', WRIT_JWT_AUDIENCE: 'a' };
    expect([variable, configOf({ ...provider, [variable]: production })]).toEqual([variable, configOf(provider)]);
  }
});
