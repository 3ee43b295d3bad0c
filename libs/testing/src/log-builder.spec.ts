import { describe, expect, it } from '@jest/globals';
import { eventHash, isPosition, sha256Hex, UUID_PATTERN } from '#kernel';
import { MemoryEventStore } from '#event-store/memory';
import { LogBuilder, seal, TEST_ACTOR, TEST_EPOCH, testId } from './log-builder.ts';

const deposit = { type: 'FundsDeposited', data: { amount: '5' } };
const key = { caller: 'payments', value: 'k' };

describe('seal', () => {
  it('begins a stream, with the key on the first event alone', () => {
    const [first, second] = seal('account-a', undefined, [deposit, deposit], { key });
    expect(first).toMatchObject({ ...deposit, schemaVersion: 1 });
    expect(first?.metadata).toMatchObject({
      actor: TEST_ACTOR,
      correlationId: 'test',
      causationId: null,
      key: { ...key, homeStream: 'account-a' },
      commandHash: sha256Hex('k'),
      recordedAt: TEST_EPOCH,
      previousHash: null,
    });
    expect(second?.metadata).toMatchObject({ key: null, commandHash: null, previousHash: first?.metadata.hash });
  });

  it('gives each event its hash, and an id of its own', () => {
    const events = seal('account-a', { revision: 6, hash: sha256Hex('six') }, [deposit, deposit]);
    expect(events[0]?.metadata.previousHash).toBe(sha256Hex('six'));
    for (const [index, event] of events.entries()) {
      expect(event.metadata.hash).toBe(eventHash('account-a', 7 + index, event));
      expect(event.id).toMatch(UUID_PATTERN);
    }
    expect(events[0]?.id).not.toBe(events[1]?.id);
  });

  it('takes what it is told', () => {
    const options = {
      actor: { id: 'x', roles: ['ops'] },
      correlationId: 'c',
      causationId: testId(7),
      commandHash: 'h',
    };
    const [event] = seal('account-a', undefined, [deposit], {
      ...options,
      key: { ...key, homeStream: 'account-b' },
      recordedAt: '2022-01-01T00:00:00.000Z',
      newId: () => testId(9),
    });
    expect(event).toMatchObject({
      id: testId(9),
      metadata: { ...options, key: { ...key, homeStream: 'account-b' }, recordedAt: '2022-01-01T00:00:00.000Z' },
    });
  });

  it('makes what a store takes and gives back', async () => {
    const store = new MemoryEventStore();
    const events = seal('account-a', undefined, [deposit, deposit], { key });
    await store.append('account-a', 'no-stream', events);
    const stored = await store.read('account-a');
    expect(stored).toMatchObject(events);
    expect(stored.map((event) => eventHash('account-a', event.revision, event))).toEqual(
      events.map((event) => event.metadata.hash),
    );
  });
});

describe('LogBuilder', () => {
  it('counts revisions by stream, positions over all, and a second for each append', () => {
    const log = new LogBuilder();
    log.append('account-a', [deposit, deposit]);
    log.append('account-b', deposit);
    log.wait(60_000).append('account-a', deposit);
    expect(log.events.map(({ stream, revision }) => `${stream} ${String(revision)}`)).toEqual([
      'account-a 0',
      'account-a 1',
      'account-b 0',
      'account-a 2',
    ]);
    expect(log.events.map(({ metadata }) => metadata.recordedAt.slice(14, 19))).toEqual([
      '00:01',
      '00:01',
      '00:02',
      '01:03',
    ]);
    const positions = log.events.map(({ position }) => position);
    expect(positions.every(isPosition)).toBe(true);
    expect([...positions].sort()).toEqual(positions);
  });

  it('gives each append a key of the actor, unless told otherwise', () => {
    const log = new LogBuilder();
    const given = [
      log.append('account-a', deposit),
      log.append('account-a', deposit, { actor: 'ops-1' }),
      log.append('account-a', deposit, { key: 'mine' }),
      log.append('account-a', deposit, { key }),
      log.append('account-a', deposit, { key: null }),
    ].map((event) => event.metadata.key);
    const homeStream = 'account-a';
    expect(given).toEqual([
      { caller: 'payments', homeStream, value: 'key-1' },
      { caller: 'ops-1', homeStream, value: 'key-2' },
      { caller: 'payments', homeStream, value: 'mine' },
      { caller: 'payments', homeStream, value: 'k' },
      null,
    ]);
  });

  it('forges an event whose hash is right for what it says, unless that is forged too', () => {
    const log = new LogBuilder();
    const other = log.forge('account-a', deposit, { revision: 4, metadata: { correlationId: 'forged' } });
    expect(other).toMatchObject({ revision: 4, metadata: { correlationId: 'forged' } });
    expect(other.metadata.hash).toBe(eventHash('account-a', 4, other));
    expect(log.append('account-a', deposit)).toMatchObject({
      revision: 5,
      metadata: { previousHash: other.metadata.hash },
    });
    expect(log.forge('account-a', deposit, { metadata: { hash: 'h' } }).metadata.hash).toBe('h');
    expect(log.forge('account-a', deposit, { wholeMetadata: null, id: testId(1), position: 'p' })).toMatchObject({
      metadata: null,
      id: testId(1),
      position: 'p',
    });
  });

  it('appends at least one event', () => {
    expect(() => new LogBuilder().append('account-a', [])).toThrow(RangeError);
  });
});
