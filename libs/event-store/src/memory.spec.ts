import { MemoryEventStore } from '#event-store/memory';
import { describe, expect, it } from '@jest/globals';
import { describeEventStore, type StoreUnderTest } from './contract.ts';
import { describeRaces } from './contract-races.ts';

const adapter: StoreUnderTest = { open: () => Promise.resolve(new MemoryEventStore()) };

describeEventStore('MemoryEventStore', adapter);
describeRaces('MemoryEventStore', adapter, 25);

describe('MemoryEventStore', () => {
  it('stands for a store with many writers, or with one', () => {
    expect(new MemoryEventStore().singleWriter).toBe(false);
    expect(new MemoryEventStore({ singleWriter: true }).singleWriter).toBe(true);
  });
});
