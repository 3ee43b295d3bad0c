import { type EncodedEvent, StoreError } from '#event-store';
import { existsSync, renameSync, rmSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import { openForWriting } from './file.ts';
import { takePlace, UNFINISHED_SUFFIX, type Place } from './place.ts';
import { COLUMNS, insertRows, insertStatement } from './rows.ts';
import { isFull, messageOf } from './sqlite-errors.ts';
import { syncFile, syncFolder } from './sync.ts';

/** Rows that one INSERT carries. */
const ROWS_AT_ONCE = 50;
const ROW = COLUMNS.length;
/** Rows of one transaction: pages that many of them change are then written once. */
const ROWS_A_TRANSACTION = 200_000;
/** All pages of the indexes that grow are to stay in memory. */
const CACHE_KIB = 512 * 1024;

/**
 * Writes a whole new log at once, as fast as the file takes it, in the format of every other: for made logs, never for events
 * that anybody was told of. Until `finish` it has another name, and nothing of it counts; so it needs no sync before the end.
 * Hashes and revisions are the caller's: they are stored as they come.
 */
export class BulkLog {
  readonly #path: string;
  readonly #place: Place;
  readonly #db: DatabaseSync;
  readonly #insertOne: StatementSync;
  readonly #insertMany: StatementSync;
  #values: SQLInputValue[] = [];
  #position = 0;

  /**
   * @param path of the log to be: nothing may be there
   * @throws StoreError `store-unavailable`, naming the file, when there is a log already, or another process holds its lock
   */
  constructor(path: string) {
    this.#path = resolve(path);
    if (existsSync(this.#path)) throw new StoreError('store-unavailable', `${this.#path} holds a log already`);
    this.#place = takePlace(this.#path);
    try {
      removeUnfinished(this.#path);
      this.#db = openForWriting(this.#path + UNFINISHED_SUFFIX);
      this.#db.exec(`PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -${CACHE_KIB}`);
      this.#insertOne = insertStatement(this.#db, 1);
      this.#insertMany = insertStatement(this.#db, ROWS_AT_ONCE);
      this.#db.exec('BEGIN');
    } catch (error) {
      removeUnfinished(this.#path);
      this.#place.abandon();
      throw failureOfWriting(this.#path, error);
    }
  }

  /**
   * Puts an event at the end of the log.
   * @param revision the next one of its stream
   * @throws StoreError `store-unavailable`, naming the log, when it can't be written, as on a full disk
   */
  add(stream: string, revision: number, { id, type, schemaVersion, data, metadata }: EncodedEvent): void {
    this.#position += 1;
    this.#values.push(this.#position, stream, revision, id, type, schemaVersion, data, metadata);
    if (this.#values.length < ROWS_AT_ONCE * ROW) return;
    this.#writing(() => {
      insertRows(this.#insertMany, this.#values);
      this.#values = [];
      if (this.#position % ROWS_A_TRANSACTION === 0) this.#db.exec('COMMIT; BEGIN');
    });
  }

  /**
   * Brings all of it to the disk and gives it its name: from now on it is a log. Call once, and nothing after it.
   * @throws as `add`
   */
  finish(): void {
    this.#writing(() => {
      for (let start = 0; start < this.#values.length; start += ROW) {
        insertRows(this.#insertOne, this.#values.slice(start, start + ROW));
      }
      this.#db.exec('COMMIT; PRAGMA journal_mode = WAL');
      this.#db.close();
      syncFile(this.#path + UNFINISHED_SUFFIX);
      renameSync(this.#path + UNFINISHED_SUFFIX, this.#path);
      syncFolder(dirname(this.#path));
    });
    this.#place.release();
  }

  /** Throws away what was written, and the folder that was made for it. */
  abandon(): void {
    if (this.#db.isOpen) this.#db.close();
    removeUnfinished(this.#path);
    this.#place.abandon();
  }

  #writing(work: () => void): void {
    try {
      work();
    } catch (error) {
      throw failureOfWriting(this.#path, error);
    }
  }
}

/** To the file system a full disk has more than one face: a quota, or a limit on files, is an I/O error to SQLite. */
function failureOfWriting(path: string, error: unknown): StoreError {
  if (error instanceof StoreError) return error;
  const why = isFull(error) ? 'the disk is full' : `${messageOf(error)}; is the disk full?`;
  return new StoreError('store-unavailable', `the log to be ${path} can't be written: ${why}`);
}

function removeUnfinished(path: string): void {
  for (const suffix of ['', '-wal', '-shm', '-journal']) rmSync(path + UNFINISHED_SUFFIX + suffix, { force: true });
}
