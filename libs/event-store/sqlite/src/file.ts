import { StoreError } from '#event-store';
import { closeSync, existsSync, mkdirSync, openSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { faultsOfSchema, SCHEMA, type SchemaFaults } from './schema.ts';
import { isDamaged, isForbidden, isFull, isNotADatabase, messageOf } from './sqlite-errors.ts';
import { inspectWal, type WalPages } from './wal.ts';

/** Marks the file as ours (`PRAGMA application_id`): the letters WRIT. */
export const APPLICATION_ID = 0x57524954;
/** The format that this code reads and writes (`PRAGMA user_version`). */
export const FORMAT_VERSION = 1;

/** How long a statement waits for another connection: a checkpoint or a tool that reads the file, never a second writer. */
const BUSY_TIMEOUT_MS = 2_000;
/**
 * Of each connection. After a commit in which the pages of an index were split, SQLite walks the whole cache: a larger one
 * costs more time than it saves. What falls out of it is still in the system's cache of the file.
 */
const CACHE_KIB = 4 * 1024;
/** A longer log is merged into the file in larger pieces; it is also what the next start has to look through. */
const CHECKPOINT_PAGES = 4_000;

/** A log up to this size is read in whole at the start, with its indexes; of a larger one that would take longer than a start may. */
const CHECKED_BYTES = 64 * 1024 * 1024;
/** SQLite leaves out the page at this byte, for its locks. */
const PENDING_BYTE = 0x40000000;

/** Most lines of what is wrong with a file that are told. */
const MOST_DAMAGES = 100;

/**
 * Opens the log for its one writer, and makes file and folder (readable by their owner only) when they are not there.
 * @param maxPages the most pages of 4 KiB that the file may have: beyond it appends are refused as on a full disk
 * @throws StoreError `store-unavailable`, naming the file, for a file of another program, of a newer version, or with
 * anything in its schema that Writ did not make: a trigger could keep from the log what is acknowledged
 */
export function openForWriting(path: string, maxPages?: number): DatabaseSync {
  createPrivately(path);
  return configured(new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS }), (db) => {
    if (isBlank(db, path)) initialise(db);
    checkFormat(db, path);
    demandOwnSchema(db, path);
    db.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
    if (maxPages !== undefined) db.exec(`PRAGMA max_page_count = ${maxPages}`);
  });
}

/**
 * Opens the log beside its writer.
 * @throws StoreError as `openForWriting`, and when there is no such file, or its write-ahead log is gone: to be read SQLite
 * makes a new one, after which nobody could tell
 */
export function openForReading(path: string): DatabaseSync {
  demandWal(path);
  try {
    return configured(connectReadOnly(path), (db) => checkFormat(db, path));
  } catch (error) {
    if (!existsSync(path)) throw unusable(path, "can't be opened (there is no such file)");
    throw failureAt(path, error);
  }
}

/**
 * Looks at a log that nobody has open, before SQLite does: where the write-ahead log is missing or damaged, SQLite opens
 * what is left, and acknowledged events are gone without a word.
 * @returns what whoever runs the service should be told of, if anything
 * @throws StoreError `store-unavailable` when acknowledged events are certainly missing
 */
export function examine(path: string): string | undefined {
  const wal = `${path}-wal`;
  const fileBytes = sizeOf(path);
  const walBytes = sizeOf(wal);
  if (fileBytes === 0 && walBytes > 0)
    throw unusable(path, `is gone or empty, and ${wal}, which belongs to it, is there`);
  demandWal(path);
  if (!existsSync(wal)) return undefined;
  const state = inspectWal(wal);
  if (state.kind === 'damaged') {
    throw unusable(wal, `is damaged at byte ${state.atByte}, and what was acknowledged after that can't be read`);
  }
  if (isCut(fileBytes, state.pages)) throw unusable(path, `is cut off after ${fileBytes} bytes`);
  if (state.kind === 'whole') return undefined;
  return `${wal} ends in a write that was never finished, and never acknowledged: its last ${state.lostBytes} bytes are left out`;
}

/** SQLite makes the write-ahead log before the -shm, and deletes it after: the one is never there without the other. */
function demandWal(path: string): void {
  const wal = `${path}-wal`;
  if (existsSync(`${path}-shm`) && !existsSync(wal)) {
    throw unusable(wal, `is gone, and with it what was not merged into ${path} yet`);
  }
}

/** Whether pages are neither in the file nor in the write-ahead log. Without such a log SQLite sees it by itself. */
function isCut(fileBytes: number, { numbers, databasePages = 0, pageBytes }: WalPages): boolean {
  for (let page = Math.floor(fileBytes / pageBytes) + 1; page <= databasePages; page += 1) {
    if (!numbers.has(page) && page !== PENDING_BYTE / pageBytes + 1) return true;
  }
  return false;
}

/**
 * Looks at the schema of a log, and at every page and index entry of one that is not too large for that at a start, by a
 * connection that can't write: a log that is refused stays as it is.
 * @throws StoreError `store-unavailable` when a page or index is damaged, or the schema is not the one that Writ makes
 */
