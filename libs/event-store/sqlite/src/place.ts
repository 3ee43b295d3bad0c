import { rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { acquireLock, LOCK_SUFFIX } from './lock.ts';
import { makeFolderDurably } from './sync.ts';

/** What the name of a log ends in that is not whole yet: a load or a restore is at work on it, or was cut off. */
export const UNFINISHED_SUFFIX = '.unfinished';

/** Where a log is to be, while every other writer is kept away from there. */
export interface Place {
  /** Lets others in. */
  readonly release: () => void;
  /** The same where no log came of it, and removes the folder that was made for it. */
  readonly abandon: () => void;
}

/**
 * Takes the place of a log to be, and makes its folder when there is none.
 * @throws StoreError `store-unavailable` when another process has it, or it can't be written
 */
export function takePlace(path: string): Place {
  const { isNew, remove } = makeFolderDurably(dirname(path));
  try {
    const release = acquireLock(path);
    const abandon = (): void => {
      // Of a folder that was there before, others may wait for the lock already.
      if (isNew) rmSync(path + LOCK_SUFFIX, { force: true });
      remove();
      release();
    };
    return { release, abandon };
  } catch (error) {
    remove();
    throw error;
  }
}
