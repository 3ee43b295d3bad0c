import { StoreError } from '#event-store';
import { existsSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { examine, failureAt, openForReading, openForWriting } from './file.ts';
import { tryLock } from './lock.ts';
import { SEAL_TABLE, SEALED, sealedWords, sealOf, sealTrigger, type Seal } from './schema.ts';
import { isBusy, isStoppedByTrigger, messageOf } from './sqlite-errors.ts';

/** A writer that is never at rest lets another one in between two of its transactions, but by chance: so it is tried again. */
const TRIES = 30;

/**
 * Seals a log, also while a service writes to it. The seal is a transaction of the log itself: SQLite lets one writer in at a
 * time, so what was acknowledged before is in the log, and the trigger refuses all that comes after, of whatever version.
 * @throws StoreError `store-unavailable` for a log that can't be opened or is sealed for another place, `log-sealed` never
 */
export function sealLog(path: string, seal: Seal): void {
  change(path, (db) => {
    const known = sealOf(db);
    if (known?.movedTo === seal.movedTo) return;
    if (known !== undefined) {
      throw new StoreError('store-unavailable', `${path} is sealed already: the ledger has moved to ${known.movedTo}`);
    }
    db.exec(SEAL_TABLE);
    db.prepare('INSERT INTO seal VALUES (?, ?)').run(seal.movedTo, seal.sealedAt);
    db.exec(sealTrigger(seal));
  });
}

/** Takes the seal away, if there is one: from now on the log can be appended to. @throws StoreError as `sealLog` */
export function unsealLog(path: string): void {
  change(path, (db) => db.exec('DROP TRIGGER IF EXISTS events_are_sealed; DROP TABLE IF EXISTS seal'));
}

/** @returns the seal of a log, if it has one. @throws StoreError as `SqliteEventReader` */
export function readSeal(path: string): Seal | undefined {
  const db = openForReading(resolve(path));
  try {
    return sealOf(db);
  } finally {
    db.close();
  }
}

/** Looks before anything is opened for writing: a log that is refused stays as it is. @throws StoreError `log-sealed` */
export function demandUnsealed(path: string): void {
  // What a first start left that was killed is no log yet, and has no seal.
  const sizeBytes = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (sizeBytes === 0 || existsSync(`${path}-journal`)) return;
  const seal = readSeal(path);
  if (seal !== undefined) throw new StoreError('log-sealed', `${path}: ${sealedWords(seal)}`);
}

/** Whether it is what a seal refuses an event with. */
export function isOfSeal(error: unknown): boolean {
  return isStoppedByTrigger(error) && messageOf(error).startsWith(SEALED);
}

/** One transaction on a log that is there, beside its writer if it has one. */
function change(asked: string, work: (db: DatabaseSync) => void): void {
  const path = resolve(asked);
  const release = tryLock(path);
  try {
    openForReading(path).close();
    // Where a service has it open, that one looked at it when it started.
    if (release !== undefined) examine(path);
    const db = openForWriting(path);
    try {
      begin(db);
      work(db);
      db.exec('COMMIT');
    } finally {
      db.close();
    }
  } catch (error) {
    throw failureAt(path, error);
  } finally {
    release?.();
  }
}

function begin(db: DatabaseSync): void {
  for (let tries = 1; ; tries += 1) {
    try {
      db.exec('BEGIN IMMEDIATE');
      return;
    } catch (error) {
      if (!isBusy(error) || tries >= TRIES) throw error;
    }
  }
}
