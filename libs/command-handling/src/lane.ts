import { isStoreError, MAX_APPEND_EVENTS, type Appended, type EventStore, type ExpectedRevision } from '#event-store';
import {
  currentVersion,
  eventHash,
  reject,
  RejectionError,
  SUPERVISOR,
  toTimestamp,
  type EventMetadata,
  type RecordedEvent,
  type SealedEvent,
} from '#kernel';
import { kindOfStream, registry } from '#replay';
import type { HomeStream } from './home-stream.ts';
import type { Draft, Origin, Plan, Task, View } from './plan.ts';
import { MAX_CLOCK_LAG_MS, type Limits, type Machine } from './ports.ts';

/** What a lane needs of its surroundings. */
export interface LaneHost {
  readonly store: EventStore;
  readonly machine: Machine;
  readonly limits: Limits;
  /** The stream in memory, or a new one with nothing folded. */
  cached(stream: string): HomeStream;
  /** Forgets the stream: what is in memory may not be what is stored. */
  discard(stream: string): void;
  /** Tells that events are stored. */
  appended(stream: string, events: number): void;
  /** Tells that another writer came first and the tasks are decided again. */
  conflicted(stream: string): void;
}

/** The largest single plan is a freeze of 1,001 events: an append stays within the store's bound when it comes last. */
const EVENTS_BEFORE_LAST = MAX_APPEND_EVENTS - 1_100;

interface Waiting {
  readonly task: Task<unknown>;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
  readonly deadlineMs: number;
}

/** A task's plan once decided: its events are sealed and folded, its result is given when they are stored. */
interface Decided {
  readonly waiting: Waiting;
  readonly plan: Plan<unknown>;
  readonly events: readonly RecordedEvent[];
}

/**
 * The one place from which this process appends to a stream: one append is in flight, tasks that come meanwhile wait in a
 * bounded queue and are decided together, each on the state that those before it make, and appended as one.
 */
export class Lane {
  readonly stream: string;
  readonly #host: LaneHost;
  readonly #queue: Waiting[] = [];
  #running = false;

  constructor(stream: string, host: LaneHost) {
    this.stream = stream;
    this.#host = host;
  }

  get idle(): boolean {
    return !this.#running && this.#queue.length === 0;
  }

  get queued(): number {
    return this.#queue.length;
  }

  /** Runs a task when its turn comes. @throws RejectionError `overloaded`, `store-unavailable`, `revision-conflict`, … */
  run<Result>(task: Task<Result>): Promise<Result> {
    if (this.#queue.length >= this.#host.limits.queuedPerStream) {
      return Promise.reject(new RejectionError(reject('overloaded', 'too many commands wait for this stream')));
    }
    const deadlineMs = this.#host.machine.clock.now() + this.#host.limits.retryMs;
    return new Promise<Result>((resolve, rejectPromise) => {
      this.#queue.push({ task, resolve: resolve as (value: unknown) => void, reject: rejectPromise, deadlineMs });
      if (!this.#running) void this.#drain();
    });
  }

  async #drain(): Promise<void> {
    this.#running = true;
    try {
      while (this.#queue.length > 0) {
        const batch = this.#queue.splice(0, this.#host.limits.batch);
        await this.#runOrReject(batch);
      }
    } finally {
      this.#running = false;
    }
  }

