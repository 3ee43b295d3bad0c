import type { EventReader } from '#event-store';
import type { RecordedEvent } from '#kernel';
import { StreamFold } from './fold.ts';
import type { JudgedEvent } from './judged.ts';
import { CITED_NAMES, CitationResolver } from './resolver.ts';
import { StreamNames, type NamesIndex } from './stream-names.ts';

/** Names kept of each stream before the index is relied on. */
const MOST_NAMES = 32;

export interface JudgeOptions {
  /** Most streams kept in memory. */
  readonly maxStreams?: number;
  /** What knows the names of events that were judged before. Without it each stream's are kept in memory. */
  readonly index?: NamesIndex | undefined;
}

/**
 * Judges the events of a log in its order. Keeps the folds of the streams seen last; a stream that was dropped from memory
 * is folded again from its beginning when its next event comes.
 */
export class Judge {
  readonly #reader: EventReader;
  readonly #resolver: CitationResolver;
  readonly #maxStreams: number;
  readonly #index: NamesIndex | undefined;
  readonly #folds = new Map<string, StreamFold>();

  constructor(reader: EventReader, options: JudgeOptions = {}) {
    this.#reader = reader;
    const { index } = options;
    this.#resolver = new CitationResolver(reader, { index, folded: (stream) => this.#folds.get(stream) });
    this.#maxStreams = options.maxStreams ?? 20_000;
    this.#index = index;
  }

  /** Streams whose state is in memory. */
  get streams(): number {
    return this.#folds.size;
  }

  /** @throws StoreError when another stream that the verdict needs can't be read: call again with the same event. */
  judge(recorded: RecordedEvent): JudgedEvent | Promise<JudgedEvent> {
    const fold = this.#folds.get(recorded.stream);
    if (fold?.revision === recorded.revision - 1) {
      fold.names.forget();
      return fold.apply(recorded);
    }
    return this.#load(recorded.stream, recorded.revision - 1).then((loaded) => {
      this.#remember(loaded);
      return loaded.apply(recorded);
    });
  }

  async #load(stream: string, to: number): Promise<StreamFold> {
    const names = new StreamNames(stream, { index: this.#index, most: MOST_NAMES, only: CITED_NAMES });
    const fold = new StreamFold(stream, this.#resolver, names);
    if (to < 0) return fold;
    for (const event of await this.#reader.read(stream, { to })) await fold.apply(event);
    names.forget();
    return fold;
  }

  #remember(fold: StreamFold): void {
    this.#folds.delete(fold.stream);
    this.#folds.set(fold.stream, fold);
    const oldest = this.#folds.keys().next();
    if (this.#folds.size > this.#maxStreams && oldest.done !== true) this.#folds.delete(oldest.value);
  }
}
