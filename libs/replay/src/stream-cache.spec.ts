import type { Recorded } from '#kernel';
import { LogBuilder } from '#testing';
import { beforeEach, describe, expect, it } from '@jest/globals';
import type { LedgerEvent } from './judged.ts';
import { StreamCache } from './stream-cache.ts';
import { StreamNames } from './stream-names.ts';

const DEPOSITS = 3;
const source = { kind: 'bank', reference: 'r' };

/** What is kept of a stream: nothing but its names. */
interface Kept {
  readonly names: StreamNames;
}

let asked: string[];
let indexed: number;
beforeEach(() => {
  asked = [];
  indexed = Number.MAX_SAFE_INTEGER;
});

const index = {
  indexedRevision: (stream: string): number => {
    asked.push(stream);
    return indexed;
  },
  lookup: (): undefined => undefined,
};

function cacheOf(streams: number, names: number): StreamCache<Kept> {
  return new StreamCache<Kept>({ streams, names, namesOf: (kept) => kept.names });
}

/** A stream with the names of so many deposits, two of each: its key and its id. */
function filled(stream: string, cache: StreamCache<Kept>, deposits: number): Kept {
  const names = new StreamNames(stream, { index, count: cache.count });
  const log = new LogBuilder();
  for (let n = 0; n < deposits; n += 1) {
    const data = { accountId: 'acc-1', depositId: `d-${String(n)}`, asset: 'BTC', amount: '1', source };
    names.note(
      log.append(stream, { type: 'FundsDeposited', data }, { key: `k-${String(n)}` }) as Recorded<LedgerEvent>,
    );
  }
  return { names };
}

function put(cache: StreamCache<Kept>, stream: string, deposits = DEPOSITS): Kept {
  const kept = filled(stream, cache, deposits);
  cache.set(stream, kept);
  return kept;
}

describe('the streams in memory', () => {
  it('are so many at most: the one used longest ago falls out, and its names are not counted any more', () => {
    const cache = cacheOf(2, Infinity);
    for (const stream of ['account-1', 'account-2']) put(cache, stream);
    cache.get('account-1');
    put(cache, 'account-3');
    expect(['account-1', 'account-2', 'account-3'].map((stream) => cache.peek(stream) !== undefined)).toEqual([
      true,
      false,
      true,
    ]);
    expect(cache.count.names).toBe(12);
  });

  it('leave names to the index before there are too many, those used longest ago first', () => {
    const cache = cacheOf(10, 16);
    const [first, second] = ['account-1', 'account-2'].map((stream) => put(cache, stream));
    expect(asked).toEqual([]);
    put(cache, 'account-3');
    expect(asked).toEqual(['account-1']);
    expect([cache.count.names, first?.names.size, second?.names.size]).toEqual([12, 0, 6]);
  });

  it('fall out where the index has not come so far', () => {
    indexed = -1;
    const cache = cacheOf(10, 16);
    for (const stream of ['account-1', 'account-2', 'account-3']) put(cache, stream);
    expect(cache.peek('account-1')).toBeUndefined();
    expect([cache.size, cache.count.names]).toEqual([2, 12]);
  });

  it('keep the one that is used, whatever it takes', () => {
    indexed = -1;
    const cache = cacheOf(10, 16);
    put(cache, 'account-1', 20);
    expect([cache.size, cache.count.names]).toEqual([1, 40]);
  });

  it('go on being asked, however many there are', () => {
    const cache = cacheOf(5_000, 6_000);
    for (let n = 0; n < 3_000; n += 1) {
      put(cache, `account-${String(n)}`, 1);
      expect(cache.count.names).toBeLessThanOrEqual(6_000);
    }
    expect(cache.size).toBe(3_000);
    expect(new Set(asked).size).toBe(asked.length);
  });

  it('count no more what is noted on one that fell out while it was in use', () => {
    const cache = cacheOf(1, Infinity);
    const used = put(cache, 'account-1');
    put(cache, 'account-2');
    used.names.forgetAll();
    expect([used.names.size, cache.count.names]).toEqual([0, 6]);
  });
});
