import type { EventReader } from '#event-store';
import type { RecordedEvent } from '#kernel';
import {
  StreamFold,
  StreamNames,
  type CitationResolver,
  type HomeStreamIndex,
  type IndexEntry,
  type JudgedEvent,
  type NameKind,
} from '#replay';

/** A stream in memory: its fold, and the names of its latest events. */
export class HomeStream {
  readonly fold: StreamFold;

  constructor(stream: string, resolver: CitationResolver, index: HomeStreamIndex, maxEntries: number) {
    this.fold = new StreamFold(stream, resolver, new StreamNames(stream, { index, most: maxEntries }));
  }

  /** Folds all that the store has beyond what is known. @returns how many events were new */
  async catchUp(reader: EventReader): Promise<number> {
    const events = await reader.read(this.fold.stream, { from: this.fold.revision + 1 });
    for (const event of events) await this.fold.apply(event);
    this.fold.names.forget();
    return events.length;
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
