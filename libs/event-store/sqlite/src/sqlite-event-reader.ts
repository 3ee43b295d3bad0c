import {
  type EventReader,
  followLog,
  formatPosition,
  type ReadAllOptions,
  type ReadAllPage,
  type ReadStreamOptions,
  startOfPage,
  StoreError,
  type SubscribeAllOptions,
  streamRange,
} from '#event-store';
import type { Position, RecordedEvent } from '#kernel';
import { resolve } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { setImmediate } from 'node:timers/promises';
import { Observable, Subject } from 'rxjs';
import { failureAt, openForReading } from './file.ts';
import { isDamaged } from './sqlite-errors.ts';
import { LogReader } from './log-reader.ts';
import { pageFrom, readInSteps } from './pages.ts';

/** How late a subscription is at most when nobody calls `notify`. */
const POLL_INTERVAL_MS = 250;

/**
 * Reads the file of a `SqliteEventStore` in the calling thread, beside the thread or process that writes it: for
 * projections and for audit. Each read blocks its thread for one page.
 */
export class SqliteEventReader implements EventReader {
  readonly #path: string;
  readonly #db: DatabaseSync;
  readonly #log: LogReader;
  readonly #commits = new Subject<void>();
  readonly #poll: NodeJS.Timeout;
  #closed = false;

  /** @throws StoreError `store-unavailable` that names the file: not there, of another program, or of a newer version */
  constructor(path: string) {
    this.#path = resolve(path);
    this.#db = openForReading(this.#path);
    this.#log = new LogReader(this.#db);
    this.#poll = setInterval(() => this.notify(), POLL_INTERVAL_MS).unref();
  }

  /** Says that there may be more to read: subscriptions look at once instead of at the next poll. */
  notify(): void {
    this.#commits.next();
  }

  async read(stream: string, options?: ReadStreamOptions): Promise<readonly RecordedEvent[]> {
    return readInSteps(streamRange(options), async (...step) => {
      await this.#turn();
      return this.#reading(() => this.#log.readStream(stream, ...step));
    });
  }

  async readAll(options: ReadAllOptions): Promise<ReadAllPage> {
    const { filter = {}, limit } = options;
    const after = startOfPage(options);
    await this.#turn();
    return pageFrom(this.#reading(() => this.#log.readAll(after, filter, limit)));
  }

  async head(): Promise<Position | undefined> {
    await this.#turn();
    const head = this.#reading(() => this.#log.head());
    return head === 0n ? undefined : formatPosition(head);
  }

  subscribeAll(options: SubscribeAllOptions): Observable<RecordedEvent> {
    const log = { readAll: (page: ReadAllOptions) => this.readAll(page), commits: this.#commits };
    return new Observable((subscriber) => followLog(log, options, subscriber));
  }

  close(): Promise<void> {
    if (this.#closed) return Promise.resolve();
    this.#closed = true;
    clearInterval(this.#poll);
    this.#commits.complete();
    this.#db.close();
    return Promise.resolve();
  }

  /** @throws StoreError that names the log when it is damaged: who reads has other files, too, and must not mistake them */
  #reading<Found>(read: () => Found): Found {
    try {
      return read();
    } catch (error) {
      throw isDamaged(error) ? failureAt(this.#path, error) : error;
    }
  }

  /** Lets the thread's other work have its turn before each page. */
  async #turn(): Promise<void> {
    await setImmediate();
    if (this.#closed) throw new StoreError('store-unavailable', 'the event log is closed');
  }
}
