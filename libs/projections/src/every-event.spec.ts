import type { EventStore } from '#event-store';
import { MemoryEventStore } from '#event-store/memory';
import { Judge, kindOfStream, registry, type JudgedEvent } from '#replay';
import { LedgerWorld, tellStory } from '#testing';
import { describe, expect, it } from '@jest/globals';
import { projectors } from './projectors.ts';

/** Every type of event, with the kind of its stream. */
const TYPES = Object.entries(registry).flatMap(([kind, types]) => [...types.keys()].map((type) => `${kind} ${type}`));

/** A stream of a party may hold refusals; today no command about a party is refused for a reason that is recorded. */
const UNWRITTEN = ['party CommandRefused'];

/** These keep account of every event there is, whatever it says; and of a violation there is none. */
const projecting = projectors.filter(({ name }) => !['names', 'streams', 'violations'].includes(name));

/** An opening of the story is given up for another; this one, for what is listed as a refusal: its second holder is named. */
async function openTooLate(world: LedgerWorld): Promise<void> {
  const nameSecond = (): Promise<void> =>
    world.putOrder({ orderId: 'ord-late', subjects: [{ kind: 'party', partyId: 'p-2' }] });
  const other = new LedgerWorld({ store: afterAttaching('p-1', world.store, nameSecond), clock: world.clock });
  const holders = ['p-1', 'p-2'].map((partyId) => ({ partyId, capacity: 'joint' as const }));
  await other.ask({ type: 'OpenAccount', accountId: 'acc-late', holders });
}

/** The store, with something that happens as soon as an account was attached to a party. */
function afterAttaching(partyId: string, store: EventStore, happens: () => Promise<void>): EventStore {
  const append: EventStore['append'] = async (stream, expected, events) => {
    const appended = await store.append(stream, expected, events);
    if (stream === `party-${partyId}` && events.some(({ type }) => type === 'AccountAttached')) await happens();
    return appended;
  };
  const read: EventStore['read'] = (...call) => store.read(...call);
  const readAll: EventStore['readAll'] = (...call) => store.readAll(...call);
  const subscribeAll: EventStore['subscribeAll'] = (...call) => store.subscribeAll(...call);
  const close = (): Promise<void> => store.close();
  return { append, read, readAll, subscribeAll, close, head: () => store.head(), singleWriter: false };
}

function changesARow(event: JudgedEvent): boolean {
  return projecting.some(({ project }) => project(event, '2022-05-01T00:00:00.000Z').length > 0);
}

describe('every type of event', () => {
  it('changes a row of some read model', async () => {
    const store = new MemoryEventStore();
    const world = new LedgerWorld({ store });
    await tellStory(world);
    await openTooLate(world);
    const judge = new Judge(store);
    const projected = new Set<string>();
    for (const recorded of await world.log()) {
      const event = await judge.judge(recorded);
      if (changesARow(event)) projected.add(`${String(kindOfStream(recorded.stream))} ${recorded.type}`);
    }
    expect(TYPES.filter((type) => !projected.has(type))).toEqual(UNWRITTEN);
  });
});
