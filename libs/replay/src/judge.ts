import type { EventReader } from '#event-store';
import type { RecordedEvent } from '#kernel';
import { StreamFold } from './fold.ts';
import { foldStream } from './fold-stream.ts';
import type { JudgedEvent } from './judged.ts';
import { CitationResolver, type OtherJudges } from './resolver.ts';
import { StreamCache } from './stream-cache.ts';
import { StreamNames, type NamesIndex } from './stream-names.ts';

export interface JudgeOptions {
  /** Most streams kept in memory. */
  readonly maxStreams?: number;
  /** Names kept of all streams before the index is relied on: about 100 bytes each. */
  readonly maxNames?: number;
  /** What knows the names of events that were judged before. Without it each stream's are kept in memory. */
  readonly index?: NamesIndex | undefined;
  /** For a judge of some streams, beside those of others. */
  readonly others?: OtherJudges;
}

/**
 * Judges the events of a log in its order. Keeps the folds of the streams seen last; a stream that was dropped from memory
 * is folded again from its beginning when its next event comes.
 */
export class Judge {
  readonly #reader: EventReader;
  readonly #resolver: CitationResolver;
  readonly #index: NamesIndex | undefined;
  readonly #folds: StreamCache<StreamFold>;

  constructor(reader: EventReader, options: JudgeOptions = {}) {
    this.#reader = reader;
    const { index, others, maxStreams = 10_000, maxNames = 25_000 } = options;
    this.#index = index;
    this.#folds = new StreamCache<StreamFold>({
      streams: maxStreams,
      names: index === undefined ? Infinity : maxNames,
      namesOf: ({ names }) => names,
    });
    const folded = (stream: string): StreamFold | undefined => this.#folds.peek(stream);
    this.#resolver = new CitationResolver(reader, { index, folded, ...(others && { others }) });
  }

  /** Streams whose state is in memory. */
  get streams(): number {
    return this.#folds.size;
  }

  /** Their names that are in memory. */
  get names(): number {
    return this.#folds.count.names;
  }

  /** @throws StoreError when another stream that the verdict needs can't be read: call again with the same event. */
  judge(recorded: RecordedEvent): JudgedEvent | Promise<JudgedEvent> {
    const fold = this.#folds.get(recorded.stream);
    if (fold?.revision === recorded.revision - 1) return fold.apply(recorded);
    return this.#load(recorded.stream, recorded.revision - 1).then((loaded) => {
      this.#folds.set(recorded.stream, loaded);
      return loaded.apply(recorded);
    });
  }

  /** Tells of an event that another judge judges, and that one judged here may cite soon: it need not be read again. */
  noteUnjudged(recorded: RecordedEvent): void {
    this.#resolver.noteUnjudged(recorded);
  }

  async #load(stream: string, to: number): Promise<StreamFold> {
    const names = new StreamNames(stream, { index: this.#index, count: this.#folds.count, onlyCited: true });
    const fold = new StreamFold(stream, this.#resolver, names);
    if (to < 0) return fold;
    await foldStream(this.#reader, fold, { to });
    names.forgetAll();
    return fold;
  }
}
