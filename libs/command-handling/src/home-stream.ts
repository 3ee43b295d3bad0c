import type { EventReader } from '#event-store';
import type { RecordedEvent } from '#kernel';
import {
  StreamFold,
  StreamNames,
  type CitationResolver,
  type HomeStreamIndex,
  type IndexEntry,
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

  /** Folds an event that is about to be appended. @throws Error when it is not legal: a bug, found before it is stored. */
  async foldOwn(event: RecordedEvent): Promise<void> {
    const judged = this.fold.applyOwn(event);
    const settled = judged instanceof Promise ? await judged : judged;
    if (settled.violation !== undefined) {
      throw new Error(`${event.type} would be a violation on ${event.stream}: ${settled.violation.detail}`);
    }
    this.fold.names.forget();
  }

  /** Finds a name of this stream, however old. */
  lookup(kind: NameKind, id: string): IndexEntry | undefined {
    return this.fold.names.lookup(kind, id);
  }
}
