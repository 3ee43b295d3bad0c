import { acquireLock, LOCK_SUFFIX, tryLock } from '#event-store/sqlite';
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** A folder that begins so is a backup that was not finished: nothing takes it for one. */
const UNFINISHED = 'unfinished-';

/**
 * A new folder that a backup is made in. Its lock stands beside it, made before it and gone after it: whoever makes the backup
 * holds it, and it is free when he ends.
 */
export interface Unfinished {
  readonly folder: string;
  /** Removes the folder, unless it has got another name, and what stands beside it. */
  readonly end: () => void;
}

/** @throws StoreError, or an error of a file, when it can't be made */
export function beginUnfinished(to: string): Unfinished {
  const folder = join(to, UNFINISHED + randomUUID());
  const release = acquireLock(folder);
  const end = (): void => remove(folder, release);
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    end();
    throw error;
  }
  return { folder, end };
}

/**
 * Removes what backups left that were killed, and nothing of one that is being made.
 * @returns folders that it left, since they have no lock, and an earlier version may be making them; or since it may not
 */
export function removeLeft(to: string): readonly string[] {
  const names = readdirSync(to).filter((name) => name.startsWith(UNFINISHED));
  const folders = new Set(
    names.map((name) => join(to, name.endsWith(LOCK_SUFFIX) ? name.slice(0, -LOCK_SUFFIX.length) : name)),
  );
  return [...folders].filter((folder) => !isRemovedOrBusy(folder));
}

function isRemovedOrBusy(folder: string): boolean {
  if (!existsSync(folder + LOCK_SUFFIX)) return !existsSync(folder);
  try {
    const release = tryLock(folder);
    if (release !== undefined) remove(folder, release);
    return true;
  } catch {
    return false;
  }
}

/** The lock is held to the end: what another process makes has a lock of its own. */
function remove(folder: string, release: () => void): void {
  try {
    rmSync(folder, { recursive: true, force: true });
    rmSync(folder + LOCK_SUFFIX, { force: true });
  } finally {
    release();
  }
}