  async #runOrReject(batch: readonly Waiting[]): Promise<void> {
    try {
      await this.#runBatch(batch);
    } catch (error) {
      this.#host.discard(this.stream);
      if (isStoreError(error, 'append-too-large') && batch.length > 1) {
        for (const waiting of batch) await this.#runOrReject([waiting]);
        return;
      }
      for (const waiting of batch) waiting.reject(error);
    }
  }

  async #runBatch(batch: readonly Waiting[]): Promise<void> {
    let waiting = batch;
    let fresh = this.#host.store.singleWriter;
    for (;;) {
      const home = this.#host.cached(this.stream);
      if (home.fold.revision < 0 || !fresh) await this.#load(home);
      const revision = home.fold.revision;
      const decided = await this.#decideAll(waiting, home);
      const events = decided.flatMap(({ events: own }) => own);
      if (events.length === 0) {
        settleAll(decided);
        return;
      }
      const outcome = await this.#append(revision, events);
      if (outcome !== 'conflict') {
        this.#host.appended(this.stream, events.length);
        settleAll(decided.map((each) => placed(each, outcome)));
        return;
      }
      this.#host.conflicted(this.stream);
      waiting = this.#withinTime(decided.map((each) => each.waiting));
      if (waiting.length === 0) return;
      fresh = false;
    }
  }

  /**
   * Brings the stream up to its end in the store. In a store with many writers that is done before every batch: a
   * rejection must rest on all that was acknowledged anywhere before it, and an append that would conflict is saved.
   */
  async #load(home: HomeStream): Promise<void> {
    try {
      await home.catchUp(this.#host.store);
    } catch (error) {
      throw asRejection(error);
    }
  }

  async #decideAll(batch: readonly Waiting[], home: HomeStream): Promise<Decided[]> {
    const decided: Decided[] = [];
    let count = 0;
    for (const [index, waiting] of batch.entries()) {
      if (count >= EVENTS_BEFORE_LAST) {
        this.#queue.unshift(...batch.slice(index));
        break;
      }
      const plan = await this.#decide(waiting, home);
      if (plan === undefined) continue;
      const events = plan.append !== undefined ? this.#seal(plan.append, plan.origin, plan.nowMs, home) : [];
      for (const event of events) await home.foldOwn(event);
      count += events.length;
      decided.push({ waiting, plan, events });
    }
    return decided;
  }

  /** @returns undefined when the task failed: its caller knows, the others go on. */
  async #decide(waiting: Waiting, home: HomeStream): Promise<Plan<unknown> | undefined> {
    try {
      const plan = waiting.task(this.#view(home));
      return plan instanceof Promise ? await plan : plan;
    } catch (error) {
      waiting.reject(asRejection(error));
      return undefined;
    }
  }

  #view(home: HomeStream): View {
    const { contents, revision, lastRecordedMs } = home.fold;
    if (contents === undefined) throw new Error(`${this.stream} is not a stream of ours`);
    return {
      stream: this.stream,
      contents,
      revision,
      lookup: (kind, id) => home.lookup(kind, id),
      time: (...citedMs) => reliableTime(this.#host.machine.clock.now(), [lastRecordedMs, ...citedMs]),
    };
  }

  #seal(drafts: readonly Draft[], origin: Origin, nowMs: number, home: HomeStream): RecordedEvent[] {
    const recordedAt = toTimestamp(nowMs);
    let previousHash = home.fold.lastHash;
    let first: string | undefined;
    return drafts.map((draft, index) => {
      const revision = home.fold.revision + 1 + index;
      const id = this.#host.machine.newId();
      const metadata: Omit<EventMetadata, 'hash'> = {
        // What follows from the first event of a command, in the same append, is the service's own doing.
        actor: index === 0 ? origin.actor : SUPERVISOR,
        causationId: first ?? origin.causationId,
        commandHash: index === 0 ? origin.commandHash : null,
        correlationId: origin.correlationId,
        key: index === 0 ? origin.key : null,
        previousHash,
        recordedAt,
      };
      const { type, data } = draft;
      const schemaVersion = this.#currentVersion(type);
      const hash = eventHash(this.stream, revision, { id, type, schemaVersion, data, metadata });
      first ??= id;
      previousHash = hash;
      return {
        id,
        type,
        schemaVersion,
        data,
        metadata: { ...metadata, hash },
        stream: this.stream,
        revision,
        position: '',
      };
    });
  }

  /** The version that events of this type are written in. @throws Error for one that the registry does not know here: a bug */
  #currentVersion(type: string): number {
    const kind = kindOfStream(this.stream);
    const definition = kind === undefined ? undefined : registry[kind].get(type);
    if (definition === undefined) throw new Error(`${type} does not belong on ${this.stream}`);
    return currentVersion(definition);
  }

  /** Stores the events once, whatever becomes of the answers. @returns `conflict` when another writer came first. */
  async #append(revision: number, events: readonly RecordedEvent[]): Promise<Appended | 'conflict'> {
    const { store, machine, limits } = this.#host;
    const expected: ExpectedRevision = revision < 0 ? 'no-stream' : revision;
    const sealed = events.map(asSealed);
    const deadlineMs = machine.clock.now() + limits.resendMs;
    for (let pauseMs = 10; ; pauseMs = Math.min(pauseMs * 2, 500)) {
      try {
        return await store.append(this.stream, expected, sealed);
      } catch (error) {
        // What was folded ahead of the store must go, whatever happened.
        this.#host.discard(this.stream);
        if (isStoreError(error, 'wrong-expected-revision')) return 'conflict';
        if (!isStoreError(error, 'outcome-unknown') || machine.clock.now() >= deadlineMs) throw asRejection(error);
        await machine.sleep(pauseMs);
      }
    }
  }

  #withinTime(batch: readonly Waiting[]): readonly Waiting[] {
    const nowMs = this.#host.machine.clock.now();
    return batch.filter((waiting) => {
      if (nowMs < waiting.deadlineMs) return true;
      waiting.reject(new RejectionError(reject('revision-conflict', 'others kept writing to this stream; try again')));
      return false;
    });
  }
}

function asSealed({ id, type, schemaVersion, data, metadata }: RecordedEvent): SealedEvent {
  return { id, type, schemaVersion, data, metadata };
}

function placed(decided: Decided, appended: Appended): Decided {
  const events = decided.events.map((event) => {
    const position = appended.positions[event.revision - appended.firstRevision];
    if (position === undefined) throw new Error('the store answered fewer positions than events');
    return { ...event, position };
  });
  return { ...decided, events };
}

function settleAll(batch: readonly Decided[]): void {
  for (const { waiting, plan, events } of batch) {
    try {
      waiting.resolve(plan.append !== undefined ? plan.answer(events) : plan.result);
    } catch (error) {
      waiting.reject(error);
    }
  }
}

/** The later of the clock and all times that the decision rests on. */
function reliableTime(clockMs: number, restsOnMs: readonly number[]): number {
  const nowMs = Math.max(clockMs, ...restsOnMs);
  if (nowMs - clockMs > MAX_CLOCK_LAG_MS) {
    throw new RejectionError(
      reject('clock-unreliable', 'the clock is more than five seconds behind what is recorded already'),
    );
  }
  return nowMs;
}

/** What the store can't do now becomes the 503 that the caller is told; anything else stays what it is. */
export function asRejection(error: unknown): unknown {
  if (isStoreError(error)) {
    switch (error.code) {
      case 'outcome-unknown':
      case 'store-unavailable':
      case 'store-full':
        return new RejectionError(
          reject('store-unavailable', 'the event store can not be written or read now; try again'),
        );
      case 'wrong-expected-revision':
      case 'duplicate-event-id':
      case 'append-too-large':
        return error;
    }
  }
  return error;
}
