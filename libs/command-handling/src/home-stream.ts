import type { EventReader } from '#event-store';
import type { RecordedEvent } from '#kernel';
import {
  DamagedStreamError,
  foldStream,
  StreamFold,
  StreamNames,
  type CitationResolver,
  type IndexEntry,
  type JudgedEvent,
  type NameKind,
  type NamesIndex,
  type NamesOptions,
} from '#replay';
import { Snapshots } from './snapshots.ts';

/**
 * Most names of a stream that are kept when it is loaded. Of more the index is asked: in memory those of one long account
 * would take the place of a dozen others.
 */
export const NAMES_KEPT = 32;

export interface HomeStreamOptions {
  readonly resolver: CitationResolver;
  /** The names that are kept in memory. */
  readonly names: NamesOptions;
  /** Absent where none are made. */
  readonly snapshots?: Snapshots | undefined;
}

/** A stream in memory: its fold, and the names of its latest events. */
export class HomeStream {
  readonly fold: StreamFold;
  readonly #snapshots: Snapshots | undefined;
  readonly #index: NamesIndex | undefined;
  /** The revision from which on the next snapshot is due. */
  #snapshotDueAt: number;

  constructor(stream: string, { resolver, names, snapshots }: HomeStreamOptions) {
    this.fold = new StreamFold(stream, resolver, new StreamNames(stream, names));
    this.#index = names.index;
    this.#snapshots = Snapshots.areMadeOf(stream) ? snapshots : undefined;
    this.#snapshotDueAt = this.#snapshots?.nextAfter(-1) ?? Infinity;
  }

  /**
   * Folds all that the store has beyond what is known.
   * @returns how many events were new
   * @throws DamagedStreamError when events are missing from it, at its end too, where the index has taken in more than there is
   */
  async catchUp(reader: EventReader): Promise<number> {
    const { fold } = this;
    const isNew = fold.revision < 0;
    if (isNew) await this.#restore(reader);
    const known = fold.revision;
    const indexed = isNew ? (this.#index?.indexedRevision(fold.stream) ?? -1) : -1;
    await foldStream(reader, fold);
    if (fold.revision < indexed) throw new DamagedStreamError(fold.stream, fold.revision + 1, 'missing');
    if (isNew && fold.names.size > NAMES_KEPT) fold.names.forgetAll();
    else fold.names.forget();
    this.stored();
    return fold.revision - known;
  }

  async #restore(reader: EventReader): Promise<void> {
    if (this.#snapshots === undefined) return;
    const fits = await this.#snapshots.restore(this.fold, reader);
    // In place of one that does not fit another is made as soon as there is anything to make it of.
    this.#snapshotDueAt = fits ? this.#snapshots.nextAfter(this.fold.revision) : 0;
  }

  /** Says that all that is folded is stored: a snapshot is made when it is time for one. */
  stored(): void {
    const { revision } = this.fold;
    if (this.#snapshots === undefined || revision < this.#snapshotDueAt) return;
    this.#snapshots.make(this.fold);
    this.#snapshotDueAt = this.#snapshots.nextAfter(revision);
  }

  /**
   * Folds an event that is about to be appended.
   * @returns what to wait for, where a citation has to be looked up
   * @throws Error when it is not legal: a bug, found before it is stored.
   */
  foldOwn(event: RecordedEvent): Promise<void> | undefined {
    const judged = this.fold.applyOwn(event);
    if (judged instanceof Promise) return judged.then((settled) => this.#noteOwn(event, settled));
    this.#noteOwn(event, judged);
    return undefined;
  }

  #noteOwn(event: RecordedEvent, judged: JudgedEvent): void {
    if (judged.violation !== undefined) {
      throw new Error(`${event.type} would be a violation on ${event.stream}: ${judged.violation.detail}`);
    }
    this.fold.names.forget();
  }

  /** Finds a name of this stream, however old. */
  lookup(kind: NameKind, id: string): IndexEntry | undefined {
    return this.fold.names.lookup(kind, id);
  }
}
