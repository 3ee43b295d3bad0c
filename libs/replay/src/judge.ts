import type { EventReader } from '#event-store';
import type { RecordedEvent } from '#kernel';
import { StreamFold } from './fold.ts';
import type { JudgedEvent } from './judged.ts';
import { CitationResolver } from './resolver.ts';

/**
 * Judges the events of a log in its order. Keeps the folds of the streams seen last; a stream that was dropped from memory
 * is folded again from its beginning when its next event comes.
 */
export class Judge {
  readonly #reader: EventReader;
  readonly #resolver: CitationResolver;
  readonly #maxStreams: number;
  readonly #folds = new Map<string, StreamFold>();

  constructor(reader: EventReader, options: { readonly maxStreams?: number } = {}) {
    this.#reader = reader;
    this.#resolver = new CitationResolver(reader);
    this.#maxStreams = options.maxStreams ?? 20_000;
  }

  /** @throws StoreError when another stream that the verdict needs can't be read: call again with the same event. */
  judge(recorded: RecordedEvent): JudgedEvent | Promise<JudgedEvent> {
    const fold = this.#folds.get(recorded.stream);
    if (fold?.revision === recorded.revision - 1) return fold.apply(recorded);
    return this.#load(recorded.stream, recorded.revision - 1).then((loaded) => {
      this.#remember(loaded);
      return loaded.apply(recorded);
    });
  }

  async #load(stream: string, to: number): Promise<StreamFold> {
    const fold = new StreamFold(stream, this.#resolver);
    if (to < 0) return fold;
    for (const event of await this.#reader.read(stream, { to })) await fold.apply(event);
    return fold;
  }

  #remember(fold: StreamFold): void {
    this.#folds.delete(fold.stream);
    this.#folds.set(fold.stream, fold);
    const oldest = this.#folds.keys().next();
    if (this.#folds.size > this.#maxStreams && oldest.done !== true) this.#folds.delete(oldest.value);
  }
}
