import {
  type Appended,
  encodeAppend,
  type EventToAppend,
  type ExpectedRevision,
  type OrderedAppends,
  type OrderedEventStore,
  type ReadAllOptions,
  type ReadAllPage,
  type ReadStreamOptions,
  StoreError,
  type SubscribeAllOptions,
  streamRange,
} from '#event-store';
import type { Bound, Position, RecordedEvent } from '#kernel';
import { setTimeout as sleep } from 'node:timers/promises';
import { Observable, Subject, takeUntil } from 'rxjs';
import { Appender } from './appender.ts';
import { AppendsInOrder } from './appends-in-order.ts';
import { ClientInUse } from './client-in-use.ts';
import { type Failure, failureOfCall, metNobody, whyNotOpened } from './failures.ts';
import { OwnStreams } from './own-streams.ts';
import { isPlace } from './places.ts';
import { Reads } from './reads.ts';
import { type Connection, type EventStoreDbSettings, readConnection } from './settings.ts';
import { Following } from './subscription.ts';

const DEFAULT_CALL_TIMEOUT_MS = 5_000;
/** A try that is not answered leaves time for another one: a leader that stands still may have been followed by another. */
const TRIES_AN_OPEN = 2;
const OPEN_PAUSE_MS = 100;

/**
 * A store on EventStoreDB or KurrentDB, one node or a cluster, which other processes append to as well. A leader that
 * changes, a node that restarts and an answer that is lost cost its callers time, as long as they are over within the time of
 * a call.
 */
export class EventStoreDbEventStore implements OrderedEventStore {
  readonly singleWriter = false;
  readonly storesLate = true;
  readonly #clients: ClientInUse;
  readonly #own: OwnStreams;
  readonly #reads: Reads;
  readonly #appender: Appender;
  readonly #closing = new Subject<void>();
  readonly #timeoutMs: number;
  #closed: Promise<void> | undefined;

  /**
   * Connects, reads once, and finds out whether it may append.
   * @throws StoreError `store-unavailable` that says in one line what is wrong, and never the password
   */
  static async open(settings: EventStoreDbSettings): Promise<EventStoreDbEventStore> {
    const connection = readConnection(settings);
    const store = new EventStoreDbEventStore(connection, settings);
    try {
      await store.#check(connection);
    } catch (error) {
      await store.close();
      throw error;
    }
    return store;
  }

  private constructor(connection: Connection, settings: EventStoreDbSettings) {
    const { callTimeoutMs = connection.numbers.defaultDeadline ?? DEFAULT_CALL_TIMEOUT_MS } = settings;
    if (!(callTimeoutMs > 0)) throw new RangeError('the time of a call is more than 0 ms');
    this.#timeoutMs = callTimeoutMs;
    this.#own = new OwnStreams(settings);
    this.#clients = new ClientInUse(connection, callTimeoutMs);
    this.#reads = new Reads(this.#clients, this.#own, callTimeoutMs);
    this.#appender = new Appender(this.#clients, this.#reads, this.#own, callTimeoutMs);
  }

  /**
   * A node that is not the leader, or not ready yet, is given the time of a call; an address where nobody is, is not. The
   * leader of a cluster is named by the others, for a while also when it is gone: they are asked again.
   */
  async #check(connection: Connection): Promise<void> {
    const deadline = performance.now() + this.#timeoutMs;
    for (;;) {
      const leftMs = Math.max(1, deadline - performance.now());
      const failure = await this.#failureToUse(Math.min(leftMs, this.#timeoutMs / TRIES_AN_OPEN));
      if (failure === undefined) return;
      const mayPass = failure.kind === 'transient' && (connection.kind !== 'node' || !metNobody(failure));
      if (!mayPass || performance.now() + OPEN_PAUSE_MS >= deadline) {
        throw new StoreError('store-unavailable', whyNotOpened(failure, connection));
      }
      await sleep(OPEN_PAUSE_MS);
    }
  }

  async #failureToUse(timeoutMs: number): Promise<Failure | undefined> {
    try {
      await this.#reads.probe(timeoutMs);
    } catch (error) {
      return failureOfCall(error);
    }
    return this.#appender.checkAccess(timeoutMs);
  }

  async append(stream: string, expected: ExpectedRevision, events: readonly EventToAppend[]): Promise<Appended> {
    this.#demandOpen();
    return this.#appender.append(encodeAppend(stream, expected, events));
  }

  appendInOrder(): OrderedAppends {
    this.#demandOpen();
    return new AppendsInOrder(this.#clients, this.#own, this.#timeoutMs);
  }

  async read(stream: string, options?: ReadStreamOptions): Promise<readonly RecordedEvent[]> {
    const range = streamRange(options);
    this.#demandOpen();
    return this.#reads.stream(stream, range);
  }

  async readAll(options: ReadAllOptions): Promise<ReadAllPage> {
    this.#demandOpen();
    return this.#reads.all(options);
  }

  async head(): Promise<Position | undefined> {
    this.#demandOpen();
    return this.#reads.head();
  }

  subscribeAll(options: SubscribeAllOptions): Observable<RecordedEvent> {
    return new Observable<RecordedEvent>((subscriber) => {
      if (this.#closed !== undefined) {
        subscriber.complete();
        return undefined;
      }
      const following = new Following(this.#clients, this.#own, options, subscriber);
      return () => following.stop();
    }).pipe(takeUntil(this.#closing));
  }

  /** True for what can be a position of such a store, however far its log goes. */
  isPosition(text: string): boolean {
    return isPlace(text);
  }

  /** Appends and reads that wait for the server, and how many may. */
  get bounds(): readonly Bound[] {
    return [...this.#appender.bounds, ...this.#reads.bounds];
  }

  /** Takes nothing more, finishes the appends that it took, completes the subscriptions, and lets go of the server. */
  close(): Promise<void> {
    this.#closed ??= this.#finish();
    return this.#closed;
  }

  async #finish(): Promise<void> {
    this.#closing.next();
    this.#closing.complete();
    await this.#appender.idle();
    await this.#clients.close();
  }

  #demandOpen(): void {
    if (this.#closed !== undefined) throw new StoreError('store-unavailable', 'the store is closed');
  }
}
