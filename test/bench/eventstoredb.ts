import { EventStoreDbEventStore } from '#event-store/eventstoredb';
import { sealEvent, uuidv7, type EventTexts, type SealedEvent } from '#kernel';
import { startEventStoreDbServer } from '#testing';
import { EventStoreDBClient, jsonEvent, NO_STREAM, streamNameFilter, type JSONType } from '@eventstore/db-client';
import { compare, line, type Comparison } from './rounds.ts';

const APPENDS = 6_000;
const ROUNDS = 5;
const CATCH_UP_EVENTS = 20_000;
const EVENTS_AN_APPEND = 500;

/** An event as a lane gives it to its store. */
interface Prepared extends SealedEvent {
  readonly texts: EventTexts;
}

/**
 * Through the store and by the same client alone, to the same server: the one that WRIT_EVENTSTOREDB_URL names, or that of
 * the tests.
 */
export async function eventStoreDb(say: (text: string) => void): Promise<void> {
  const given = process.env['WRIT_EVENTSTOREDB_URL'];
  const server = given === undefined ? await startEventStoreDbServer({ inMemory: true }) : undefined;
  const connectionString = given ?? server?.connectionString ?? '';
  const streamPrefix = `writ-bench-${uuidv7()}-`;
  const store = await EventStoreDbEventStore.open({ connectionString, streamPrefix, callTimeoutMs: 60_000 });
  const client = EventStoreDBClient.connectionString(connectionString);
  try {
    for (const callers of [64, 1_000]) {
      say(line(`EventStoreDB, appends of ${callers} callers / client`, await appends(store, client, callers), 0.8));
    }
    say(line('EventStoreDB, appends of 10 events, 64 callers / client', await appends(store, client, 64, 10), 0));
    say(line('EventStoreDB, catch-up / subscription of the client', await catchUp(store, client, streamPrefix), 0.7));
  } finally {
    await client.dispose();
    await store.close();
    await server?.stop();
  }
}

/** Each caller on a stream of its own, one append after the other. @returns appends a second */
async function appends(
  store: EventStoreDbEventStore,
  client: EventStoreDBClient,
  callers: number,
  together = 1,
): Promise<Comparison> {
  const each = Math.ceil(APPENDS / callers / together);
  const id = uuidv7();
  let round = 0;
  async function run(
    append: (stream: string, at: number, events: readonly Prepared[]) => Promise<unknown>,
  ): Promise<number> {
    round += 1;
    const prepared = Array.from({ length: callers }, (_, caller) =>
      chain(`account-${id}-${round}-${caller}`, each * together),
    );
    const start = performance.now();
    await Promise.all(
      prepared.map(async ({ stream, events }) => {
        for (let at = 0; at < events.length; at += together) await append(stream, at, events.slice(at, at + together));
      }),
    );
    return (callers * each) / ((performance.now() - start) / 1000);
  }
  return compare(
    ROUNDS,
    () => run((stream, at, events) => store.append(stream, at === 0 ? 'no-stream' : at - 1, events)),
    () =>
      run((stream, at, events) =>
        client.appendToStream(
          `bare-${stream}`,
          events.map(({ id, type, data, metadata }) => jsonEvent({ id, type, data: data as JSONType, metadata })),
          { expectedRevision: at === 0 ? NO_STREAM : BigInt(at - 1) },
        ),
      ),
  );
}

/** From the first event of the bench to the last of so many. @returns events a second */
async function catchUp(store: EventStoreDbEventStore, client: EventStoreDBClient, prefix: string): Promise<Comparison> {
  const { stream, events } = chain('party-1', CATCH_UP_EVENTS);
  for (let at = 0; at < events.length; at += EVENTS_AN_APPEND) {
    await store.append(stream, at === 0 ? 'no-stream' : at - 1, events.slice(at, at + EVENTS_AN_APPEND));
  }
  const filter = { streamPrefixes: ['party-'] };
  async function timed(follow: (take: () => void) => () => unknown): Promise<number> {
    const start = performance.now();
    let left = CATCH_UP_EVENTS;
    let stop: () => unknown = () => undefined;
    await new Promise<void>((resolve) => {
      stop = follow(() => {
        left -= 1;
        if (left === 0) resolve();
      });
    });
    stop();
    return CATCH_UP_EVENTS / ((performance.now() - start) / 1000);
  }
  return compare(
    ROUNDS,
    () =>
      timed((take) => {
        const subscription = store.subscribeAll({ filter }).subscribe(take);
        return () => subscription.unsubscribe();
      }),
    () =>
      timed((take) => {
        const bare = client.subscribeToAll({ filter: streamNameFilter({ prefixes: [`${prefix}party-`] }) });
        bare.on('data', take);
        return () => bare.unsubscribe();
      }),
  );
}

/** Events of one stream as the ledger seals them, of about 700 bytes. */
function chain(stream: string, length: number): { readonly stream: string; readonly events: readonly Prepared[] } {
  const events: Prepared[] = [];
  for (let revision = 0; revision < length; revision += 1) {
    const id = uuidv7();
    const data = { accountId: stream, amount: '150000000', asset: 'BTC', depositId: id, source: { kind: 'onchain' } };
    const unsealed = {
      actor: { id: 'bench', roles: ['service'] },
      causationId: null,
      commandHash: 'c'.repeat(64),
      correlationId: id,
      key: { caller: 'bench', homeStream: stream, value: id },
      previousHash: events.at(-1)?.metadata.hash ?? null,
      recordedAt: '2026-01-01T00:00:00.000Z',
    };
    const content = { id, type: 'FundsDeposited', schemaVersion: 1, data };
    const { hash, texts } = sealEvent(stream, revision, { ...content, metadata: unsealed });
    events.push({ ...content, metadata: { ...unsealed, hash }, texts });
  }
  return { stream, events };
}
