import { type Appended, type EncodedAppend, formatPosition, StoreError } from '#event-store';
import type { Bound, Position } from '#kernel';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { Subject } from 'rxjs';
import {
  type Failure,
  flattenGroup,
  type FlatOutcomes,
  type FromWorker,
  type ReadAnswer,
  type ReadRequest,
  type ToWorker,
  type WorkerOptions,
} from './protocol.ts';
import { MAX_HEADS } from './head-cache.ts';
import { messageOf } from './sqlite-errors.ts';

/** What waits is bounded, reads until they are answered; whoever comes beyond that is turned away at once. */
const MAX_WAITING_APPENDS = 10_000;
const MAX_WAITING_BYTES = 64 * 1024 * 1024;
const MAX_WAITING_READS = 10_000;
/** A group ends before it would exceed one of these; a single append never does. */
const MAX_GROUP_EVENTS = 4_000;
const MAX_GROUP_BYTES = 4 * 1024 * 1024;
const MAX_READS_A_MESSAGE = 32;
/** What lives shortly: V8 would let it grow to several times as much before it looks what is left of it. */
const YOUNG_MIB = 12;
/** How long a close waits for what is under way. */
const CLOSE_TIMEOUT_MS = 10_000;

/** An append and who waits for it. Rejects with the StoreErrors of `EventStore.append`. */
export interface WaitingAppend {
  readonly append: EncodedAppend;
  /** Those that stand together under one of these are stored all or not at all: at most a group. */
  readonly together?: object | undefined;
  readonly resolve: (appended: Appended) => void;
  readonly reject: (error: StoreError) => void;
}

interface WaitingRead {
  readonly request: ReadRequest;
  readonly resolve: (answer: ReadAnswer) => void;
  readonly reject: (error: StoreError) => void;
}

/**
 * The thread that owns the log, seen from the main thread. One group of appends is under way at a time; those that come
 * meanwhile wait, and go together as the next group.
 */
export class WriterThread {
  /** The position number of the log's end, after each commit. */
  readonly commits = new Subject<bigint>();
  /** Tells of the damage when it is found. */
  readonly damages = new Subject<string>();
  /** Resolves with why, when the thread ends though nobody asked it to. */
  readonly broken: Promise<string>;
  readonly #worker: Worker;
  readonly #exited: Promise<void>;
  readonly #appends: WaitingAppend[] = [];
  readonly #reads: WaitingRead[] = [];
  readonly #readsUnderWay: (readonly WaitingRead[])[] = [];
  #waitingReads = 0;
  #waitingBytes = 0;
  /** Heads of streams that the thread keeps in memory. */
  #heads = 0;
  #groupUnderWay: readonly WaitingAppend[] | undefined;
  #flushScheduled = false;
  #end = 0n;
  /** Why nothing is taken any more. */
  #ended: StoreError | undefined;
  #closing: Promise<void> | undefined;
  /** Whether its end was asked for. */
  #mayEnd = false;
  #tellBroken: (reason: string) => void = () => undefined;
  #close: 'not-asked' | 'asked' | 'sent' = 'not-asked';
  /** What was found at the opening that whoever runs the service should be told of. */
  readonly notice: string | undefined;
  /** Set once a page of the log was found damaged: nothing is appended any more. */
  damage: string | undefined;

