import {
  type Appended,
  decodeEvent,
  type AppendRequest,
  encodeAppend,
  type EventFilter,
  type EventPlace,
  type EventStore,
  type EventToAppend,
  type ExpectedRevision,
  followLog,
  formatPosition,
  judgeAppend,
  NO_REVISION,
  type ReadAllOptions,
  type ReadAllPage,
  type ReadStreamOptions,
  startOfPage,
  StoreError,
  type SubscribeAllOptions,
  streamRange,
} from '#event-store';
import type { Position, RecordedEvent } from '#kernel';
import { Observable, Subject } from 'rxjs';

export interface MemoryEventStoreOptions {
  /** What the store says of itself. Default: false, so that it can stand for one that many instances share. */
  readonly singleWriter?: boolean;
  /** What it holds from the beginning: the whole log of another store in memory, which stays as it is. Default: nothing. */
  readonly log?: readonly RecordedEvent[];
}

/** A store for tests: everything the port promises but durability. An append takes effect at the moment of the call. */
export class MemoryEventStore implements EventStore {
  readonly singleWriter: boolean;
  readonly #log: RecordedEvent[] = [];
  readonly #streams = new Map<string, RecordedEvent[]>();
  readonly #places = new Map<string, EventPlace>();
  readonly #commits = new Subject<Position>();
  #closed = false;

  /** @throws RangeError for a log that is not whole, or of a store that counts positions in another way */
  constructor({ singleWriter = false, log = [] }: MemoryEventStoreOptions = {}) {
    this.singleWriter = singleWriter;
    for (const event of log) {
      if (event.position !== formatPosition(BigInt(this.#log.length + 1))) throw new RangeError('the log is not whole');
      this.#take(event);
    }
  }

  append(stream: string, expected: ExpectedRevision, events: readonly EventToAppend[]): Promise<Appended> {
    return this.#answer(() => {
      const append = encodeAppend(stream, expected, events);
      const verdict = judgeAppend(append, this.#headOf(stream), (id) => this.#places.get(id));
      if (verdict.kind === 'refuse') throw verdict.error;
      const positions = verdict.kind === 'replay' ? verdict.positions : this.#store(append);
      return {
        firstRevision: append.expected + 1,
        lastRevision: append.expected + positions.length,
        positions: positions.map(formatPosition),
      };
    });
  }

  read(stream: string, options?: ReadStreamOptions): Promise<readonly RecordedEvent[]> {
    return this.#answer(() => {
      const { from, to, backwards, limit } = streamRange(options);
      const history = this.#streams.get(stream) ?? [];
      const range = backwards ? history.slice(to, from + 1).reverse() : history.slice(from, to + 1);
      return range.slice(0, limit);
    });
  }

  readAll(options: ReadAllOptions): Promise<ReadAllPage> {
    return this.#answer(() => {
      const { after, filter, limit } = options;
      const start = startOfPage(options);
      const end = this.#log.at(-1)?.position;
      if (end === undefined) return { events: [], scannedTo: undefined, atEnd: true };
      if (after !== undefined && after >= end) return { events: [], scannedTo: after, atEnd: true };
      const rest = this.#log.slice(Number(start));
      const events = rest.filter((event) => matches(event, filter)).slice(0, limit);
      const scannedTo = events.length === limit ? (events.at(-1)?.position ?? end) : end;
      return { events, scannedTo, atEnd: scannedTo === end };
    });
  }

  head(): Promise<Position | undefined> {
    return this.#answer(() => this.#log.at(-1)?.position);
  }

  subscribeAll(options: SubscribeAllOptions): Observable<RecordedEvent> {
    const log = { readAll: (page: ReadAllOptions) => this.readAll(page), commits: this.#commits };
    return new Observable((subscriber) => followLog(log, options, subscriber));
  }

  close(): Promise<void> {
    this.#closed = true;
    this.#commits.complete();
    return Promise.resolve();
  }

  #answer<Answer>(work: () => Answer): Promise<Answer> {
    return new Promise((resolve) => {
      if (this.#closed) throw new StoreError('store-unavailable', 'the store is closed');
      resolve(work());
    });
  }

  #headOf(stream: string): number {
    return this.#streams.get(stream)?.at(-1)?.revision ?? NO_REVISION;
  }

  #store({ stream, expected, events }: AppendRequest): readonly bigint[] {
    const positions = events.map((event, index) => {
      const position = BigInt(this.#log.length + 1);
      const revision = expected + 1 + index;
      this.#take(deepFreeze(decodeEvent(event, { stream, revision, position: formatPosition(position) })));
      return position;
    });
    this.#commits.next(formatPosition(BigInt(this.#log.length)));
    return positions;
  }

  #take(recorded: RecordedEvent): void {
    const { id, stream, revision } = recorded;
    this.#log.push(recorded);
    const history = this.#streams.get(stream);
    if (history === undefined) this.#streams.set(stream, [recorded]);
    else history.push(recorded);
    this.#places.set(id, { stream, revision, position: BigInt(this.#log.length) });
  }
}

function matches(event: RecordedEvent, { streamPrefixes, types }: EventFilter = {}): boolean {
  const streamFits = streamPrefixes?.some((prefix) => event.stream.startsWith(prefix)) ?? true;
  return streamFits && (types?.includes(event.type) ?? true);
}

function deepFreeze<Value>(value: Value): Value {
  if (typeof value === 'object' && value !== null) {
    Object.values(value).forEach(deepFreeze);
    Object.freeze(value);
  }
  return value;
}
