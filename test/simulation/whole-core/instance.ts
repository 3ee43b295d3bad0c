import { createLedger, type Ledger, type SnapshotOutcome } from '#command-handling';
import { isStoreError } from '#event-store';
import { RejectionError, type Clock, type IdGenerator } from '#kernel';
import { startProjections, type ProjectionEvent, type Projections } from '#projections';
import { RULES, SNAPSHOT_EVERY, type Disk } from './disk.ts';
import { FaultyStore, SIMULATED, type SharedStore } from './faulty-store.ts';

const POLL_MS = 100;
const SUPERVISOR_RETRY_MS = 1_000;

/** What may go wrong while the store or the clock does. */
const PASSING = ['store-unavailable', 'revision-conflict', 'overloaded', 'clock-unreliable', 'read-model-behind'];

/** One life of an instance of the service, from its start to its crash: core, supervisor, read models; all but HTTP. */
export class Instance {
  readonly number: 0 | 1;
  readonly clock: Clock;
  readonly ledger: Ledger;
  readonly projections: Projections;
  readonly #shared: SharedStore;
  readonly #feed: FaultyStore;
  readonly #whenGone: (() => void)[] = [];
  #isAlive = true;

  /**
   * @param failed told of what should never fail, whatever the store does
   */
  constructor(
    number: 0 | 1,
    {
      shared,
      newId,
      refusalsPerMinute,
      disk,
      snapshot,
      crash,
      failed,
      troubled,
    }: {
      readonly shared: SharedStore;
      readonly newId: IdGenerator;
      readonly refusalsPerMinute: number;
      readonly disk: Disk;
      /** Told what became of each snapshot. */
      readonly snapshot: (outcome: SnapshotOutcome) => void;
      readonly crash: (instance: Instance, downMs: number) => void;
      readonly failed: (error: unknown) => void;
      /** Told of what fails with the store or the clock, and is tried again. */
      readonly troubled: () => void;
    },
  ) {
    this.number = number;
    this.#shared = shared;
    const { time, weather } = shared;
    this.clock = { now: () => time.now() + weather.clockOffMs(number) };
    const options = {
      instance: number,
      isAlive: () => this.#isAlive,
      crash: (downMs: number) => crash(this, downMs),
    };
    this.#feed = new FaultyStore(shared, options);
    this.projections = startProjections({
      kind: 'in-process',
      reader: this.#feed,
      readModelFile: ':memory:',
      clock: this.clock,
      sleep: (ms, signal) => this.#sleepUntil(ms, signal),
      onEvent: (event) => noteProjection(event, failed),
    });
    this.ledger = createLedger({
      store: new FaultyStore(shared, options),
      index: this.projections.index,
      machine: { clock: this.clock, newId, sleep: (ms) => this.#sleep(ms) },
      limits: { refusalsPerMinute },
      snapshots: {
        store: disk.during(() => this.#isAlive),
        everyEvents: SNAPSHOT_EVERY,
        rules: RULES,
        watch: (outcome, _stream, error) => {
          if (error === undefined) snapshot(outcome);
          else failed(error);
        },
      },
      watch: {
        failed: (_item, error) => {
          if (isPassing(error)) troubled();
          else failed(error);
        },
      },
    });
    void this.#supervise(failed);
  }

  get isAlive(): boolean {
    return this.#isAlive;
  }

  /** Resolves at the end of this life. */
  gone(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#isAlive) this.#whenGone.push(resolve);
      else resolve();
    });
  }

  /** Ends at once: whatever waits waits for ever. */
  async end(): Promise<void> {
    this.#isAlive = false;
    for (const tell of this.#whenGone.splice(0)) tell();
    // Only so that nothing is left over: nobody hears of it any more.
    const closed = this.projections.close();
    this.#feed.release();
    await closed;
  }

  /** As the service does it: the supervisor asks the index, so the read models come first. */
  async #supervise(failed: (error: unknown) => void): Promise<void> {
    while (this.projections.status().state !== 'live') await this.#sleep(POLL_MS);
    for (;;) {
      try {
        await this.ledger.supervisor.start();
        return;
      } catch (error) {
        if (!isPassing(error)) failed(error);
        await this.#sleep(SUPERVISOR_RETRY_MS);
      }
    }
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#shared.time.after(ms, () => {
        if (this.#isAlive) resolve();
      });
    });
  }

  #sleepUntil(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      signal.addEventListener('abort', () => resolve(), { once: true });
      this.#shared.time.after(ms, () => {
        if (this.#isAlive) resolve();
      });
    });
  }
}

function noteProjection(event: ProjectionEvent, failed: (error: unknown) => void): void {
  if (event.type === 'violation') failed(new Error(`a violation in the log: ${JSON.stringify(event.violation)}`));
  if (event.type === 'rebuilding') failed(new Error(`the read models are built anew: ${event.cause}`));
  if (event.type !== 'status' || event.status.failure === undefined) return;
  const { message, position } = event.status.failure;
  if (!message.startsWith(SIMULATED)) failed(new Error(`the read models fail at ${String(position)}: ${message}`));
}

/** True for what a store or a clock that fails makes of a step. */
export function isPassing(error: unknown): boolean {
  if (isStoreError(error)) return error.message.startsWith(SIMULATED);
  return error instanceof RejectionError && isPassingCode(error.rejection.code);
}

export function isPassingCode(code: string): boolean {
  return PASSING.includes(code);
}
