import { EventStoreDbEventStore } from '#event-store/eventstoredb';
import { SqliteEventReader, SqliteEventStore } from '#event-store/sqlite';
import type { OrderedEventStore } from '#event-store';
import { uuidv7, type RecordedEvent } from '#kernel';
import { startEventStoreDbServer } from '#testing';
import { EventStoreDBClient, jsonEvent, NO_STREAM, type JSONType } from '@eventstore/db-client';
import { join } from 'node:path';
import { LogCopy } from '../../apps/ledger/src/copy/log-copy.ts';
import { type Run, Runs } from '../../apps/ledger/src/copy/ordered-sending.ts';
import { loadLog } from '../../apps/ledger/src/load/load-command.ts';
import { inFolder } from './folder.ts';
import { compare, line } from './rounds.ts';

const EVENTS = 60_000;
const ROUNDS = 3;
/** As many of them under way as the copy has. */
const UNDER_WAY = 1_000;

/**
 * What a copy costs beside the bare appends: a made log, copied and compared to its end, against the same appends by the client
 * alone, to the same server (`WRIT_EVENTSTOREDB_URL`, or that of the tests).
 */
export async function moving(say: (text: string) => void): Promise<void> {
  const given = process.env['WRIT_EVENTSTOREDB_URL'];
  const server = given === undefined ? await startEventStoreDbServer({ inMemory: true }) : undefined;
  const connectionString = given ?? server?.connectionString ?? '';
  await inFolder(async (data) => {
    loadLog(['--accounts', '500', '--events', String(EVENTS), '--data', data], {}, SILENT);
    const path = join(data, 'events.db');
    const runs = await runsOf(path);
    const client = EventStoreDBClient.connectionString(connectionString);
    const bare = (): Promise<number> => bareAppends(client, runs);
    const copied = (readBack: boolean) => (): Promise<number> =>
      withStore(connectionString, (store) => copy(path, store, readBack));
    try {
      say(line('copy to EventStoreDB, sent / appends of the client', await compare(ROUNDS, copied(false), bare), 0.8));
      say(line('copy to EventStoreDB, and compared / the same', await compare(ROUNDS, copied(true), bare), 0.8));
      const file = async (): Promise<number> => {
        const store = await SqliteEventStore.open({ path: join(data, `${uuidv7()}.db`) });
        return copy(path, store, true).finally(() => store.close());
      };
      say(line('copy to a file, and compared / appends of the client', await compare(ROUNDS, file, bare), 0));
    } finally {
      await client.dispose();
    }
  });
  await server?.stop();
}

const SILENT = { stdout: { write: () => true }, stderr: { write: () => true } };

async function withStore(
  connectionString: string,
  work: (store: OrderedEventStore) => Promise<number>,
): Promise<number> {
  const streamPrefix = `writ-bench-${uuidv7()}-`;
  const store = await EventStoreDbEventStore.open({ connectionString, streamPrefix, callTimeoutMs: 60_000 });
  return work(store).finally(() => store.close());
}

/** @param readBack counts until all is compared, or until the last is stored. @returns events a second */
async function copy(path: string, destination: OrderedEventStore, readBack: boolean): Promise<number> {
  const source = new SqliteEventReader(path);
  const start = performance.now();
  let sentMs = start;
  let events = 0;
  const appendInOrder = (): ReturnType<OrderedEventStore['appendInOrder']> => {
    const inner = destination.appendInOrder();
    const append: typeof inner.append = async (stream, expected, appended) => {
      await inner.append(stream, expected, appended);
      events += appended.length;
      sentMs = performance.now();
    };
    return { append, end: () => inner.end() };
  };
  const watched: OrderedEventStore = Object.assign(Object.create(destination) as OrderedEventStore, {
    storesLate: destination.storesLate,
    appendInOrder,
    readAll: destination.readAll.bind(destination),
  });
  await new LogCopy({ source, destination: watched }).copyToEnd().finally(() => source.close());
  return events / (((readBack ? performance.now() : sentMs) - start) / 1_000);
}

/** The same appends, each when there is room for it. @returns events a second */
async function bareAppends(client: EventStoreDBClient, runs: readonly Run[]): Promise<number> {
  const prefix = uuidv7();
  let underWay = 0;
  let events = 0;
  let wake: () => void = () => undefined;
  const start = performance.now();
  const all: Promise<void>[] = [];
  for (const { events: appended } of runs) {
    while (underWay + appended.length > UNDER_WAY) await new Promise<void>((resolve) => (wake = resolve));
    underWay += appended.length;
    events += appended.length;
    all.push(
      bareAppend(client, prefix, appended).then(() => {
        underWay -= appended.length;
        wake();
      }),
    );
  }
  await Promise.all(all);
  return events / ((performance.now() - start) / 1_000);
}

async function bareAppend(client: EventStoreDBClient, prefix: string, events: Run['events']): Promise<void> {
  const [{ stream, revision }] = events;
  await client.appendToStream(
    `${prefix}-${stream}`,
    events.map((event: RecordedEvent) => {
      const { id, type, data, metadata } = event;
      return jsonEvent({ id, type, data: data as JSONType, metadata });
    }),
    { expectedRevision: revision === 0 ? NO_STREAM : BigInt(revision - 1) },
  );
}

async function runsOf(path: string): Promise<readonly Run[]> {
  const reader = new SqliteEventReader(path);
  const runs = new Runs();
  const all: (Run | undefined)[] = [];
  let after: string | undefined;
  for (let atEnd = false; !atEnd;) {
    const page = await reader.readAll({ limit: 5_000, ...(after !== undefined && { after }) });
    for (const event of page.events) all.push(runs.add(event));
    ({ scannedTo: after, atEnd } = page);
  }
  await reader.close();
  return [...all, runs.end()].filter((run) => run !== undefined);
}
