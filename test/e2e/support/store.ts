import type { EventReader, EventStore } from '#event-store';
import { EventStoreDbEventStore } from '#event-store/eventstoredb';
import { SqliteEventReader, SqliteEventStore } from '#event-store/sqlite';
import { registry } from '#replay';
import { namedEventStoreDb, newStreamPrefix } from '#testing';
import { join } from 'node:path';

const STREAM_KINDS = Object.keys(registry).map((kind) => `${kind}-`);

/**
 * The server that the services of the tests have their logs on; undefined when each has a file in its data folder, as by
 * `npm test`. `WRIT_TEST_STORE` is read here and nowhere else.
 */
export const serverOfServices = process.env['WRIT_TEST_STORE'] === 'eventstoredb' ? demandServer() : undefined;

/** By data folder, so that whoever starts again on one has its log again. */
const prefixes = new Map<string, string>();

function demandServer(): NonNullable<ReturnType<typeof namedEventStoreDb>> {
  const named = namedEventStoreDb();
  if (named === undefined)
    throw new Error('WRIT_TEST_STORE is eventstoredb, and WRIT_EVENTSTOREDB_URL names no server');
  return named;
}

function prefixOf(dataDir: string): string {
  const known = prefixes.get(dataDir) ?? newStreamPrefix();
  prefixes.set(dataDir, known);
  return known;
}

/**
 * What a service on this folder is told of its store.
 * @param given what a test tells it: nothing is added where that names a store
 */
export function storeEnvironment(dataDir: string, given: NodeJS.ProcessEnv = {}): Readonly<Record<string, string>> {
  if (serverOfServices === undefined || given['WRIT_STORE'] !== undefined) return {};
  return { ...serverOfServices.environment, WRIT_EVENTSTOREDB_PREFIX: prefixOf(dataDir) };
}

/** The log of the service on this folder, while that runs or not. */
export async function openLog(dataDir: string): Promise<EventReader> {
  return serverOfServices === undefined ? new SqliteEventReader(fileIn(dataDir)) : openOnServer(dataDir);
}

/** The same for writing, while no service runs on the folder. */
export async function openStore(dataDir: string): Promise<EventStore> {
  return serverOfServices === undefined ? SqliteEventStore.open({ path: fileIn(dataDir) }) : openOnServer(dataDir);
}

const fileIn = (dataDir: string): string => join(dataDir, 'events.db');

function openOnServer(dataDir: string): Promise<EventStoreDbEventStore> {
  return EventStoreDbEventStore.open({
    ...demandServer().settings,
    streamPrefix: prefixOf(dataDir),
    streamKinds: STREAM_KINDS,
  });
}
