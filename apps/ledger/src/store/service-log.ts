import { acquireLock, SqliteEventStore } from '#event-store/sqlite';
import { isLogPosition, type EventStore } from '#event-store';
import type { Bound, Position } from '#kernel';
import type { LogSource } from '#projections';
import type { Logger } from 'pino';
import type { Config, EventStoreDbConfig } from '../config/config.ts';
import { demandLog, filesIn, hasLog } from '../data-folder.ts';
import { followHead } from './follow-head.ts';
import { demandLogOnServer } from './log-on-server.ts';
import { openEventStoreDb, settingsOf } from './eventstoredb.ts';

/** The log, on whatever kind of store, with what the service has to know of it besides. */
export interface ServiceLog {
  readonly store: EventStore;
  /** What the projections' thread opens to follow it. */
  readonly source: LogSource;
  /** Whether a text can be a position of this kind of store, however far the log goes. */
  isPosition(text: string): boolean;
  /** Its file, where it is one. */
  readonly file: string | undefined;
  readonly bounds: readonly Bound[];
  /** How long an append whose outcome is unknown is sent again, in milliseconds. Default: as command handling has it. */
  readonly resendMs?: number;
  /** Why nothing is recorded any more; undefined while all is well. */
  damage(): string | undefined;
  /** Resolves with why, when only another start can open the log again. */
  readonly broken: Promise<string>;
  /** Why no command is taken any more, where the ledger has moved. @throws StoreError when the log can't be read */
  sealed(): Promise<string | undefined>;
  /** Calls back when the log has grown, with the position of its last event. @returns what ends it */
  onAppended(listener: (head: Position) => void): () => void;
  /** Lets go of the store, and of the data folder. */
  close(): Promise<void>;
}

/**
 * Opens the log.
 * @throws StartError, StoreError when it can't be opened, or what was made from a log is there and the log is not
 */
export function openServiceLog(config: Pick<Config, 'store' | 'dataDir'>, logger: Logger): Promise<ServiceLog> {
  const files = filesIn(config.dataDir);
  return config.store.kind === 'sqlite' ? openFile(files, logger) : openOnServer(config.store, files, logger);
}

type Files = ReturnType<typeof filesIn>;

async function openFile(files: Files, logger: Logger): Promise<ServiceLog> {
  demandLog(files);
  const isNew = !hasLog(files);
  const store = await SqliteEventStore.open({ path: files.events });
  // Where a disk is not mounted, its folder is there and empty: nothing else tells of it.
  if (isNew) logger.info('a new log was begun');
  if (store.notice !== undefined) logger.warn(store.notice);
  store.onDamage((message) => {
    logger.error({ damage: message }, 'the event log is damaged: nothing is recorded until it was restored');
  });
  let toldOfSeal: string | undefined;
  return {
    store,
    source: { kind: 'sqlite', file: files.events },
    isPosition: isLogPosition,
    file: files.events,
    bounds: store.bounds,
    damage: () => store.damage,
    broken: store.broken,
    sealed: async () => {
      const seal = await store.seal();
      // Where to is for who operates the service: anyone may ask for its health.
      if (seal !== undefined && toldOfSeal !== seal.sealedAt)
        logger.warn(seal, 'the ledger has moved: this log is sealed');
      toldOfSeal = seal?.sealedAt;
      return seal && 'The ledger has moved: this log is sealed.';
    },
    onAppended: (listener) => store.onAppended(listener),
    close: () => store.close(),
  };
}

/** An append is tried for five seconds by the adapter: one of unknown outcome is to be sent again after that. */
const RESEND_MS = 10_000;

/** There is no thread to break: a client that lost the server connects again by itself. */
const ITS_CLIENT_GOES_ON = new Promise<never>(() => undefined);

/** The data folder has the read models alone, and is this instance's own: the same lock as beside a file keeps others out. */
async function openOnServer(config: EventStoreDbConfig, files: Files, logger: Logger): Promise<ServiceLog> {
  const release = acquireLock(files.events);
  try {
    const store = await openEventStoreDb(config);
    try {
      await demandLogOnServer(store, files, logger);
    } catch (error) {
      await store.close();
      throw error;
    }
    return {
      store,
      source: { kind: 'eventstoredb', ...settingsOf(config) },
      isPosition: (text) => store.isPosition(text),
      file: undefined,
      bounds: store.bounds,
      resendMs: RESEND_MS,
      damage: () => undefined,
      broken: ITS_CLIENT_GOES_ON,
      sealed: () => Promise.resolve(undefined),
      onAppended: (listener) => followHead(store, listener),
      close: async () => {
        await store.close();
        release();
      },
    };
  } catch (error) {
    release();
    throw error;
  }
}
