import type { Worker } from 'node:worker_threads';
import type { ProjectionEvent, ProjectionFailure, ProjectionStatus } from './projection-events.ts';
import type { RebuildCause } from './read-model.ts';
import { DEFAULT_RUNNER_LIMITS, retryDelayMs } from './runner.ts';
import { startThread } from './start-thread.ts';
import type { FromWorker, ToWorker, WorkerData } from './worker-protocol.ts';

/** What lives shortly: V8 would let it grow to several times as much before it looks what is left of it. */
const YOUNG_MIB = 24;
/** How long a close waits for the batch under way. */
const CLOSE_TIMEOUT_MS = 10_000;
const CLOSED = new Error('the projections are closed');

type Committed = Extract<ProjectionEvent, { readonly type: 'committed' }>;

interface Rebuild {
  readonly id: number;
  readonly cause: RebuildCause;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

function newWorker(data: WorkerData): Worker {
  return startThread('worker', data, { maxYoungGenerationSizeMb: YOUNG_MIB });
}

/** The projections' thread, seen from the main thread. A thread that breaks is started again. */
export class WorkerRunner {
  readonly #data: WorkerData;
  readonly #onEvent: (event: ProjectionEvent) => void;
  readonly #newThread: (data: WorkerData) => Worker;
  #worker: Worker | undefined;
  #exited: Promise<void> = Promise.resolve();
  #restart: NodeJS.Timeout | undefined;
  #closed = false;
  /** As the thread tells of itself. */
  #told: ProjectionStatus = { state: 'catching-up', checkpoint: undefined, failure: undefined };
  /** Why the thread before ended, until this one has taken in something, or has nothing to take in. */
  #ended: ProjectionFailure | undefined;
  /** How often it has ended since something was taken in. */
  #attempts = 0;
  #servable = false;
  /** Between a notification and its answer nothing is sent; whether there was reason to is kept. */
  #notification: 'none' | 'sent' | 'sent-and-more' = 'none';
  #rebuilds: Rebuild[] = [];
  #lastRebuild = 0;

  /** @param newThread starts the thread */
  constructor(data: WorkerData, onEvent: (event: ProjectionEvent) => void, newThread = newWorker) {
    this.#data = data;
    this.#onEvent = onEvent;
    this.#newThread = newThread;
  }

  start(): void {
    const worker = this.#newThread(this.#data);
    this.#worker = worker;
    this.#notification = 'none';
    let reason = 'the thread ended';
    worker.on('message', (message: FromWorker) => this.#take(message));
    worker.on('error', (error) => (reason = error instanceof Error ? error.message : String(error)));
    this.#exited = new Promise((resolve) => {
      worker.once('exit', () => {
        this.#onExit(reason);
        resolve();
      });
    });
    for (const { id, cause } of this.#rebuilds) this.#send({ kind: 'rebuild', id, cause });
  }

  status(): ProjectionStatus {
    if (this.#ended === undefined || this.#told.failure !== undefined) return this.#told;
    return { ...this.#told, state: 'failing', failure: this.#ended };
  }

  notify(): void {
    if (this.#notification === 'none') {
      this.#notification = 'sent';
      this.#send({ kind: 'notify' });
    } else {
      this.#notification = 'sent-and-more';
    }
  }

  hurry(): void {
    this.#send({ kind: 'hurry' });
  }

  rebuild(cause: RebuildCause): Promise<void> {
    if (this.#closed) return Promise.reject(CLOSED);
    this.#lastRebuild += 1;
    const id = this.#lastRebuild;
    this.#send({ kind: 'rebuild', id, cause });
    return new Promise((resolve, reject) => this.#rebuilds.push({ id, cause, resolve, reject }));
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#restart);
    for (const { reject } of this.#rebuilds.splice(0)) reject(CLOSED);
    const deadline = setTimeout(() => void this.#worker?.terminate(), CLOSE_TIMEOUT_MS);
    this.#send({ kind: 'close' });
    await this.#exited;
    clearTimeout(deadline);
    this.#ended = undefined;
    this.#told = { ...this.#told, state: 'closed' };
  }

  #send(message: ToWorker): void {
    this.#worker?.postMessage(message);
  }

  #take(message: FromWorker): void {
    switch (message.kind) {
      case 'event':
        this.#takeEvent(message.event);
        return;
      case 'noticed': {
        const more = this.#notification === 'sent-and-more';
        this.#notification = 'none';
        if (more) this.notify();
        return;
      }
      case 'rebuilt': {
        const done = this.#rebuilds.filter(({ id }) => id === message.id);
        this.#rebuilds = this.#rebuilds.filter(({ id }) => id !== message.id);
        for (const { resolve } of done) resolve();
      }
    }
  }

  #takeEvent(event: ProjectionEvent): void {
    switch (event.type) {
      case 'status':
        this.#servable = event.servable;
        this.#told = event.status;
        if (event.status.state === 'live') this.#ended = undefined;
        this.#onEvent({ ...event, status: this.status() });
        return;
      case 'committed':
        this.#servable = event.servable;
        this.#told = { ...this.#told, checkpoint: event.checkpoint };
        this.#attempts = 0;
        this.#recover(event);
        this.#onEvent(event);
        return;
      default:
        this.#onEvent(event);
        if (event.type === 'rebuilding') this.#send({ kind: 'released' });
    }
  }

  #recover({ servable, recordedAt }: Committed): void {
    if (this.#ended === undefined) return;
    this.#ended = undefined;
    this.#onEvent({ type: 'status', status: this.status(), servable, recordedAt });
  }

  #onExit(message: string): void {
    this.#worker = undefined;
    if (this.#closed) return;
    // That a thread has begun shows nothing: what it is to take in may end each of them.
    this.#attempts += 1;
    this.#ended = { position: undefined, message, attempts: this.#attempts };
    this.#told = { ...this.#told, failure: undefined };
    this.#onEvent({ type: 'status', status: this.status(), servable: this.#servable });
    const limits = { ...DEFAULT_RUNNER_LIMITS, ...this.#data.limits };
    this.#restart = setTimeout(() => this.start(), retryDelayMs(this.#attempts, limits));
  }
}