export function demandSound(path: string): void {
  const sizeBytes = sizeOf(path);
  // The one journal there ever is: a first start that was killed, which the next one takes back.
  if (sizeBytes === 0 || existsSync(`${path}-journal`)) return;
  const damage = sizeBytes > CHECKED_BYTES ? foreignIn(path) : damageIn(path);
  if (damage !== undefined) throw unusable(path, `is damaged (${damage})`);
}

function demandOwnSchema(db: DatabaseSync, path: string): void {
  const { foreign } = faultsOfSchema(db);
  if (foreign.length > 0) throw unusable(path, `is damaged (${foreign.join('; ')})`);
}

/** How the schema of a log's file differs from the one that Writ makes. @throws StoreError as `openForReading` */
export function schemaFaultsIn(path: string): SchemaFaults {
  const db = openForReading(path);
  try {
    return faultsOfSchema(db);
  } catch (error) {
    throw failureAt(path, error);
  } finally {
    db.close();
  }
}

/** What makes a file none of our logs any more, in one line. */
function foreignIn(path: string): string | undefined {
  const { foreign } = schemaFaultsIn(path);
  return foreign.length > 0 ? foreign.join('; ') : undefined;
}

/**
 * Looks at every page of a log's file: whether they make the trees that they should, and whether each index has the events
 * of its table, no more and no less. By a connection that can't write: closing another one would merge the write-ahead log
 * into a file that is damaged.
 * @returns what is wrong, in SQLite's words, so many lines at most: none for a file in which nothing is
 * @throws StoreError as `openForReading`
 */
export function damagesIn(path: string, most = MOST_DAMAGES): readonly string[] {
  const db = openForReading(path);
  try {
    return linesOf(db, `PRAGMA integrity_check(${most})`);
  } catch (error) {
    if (isDamaged(error)) return [messageOf(error)];
    throw error;
  } finally {
    db.close();
  }
}

/**
 * As `damagesIn`, over a connection, of the trees alone: what the indexes hold is not compared with the table. Throws
 * SQLite's own error where a page is so damaged that it can't look on.
 */
export function damagedPagesOf(db: DatabaseSync): readonly string[] {
  return linesOf(db, `PRAGMA quick_check(${MOST_DAMAGES})`);
}

function linesOf(db: DatabaseSync, check: string): readonly string[] {
  const rows = db.prepare(check).all();
  return rows.map((row) => String(Object.values(row)[0])).filter((line) => line !== 'ok');
}

/** What a service could not be started on a log's file for, in one line. @throws StoreError as `openForReading` */
export function damageIn(path: string): string | undefined {
  return foreignIn(path) ?? damagesIn(path, 1)[0]?.split('\n').at(-1);
}

/** What went wrong with a file, in words that name it. */
export function failureAt(path: string, error: unknown): StoreError {
  if (error instanceof StoreError) return error;
  if (isDamaged(error)) return unusable(path, `is damaged (${messageOf(error)})`);
  if (isFull(error)) return unusable(path, "can't be written: the disk is full");
  if (isForbidden(error)) return unusable(path, `can't be written (${messageOf(error)})`);
  return unusable(path, `can't be opened (${messageOf(error)})`);
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

/**
 * Makes the file, and the folders on the way to it, for their owner's eyes only. A file that is there is not even opened:
 * closing it again would drop the locks that SQLite holds on it in this process (POSIX, fcntl).
 */
export function createPrivately(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  try {
    closeSync(openSync(path, 'wx', 0o600));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

function connectReadOnly(path: string): DatabaseSync {
  return new DatabaseSync(path, { readOnly: true, timeout: BUSY_TIMEOUT_MS });
}

function configured(db: DatabaseSync, configure: (db: DatabaseSync) => void): DatabaseSync {
  try {
    configure(db);
    db.exec(`PRAGMA cache_size = -${CACHE_KIB}`);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

function isBlank(db: DatabaseSync, path: string): boolean {
  return (
    readNumber(db, path, 'PRAGMA application_id') === 0 &&
    readNumber(db, path, 'SELECT count(*) FROM sqlite_schema') === 0
  );
}

function initialise(db: DatabaseSync): void {
  db.exec(`
    BEGIN IMMEDIATE; ${SCHEMA}
    PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${FORMAT_VERSION};
    COMMIT`);
}

function checkFormat(db: DatabaseSync, path: string): void {
  if (readNumber(db, path, 'PRAGMA application_id') !== APPLICATION_ID)
    throw unusable(path, 'is not an event log of Writ');
  const version = readNumber(db, path, 'PRAGMA user_version');
  if (version !== FORMAT_VERSION) {
    throw unusable(path, `has format ${version}, and this version of Writ knows format ${FORMAT_VERSION} only`);
  }
}

function readNumber(db: DatabaseSync, path: string, query: string): number {
  return Number(readValue(db, path, query));
}

function readValue(db: DatabaseSync, path: string, query: string): unknown {
  try {
    return Object.values(db.prepare(query).get() ?? {})[0];
  } catch (error) {
    if (isNotADatabase(error)) throw unusable(path, 'is not an event log of Writ');
    throw error;
  }
}

function unusable(path: string, reason: string): StoreError {
  return new StoreError('store-unavailable', `${path} ${reason}`);
}
