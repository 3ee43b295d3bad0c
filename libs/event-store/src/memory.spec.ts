import { MemoryEventStore } from '#event-store/memory';
import { describe, expect, it } from '@jest/globals';
import { describeEventStore, type StoreUnderTest } from './contract.ts';
import { sealedEvent } from './contract-events.ts';
import { describeRaces } from './contract-races.ts';

const adapter: StoreUnderTest = { open: () => Promise.resolve(new MemoryEventStore()) };

describeEventStore('MemoryEventStore', adapter);
describeRaces('MemoryEventStore', adapter, 25);

describe('MemoryEventStore', () => {
  it('stands for a store with many writers, or with one', () => {
    expect(new MemoryEventStore().singleWriter).toBe(false);
    expect(new MemoryEventStore({ singleWriter: true }).singleWriter).toBe(true);
  });

  it('goes on from the log of another, which stays as it is', async () => {
    const first = new MemoryEventStore();
    await first.append('thing-1', 'no-stream', [sealedEvent(), sealedEvent()]);
    const { events } = await first.readAll({ limit: 10 });
    const second = new MemoryEventStore({ log: events });
    expect(await second.append('thing-1', 1, [sealedEvent()])).toMatchObject({ lastRevision: 2 });
    expect((await second.readAll({ limit: 10 })).events.slice(0, 2)).toEqual(events);
    expect((await second.read('thing-1')).map(({ revision }) => revision)).toEqual([0, 1, 2]);
    expect((await first.readAll({ limit: 10 })).events).toEqual(events);
  });

  it('takes no log that lacks its beginning', async () => {
    const first = new MemoryEventStore();
    await first.append('thing-1', 'no-stream', [sealedEvent(), sealedEvent()]);
    const { events } = await first.readAll({ limit: 10 });
    expect(() => new MemoryEventStore({ log: events.slice(1) })).toThrow(RangeError);
  });
});