  /** @throws StoreError `store-unavailable` when the log can't be opened */
  static async start(options: WorkerOptions): Promise<WriterThread> {
    const fromSource = import.meta.url.endsWith('.ts');
    const worker = new Worker(new URL(fromSource ? './worker.ts' : './worker.js', import.meta.url), {
      workerData: options,
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MIB },
      ...(fromSource && { execArgv: ['--conditions=writ-source'] }),
    });
    const [first] = (await once(worker, 'message')) as [FromWorker];
    if (first.kind === 'not-opened') throw errorFrom(first.failure);
    return new WriterThread(worker, first.kind === 'opened' ? first.notice : undefined);
  }

  private constructor(worker: Worker, notice: string | undefined) {
    this.#worker = worker;
    this.notice = notice;
    this.broken = new Promise((resolve) => (this.#tellBroken = resolve));
    this.#exited = new Promise((resolve) => {
      worker.once('exit', () => {
        this.#onExit();
        resolve();
      });
    });
    worker.on('message', (message: FromWorker) => this.#onMessage(message));
    worker.on('error', (error) => this.#onCrash(error));
  }

  get bounds(): readonly Bound[] {
    return [
      { what: 'appends-waiting', most: MAX_WAITING_APPENDS, inUse: () => this.#appends.length },
      { what: 'append-bytes-waiting', most: MAX_WAITING_BYTES, inUse: () => this.#waitingBytes },
      { what: 'reads-waiting', most: MAX_WAITING_READS, inUse: () => this.#waitingReads },
      { what: 'stream-heads', most: MAX_HEADS, inUse: () => this.#heads },
    ];
  }

  /** Takes all of them or none. @throws StoreError `store-unavailable` when they are not even taken */
  append(...waiting: readonly WaitingAppend[]): void {
    const sizeBytes = waiting.reduce((sum, { append }) => sum + append.sizeBytes, 0);
    if (this.#ended !== undefined) throw this.#ended;
    const appends = this.#appends.length + waiting.length;
    if (appends > MAX_WAITING_APPENDS || this.#waitingBytes + sizeBytes > MAX_WAITING_BYTES) {
      throw new StoreError('store-unavailable', 'too many appends are waiting for the disk');
    }
    this.#appends.push(...waiting);
    this.#waitingBytes += sizeBytes;
    this.#scheduleFlush();
  }

  read(request: ReadRequest): Promise<ReadAnswer> {
    return new Promise((resolve, reject) => {
      if (this.#ended !== undefined) throw this.#ended;
      if (this.#waitingReads >= MAX_WAITING_READS) {
        throw new StoreError('store-unavailable', 'too many reads are waiting for the event log');
      }
      this.#waitingReads += 1;
      this.#reads.push({ request, resolve, reject });
      this.#scheduleFlush();
    });
  }

  /** Takes no more, finishes what it took, and ends the thread; by force after ten seconds. */
  close(): Promise<void> {
    this.#closing ??= this.#finish();
    return this.#closing;
  }

  /** Ends the thread at once, whatever it is doing: of what is under way the outcome is unknown. */
  async terminate(): Promise<void> {
    this.#mayEnd = true;
    await this.#worker.terminate();
    await this.#exited;
  }

  async #finish(): Promise<void> {
    this.#mayEnd = true;
    this.#ended ??= new StoreError('store-unavailable', 'the event store is closed');
    this.commits.complete();
    const deadline = setTimeout(() => void this.#worker.terminate(), CLOSE_TIMEOUT_MS);
    this.#close = 'asked';
    this.#flush();
    await this.#exited;
    clearTimeout(deadline);
  }

  /** Once for each turn of the event loop, so that callers that wake together are sent together. */
  #scheduleFlush(): void {
    if (this.#flushScheduled) return;
    this.#flushScheduled = true;
    setImmediate(() => {
      this.#flushScheduled = false;
      this.#flush();
    });
  }

  #flush(): void {
    while (this.#reads.length > 0) {
      const reads = this.#reads.splice(0, MAX_READS_A_MESSAGE);
      this.#readsUnderWay.push(reads);
      this.#send({ kind: 'read', requests: reads.map(({ request }) => request) });
    }
    if (this.#groupUnderWay === undefined && this.#appends.length > 0) {
      this.#groupUnderWay = this.#takeGroup();
      const together = this.#groupUnderWay[0]?.together !== undefined;
      this.#send({ kind: 'append', group: flattenGroup(this.#groupUnderWay), together });
    }
    const idle = this.#groupUnderWay === undefined && this.#readsUnderWay.length === 0;
    if (idle && this.#close === 'asked') {
      this.#close = 'sent';
      this.#send({ kind: 'close' });
    }
  }

  #takeGroup(): readonly WaitingAppend[] {
    let events = 0;
    let bytes = 0;
    const kind = this.#appends[0]?.together;
    const end = this.#appends.findIndex(({ append, together }) => {
      events += append.events.length;
      bytes += append.sizeBytes;
      return together !== kind || (kind === undefined && (events > MAX_GROUP_EVENTS || bytes > MAX_GROUP_BYTES));
    });
    const group = this.#appends.splice(0, end < 0 ? this.#appends.length : end);
    for (const { append } of group) this.#waitingBytes -= append.sizeBytes;
    return group;
  }

  #send(message: ToWorker): void {
    this.#worker.postMessage(message);
  }

  #onMessage(message: FromWorker): void {
    if (message.kind === 'appended') {
      this.#heads = message.heads;
      this.#onAppended(message.outcomes, message.end);
    }
    if (message.kind === 'damaged') {
      this.damage = message.message;
      this.damages.next(message.message);
    }
    if (message.kind === 'answers') {
      const reads = this.#readsUnderWay.shift() ?? [];
      this.#waitingReads -= reads.length;
      for (const [index, answer] of message.answers.entries()) reads[index]?.resolve(answer);
    }
    if (this.#appends.length > 0 || this.#close === 'asked') this.#scheduleFlush();
  }

  #onAppended({ positions, failures }: FlatOutcomes, end: bigint): void {
    const group = this.#groupUnderWay ?? [];
    this.#groupUnderWay = undefined;
    const failureOf = new Map(failures.map((failure) => [failure.append, failure]));
    let start = 0;
    for (const [index, { append, resolve, reject }] of group.entries()) {
      const failure = failureOf.get(index);
      if (failure !== undefined) {
        reject(errorFrom(failure));
        continue;
      }
      const end = start + append.events.length;
      resolve(appendedAs(append, positions, start, end));
      start = end;
    }
    if (end === this.#end) return;
    this.#end = end;
    this.commits.next(end);
  }

  #onCrash(error: unknown): void {
    const message = `the event log's thread broke: ${messageOf(error)}`;
    this.#ended ??= new StoreError('store-unavailable', message);
  }

  /** After a close nothing is waiting any more, and all this does nothing. */
  #onExit(): void {
    this.#ended ??= new StoreError('store-unavailable', "the event log's thread has ended");
    const { code, message } = this.#ended;
    for (const { reject } of this.#groupUnderWay ?? []) reject(new StoreError('outcome-unknown', message));
    for (const { reject } of this.#appends.splice(0)) reject(new StoreError(code, message));
    for (const { reject } of this.#readsUnderWay.splice(0).flat()) reject(new StoreError(code, message));
    for (const { reject } of this.#reads.splice(0)) reject(new StoreError(code, message));
    this.#groupUnderWay = undefined;
    this.#waitingReads = 0;
    this.#waitingBytes = 0;
    this.commits.error(this.#ended);
    if (!this.#mayEnd) this.#tellBroken(message);
  }
}

function appendedAs(append: EncodedAppend, all: BigUint64Array, start: number, end: number): Appended {
  const positions: Position[] = [];
  for (const position of all.subarray(start, end)) positions.push(formatPosition(position));
  return { firstRevision: append.expected + 1, lastRevision: append.expected + positions.length, positions };
}

function errorFrom({ code, message, actual }: Failure): StoreError {
  return new StoreError(code, message, actual);
}
