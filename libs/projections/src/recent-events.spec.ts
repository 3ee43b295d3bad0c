import { MemoryEventStore } from '#event-store/memory';
import type { RecordedEvent } from '#kernel';
import { LedgerWorld } from '#testing';
import { beforeAll, expect, it } from '@jest/globals';
import { RecentEvents } from './recent-events.ts';

let store: MemoryEventStore;
let events: readonly RecordedEvent[];
beforeAll(async () => {
  store = new MemoryEventStore();
  await new LedgerWorld({ store }).openAccount();
  events = await new LedgerWorld({ store }).log();
});

it('answers for what was read last, and asks the log for all else', async () => {
  const kept = events.map((event) => ({ ...event, type: 'kept' }));
  const recent = new RecentEvents(store);
  const typesRead = (options?: { from: number; to?: number }): Promise<(string | undefined)[]> =>
    Promise.all(events.map(async ({ stream }) => (await recent.read(stream, options))[0]?.type));
  const all = [...new Set(events.map(({ stream }) => stream))];
  expect(all.length).toBeGreaterThan(1);
  const first = { from: 0, to: 0 };
  expect(await typesRead(first)).not.toContain('kept');
  recent.keep(kept);
  expect(new Set(await typesRead(first))).toEqual(new Set(['kept']));
  expect(await typesRead({ from: 0 })).not.toContain('kept');
  recent.keep([]);
  expect(new Set(await typesRead(first))).toEqual(new Set(['kept']));
  recent.keep([]);
  expect(await typesRead(first)).not.toContain('kept');
});
