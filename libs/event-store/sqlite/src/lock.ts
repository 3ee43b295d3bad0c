import { StoreError } from '#event-store';
import { DatabaseSync } from 'node:sqlite';
import { createPrivately, failureAt } from './file.ts';
import { isBusy, isDamaged } from './sqlite-errors.ts';

/** Whoever only looks at a log before reading it holds the lock while it reads the write-ahead log: 16 MiB take 0.1 s. */
const TRIES = 40;
const PAUSE_MS = 50;

/** The file by which a log is held is called as the log is, and this. */
export const LOCK_SUFFIX = '.lock';

/**
 * Keeps every other writer away from a log, as `tryLock`, and waits for a moment where somebody else does: a backup, a check
 * or a copy that begins must not keep the service from its start.
 * @param pause lets time pass between two tries. Default: stops this thread for 50 ms
 * @throws StoreError `store-unavailable` that names the file when somebody else holds it for two seconds, or it can't be
 * written
 */
export function acquireLock(logPath: string, pause: () => void = stopShortly): () => void {
  for (let tries = 1; ; tries += 1) {
    const release = tryLock(logPath);
    if (release !== undefined) return release;
    if (tries === TRIES) break;
    pause();
  }
  throw new StoreError(
    'store-unavailable',
    `${logPath} is in use by another process, which holds ${logPath}${LOCK_SUFFIX}`,
  );
}

function stopShortly(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)), 0, 0, PAUSE_MS);
}

/**
 * Keeps every other writer away from a log, in this process and in others, until it is released or the process ends in
 * whatever way. Node has no flock: an exclusive transaction on a small SQLite file beside the log does the same.
 * @returns what releases it; undefined when somebody else holds it
 * @throws StoreError `store-unavailable` that names the file when it can't be written
 */
export function tryLock(logPath: string): (() => void) | undefined {
  const path = logPath + LOCK_SUFFIX;
  let db: DatabaseSync | undefined;
  try {
    createPrivately(path);
    db = new DatabaseSync(path, { timeout: 0 });
    // Of a file that it may not write SQLite makes that a transaction that only reads, and anyone may have one of those.
    db.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE; PRAGMA user_version = 1');
    const held = db;
    return () => held.close();
  } catch (error) {
    db?.close();
    if (isDamaged(error)) throw new StoreError('store-unavailable', `${path} is not the lock of an event log`);
    if (!isBusy(error)) throw failureAt(path, error);
    return undefined;
  }
}
