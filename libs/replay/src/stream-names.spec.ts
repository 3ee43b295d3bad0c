import type { Recorded } from '#kernel';
import { LogBuilder } from '#testing';
import { describe, expect, it } from '@jest/globals';
import type { IndexEntry } from './home-stream-index.ts';
import type { LedgerEvent } from './judged.ts';
import { StreamNames, type NamesIndex } from './stream-names.ts';

const STREAM = 'account-acc-1';
const source = { kind: 'bank', reference: 'r' };

/** An index that has taken in the names of these events. */
function indexOf(events: readonly Recorded<LedgerEvent>[]): NamesIndex {
  const all = new StreamNames(STREAM);
  for (const event of events) all.note(event);
  return {
    indexedRevision: () => events.length - 1,
    lookup: (_stream, kind, id): IndexEntry | undefined => all.lookup(kind, id),
  };
}

function deposits(...depositIds: readonly string[]): readonly Recorded<LedgerEvent>[] {
  const log = new LogBuilder();
  for (const depositId of depositIds) {
    const data = { accountId: 'acc-1', depositId, asset: 'BTC', amount: '1', source };
    log.append(STREAM, { type: 'FundsDeposited', data }, { key: depositId });
  }
  return log.events as readonly Recorded<LedgerEvent>[];
}

describe('names that are left to the index', () => {
  it('are known by their first use, though a later one is in memory', () => {
    const events = deposits('d-1', 'd-2', 'd-1');
    const names = new StreamNames(STREAM, { index: indexOf(events.slice(0, 2)), most: 1 });
    for (const event of events.slice(0, 2)) names.note(event);
    names.forget();
    for (const event of events.slice(2)) names.note(event);
    expect(names.lookup('deposit', 'd-1')?.revision).toBe(0);
    expect(names.lookup('key', 'payments\nd-1')?.revision).toBe(0);
  });

  it('are not in what is remembered for a snapshot, and all others are', () => {
    const events = deposits('d-1', 'd-2', 'd-3');
    const names = new StreamNames(STREAM, { index: indexOf(events.slice(0, 2)) });
    for (const event of events) names.note(event);
    const remembered = names.remembered(10);
    expect(remembered?.leftToIndexUpTo).toBe(1);
    expect([...(remembered?.names.deposit.keys() ?? [])]).toEqual(['d-3']);
  });

  it('are not remembered beyond a bound', () => {
    const names = new StreamNames(STREAM);
    for (const event of deposits('d-1', 'd-2')) names.note(event);
    expect(names.remembered(4)).toBeDefined();
    expect(names.remembered(3)).toBeUndefined();
  });

  it('stay left to an index that is being built anew', () => {
    const events = deposits('d-1', 'd-2');
    let indexed = 1;
    const index = { ...indexOf(events), indexedRevision: () => indexed };
    const names = new StreamNames(STREAM, { index, most: 1 });
    for (const event of events) names.note(event);
    names.forget();
    indexed = -1;
    expect(names.remembered(10)?.leftToIndexUpTo).toBe(1);
  });
});

describe('names of which only those are kept that a judgement can rest on', () => {
  it('say where the event stands that they were first given to, and no more', () => {
    const names = new StreamNames(STREAM, { onlyCited: true });
    for (const event of deposits('d-1', 'd-2', 'd-1')) names.note(event);
    expect(names.lookup('deposit', 'd-1')).toEqual({ revision: 0 });
    expect(names.lookup('deposit', 'd-2')).toEqual({ revision: 1 });
    expect(names.lookup('key', 'payments\nd-1')).toBeUndefined();
    expect(names.size).toBe(2);
  });

  it('are left to the index like all others', () => {
    const events = deposits('d-1', 'd-2', 'd-3');
    const names = new StreamNames(STREAM, { index: indexOf(events.slice(0, 2)), most: 1, onlyCited: true });
    for (const event of events) names.note(event);
    names.forget();
    expect(names.size).toBe(1);
    expect(names.lookup('deposit', 'd-1')?.revision).toBe(0);
    expect([...(names.remembered(10)?.names.deposit.keys() ?? [])]).toEqual(['d-3']);
  });
});
