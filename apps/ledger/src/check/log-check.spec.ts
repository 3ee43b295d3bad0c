import { describe, expect, it } from '@jest/globals';
import { unbalanced } from './log-check.ts';

const asset = 'BTC';

describe('the books of a checked log', () => {
  it('are right when what came in is there or on its way, wherever it was counted', () => {
    const one = { asset, external: -10n, transit: 3n, held: 4n };
    const other = { asset, external: 1n, transit: 0n, held: 2n };
    expect(unbalanced([one, other, { asset: 'EUR', external: 0n, transit: 0n, held: 0n }])).toEqual([]);
  });

  it.each([
    ['what is missing', { asset, external: -10n, transit: 0n, held: 9n }, 'the trial balance of BTC is -1'],
    ['what is too much', { asset, external: -10n, transit: 0n, held: 11n }, 'the trial balance of BTC is 1'],
    ['what came out of nothing', { asset, external: 0n, transit: -5n, held: 5n }, 'more BTC came out of transit'],
  ])('tell %s', (_, sums, expected) => {
    expect(unbalanced([sums])).toEqual([expect.stringContaining(expected)]);
  });
});
