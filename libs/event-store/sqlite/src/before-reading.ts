import { isStoreError, type StoreError } from '#event-store';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { examine } from './file.ts';
import { tryLock } from './lock.ts';

/**
 * Looks at a log that nobody has open, as a start does, for whoever is about to read it: SQLite reads what is left of a
 * damaged write-ahead log without a word.
 * @returns what is damaged, where that can be read up to the damage
 * @throws StoreError when acknowledged events are gone, and reading would hide it
 */
export function lookBeforeReading(asked: string): StoreError | undefined {
  const path = resolve(asked);
  const release = existsSync(path) ? lockIfWritable(path) : undefined;
  // Whoever has it open looked at it before.
  if (release === undefined) return undefined;
  try {
    examine(path);
    return undefined;
  } catch (error) {
    if (isStoreError(error) && existsSync(`${path}-wal`)) return error;
    throw error;
  } finally {
    release();
  }
}

/** As `lookBeforeReading`, for whoever goes on with the log. @throws StoreError also for one that is damaged */
export function demandWhole(path: string): void {
  const damage = lookBeforeReading(path);
  if (damage !== undefined) throw damage;
}

/** Where no lock can be made nothing else can either: looking changes nothing there. */
function lockIfWritable(path: string): (() => void) | undefined {
  try {
    return tryLock(path);
  } catch (error) {
    if (isStoreError(error)) return undefined;
    throw error;
  }
}
