import type { EventFilter } from '#event-store';
import { type EventMetadata, type Position, type RecordedEvent, type SealedEvent, uuidv7 } from '#kernel';
import { type EventStoreDbServer, startEventStoreDbServer } from '#testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { EventStoreDBClient, jsonEvent } from '@eventstore/db-client';
import type { Subscription } from 'rxjs';
import { EventStoreDbEventStore } from './index.ts';

const CALL_TIMEOUT_MS = 20_000;

let server: EventStoreDbServer;
let store: EventStoreDbEventStore;
let prefixes = 0;
const heads = new Map<string, number>();

beforeAll(async () => {
  server = await startEventStoreDbServer({ nodeCount: 3 });
});
afterAll(() => server.stop());

async function open(): Promise<void> {
  prefixes += 1;
  heads.clear();
  const { connectionString } = server;
  const settings = { connectionString, streamPrefix: `s${prefixes}-`, callTimeoutMs: CALL_TIMEOUT_MS };
  store = await EventStoreDbEventStore.open(settings);
}
afterEach(() => store.close());

function event(type = 'T'): SealedEvent {
  const metadata = { correlationId: 'c' } as EventMetadata;
  return { id: uuidv7(), type, schemaVersion: 1, data: {}, metadata };
}

async function append(stream: string, count: number): Promise<void> {
  const head = heads.get(stream) ?? -1;
  const events = Array.from({ length: count }, () => event());
  await store.append(stream, head < 0 ? 'no-stream' : head, events);
  heads.set(stream, head + count);
}

/** Events of a stream that is none of ours. */
async function appendOfStrangers(count: number): Promise<void> {
  const client = EventStoreDBClient.connectionString(server.connectionString);
  const events = Array.from({ length: count }, () => jsonEvent({ type: 'T', data: {} }));
  await client.appendToStream(`stranger-${uuidv7()}`, events);
  await client.dispose();
}

interface Seen {
  readonly ids: readonly string[];
  readonly scanned: readonly Position[];
  readonly until: (condition: () => boolean) => Promise<void>;
  readonly stop: () => void;
}

function follow(options: { readonly after?: Position; readonly filter?: EventFilter } = {}): Seen {
  const [ids, scanned]: [string[], Position[]] = [[], []];
  let wake: () => void = () => undefined;
  let subscription: Subscription | undefined;
  const failed = new Promise<never>((_, reject) => {
    const note = (position: Position): void => {
      scanned.push(position);
      wake();
    };
    subscription = store.subscribeAll({ ...options, scanned: note }).subscribe({
      next: ({ id }: RecordedEvent) => {
        ids.push(id);
        wake();
      },
      error: reject,
    });
  });
  const until = async (condition: () => boolean): Promise<void> => {
    while (!condition()) await Promise.race([failed, new Promise<void>((resolve) => (wake = resolve))]);
  };
  return { ids, scanned, until, stop: () => subscription?.unsubscribe() };
}

const log = async (): Promise<string[]> => (await store.readAll({ limit: 10_000 })).events.map(({ id }) => id);

describe('a subscription to EventStoreDB', () => {
  it.each<[string, () => Promise<unknown>]>([
    ['its connection is cut', () => server.dropConnections()],
    ['the server restarts', () => server.restart()],
    ['the leader changes', () => server.changeLeader(1)],
    ['it is dropped as too slow', () => server.dropSubscriptions('consumer-too-slow')],
    ['the server cancels it', () => server.dropSubscriptions('cancelled')],
    [
      'it is cut again and again, also before anything came',
      async () => {
        await server.inject({ kind: 'drop-subscription', afterEvents: 0, as: 'connection-dropped', times: 3 });
        await server.inject({ kind: 'drop-subscription', afterEvents: 7, as: 'cancelled', times: 3 });
        await server.dropSubscriptions('cancelled');
      },
    ],
  ])('goes on without gap or repeat when %s', async (_, cut) => {
    await open();
    await append('account-1', 50);
    const seen = follow();
    await seen.until(() => seen.ids.length >= 20);
    const writing = (async () => {
      for (let round = 0; round < 30; round += 1) await append(`account-${round % 3}`, 3);
    })();
    await cut();
    await writing;
    await append('account-2', 1);
    const all = await log();
    await seen.until(() => seen.ids.length >= all.length);
    seen.stop();
    expect(all).toHaveLength(141);
    expect(seen.ids).toEqual(all);
  });

  it('knows how far it looked where only others write, and misses nothing when it goes on from there', async () => {
    await open();
    await append('account-1', 1);
    const seen = follow();
    await seen.until(() => seen.ids.length === 1);
    const [first] = (await store.readAll({ limit: 1 })).events;
    await appendOfStrangers(2_500);
    await seen.until(() => (seen.scanned.at(-1) ?? '') > (first?.position ?? ''));
    const scanned = seen.scanned.at(-1);
    await server.dropSubscriptions('cancelled');
    await append('account-1', 2);
    const later = follow(scanned === undefined ? {} : { after: scanned });
    await Promise.all([seen.until(() => seen.ids.length === 3), later.until(() => later.ids.length === 2)]);
    seen.stop();
    later.stop();
    expect([seen.ids[0], ...later.ids]).toEqual(await log());
    expect(seen.ids).toEqual(await log());
  });

  it('does not take the end of numbers, which the server tells at first, for how far it looked', async () => {
    await open();
    const fresh = await startEventStoreDbServer({ inMemory: true });
    try {
      await store.close();
      store = await EventStoreDbEventStore.open({ connectionString: fresh.connectionString, streamPrefix: 'own-' });
      // Fewer than a checkpoint takes, and none of ours among them.
      const client = EventStoreDBClient.connectionString(fresh.connectionString);
      await client.appendToStream(
        'stranger-1',
        Array.from({ length: 10 }, () => jsonEvent({ type: 'T', data: {} })),
      );
      await client.dispose();
      const seen = follow();
      for (let count = 1; count <= 5; count += 1) {
        await fresh.dropSubscriptions('cancelled');
        await append('account-1', 1);
        await seen.until(() => seen.ids.length === count);
      }
      seen.stop();
      expect(seen.scanned.every((position) => position < '8')).toBe(true);
    } finally {
      await store.close();
      await fresh.stop();
    }
  });

  it('fails when it may not read', async () => {
    await open();
    await server.inject({ kind: 'deny', calls: ['subscribe'] });
    const seen = follow();
    await expect(seen.until(() => false)).rejects.toMatchObject({ code: 'store-unavailable' });
  });

  it('waits for nothing, and ends with the store, where nothing can match', async () => {
    await open();
    await append('account-1', 1);
    const ended = new Promise<void>((resolve, reject) => {
      store.subscribeAll({ filter: { types: [] } }).subscribe({ next: reject, error: reject, complete: resolve });
    });
    await store.close();
    await ended;
  });
});
