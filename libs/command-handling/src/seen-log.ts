import type {
  Appended,
  EventStore,
  EventToAppend,
  ExpectedRevision,
  ReadAllOptions,
  ReadAllPage,
  ReadStreamOptions,
  SubscribeAllOptions,
} from '#event-store';
import type { Position, RecordedEvent } from '#kernel';
import type { Observable } from 'rxjs';

/**
 * A store, and the last event of its log that was appended or read through it: nothing that was decided so far rests on a
 * later one.
 */
export class SeenLog implements EventStore {
  readonly #store: EventStore;
  #last: RecordedEvent | undefined;

  constructor(store: EventStore) {
    this.#store = store;
  }

  /** Undefined before anything was seen. */
  get last(): RecordedEvent | undefined {
    return this.#last;
  }

  get singleWriter(): boolean {
    return this.#store.singleWriter;
  }

  append(stream: string, expected: ExpectedRevision, events: readonly EventToAppend[]): Promise<Appended> {
    const appending = this.#store.append(stream, expected, events);
    return this.#seeing(appending, ({ lastRevision: revision, positions }) => {
      const [last, position] = [events.at(-1), positions.at(-1)];
      if (last !== undefined && position !== undefined) this.#see({ ...last, stream, revision, position });
    });
  }

  read(stream: string, options?: ReadStreamOptions): Promise<readonly RecordedEvent[]> {
    return this.#seeing(this.#store.read(stream, options), (events) => this.#seeEnds(events));
  }

  readAll(options: ReadAllOptions): Promise<ReadAllPage> {
    return this.#seeing(this.#store.readAll(options), ({ events }) => this.#seeEnds(events));
  }

  head(): Promise<Position | undefined> {
    return this.#store.head();
  }

  /** What comes by itself is only a hint to look: it is seen when somebody does. */
  subscribeAll(options: SubscribeAllOptions): Observable<RecordedEvent> {
    return this.#store.subscribeAll(options);
  }

  close(): Promise<void> {
    return this.#store.close();
  }

  /** Before whoever asked goes on. */
  #seeing<Answer>(asking: Promise<Answer>, see: (answer: Answer) => void): Promise<Answer> {
    asking.then(see, () => undefined);
    return asking;
  }

  /** Of events in whatever order one of the two ends is the last. */
  #seeEnds(events: readonly RecordedEvent[]): void {
    this.#see(events[0]);
    this.#see(events.at(-1));
  }

  #see(event: RecordedEvent | undefined): void {
    if (event !== undefined && event.position > (this.#last?.position ?? '')) this.#last = event;
  }
}
