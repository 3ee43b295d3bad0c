import { MemoryEventStore } from '#event-store/memory';
import { sha256Hex, type RecordedEvent } from '#kernel';
import { LedgerWorld, tellStory } from '#testing';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { StreamFold } from './fold.ts';
import { CitationResolver } from './resolver.ts';
import { decodeSnapshot, encodeSnapshot, misfitOf, type Snapshot } from './snapshot.ts';

const STREAM = 'account-acc-1';
const notIndexed = { indexedRevision: () => -1, lookup: () => undefined };

describe('a snapshot', () => {
  const store = new MemoryEventStore();
  let text: string;
  let fold: StreamFold;
  let last: RecordedEvent | undefined;

  beforeAll(async () => {
    await tellStory(new LedgerWorld({ store }));
    fold = new StreamFold(STREAM, new CitationResolver(store));
    const events = await store.read(STREAM);
    for (const event of events) await fold.apply(event);
    last = events.at(-1);
    text = encodeSnapshot(fold, 'rules', 1_000) ?? '';
  });

  function read(): Snapshot {
    const snapshot = decodeSnapshot(text, STREAM, 'rules');
    if (typeof snapshot === 'string') throw new Error(snapshot);
    return snapshot;
  }

  it('holds all that the fold came to', () => {
    expect(read().folded).toStrictEqual(fold.folded);
    expect(misfitOf(read(), last, notIndexed)).toBeUndefined();
  });

  it('is the same text for the same log', async () => {
    const again = new StreamFold(STREAM, new CitationResolver(store));
    for (const event of await store.read(STREAM)) await again.apply(event);
    expect(encodeSnapshot(again, 'rules', 1_000)).toBe(text);
  });

  it('shares nothing with the fold that it was made of', async () => {
    const other = new StreamFold(STREAM, new CitationResolver(store));
    const snapshot = read();
    other.restore(snapshot.folded, snapshot.names);
    const data = { accountId: 'acc-1', depositId: 'd-9', asset: 'BTC', amount: '1', source: { kind: 'bank' } };
    const next = { type: 'FundsDeposited', data, revision: other.revision + 1 };
    await other.applyOwn({ ...last, ...next } as RecordedEvent);
    expect(other.folded).not.toEqual(fold.folded);
    expect(encodeSnapshot(fold, 'rules', 1_000)).toBe(text);
  });

  it('is not made of more names than are allowed', () => {
    expect(encodeSnapshot(fold, 'rules', 5)).toBeUndefined();
  });

  it('is damaged when a single character differs, or is missing', () => {
    for (let at = 0; at < text.length; at += 97) {
      const other = text[at] === '1' ? '2' : '1';
      expect(decodeSnapshot(text.slice(0, at) + other + text.slice(at + 1), STREAM, 'rules')).toBe('damaged');
      expect(decodeSnapshot(text.slice(0, at), STREAM, 'rules')).toBe('damaged');
    }
  });

  it('is of no use to other code, nor in another format', () => {
    expect(decodeSnapshot(text, STREAM, 'other rules')).toBe('other-version');
    const content = text.slice(text.indexOf('\n') + 1).replace('"format":1', '"format":2');
    expect(decodeSnapshot(`${sha256Hex(content)}\n${content}`, STREAM, 'rules')).toBe('other-version');
  });

  it('is of no use to another stream', () => {
    expect(decodeSnapshot(text, 'account-acc-2', 'rules')).toBe('other-log');
  });

  it.each([
    ['the log ends before', (): undefined => undefined],
    ['another event stands there', (event: RecordedEvent) => withHash(event, 'f'.repeat(64))],
    ['the event there has no hash', (event: RecordedEvent) => ({ ...event, metadata: {} })],
  ])('does not fit when %s', (_when, change) => {
    if (last === undefined) throw new Error('no event');
    expect(misfitOf(read(), change(last) as RecordedEvent | undefined, notIndexed)).toBe('other-log');
  });

  it('does not fit an index that has not taken in the names that it leaves out', () => {
    const left = { ...read(), names: { ...read().names, leftToIndexUpTo: 3 } };
    expect(misfitOf(left, last, { ...notIndexed, indexedRevision: () => 2 })).toBe('ahead-of-index');
    expect(misfitOf(left, last, { ...notIndexed, indexedRevision: () => 3 })).toBeUndefined();
    expect(misfitOf(left, last, notIndexed)).toBe('ahead-of-index');
  });

  it('can not take the place of what was folded', () => {
    const snapshot = read();
    expect(() => fold.restore(snapshot.folded, snapshot.names)).toThrow('has begun already');
  });
});

function withHash(event: RecordedEvent, hash: string): RecordedEvent {
  return { ...event, metadata: { ...event.metadata, hash } };
}
