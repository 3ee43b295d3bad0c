import { describe, expect, it } from '@jest/globals';
import {
  ASSET_CODE_PATTERN,
  holderSchema,
  ID_PATTERN,
  isRejection,
  isUnits,
  MAX_HOLDERS,
  Money,
  parseTimestamp,
  scopeSchema,
  SHA256_PATTERN,
} from '#kernel';
import fc from 'fast-check';
import * as arbitrary from './arbitraries.ts';

/** The samples are the same in each run. */
const sample = <Value>(values: fc.Arbitrary<Value>): Value[] => fc.sample(values, { numRuns: 500, seed: 1 });

describe('what the arbitraries give is what the kernel takes', () => {
  it.each([
    ['ids', arbitrary.arbitraryId, ID_PATTERN],
    ['asset codes', arbitrary.arbitraryAssetCode, ASSET_CODE_PATTERN],
    ['hashes', arbitrary.arbitrarySha256, SHA256_PATTERN],
    ['key values', arbitrary.arbitraryKeyValue, /^[\x21-\x7e]{1,255}$/],
  ])('%s', (_what, values, pattern) => {
    const given = sample(values);
    for (const value of given) expect(value).toMatch(pattern);
    expect(new Set(given).size).toBeGreaterThan(100);
  });

  it('units, from one to the most there can be', () => {
    const given = sample(arbitrary.arbitraryUnits);
    expect(given.every((units) => units > 0n && isUnits(units.toString()))).toBe(true);
    expect(given).toEqual(expect.arrayContaining([1n, 10n ** 38n - 1n]));
  });

  it.each([0, 2, 8, 18])('decimals of scale %i, which mean their units', (scale) => {
    const asset = { code: 'BTC', scale, kind: 'crypto' as const };
    for (const { text, units } of sample(arbitrary.arbitraryDecimal(scale))) {
      const money = Money.parse(text, asset);
      expect(isRejection(money) ? money.detail : money.units).toBe(units);
    }
  });

  it('timestamps, within their bounds', () => {
    const [from, to] = ['2022-02-28T23:59:59.990Z', '2022-03-01T00:00:00.010Z'];
    const given = sample(arbitrary.arbitraryTimestamp(from, to));
    expect(given.every((time) => parseTimestamp(time) === time && time >= from && time <= to)).toBe(true);
    expect(new Set(given).size).toBe(21);
    expect(sample(arbitrary.arbitraryTimestamp()).every((time) => parseTimestamp(time) === time)).toBe(true);
    expect(() => arbitrary.arbitraryTimestamp('yesterday')).toThrow(RangeError);
  });

  it('scopes', () => {
    const given = sample(arbitrary.arbitraryScope(['BTC', 'ETH']));
    for (const scope of given) expect(scopeSchema.parse(scope)).toEqual(scope);
    expect(new Set(given.map(({ assets }) => JSON.stringify(assets))).size).toBe(5);
    expect(new Set(given.map(({ direction }) => direction)).size).toBe(3);
    expect(new Set(given.map(({ limits }) => Object.keys(limits ?? {}).length)).size).toBe(3);
  });

  it('holders, each once', () => {
    for (const holders of sample(arbitrary.arbitraryHolders(['p-1', 'p-2', 'p-3']))) {
      for (const holder of holders) expect(holderSchema.parse(holder)).toEqual(holder);
      expect(new Set(holders.map(({ partyId }) => partyId)).size).toBe(holders.length);
      expect(holders.length).toBeLessThanOrEqual(MAX_HOLDERS);
    }
  });
});
