import { hash } from 'node:crypto';
import { mkdir, open, readFile, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Bound } from '#kernel';
import type { SnapshotStore, SnapshotWatch } from './snapshots.ts';

export interface SnapshotFilesOptions {
  /** Made when it is not there, for its owner's eyes only. Nobody else may write to it. */
  readonly folder: string;
  readonly watch?: SnapshotWatch | undefined;
}

/** Most bytes of one snapshot. */
const MAX_BYTES = 4 * 1024 * 1024;
/** Most snapshots that wait to be written; others are let go, and made again when the next ones are due. */
const MAX_WAITING = 16;
/** The one file that is being written. No stream's file has this name. */
const UNFINISHED = 'unfinished';

/**
 * Snapshots as files, one for each stream, written one after the other. Each is written beside the one before, brought to
 * the disk, and put in its place at once: whatever happens, there is the old one, the new one, or none.
 */
export class SnapshotFiles implements SnapshotStore {
  readonly #options: SnapshotFilesOptions;
  /** By stream: a later text takes the place of one that waits. */
  readonly #waiting = new Map<string, string>();
  #writing: Promise<void> | undefined;
  #closed = false;

  constructor(options: SnapshotFilesOptions) {
    this.#options = options;
  }

  async read(stream: string): Promise<string | undefined> {
    const file = this.fileOf(stream);
    try {
      const { size } = await stat(file);
      // Nobody wrote a text of that size. The empty text fits nothing, and is found to be damaged.
      return size > MAX_BYTES ? '' : await readFile(file, 'utf8');
    } catch {
      return undefined;
    }
  }

  put(stream: string, text: string): void {
    if (this.#closed) return;
    const isFull = this.#waiting.size >= MAX_WAITING && !this.#waiting.has(stream);
    if (isFull || Buffer.byteLength(text) > MAX_BYTES) {
      this.#options.watch?.('not-written', stream);
      return;
    }
    this.#waiting.set(stream, text);
    this.#writing ??= this.#writeAll();
  }

  get bounds(): readonly Bound[] {
    return [{ what: 'snapshots-waiting', most: MAX_WAITING, inUse: () => this.#waiting.size }];
  }

  /** Where the snapshot of a stream is: file systems that take `A` for `a` are no trouble to a hash. */
  fileOf(stream: string): string {
    return join(this.#options.folder, hash('sha256', stream, 'hex'));
  }

  /** Resolves when nothing waits any more. */
  async idle(): Promise<void> {
    await this.#writing;
  }

  /** Takes nothing more and lets go what waits. Resolves when no file is being written. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#waiting.clear();
    await this.#writing;
  }

  async #writeAll(): Promise<void> {
    for (const [stream, text] of this.#waiting) {
      this.#waiting.delete(stream);
      try {
        await this.#write(stream, text);
        this.#options.watch?.('written', stream);
      } catch (error) {
        this.#options.watch?.('not-written', stream, error);
      }
    }
    this.#writing = undefined;
  }

  async #write(stream: string, text: string): Promise<void> {
    const { folder } = this.#options;
    const unfinished = join(folder, UNFINISHED);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const file = await open(unfinished, 'w', 0o600);
    try {
      await file.writeFile(text);
      await file.datasync();
    } finally {
      await file.close();
    }
    await rename(unfinished, this.fileOf(stream));
  }
}
