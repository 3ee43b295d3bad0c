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
import { refusalsIn } from './refusals.ts';
import type { SharedStreams } from './shared-streams.ts';

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
  /** The streams to which other instances write at this time. */
  readonly shared: SharedStreams;
  /** True while movements of funds make way for a freeze that another instance may be placing. Bounded in time. */
  makesWay(stream: string): boolean;
}

/** How often it is looked whether a stream's movements still make way, in milliseconds. */
const MAKE_WAY_LOOK_MS = 5;

/** A freeze has 1,001 events at most: an append stays within the store's bound when it comes last. What does not is sent alone. */
const EVENTS_BEFORE_LAST = MAX_APPEND_EVENTS - 1_100;

interface Waiting {
  readonly task: Task<unknown>;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
  readonly turn: Turn;
  readonly sinceMs: number;
  /** When another writer first came before it. */
  contestedMs?: number;
}

/** An event that gets its position when it is stored. */
type UnplacedEvent = Omit<RecordedEvent, 'position'> & { position: Position };

/** A task's plan once decided: its events are sealed and folded. */
interface Planned {
  readonly waiting: Waiting;
  readonly plan: Plan<unknown>;
  readonly events: readonly UnplacedEvent[];
}

/** A task that threw: its failure rests on the state as much as any answer does. */
interface Failed {
  readonly waiting: Waiting;
  readonly failure: unknown;
}

/** What is told when the state that it rests on is proven to have been the latest, and no earlier. */
type Decided = Planned | Failed;

/** A batch in its turn. */
interface Attempt {
  readonly batch: readonly Waiting[];
  /** Whether what is in memory is the latest: nobody else writes, or the stream was read to its end in this turn. */
  isLatest: boolean;
}

/** What was decided together, and what is to be appended for it. */
interface Decisions {
  readonly decided: Decided[];
  readonly events: UnplacedEvent[];
  /** The same events as the store gets them. */
  readonly sealed: EventToAppend[];
  /** How many of them are refusals. */
  refusals: number;
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
  /** True when the batch before this one left out those in line. */
  #wasAlone = false;

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
    while (this.queued > 0) {
      if (this.#onlyMakesWay()) await this.#host.machine.sleep(MAKE_WAY_LOOK_MS);
      else await this.#runOrReject(this.#takeBatch());
    }
    this.#running = false;
    this.#host.idle(this);
  }

