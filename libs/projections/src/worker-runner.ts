import type { Worker } from 'node:worker_threads';
import type { ProjectionEvent, ProjectionStatus } from './projection-events.ts';
import type { RebuildCause } from './read-model.ts';
import { DEFAULT_RUNNER_LIMITS, retryDelayMs } from './runner.ts';
import { startThread } from './start-thread.ts';
import type { FromWorker, ToWorker, WorkerData } from './worker-protocol.ts';

/** What lives shortly: V8 would let it grow to several times as much before it looks what is left of it. */
const YOUNG_MIB = 24;
/** How long a close waits for the batch under way. */
const CLOSE_TIMEOUT_MS = 10_000;
const CLOSED = new Error('the projections are closed');

interface Rebuild {
  readonly id: number;
  readonly cause: RebuildCause;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** The projections' thread, seen from the main thread. A thread that breaks is started again. */
export class WorkerRunner {
  readonly #data: WorkerData;
  readonly #onEvent: (event: ProjectionEvent) => void;
  #worker: Worker | undefined;
  #exited: Promise<void> = Promise.resolve();
  #restart: NodeJS.Timeout | undefined;
  #closed = false;
  #status: ProjectionStatus = { state: 'catching-up', checkpoint: undefined, failure: undefined };
  #servable = false;
  /** Between a notification and its answer nothing is sent; whether there was reason to is kept. */
  #notification: 'none' | 'sent' | 'sent-and-more' = 'none';
  #rebuilds: Rebuild[] = [];
  #lastRebuild = 0;

  constructor(data: WorkerData, onEvent: (event: ProjectionEvent) => void) {
    this.#data = data;
    this.#onEvent = onEvent;
  }

  start(): void {
    const worker = startThread('worker', this.#data, { maxYoungGenerationSizeMb: YOUNG_MIB });
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
    return this.#status;
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
    this.#status = { ...this.#status, state: 'closed' };
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
    if (event.type === 'status') {
      this.#status = event.status;
      this.#servable = event.servable;
    }
    if (event.type === 'committed') {
      this.#status = { ...this.#status, checkpoint: event.checkpoint };
      this.#servable = event.servable;
    }
    this.#onEvent(event);
    if (event.type === 'rebuilding') this.#send({ kind: 'released' });
  }

  #onExit(message: string): void {
    this.#worker = undefined;
    if (this.#closed) return;
    const attempts = (this.#status.failure?.attempts ?? 0) + 1;
    this.#status = { ...this.#status, state: 'failing', failure: { position: undefined, message, attempts } };
    this.#onEvent({ type: 'status', status: this.#status, servable: this.#servable });
    const limits = { ...DEFAULT_RUNNER_LIMITS, ...this.#data.limits };
    this.#restart = setTimeout(() => this.start(), retryDelayMs(attempts, limits));
  }
}
