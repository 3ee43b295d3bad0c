import {
  type Appended,
  encodeAppend,
  type EventToAppend,
  type ExpectedRevision,
  followLog,
  formatPosition,
  type OrderedAppends,
  type OrderedEventStore,
  type ReadAllOptions,
  type ReadAllPage,
  type ReadStreamOptions,
  startOfPage,
  StoreError,
  type SubscribeAllOptions,
  streamRange,
} from '#event-store';
import type { Bound, Position, RecordedEvent } from '#kernel';
import { resolve } from 'node:path';
import { map, Observable } from 'rxjs';
import { AppendsInOrder } from './appends-in-order.ts';
import { pageFrom, readInSteps } from './pages.ts';
import type { ReadAnswer, ReadRequest } from './protocol.ts';
import type { Seal } from './schema.ts';
import { WriterThread } from './writer-thread.ts';

export interface SqliteEventStoreOptions {
  /** The log's file; it is made, with its folder, when it is not there. `-wal`, `-shm` and `.lock` stand beside it. */
  readonly path: string;
  /** Most pages of 4 KiB that the file may have; beyond it appends are refused as on a full disk. Default: no bound. */
  readonly maxPages?: number;
}

/**
 * The embedded store: one SQLite file, written by one thread of one process. What is answered is on disk. Appends that
 * wait at the same time are committed together.
 */
export class SqliteEventStore implements OrderedEventStore {
  readonly singleWriter = true;
  readonly storesLate = false;
  readonly #writer: WriterThread;
  readonly #commits: Observable<Position>;

  /**
   * Opens the log and keeps every other store away from it until `close`, or the end of the process.
   * @throws StoreError `store-unavailable` that names the file: in use, of another program, of a newer version, damaged,
   * not all there, or not to be written; `log-sealed` when the ledger has moved
   */
  static async open({ path, maxPages }: SqliteEventStoreOptions): Promise<SqliteEventStore> {
    return new SqliteEventStore(await WriterThread.start({ path: resolve(path), maxPages }));
  }

  private constructor(writer: WriterThread) {
    this.#writer = writer;
    this.#commits = writer.commits.pipe(map(formatPosition));
  }

  append(stream: string, expected: ExpectedRevision, events: readonly EventToAppend[]): Promise<Appended> {
    return new Promise((resolve, reject) => {
      this.#writer.append({ append: encodeAppend(stream, expected, events), resolve, reject });
    });
  }

  appendInOrder(): OrderedAppends {
    return new AppendsInOrder((appends) => this.#writer.append(...appends));
  }

  /** The seal that the log was given since it was opened, if any. */
  async seal(): Promise<Seal | undefined> {
    return (await this.#ask({ kind: 'seal' })).seal;
  }

  async read(stream: string, options?: ReadStreamOptions): Promise<readonly RecordedEvent[]> {
    return readInSteps(streamRange(options), (from, to, backwards, limit) =>
      this.#ask({ kind: 'stream', stream, from, to, backwards, limit }),
    );
  }

  async readAll(options: ReadAllOptions): Promise<ReadAllPage> {
    const { filter = {}, limit } = options;
    return pageFrom(await this.#ask({ kind: 'all', after: startOfPage(options), filter, limit }));
  }

  async head(): Promise<Position | undefined> {
    const { head } = await this.#ask({ kind: 'head' });
    return head === 0n ? undefined : formatPosition(head);
  }

  subscribeAll(options: SubscribeAllOptions): Observable<RecordedEvent> {
    const log = { readAll: (page: ReadAllOptions) => this.readAll(page), commits: this.#commits };
    return new Observable((subscriber) => followLog(log, options, subscriber));
  }

  /**
   * Calls back after each commit, with the position of the log's last event: to wake readers in other threads.
   * @returns what ends it
   */
  onAppended(listener: (head: Position) => void): () => void {
    // A log that breaks tells everybody who calls the store: a listener only misses what never came.
    const subscription = this.#commits.subscribe({ next: listener, error: () => undefined });
    return () => subscription.unsubscribe();
  }

  /** What was found at the opening that whoever runs the service should be told of, in one line. */
  get notice(): string | undefined {
    return this.#writer.notice;
  }

  /** Why nothing is appended any more: a page of the log was found damaged. What can be read still is. */
  get damage(): string | undefined {
    return this.#writer.damage;
  }

  /** Calls back once, when a page of the log is found damaged. */
  onDamage(listener: (message: string) => void): void {
    this.#writer.damages.subscribe(listener);
  }

  /**
   * Resolves with why, when the log's thread has ended by itself: out of memory, or a bug. Nothing is read or appended any
   * more, and what was acknowledged is on disk: the log has to be opened again.
   */
  get broken(): Promise<string> {
    return this.#writer.broken;
  }

  /** What waits for the disk or is kept of it in memory, and how much of that there may be. */
  get bounds(): readonly Bound[] {
    return this.#writer.bounds;
  }

  /** Takes nothing more, finishes what it took, completes the subscriptions, and lets the file go. */
  close(): Promise<void> {
    return this.#writer.close();
  }

  /** Lets the file go at once, for a stop that takes too long: of appends under way the outcome is unknown. */
  terminate(): Promise<void> {
    return this.#writer.terminate();
  }

  async #ask<Kind extends ReadRequest['kind']>(
    request: ReadRequest & { readonly kind: Kind },
  ): Promise<Extract<ReadAnswer, { readonly kind: Kind }>> {
    const answer = await this.#writer.read(request);
    if (answer.kind === 'failure') throw new StoreError(answer.failure.code, answer.failure.message);
    return answer as Extract<ReadAnswer, { readonly kind: Kind }>;
  }
}
