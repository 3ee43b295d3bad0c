import type { EventReader, ReadAllOptions, ReadAllPage, ReadStreamOptions } from '#event-store';
import type { Position, RecordedEvent } from '#kernel';
import type { Observable } from 'rxjs';

/**
 * The log, with its latest events at hand: answers for single events that were just read from the log, and asks the log for all else. Most events that cite another
 * come soon after it: a transfer is received when it was sent.
 */
export class RecentEvents implements EventReader {
  readonly #reader: EventReader;
  #recent = new Map<string, RecordedEvent>();
  #before = new Map<string, RecordedEvent>();

  constructor(reader: EventReader) {
    this.#reader = reader;
  }

  /** Keeps these events, and those that were kept last; forgets all before. */
  keep(events: readonly RecordedEvent[]): void {
    this.#before = this.#recent;
    this.#recent = new Map(events.map((event) => [nameOf(event.stream, event.revision), event]));
  }

  read(stream: string, options: ReadStreamOptions = {}): Promise<readonly RecordedEvent[]> {
    const { from, to } = options;
    if (from !== undefined && from === to) {
      const name = nameOf(stream, from);
      const known = this.#recent.get(name) ?? this.#before.get(name);
      if (known !== undefined) return Promise.resolve([known]);
    }
    return this.#reader.read(stream, options);
  }

  readAll(options: ReadAllOptions): Promise<ReadAllPage> {
    return this.#reader.readAll(options);
  }

  head(): Promise<Position | undefined> {
    return this.#reader.head();
  }

  subscribeAll(options: Parameters<EventReader['subscribeAll']>[0]): Observable<RecordedEvent> {
    return this.#reader.subscribeAll(options);
  }

  close(): Promise<void> {
    return this.#reader.close();
  }
}

function nameOf(stream: string, revision: number): string {
  return `${stream}@${String(revision)}`;
}
