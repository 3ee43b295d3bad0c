import { closeSync, fsyncSync, mkdirSync, openSync, rmdirSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/** Waits until what was written to a file is on disk. */
export function syncFile(path: string): void {
  const file = openSync(path, 'r+');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** Waits until the names in a folder are on disk. */
export function syncFolder(path: string): void {
  const folder = openSync(path, 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

/** A folder that is there now, and on disk. */
export interface MadeFolder {
  /** Whether it was not there before. */
  readonly isNew: boolean;
  /** Removes again what was made, as far as it is empty. */
  readonly remove: () => void;
}

/**
 * Makes a folder, and those on the way to it, and waits until their names are on disk: what is written into a folder whose own
 * name is not is lost with it.
 */
export function makeFolderDurably(path: string, mode = 0o700): MadeFolder {
  const folder = resolve(path);
  const first = mkdirSync(folder, { recursive: true, mode });
  if (first === undefined) return { isNew: false, remove: () => undefined };
  const made: string[] = [];
  for (let each = folder; each.length >= first.length; each = dirname(each)) made.push(each);
  for (const each of made) syncFolder(dirname(each));
  const remove = (): void => {
    try {
      for (const each of made) rmdirSync(each);
    } catch {
      // Somebody else has it by now, and it stays.
    }
  };
  return { isNew: true, remove };
}