  #onlyMakesWay(): boolean {
    return this.#ahead.length === 0 && this.#host.makesWay(this.stream);
  }

  /** Those that go ahead, and those in line; neither keeps the other waiting for more than half of a batch. */
  #takeBatch(): readonly Waiting[] {
    const { batch, waitMs } = this.#host.limits;
    const nowMs = this.#host.machine.clock.now();
    const ahead = this.#ahead.splice(0, Math.max(batch - this.#inLine.length, Math.ceil(batch / 2)));
    this.#wasAlone = this.#goAlone(ahead);
    const inLine =
      this.#wasAlone || this.#host.makesWay(this.stream) ? [] : this.#inLine.splice(0, batch - ahead.length);
    const inTime = inLine.filter((waiting) => {
      if (nowMs - waiting.sinceMs <= waitMs) return true;
      waiting.reject(new RejectionError(reject('overloaded', 'the command waited too long for its turn')));
      return false;
    });
    return [...ahead, ...inTime];
  }

  /**
   * Where other instances write too, an append comes too late as often as not, and all that was decided with it is decided
   * again. A freeze must look at its account first: alone it appends nothing, and needs one read. Never twice in a row.
   */
  #goAlone(ahead: readonly Waiting[]): boolean {
    const { store, shared } = this.#host;
    return ahead.length > 0 && !this.#wasAlone && !store.singleWriter && shared.has(this.stream);
  }

  #putBack(batch: readonly Waiting[]): void {
    this.#ahead.unshift(...batch.filter(({ turn }) => turn === 'ahead'));
    this.#inLine.unshift(...batch.filter(({ turn }) => turn === 'in-line'));
  }

  async #runOrReject(batch: readonly Waiting[]): Promise<void> {
    const attempt: Attempt = { batch, isLatest: this.#host.store.singleWriter };
    try {
      await this.#run(attempt);
    } catch (error) {
      this.#host.discard(this.stream);
      const mine = this.#notPutBack(batch);
      if (isStoreError(error, 'append-too-large') && mine.length > 1) {
        for (const waiting of mine) await this.#runOrReject([waiting]);
      } else if (!attempt.isLatest && !isOfStore(error)) {
        // What could not be folded may have rested on what is no longer so. The next turn reads the stream first.
        this.#putBack(mine);
      } else {
        for (const waiting of mine) waiting.reject(error);
      }
    }
  }

  /**
   * Decides on what is in memory, and tells nobody before that is proven to have been the latest: by an append at the exact
   * revision, or, where nothing is appended, by a look at the stream's end. Where more stands there, all is decided again.
   */
  async #run(attempt: Attempt): Promise<void> {
    const home = this.#host.cached(this.stream);
    if (home.fold.revision < 0 || (!attempt.isLatest && this.#host.shared.has(this.stream))) {
      attempt.isLatest = true;
      await this.#load(home);
    }
    for (let batch = attempt.batch; batch.length > 0;) {
      const revision = home.fold.revision;
      const { decided, events, sealed } = await this.#decideAll(batch, home);
      if (events.length > 0) {
        const outcome = await this.#append(revision, sealed);
        if (outcome === 'conflict') {
          this.#host.conflicted(this.stream);
          this.#host.shared.note(this.stream);
          this.#putBack(this.#withinTime(decided.map((each) => each.waiting)));
          return;
        }
        placeAll(events, outcome);
        this.#host.appended(this.stream, events.length);
      } else if (!attempt.isLatest) {
        attempt.isLatest = true;
        if ((await this.#load(home)) > 0) {
          batch = decided.map((each) => each.waiting);
          continue;
        }
      }
      // Loaded anew the stream is read from its first event where the index can't be asked, and needs none.
      if (decided.some(lacksIndex)) this.#host.discard(this.stream);
      settleAll(decided);
      home.stored();
      return;
    }
  }

  #notPutBack(batch: readonly Waiting[]): readonly Waiting[] {
    const putBack = new Set([...this.#ahead, ...this.#inLine]);
    return batch.filter((waiting) => !putBack.has(waiting));
  }

  /** Brings the stream up to its end in the store. @returns how many events were new */
  async #load(home: HomeStream): Promise<number> {
    const isInMemory = home.fold.revision >= 0;
    try {
      const unknown = await home.catchUp(this.#host.store);
      if (isInMemory && unknown > 0) this.#host.shared.note(this.stream);
      return unknown;
    } catch (error) {
      throw asRejection(error);
    }
  }

  /** Waits only where a task or a citation has to: most are decided and folded in one go. */
  async #decideAll(batch: readonly Waiting[], home: HomeStream): Promise<Decisions> {
    const decisions: Decisions = { decided: [], events: [], sealed: [], refusals: 0 };
    for (const [index, waiting] of batch.entries()) {
      if (decisions.events.length >= EVENTS_BEFORE_LAST) {
        this.#putBack(batch.slice(index));
        break;
      }
      const deciding = this.#decide(waiting, home, decisions.refusals);
      const found = deciding instanceof Promise ? await deciding : deciding;
      if ('failure' in found) {
        decisions.decided.push(found);
        continue;
      }
      const { plan } = found;
      const events = plan.append !== undefined ? this.#seal(plan.append, plan, home, decisions) : [];
      for (const event of events) {
        const folding = home.foldOwn(event);
        if (folding !== undefined) await folding;
      }
      decisions.refusals += refusalsIn(events);
      decisions.decided.push({ waiting, plan, events });
    }
    return decisions;
  }

  /** A task that fails is answered for itself, as one that is turned down is. */
  #decide(
    waiting: Waiting,
    home: HomeStream,
    unstoredRefusals: number,
  ): Omit<Planned, 'events'> | Failed | Promise<Omit<Planned, 'events'> | Failed> {
    const failed = (error: unknown): Failed => ({ waiting, failure: asRejection(error) });
    try {
      const plan = waiting.task(new HomeView(home, this.#host.machine.clock, unstoredRefusals));
      return plan instanceof Promise ? plan.then((found) => ({ waiting, plan: found }), failed) : { waiting, plan };
    } catch (error) {
      return failed(error);
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
      waiting.contestedMs ??= nowMs;
      if (nowMs - waiting.contestedMs < limits.retryMs) return true;
      waiting.reject(new RejectionError(reject('revision-conflict', 'others kept writing to this stream; try again')));
      return false;
    });
  }
}

/** A view that costs next to nothing to make: there is one for each task. */
class HomeView implements View {
  readonly contents: StreamState;
  readonly unstoredRefusals: number;
  readonly #home: HomeStream;
  readonly #clock: Clock;

  constructor(home: HomeStream, clock: Clock, unstoredRefusals: number) {
    const { contents } = home.fold;
    if (contents === undefined) throw new Error(`${home.fold.stream} is not a stream of ours`);
    this.contents = contents;
    this.unstoredRefusals = unstoredRefusals;
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

function placeAll(events: readonly UnplacedEvent[], { positions }: Appended): void {
  for (const [index, event] of events.entries()) {
    const position = positions[index];
    if (position === undefined) throw new Error('the store answered fewer positions than events');
    event.position = position;
  }
}

function settleAll(batch: readonly Decided[]): void {
  for (const each of batch) {
    const { waiting } = each;
    if ('failure' in each) {
      waiting.reject(each.failure);
      continue;
    }
    try {
      const { plan, events } = each;
      waiting.resolve(plan.append !== undefined ? plan.answer(events) : plan.result);
    } catch (error) {
      waiting.reject(error);
    }
  }
}

function lacksIndex(decided: Decided): boolean {
  const failure = 'failure' in decided ? decided.failure : undefined;
  return failure instanceof RejectionError && failure.rejection.code === 'read-model-behind';
}

/** True when it was the store that failed: that says nothing about what was decided. */
function isOfStore(error: unknown): boolean {
  return isStoreError(error) || error instanceof RejectionError;
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
      case 'log-sealed':
        return new RejectionError(reject('store-unavailable', `${error.message}; ask there`));
      case 'wrong-expected-revision':
      case 'duplicate-event-id':
      case 'append-too-large':
        return error;
    }
  }
  return error;
}
