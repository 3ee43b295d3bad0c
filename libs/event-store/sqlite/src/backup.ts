import { StoreError } from '#event-store';
import { createReadStream, createWriteStream, existsSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { backup, DatabaseSync } from 'node:sqlite';
import { pipeline } from 'node:stream/promises';
import { demandWhole } from './before-reading.ts';
import { createPrivately, openForReading } from './file.ts';
import { takePlace, UNFINISHED_SUFFIX } from './place.ts';
import { isDamaged, isFull, isUnread, messageOf } from './sqlite-errors.ts';
import { syncFile, syncFolder } from './sync.ts';

/** Pages of 4 KiB that are copied in one go: between two of them the copy can tell how far it is. */
const PAGES_AT_ONCE = 500;
/** Beside the log's file these belong to it: SQLite would take them for those of any file of that name. */
const COMPANIONS = ['-wal', '-shm', '-journal'] as const;

/** How far a copy has come: pages, of how many. */
export type CopyProgress = (done: number, total: number) => void;

/**
 * Copies a log, as it is at this moment, into a new file, readable by its owner only, that needs no other beside it. The
 * log may be written meanwhile: the copy reads one state of it, under one read transaction, so writers neither wait for
 * it nor make it start over. Until it is done, SQLite's write-ahead log keeps all that is written.
 * @throws StoreError `store-full` without room for the copy; `store-unavailable` for a log that can't be read, as
 * `openForReading`, or of which acknowledged events are gone, or for a copy that can't be written
 */
export async function copyLog(from: string, to: string, onProgress: CopyProgress = () => undefined): Promise<void> {
  let source: DatabaseSync | undefined;
  try {
    demandWhole(from);
    source = openForReading(from);
    // The read is what makes the transaction hold on to a state.
    source.exec('BEGIN; SELECT max(position) FROM events');
    createPrivately(to);
    await backup(source, to, {
      rate: PAGES_AT_ONCE,
      progress: ({ totalPages, remainingPages }) => onProgress(totalPages - remainingPages, totalPages),
    });
    standAlone(to);
  } catch (error) {
    throw failureOfCopy(from, to, error);
  } finally {
    source?.close();
  }
  syncFile(to);
}

/**
 * @throws StoreError `store-unavailable` when there is a log, or what belongs to one: SQLite would merge an old
 * write-ahead log into a new file
 */
export function demandNoLog(path: string): void {
  const found = [path, ...COMPANIONS.map((ending) => path + ending)].find(existsSync);
  if (found !== undefined) throw new StoreError('store-unavailable', `${found} is there already`);
}

/**
 * Puts a copy of a log where there is none, whole or not at all, while it keeps every writer away.
 * @param confirm is given the new file before it gets its name, and throws to keep it from that
 * @throws StoreError `store-unavailable` when another process has the place, or a log is there; whatever it throws, no folder
 * that it made is left
 */
export async function placeLog(from: string, to: string, confirm: (path: string) => Promise<void>): Promise<void> {
  const place = takePlace(to);
  const unfinished = to + UNFINISHED_SUFFIX;
  try {
    demandNoLog(to);
    createPrivately(unfinished);
    await pipeline(createReadStream(from), createWriteStream(unfinished, { flags: 'w' }));
    syncFile(unfinished);
    await confirm(unfinished);
    renameSync(unfinished, to);
    syncFolder(dirname(to));
  } catch (error) {
    rmSync(unfinished, { force: true });
    place.abandon();
    throw error;
  }
  place.release();
}

/** A file in WAL mode wants two more beside it, even to be read: a copy is to be one file. */
function standAlone(path: string): void {
  const db = new DatabaseSync(path);
  try {
    db.exec('PRAGMA journal_mode = DELETE');
  } finally {
    db.close();
  }
}

function failureOfCopy(from: string, to: string, error: unknown): StoreError {
  if (error instanceof StoreError) return error;
  if (isFull(error)) return new StoreError('store-full', `there is no room for ${to}`);
  if (isDamaged(error)) return new StoreError('store-unavailable', `${from} is damaged: ${messageOf(error)}`);
  if (isUnread(error)) return new StoreError('store-unavailable', `${from} can't be read (${messageOf(error)})`);
  // The log was opened before, and only to be read: what else fails is of the copy. A quota is an I/O error to SQLite.
  return new StoreError('store-unavailable', `the copy ${to} can't be written (${messageOf(error)})`);
}
