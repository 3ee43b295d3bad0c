import {
  isStoreError,
  MAX_APPEND_EVENTS,
  type Appended,
  type EventStore,
  type EventToAppend,
  type ExpectedRevision,
} from '#event-store';
import {
  currentVersion,
  reject,
  RejectionError,
  sealEvent,
  SUPERVISOR,
  toTimestamp,
  type Clock,
  type EventMetadata,
  type Position,
  type RecordedEvent,
} from '#kernel';
import { registry, type IndexEntry, type NamedEntry, type StreamState } from '#replay';
import type { HomeStream } from './home-stream.ts';
import type { Draft, Origin, Plan, Task, Turn, View } from './plan.ts';
import { MAX_CLOCK_LAG_MS, type Limits, type Machine } from './ports.ts';

/** What a lane needs of its surroundings. */
export interface LaneHost {
  readonly store: EventStore;
  readonly machine: Machine;
  readonly limits: Limits;
  /** The stream in memory, or a new one with nothing folded. */
  cached(stream: string): HomeStream;
  /** Tells that the lane has nothing to do any more. */
  idle(lane: Lane): void;
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
  readonly turn: Turn;
  readonly sinceMs: number;
}

/** An event that gets its position when it is stored. */
type UnplacedEvent = Omit<RecordedEvent, 'position'> & { position: Position };

/** A task's plan once decided: its events are sealed and folded, its result is given when they are stored. */
interface Decided {
  readonly waiting: Waiting;
  readonly plan: Plan<unknown>;
  readonly events: readonly UnplacedEvent[];
}

/** What was decided together, and what is to be appended for it. */
interface Decisions {
  readonly decided: Decided[];
  readonly events: UnplacedEvent[];
  /** The same events as the store gets them. */
  readonly sealed: EventToAppend[];
}

/**
 * The one place from which this process appends to a stream: one append is in flight, tasks that come meanwhile wait in a
 * bounded queue and are decided together, each on the state that those before it make, and appended as one. Those that go
 * ahead wait apart, so that a freeze need not wait for all the deposits that came before it.
 */
export class Lane {
  readonly stream: string;
  readonly #host: LaneHost;
  readonly #ahead: Waiting[] = [];
  readonly #inLine: Waiting[] = [];
  #running = false;

  constructor(stream: string, host: LaneHost) {
    this.stream = stream;
    this.#host = host;
  }

  get queued(): number {
    return this.#ahead.length + this.#inLine.length;
  }

  /** Runs a task when its turn comes. @throws RejectionError `overloaded`, `store-unavailable`, `revision-conflict`, … */
  run<Result>(task: Task<Result>, turn: Turn): Promise<Result> {
    const { queuedPerStream, reservedPerStream } = this.#host.limits;
    const [queue, most] =
      turn === 'ahead' ? [this.#ahead, reservedPerStream] : ([this.#inLine, queuedPerStream] as const);
    if (queue.length >= most) {
      return Promise.reject(new RejectionError(reject('overloaded', 'too many commands wait for this stream')));
    }
    const sinceMs = this.#host.machine.clock.now();
    return new Promise<Result>((resolve, rejectPromise) => {
      queue.push({ task, resolve: resolve as (value: unknown) => void, reject: rejectPromise, turn, sinceMs });
      if (!this.#running) void this.#drain();
    });
  }

  async #drain(): Promise<void> {
    this.#running = true;
    while (this.queued > 0) await this.#runOrReject(this.#takeBatch());
    this.#running = false;
    this.#host.idle(this);
  }

  /** Those that go ahead, and those in line; neither keeps the other waiting for more than half of a batch. */
  #takeBatch(): readonly Waiting[] {
    const { batch, waitMs } = this.#host.limits;
    const nowMs = this.#host.machine.clock.now();
    const ahead = this.#ahead.splice(0, Math.max(batch - this.#inLine.length, Math.ceil(batch / 2)));
    const inLine = this.#inLine.splice(0, batch - ahead.length);
    const inTime = inLine.filter((waiting) => {
      if (nowMs - waiting.sinceMs <= waitMs) return true;
      waiting.reject(new RejectionError(reject('overloaded', 'the command waited too long for its turn')));
      return false;
    });
    return [...ahead, ...inTime];
  }

