import type { RecordedEvent } from '#kernel';
import { LedgerWorld } from '#testing';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { StreamFold } from './fold.ts';
import { CitationResolver } from './resolver.ts';

describe('a fold that is given what it should not be', () => {
  let events: readonly RecordedEvent[];
  let fold: StreamFold;

  beforeEach(async () => {
    const world = new LedgerWorld();
    await world.openAccount();
    events = await world.store.read('party-p-1');
    fold = new StreamFold('party-p-1', new CitationResolver(world.store));
    for (const event of events.slice(0, 2)) await fold.apply(event);
  });

  const at = (revision: number, stream = 'party-p-1'): RecordedEvent => {
    const [event] = events.slice(-1);
    if (event === undefined) throw new Error('the party has events');
    return { ...event, stream, revision };
  };

  it.each([
    ['an event that it has folded', at.bind(null, 1)],
    ['the next one of another stream', at.bind(null, 2, 'party-p-2')],
    ['a later one of another stream', at.bind(null, 5, 'party-p-2')],
  ])('says so of %s, and stays as it was', (_, given) => {
    const before = structuredClone(fold.folded);
    const event = given();
    expect(() => fold.apply(event)).toThrow(
      `fold of party-p-1 at 1 was given ${event.stream}@${String(event.revision)}`,
    );
    expect(fold.folded).toEqual(before);
  });

  it('finds an event of its own malformed before it is stored', () => {
    const event = at(2);
    expect(fold.applyOwn({ ...event, data: { ...(event.data as object), partyId: '' } })).toMatchObject({
      violation: { code: 'malformed-event', detail: expect.stringContaining('partyId') },
    });
  });

  it('says so of an event of its own that does not come next', () => {
    expect(() => fold.applyOwn(at(3))).toThrow('fold of party-p-1 at 1 was given party-p-1@3');
    expect(() => fold.applyOwn(at(2, 'party-p-2'))).toThrow('fold of party-p-1 at 1 was given party-p-2@2');
  });
});
