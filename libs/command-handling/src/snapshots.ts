import type { EventReader } from '#event-store';
import type { RecordedEvent } from '#kernel';
import {
  decodeSnapshot,
  encodeSnapshot,
  misfitOf,
  type HomeStreamIndex,
  type Snapshot,
  type SnapshotMisfit,
  type StreamFold,
} from '#replay';

/** Where snapshots are kept, one for each stream. What is kept may be gone, or be anything, when it is asked for again. */
export interface SnapshotStore {
  /** The text kept last; undefined when there is none, or it can't be read. */
  read(stream: string): Promise<string | undefined>;
  /** Takes a text to be kept in place of the one before, at some later time or not at all. Waits for nothing. */
  put(stream: string, text: string): void;
}

/** What became of a snapshot. */
export type SnapshotOutcome =
  /** An account went on from it. */
  | 'used'
  | 'written'
  /** The disk would not take it, too many waited, or too much had to stand in it. */
  | 'not-written'
  | SnapshotMisfit;

/** Told what became of each, and of the error if there was one. */
export type SnapshotWatch = (outcome: SnapshotOutcome, stream: string, error?: unknown) => void;

export interface SnapshotOptions {
  readonly store: SnapshotStore;
  /** Events of an account from one snapshot to the next: 1 or more. */
  readonly everyEvents: number;
  /** Names the code that folds: a snapshot of any other is not used. */
  readonly rules: string;
  readonly watch?: SnapshotWatch | undefined;
}

/** Most names that one snapshot holds; older ones are left to the index. */
const MOST_NAMES = 10_000;

/**
 * Spares the fold of a long account from its first event. A snapshot decides nothing: it is gone on from only when this
 * very code made it, after the very event that the log has at its revision, and when the index knows all names that it
 * leaves out. Otherwise it is as if it were not there, and the next one takes its place.
 */
export class Snapshots {
  readonly #options: SnapshotOptions;
  readonly #index: HomeStreamIndex;

  constructor(options: SnapshotOptions, index: HomeStreamIndex) {
    this.#options = options;
    this.#index = index;
  }

  /** True for streams that snapshots are made of. */
  static areMadeOf(stream: string): boolean {
    return stream.startsWith('account-');
  }

  /** The revision that a stream has to reach for the next one. */
  nextAfter(revision: number): number {
    return revision + this.#options.everyEvents;
  }

  /**
   * Brings a fold of which nothing is folded yet to where a snapshot was made, if there is one that fits.
   * @returns false when the fold is as it was, and another snapshot should take the place of the one that is there
   * @throws StoreError when the log can't be read
   */
  async restore(fold: StreamFold, reader: EventReader): Promise<boolean> {
    const text = await this.#options.store.read(fold.stream);
    if (text === undefined) return true;
    const snapshot = decodeSnapshot(text, fold.stream, this.#options.rules);
    const misfit = typeof snapshot === 'string' ? snapshot : await this.#goOnFrom(snapshot, fold, reader);
    this.#options.watch?.(misfit ?? 'used', fold.stream);
    return misfit === undefined;
  }

  async #goOnFrom(snapshot: Snapshot, fold: StreamFold, reader: EventReader): Promise<SnapshotMisfit | undefined> {
    const { revision } = snapshot.folded;
    const [last]: readonly RecordedEvent[] = await reader.read(fold.stream, { from: revision, to: revision });
    const misfit = misfitOf(snapshot, last, this.#index);
    if (misfit === undefined) fold.restore(snapshot.folded, snapshot.names);
    return misfit;
  }

  /** Makes one of a fold all of whose events are stored. What can't be kept is folded again: nothing fails for it. */
  make(fold: StreamFold): void {
    const { store, rules, watch } = this.#options;
    try {
      const text = encodeSnapshot(fold, rules, MOST_NAMES);
      if (text === undefined) watch?.('not-written', fold.stream);
      else store.put(fold.stream, text);
    } catch (error) {
      watch?.('not-written', fold.stream, error);
    }
  }
}