  #putBack(batch: readonly Waiting[]): void {
    this.#ahead.unshift(...batch.filter(({ turn }) => turn === 'ahead'));
    this.#inLine.unshift(...batch.filter(({ turn }) => turn === 'in-line'));
  }

  async #runOrReject(batch: readonly Waiting[]): Promise<void> {
    try {
      let fresh = this.#host.store.singleWriter;
      let waiting = batch;
      while (waiting.length > 0) {
        const home = this.#host.cached(this.stream);
        if (home.fold.revision < 0 || !fresh) await this.#load(home);
        waiting = await this.#runOnce(waiting, home);
        fresh = false;
      }
    } catch (error) {
      this.#host.discard(this.stream);
      if (isStoreError(error, 'append-too-large') && batch.length > 1) {
        for (const waiting of batch) await this.#runOrReject([waiting]);
        return;
      }
      for (const waiting of batch) waiting.reject(error);
    }
  }

  /** @returns those that are to be decided again, because another writer came first */
  async #runOnce(batch: readonly Waiting[], home: HomeStream): Promise<readonly Waiting[]> {
    const revision = home.fold.revision;
    const { decided, events, sealed } = await this.#decideAll(batch, home);
    if (events.length > 0) {
      const outcome = await this.#append(revision, sealed);
      if (outcome === 'conflict') {
        this.#host.conflicted(this.stream);
        return this.#withinTime(decided.map((each) => each.waiting));
      }
      placeAll(events, outcome);
      this.#host.appended(this.stream, events.length);
    }
    settleAll(decided);
    home.stored();
    return NOBODY;
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

  /** Waits only where a task or a citation has to: most are decided and folded in one go. */
  async #decideAll(batch: readonly Waiting[], home: HomeStream): Promise<Decisions> {
    const decisions: Decisions = { decided: [], events: [], sealed: [] };
    for (const [index, waiting] of batch.entries()) {
      if (decisions.events.length >= EVENTS_BEFORE_LAST) {
        this.#putBack(batch.slice(index));
        break;
      }
      const planned = this.#decide(waiting, home);
      const plan = planned instanceof Promise ? await planned : planned;
      if (plan === undefined) continue;
      const events = plan.append !== undefined ? this.#seal(plan.append, plan, home, decisions) : [];
      for (const event of events) {
        const folding = home.foldOwn(event);
        if (folding !== undefined) await folding;
      }
      decisions.decided.push({ waiting, plan, events });
    }
    return decisions;
  }

  /** @returns undefined when the task failed: its caller knows, the others go on. */
  #decide(waiting: Waiting, home: HomeStream): Plan<unknown> | undefined | Promise<Plan<unknown> | undefined> {
    const failed = (error: unknown): undefined => {
      waiting.reject(asRejection(error));
      return undefined;
    };
    try {
      const plan = waiting.task(new HomeView(home, this.#host.machine.clock));
      return plan instanceof Promise ? plan.catch(failed) : plan;
    } catch (error) {
      failed(error);
      return undefined;
    }
  }

  #seal(
    drafts: readonly Draft[],
    { origin, nowMs }: { readonly origin: Origin; readonly nowMs: number },
    home: HomeStream,
    decisions: Decisions,
  ): readonly UnplacedEvent[] {
    const stream = this.stream;
    const recordedAt = toTimestamp(nowMs);
    let revision = home.fold.revision;
    let previousHash = home.fold.lastHash;
    let first: string | undefined;
    const events: UnplacedEvent[] = [];
    for (const { type, data: drafted, isAhead = false } of drafts) {
      revision += 1;
      const id = this.#host.machine.newId();
      // What follows from the first event of a command, in the same append, is the service's own doing.
      const own = first === undefined && !isAhead;
      const actor = own ? origin.actor : SUPERVISOR;
      const causationId = first ?? origin.causationId;
      const commandHash = own ? origin.commandHash : null;
      const { correlationId } = origin;
      const key = own ? origin.key : null;
      const schemaVersion = this.#currentVersion(home, type);
      const unsealed = { actor, causationId, commandHash, correlationId, key, previousHash, recordedAt };
      const seal = sealEvent(stream, revision, { id, type, schemaVersion, data: drafted, metadata: unsealed });
      const { hash, texts } = seal;
      // As it will be read from the log: an answer that is given again is the first one, to the order of its members.
      const data: unknown = JSON.parse(texts.data);
      const metadata: EventMetadata = {
        actor,
        causationId,
        commandHash,
        correlationId,
        hash,
        key,
        previousHash,
        recordedAt,
      };
      const event = { id, type, schemaVersion, data, metadata, stream, revision, position: '' };
      events.push(event);
      decisions.events.push(event);
      decisions.sealed.push({ id, type, schemaVersion, data, metadata, texts });
      if (!isAhead) first ??= id;
      previousHash = hash;
    }
    return events;
  }

  /** The version that events of this type are written in. @throws Error for one that the registry does not know here: a bug */
  #currentVersion(home: HomeStream, type: string): number {
    const kind = home.fold.contents?.kind;
    const definition = kind === undefined ? undefined : registry[kind].get(type);
    if (definition === undefined) throw new Error(`${type} does not belong on ${this.stream}`);
    return currentVersion(definition);
  }

  /** Stores the events once, whatever becomes of the answers. @returns `conflict` when another writer came first. */
  async #append(revision: number, sealed: readonly EventToAppend[]): Promise<Appended | 'conflict'> {
    const { store, machine, limits } = this.#host;
    const expected: ExpectedRevision = revision < 0 ? 'no-stream' : revision;
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
    const { machine, limits } = this.#host;
    const nowMs = machine.clock.now();
    return batch.filter((waiting) => {
      if (nowMs - waiting.sinceMs < limits.retryMs) return true;
      waiting.reject(new RejectionError(reject('revision-conflict', 'others kept writing to this stream; try again')));
      return false;
    });
  }
}

/** A view that costs next to nothing to make: there is one for each task. */
class HomeView implements View {
  readonly contents: StreamState;
  readonly #home: HomeStream;
  readonly #clock: Clock;

  constructor(home: HomeStream, clock: Clock) {
    const { contents } = home.fold;
    if (contents === undefined) throw new Error(`${home.fold.stream} is not a stream of ours`);
    this.contents = contents;
    this.#home = home;
    this.#clock = clock;
  }

  get stream(): string {
    return this.#home.fold.stream;
  }

  get revision(): number {
    return this.#home.fold.revision;
  }

  lookup(kind: NamedEntry['kind'], id: string): IndexEntry | undefined {
    return this.#home.lookup(kind, id);
  }

  time(...citedMs: readonly number[]): number {
    return reliableTime(this.#clock.now(), this.#home.fold.lastRecordedMs, citedMs);
  }
}

const NOBODY: readonly Waiting[] = [];

function placeAll(events: readonly UnplacedEvent[], { positions }: Appended): void {
  for (const [index, event] of events.entries()) {
    const position = positions[index];
    if (position === undefined) throw new Error('the store answered fewer positions than events');
    event.position = position;
  }
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
function reliableTime(clockMs: number, lastRecordedMs: number, citedMs: readonly number[]): number {
  const nowMs = Math.max(clockMs, lastRecordedMs, ...citedMs);
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
