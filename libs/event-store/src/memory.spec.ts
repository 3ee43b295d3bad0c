import { MemoryEventStore } from '#event-store/memory';
import { describe, expect, it } from '@jest/globals';
import { describeEventStore } from './contract.ts';

describeEventStore('MemoryEventStore', { open: () => Promise.resolve(new MemoryEventStore()) });

describe('MemoryEventStore', () => {
  it('stands for a store with many writers, or with one', () => {
    expect(new MemoryEventStore().singleWriter).toBe(false);
    expect(new MemoryEventStore({ singleWriter: true }).singleWriter).toBe(true);
  });
});
