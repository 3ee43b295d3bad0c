import type { EventReader, OrderedEventStore } from '#event-store';
import { nameOf, readConnection } from '#event-store/eventstoredb';
import { demandWhole, SqliteEventReader, SqliteEventStore } from '#event-store/sqlite';
import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { readServerConfig, type Environment } from '../config/config.ts';
import { filesIn } from '../data-folder.ts';
import { StartError } from '../start-error.ts';
import { openEventStoreDb } from '../store/eventstoredb.ts';

/** Where a log is, or is to be. */
export interface Place {
  readonly kind: 'sqlite' | 'eventstoredb';
  /** For people: file or hosts, never a password. */
  readonly name: string;
  /** Of the log's file, where it is one. */
  readonly path: string | undefined;
  /** @throws StoreError or StartError that says in one line why not */
  openSource(): Promise<EventReader>;
  /** Makes an empty log where there is none. @throws as `openSource` */
  openDestination(): Promise<OrderedEventStore>;
}

const FILE = 'sqlite:';
const FROM_VARIABLES = 'eventstoredb';

/**
 * Reads where a log is: `sqlite:` and a data folder or the log's file in it, a connection string, or `eventstoredb` for the one in
 * `WRIT_EVENTSTOREDB_URL`; the variables beside that one count for both.
 * @throws StartError, ConfigError or StoreError that says in one line what is wrong, and quotes no connection string
 */
export function readPlace(option: 'from' | 'to', text: string, environment: Environment): Place {
  if (text.startsWith(FILE)) return filePlace(text.slice(FILE.length), option);
  if (text !== FROM_VARIABLES && !/^[a-z+]+:\/\//.test(text)) {
    throw new StartError(
      `--${option} is sqlite:<data folder>, esdb://<host>:<port>, or eventstoredb for what WRIT_EVENTSTOREDB_URL says.`,
    );
  }
  const url = text === FROM_VARIABLES ? {} : { WRIT_EVENTSTOREDB_URL: text };
  return serverPlace({ ...environment, ...url });
}

function filePlace(text: string, option: string): Place {
  if (text === '') throw new StartError(`--${option} sqlite: wants a data folder behind it.`);
  const path = resolve(text.endsWith('.db') && !isFolder(text) ? text : filesIn(text).events);
  return {
    kind: 'sqlite',
    name: FILE + path,
    path,
    openSource: () => Promise.resolve().then(() => openWhole(path)),
    openDestination: () => SqliteEventStore.open({ path }),
  };
}

/** @throws StoreError also for a log of which acknowledged events are gone: nobody is to go on with what is left */
function openWhole(path: string): SqliteEventReader {
  demandWhole(path);
  return new SqliteEventReader(path);
}

function serverPlace(environment: Environment): Place {
  const config = readServerConfig(environment);
  const { streamPrefix } = config;
  const prefix = streamPrefix === undefined ? '' : `, prefix ${streamPrefix}`;
  return {
    kind: 'eventstoredb',
    name: `EventStoreDB at ${nameOf(readConnection(config))}${prefix}`,
    path: undefined,
    openSource: () => openEventStoreDb(config),
    openDestination: () => openEventStoreDb(config),
  };
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
