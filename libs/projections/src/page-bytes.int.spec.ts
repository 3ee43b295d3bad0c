import { MemoryEventStore } from '#event-store/memory';
import type { Subject } from '#legal-orders';
import { LedgerWorld } from '#testing';
import { expect, it } from '@jest/globals';
import { startProjections } from './start.ts';

const TIMEOUT_MS = 20_000;
const MOST_BYTES = 4 * 1024 * 1024;
/** Of each order of them a hundred thousand bytes. */
const subjects = Array.from({ length: 1_000 }, (_, nth): Subject => ({
  kind: 'external',
  sha256: String(nth).padStart(64, '0'),
}));

it('a page ends early rather than have more bytes than one can hold, and the pages together lose nothing', async () => {
  const store = new MemoryEventStore();
  const world = new LedgerWorld({ store });
  const expected = Array.from({ length: 50 }, (_, nth) => `ord-${String(nth)}`);
  for (const orderId of expected) await world.putOrder({ orderId, subjects }, false);
  const projections = startProjections({ kind: 'in-process', reader: store, readModelFile: ':memory:' });
  try {
    expect(await projections.caughtUp(TIMEOUT_MS)).toBe(true);
    const found: string[] = [];
    const sizes: number[] = [];
    let cursor: string | undefined;
    do {
      const page = projections.queries.legalOrders({}, { limit: 500, cursor });
      found.push(...page.items.map(({ orderId }) => orderId));
      sizes.push(JSON.stringify(page.items).length);
      cursor = page.nextCursor ?? undefined;
    } while (cursor !== undefined);
    expect(found).toEqual(expected.toReversed());
    const largest = Math.max(...sizes);
    expect(largest).toBeGreaterThan(MOST_BYTES * 0.9);
    expect(largest).toBeLessThan(MOST_BYTES * 1.1);
  } finally {
    await projections.close();
  }
});
