import type { EventReader } from '#event-store';
import type { Position, RecordedEvent } from '#kernel';

/** Events are at most 1 MiB, and nearly always a few hundred bytes. */
const PAGE_EVENTS = 500;

/** Walks a log from a place on, one event after the other, to where its end was when that was come to. */
export class LogPages {
  readonly #reader: EventReader;
  #after: Position | undefined;
  #events: readonly RecordedEvent[] = [];
  #next = 0;

  constructor(reader: EventReader, after: Position | undefined) {
    this.#reader = reader;
    this.#after = after;
  }

  /** Whether `next` has to read. */
  get isSpent(): boolean {
    return this.#next >= this.#events.length;
  }

  /** Reads on, when all that was read is taken. @throws StoreError when the log can't be read */
  async fill(): Promise<void> {
    if (!this.isSpent) return;
    for (;;) {
      const after = this.#after === undefined ? {} : { after: this.#after };
      const { events, scannedTo, atEnd } = await this.#reader.readAll({ ...after, limit: PAGE_EVENTS });
      this.#events = events;
      this.#next = 0;
      this.#after = scannedTo ?? this.#after;
      // A page may have nothing for us, and the log go on.
      if (events.length > 0 || atEnd) return;
    }
  }

  /** Of what was read; undefined when all of it is taken, or the end of the log was reached. */
  peek(): RecordedEvent | undefined {
    return this.#events[this.#next];
  }

  take(): RecordedEvent | undefined {
    const event = this.#events[this.#next];
    this.#next += 1;
    return event;
  }
}
