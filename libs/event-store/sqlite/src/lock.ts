import { StoreError } from '#event-store';
import { DatabaseSync } from 'node:sqlite';
import { createPrivately } from './file.ts';
import { isBusy } from './sqlite-errors.ts';

/**
 * Keeps every other writer away from a log, in this process and in others, until it is released or the process ends in
 * whatever way. Node has no flock: an exclusive transaction on a small SQLite file beside the log does the same.
 * @returns what releases it
 * @throws StoreError `store-unavailable` that names the file when somebody else holds it
 */
export function acquireLock(logPath: string): () => void {
  const path = `${logPath}.lock`;
  createPrivately(path);
  const db = new DatabaseSync(path, { timeout: 0 });
  try {
    db.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
  } catch (error) {
    db.close();
    if (!isBusy(error)) throw error;
    throw new StoreError('store-unavailable', `${logPath} is in use by another process, which holds ${path}`);
  }
  return () => db.close();
}
