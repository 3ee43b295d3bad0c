import type { EventReader } from '#event-store';
import {
  parseTimestamp,
  systemClock,
  toTimestamp,
  type Clock,
  type Position,
  type RecordedEvent,
  type Table,
  type Timestamp,
} from '#kernel';
import { Judge, type JudgedEvent } from '#replay';
import type { DatabaseSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';
import { BatchSource } from './batch-source.ts';
import { buildInParts, type InParts } from './build-in-parts.ts';
import type { ChangeSet } from './change-set.ts';
import { removeParts } from './part-file.ts';
import type { ProjectionEvent, ProjectionFailure, ProjectionStatus } from './projection-events.ts';
import { fingerprintOf, projectors as allProjectors, type Projector } from './projectors.ts';
import type { ViolationView } from './queries-api.ts';
import {
  checkpointAt,
  isDamage,
  ReadModel,
  removeReadModel,
  setAside,
  UnusableReadModelError,
  type Checkpoint,
  type RebuildCause,
} from './read-model.ts';
import { CommittedNames } from './sqlite-home-stream-index.ts';
import { violationView } from './violations-projection.ts';

type Committed = Extract<ProjectionEvent, { readonly type: 'committed' }>;

export interface EventJudge {
  judge(recorded: RecordedEvent): JudgedEvent | Promise<JudgedEvent>;
  /** Streams whose state is in memory. */
  readonly streams?: number;
  readonly names?: number;
}

/** Bounds and waits of the runner. */
export interface RunnerLimits {
  /** Most events of one transaction, and most held in memory. */
  readonly batch: number;
  /** Most events of one transaction while the file is built: rows that many events change are then written once. */
  readonly buildingBatch: number;
  /** Rest after a transaction that was not full, in milliseconds: many small ones would cost more than they tell. */
  readonly lingerMs: number;
  /** Rest after one of `busyEvents` or more: a row, and a page of the file, is then written once for many events. */
  readonly busyLingerMs: number;
  readonly busyEvents: number;
  /** Most streams whose state is kept in memory: about 1 KB each. One that is not is read again from its beginning. */
  readonly streams: number;
  /** Names of all of them that are kept in memory: about 100 bytes each. Those of later commits can't be left to the index. */
  readonly names: number;
  /** The same two while the file is built: nothing else uses much memory then, and every event of the log comes by. */
  readonly buildingStreams: number;
  readonly buildingNames: number;
  /** Wait before the first retry of what failed; doubles up to `retryMaxMs`. */
  readonly retryMs: number;
  readonly retryMaxMs: number;
}

export const DEFAULT_RUNNER_LIMITS: RunnerLimits = {
  batch: 2_000,
  buildingBatch: 50_000,
  lingerMs: 25,
  busyLingerMs: 200,
  busyEvents: 50,
  streams: 10_000,
  names: 25_000,
  buildingStreams: 100_000,
  buildingNames: 300_000,
  retryMs: 100,
  retryMaxMs: 10_000,
};

/** Events of one transaction that may have to wait until another stream is read, or all of their own. Each takes milliseconds. */
export const MOST_WAITS = 250;

export type Sleep = (ms: number, signal: AbortSignal) => Promise<void>;

export interface RunnerOptions {
  readonly reader: EventReader;
  /** The read models' file, or `:memory:`. */
  readonly file: string;
  readonly onEvent: (event: ProjectionEvent) => void;
  /** Asked before the file is replaced: nobody may have it open. */
  readonly releaseReaders?: () => Promise<void>;
  readonly limits?: Partial<RunnerLimits>;
  readonly clock?: Clock;
  /** Waits so long, or until the signal ends the wait; never throws. Default: in real time. */
  readonly sleep?: Sleep;
  readonly projectors?: readonly Projector[];
  readonly createJudge?: () => EventJudge;
  /** Whatever is built is built so, by threads of their own, which read the log by themselves. */
  readonly inParts?: InParts | undefined;
}

/** Events that were taken in and are not committed yet. */
interface Intake {
  readonly startedMs: number;
  readonly changes: ChangeSet;
  readonly violations: ViolationView[];
  last: RecordedEvent | undefined;
  events: number;
}

/** An event that a judge or projector could not take. */
class EventFailedError extends Error {
  readonly position: Position;
  constructor(position: Position, cause: unknown) {
    super(messageOf(cause), { cause });
    this.name = 'EventFailedError';
    this.position = position;
  }
}

/**
 * Follows the log and keeps the read models: judges each event in order, projects it, and commits a batch of changes together
 * with the checkpoint, so that redelivery and crashes change nothing. Whatever fails is tried again from the checkpoint with
 * nothing kept in memory.
 */
export class ProjectionRunner {
  readonly #options: RunnerOptions;
  readonly #limits: RunnerLimits;
  readonly #projectors: readonly Projector[];
  readonly #closing = new AbortController();
  #cutPause = new AbortController();
  #parts = new AbortController();
  #resting = false;
  /** Somebody waits: the next rest is left out. */
  #hurried = false;
  #model: ReadModel | undefined;
  #source: BatchSource | undefined;
  #running: Promise<void> | undefined;
  #failure: ProjectionFailure | undefined;
  /** End of the log when the file was opened; undefined until it is known. */
  #target: { readonly position: Position | undefined } | undefined;
  #rebuildCause: RebuildCause | undefined;
  /** The id of the log's first event, once it was looked up for the file that is open. */
  #logId: string | undefined;
  #rebuilds: { resolve: () => void; reject: (error: Error) => void }[] = [];
  /** A rebuild does not report again what this process has reported. */
  #reportedUpTo: Position = '';
  #reportedServable = false;
  /** The latest time of a legal event that this process took in, or of the last one that was taken in before. */
  #recordedAt: Timestamp | undefined;

  constructor(options: RunnerOptions) {
    this.#options = options;
    this.#limits = { ...DEFAULT_RUNNER_LIMITS, ...options.limits };
    this.#projectors = options.projectors ?? allProjectors;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  status(): ProjectionStatus {
    const state = this.#closing.signal.aborted
      ? 'closed'
      : this.#failure !== undefined
        ? 'failing'
        : this.#servable()
          ? 'live'
          : 'catching-up';
    return { state, checkpoint: this.#model?.checkpoint?.position, failure: this.#failure };
  }

  /** The writing connection, for readers in the same thread. Another one after each rebuild. */
  connection(): DatabaseSync | undefined {
    return this.#model?.db;
  }

  /** Ends the rest between two transactions, or leaves out the next: somebody waits for what the log holds by now. */
  hurry(): void {
    this.#hurried = true;
    if (this.#resting) this.#cutPause.abort();
  }

  /** Throws the read models away and builds them again. @returns when they have caught up with the log */
  rebuild(cause: RebuildCause): Promise<void> {
    if (this.#closing.signal.aborted) return Promise.reject(new Error('the projections are closed'));
    const rebuilt = new Promise<void>((resolve, reject) => this.#rebuilds.push({ resolve, reject }));
    this.#rebuildCause = cause;
    this.#target = undefined;
    this.#interrupt();
    return rebuilt;
  }

  /** Stops at the next commit and closes the file. The reader is the caller's. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#interrupt();
    await this.#running;
    for (const { reject } of this.#rebuilds.splice(0)) reject(new Error('the projections are closed'));
    this.#model?.close();
    this.#model = undefined;
    this.#reportStatus();
  }

  async #run(): Promise<void> {
    while (!this.#closing.signal.aborted) {
      try {
        await this.#follow();
      } catch (error) {
        this.#noteFailure(error);
        await this.#pause(retryDelayMs(this.#failure?.attempts ?? 1, this.#limits));
      }
    }
  }

  async #follow(): Promise<void> {
    const model = await this.#open();
    const head = await this.#options.reader.head();
    this.#target ??= { position: head };
    if ((head ?? '') <= (model.checkpoint?.position ?? '')) this.#failure = undefined;
    if (this.#finishedBuilding(model)) return;
    this.#reportStatus();
    this.#settleRebuilds();
    if ((await this.#builtInParts(model, head)) && this.#finishedBuilding(model)) return;
    const judge = this.#options.createJudge?.() ?? this.#newJudge(model);
    const { batch: ordinary, buildingBatch } = this.#limits;
    const most = model.isBuilding ? Math.min(ordinary, buildingBatch) : ordinary;
    const source = new BatchSource(this.#options.reader, model.checkpoint?.position, most);
    this.#source = source;
    try {
      let intake: Intake | undefined;
      for (;;) {
        const batch = this.#interrupted() ? [] : await source.next();
        if (batch.length === 0) return;
        for (let rest = batch; rest.length > 0 && !this.#interrupted();) {
          ({ intake, rest } = await this.#takeIn(rest, model, judge, intake));
        }
        if (intake !== undefined) continue;
        if (this.#finishedBuilding(model)) return;
        await this.#rest(batch.length);
      }
    } finally {
      model.rollBack();
      source.close();
      this.#source = undefined;
    }
  }

  /** @returns whether the file has all rows up to that event now, which were made by several threads */
  async #builtInParts(model: ReadModel, head: Position | undefined): Promise<boolean> {
    const { inParts, file } = this.#options;
    if (inParts === undefined || !model.isBuilding || model.checkpoint !== undefined || head === undefined)
      return false;
    const logId = await this.#firstId();
    if (logId === undefined) return false;
    const { buildingBatch, buildingStreams, buildingNames } = this.#limits;
    this.#parts = new AbortController();
    if (this.#interrupted()) return false;
    return buildInParts(model, logId, {
      ...inParts,
      file,
      end: head,
      limits: { batch: buildingBatch, streams: buildingStreams, names: buildingNames },
      signal: this.#parts.signal,
      onProgress: (events) => this.#options.onEvent({ type: 'building-in-parts', events }),
    });
  }

  #newJudge(model: ReadModel): Judge {
    const index = new CommittedNames(model.db, model.staged);
    const { streams, names, buildingStreams, buildingNames } = this.#limits;
    const bounds = model.isBuilding
      ? { maxStreams: Math.max(streams, buildingStreams), maxNames: Math.max(names, buildingNames) }
      : { maxStreams: streams, maxNames: names };
    return new Judge(this.#options.reader, { index, ...bounds });
  }

  /** Gives a file that was being built its name, once it has all that it has to have. @returns true when it has to be opened anew */
  #finishedBuilding(model: ReadModel): boolean {
    if (!model.isBuilding || !this.#caughtUp()) return false;
    model.finish();
    this.#model = undefined;
    return true;
  }

  /** Rests after a batch, unless there is more to take in at once or somebody waits. */
  async #rest(events: number): Promise<void> {
    const { batch, busyEvents, busyLingerMs, lingerMs } = this.#limits;
    if (events < batch && !this.#hurried && !this.#interrupted()) {
      this.#resting = true;
      await this.#pause(events < busyEvents ? lingerMs : busyLingerMs);
      this.#resting = false;
    }
    this.#hurried = false;
  }

  /** Whatever is under way ends: what is to be done is another. */
  #interrupt(): void {
    this.#source?.close();
    this.#parts.abort();
    this.#cutPause.abort();
  }

  #interrupted(): boolean {
    return this.#closing.signal.aborted || this.#rebuildCause !== undefined;
  }

  /** The open file, at a checkpoint that stands in this log; rebuilt if it has to be. */
  async #open(): Promise<ReadModel> {
    if (this.#rebuildCause === undefined) {
      try {
        const model = this.#model ?? this.#openFile();
        if (this.#model === undefined && model.isNew) await this.#tellOfBuilding();
        this.#model = model;
        await this.#demandSameLog(model.checkpoint);
        return model;
      } catch (error) {
        if (!(error instanceof UnusableReadModelError)) throw error;
        this.#rebuildCause = error.why;
      }
    }
    return this.#replace(this.#rebuildCause);
  }

  async #tellOfBuilding(): Promise<void> {
    if ((await this.#options.reader.head()) !== undefined) this.#options.onEvent({ type: 'building' });
  }

  async #replace(cause: RebuildCause): Promise<ReadModel> {
    this.#target = undefined;
    const missingEvents = cause === 'ahead-of-log' ? await this.#missingEvents() : undefined;
    this.#options.onEvent({ type: 'rebuilding', cause, missingEvents });
    this.#reportStatus();
    this.#model?.close();
    this.#model = undefined;
    await this.#options.releaseReaders?.();
    if (cause === 'ahead-of-log') setAside(this.#options.file);
    removeReadModel(this.#options.file);
    this.#model = this.#openFile();
    this.#logId = undefined;
    this.#rebuildCause = undefined;
    return this.#model;
  }

  #openFile(): ReadModel {
    const { file } = this.#options;
    const tables: Table[] = this.#projectors.flatMap((projector) => projector.tables);
    const model = new ReadModel(file, tables, fingerprintOf(this.#projectors));
    if (model.isBuilding) removeParts(file);
    return model;
  }

  /** @throws UnusableReadModelError when the last event taken in is not in this log, where it was */
  async #demandSameLog(checkpoint: Checkpoint | undefined): Promise<void> {
    if (checkpoint === undefined) return;
    const { stream, revision, position, eventId, logId } = checkpoint;
    const [event] = await this.#options.reader.read(stream, { from: revision, to: revision });
    if (event?.id === eventId && event.position === position) {
      // What was forced into the log need not have metadata at all.
      const { recordedAt } = Object(event.metadata) as { readonly recordedAt?: unknown };
      this.#recordedAt = laterOf(this.#recordedAt, parseTimestamp(String(recordedAt)));
      return;
    }
    const first = await this.#firstId();
    // The same event in another place: the log was copied into another store.
    const hasMoved = event?.id === eventId;
    const isThisLog = logId !== undefined && !hasMoved && (first === undefined || first === logId);
    throw new UnusableReadModelError(isThisLog ? 'ahead-of-log' : 'other-log');
  }

  async #firstId(): Promise<string | undefined> {
    return (await this.#options.reader.readAll({ limit: 1 })).events[0]?.id;
  }

  /** At least so many: where the log went on without them, or its positions count no events, nobody knows of more than one. */
  async #missingEvents(): Promise<number> {
    const ahead = numberOf(this.#model?.checkpoint?.position) - numberOf(await this.#options.reader.head());
    return ahead > 0n ? Number(ahead) : 1;
  }

  /** @returns what waits to be committed with the events that follow, if anything does, and those that were not taken in */
  async #takeIn(
    batch: readonly RecordedEvent[],
    model: ReadModel,
    judge: EventJudge,
    begun: Intake | undefined,
  ): Promise<{ readonly intake: Intake | undefined; readonly rest: readonly RecordedEvent[] }> {
    const intake = begun ?? beginIntake(model);
    const before = intake.events;
    const failed = await this.#project(batch, judge, intake);
    const { last, events, startedMs, violations } = intake;
    const rest = batch.slice(events - before);
    if (failed === undefined && !this.#isToBeCommitted(model, intake)) return { intake, rest };
    if (last !== undefined) {
      this.#logId ??= await this.#firstId();
      model.commit(intake.changes, checkpointAt(last, this.#logId));
      const durationMs = performance.now() - startedMs;
      const { streams = 0, names = 0 } = judge;
      this.#reportCommit({ checkpoint: last.position, events, durationMs, streams, names }, violations);
    }
    if (failed !== undefined) throw failed;
    return { intake: undefined, rest };
  }

  /** While a file is built, many batches are committed as one: up to the end that the log had when it was opened. */
  #isToBeCommitted(model: ReadModel, { events, last }: Intake): boolean {
    if (!model.isBuilding || events >= this.#limits.buildingBatch) return true;
    return (last?.position ?? '') >= (this.#target?.position ?? '');
  }

  /**
   * Takes in events until the last, or until it is interrupted, or had to wait for other streams too often: nobody is to wait
   * for thousands of accounts that are folded anew, neither for what those events tell nor for the end of this process.
   * @returns the event that failed; those before it were taken in
   */
  async #project(
    batch: readonly RecordedEvent[],
    judge: EventJudge,
    intake: Intake,
  ): Promise<EventFailedError | undefined> {
    const seenAt = toTimestamp((this.#options.clock ?? systemClock).now());
    let waits = 0;
    for (const recorded of batch) {
      if (waits >= MOST_WAITS || this.#interrupted()) return undefined;
      try {
        let judged = judge.judge(recorded);
        if (judged instanceof Promise) {
          waits += 1;
          judged = await judged;
        }
        // All or nothing of an event: whoever throws may be the last.
        const changes = this.#projectors.map((projector) => projector.project(judged, seenAt));
        for (const each of changes) intake.changes.add(each);
        const violation = violationView(judged, seenAt);
        if (violation !== undefined) intake.violations.push(violation);
        else this.#recordedAt = laterOf(this.#recordedAt, recorded.metadata.recordedAt);
      } catch (error) {
        return new EventFailedError(recorded.position, error);
      }
      intake.last = recorded;
      intake.events += 1;
    }
    return undefined;
  }

  #reportCommit(
    committed: Omit<Committed, 'type' | 'servable' | 'recordedAt'>,
    violations: readonly ViolationView[],
  ): void {
    const { checkpoint } = committed;
    for (const violation of violations) {
      if (violation.position > this.#reportedUpTo) this.#options.onEvent({ type: 'violation', violation });
    }
    if (checkpoint > this.#reportedUpTo) this.#reportedUpTo = checkpoint;
    const recovered = this.#failure !== undefined;
    this.#failure = undefined;
    const servable = this.#servable();
    if (recovered || servable !== this.#reportedServable) this.#reportStatus();
    this.#options.onEvent({ type: 'committed', ...committed, servable, recordedAt: this.#recordedAt });
    this.#settleRebuilds();
  }

  #settleRebuilds(): void {
    // What is to be thrown away may be servable still.
    if (this.#rebuildCause !== undefined || !this.#servable()) return;
    for (const { resolve } of this.#rebuilds.splice(0)) resolve();
  }

  #servable(): boolean {
    return this.#model?.isBuilding === false && this.#caughtUp();
  }

  /** Whether all is taken in that the log held when the file was opened. */
  #caughtUp(): boolean {
    if (this.#target === undefined || this.#model === undefined) return false;
    const { position } = this.#target;
    return position === undefined || (this.#model.checkpoint?.position ?? '') >= position;
  }

  #noteFailure(error: unknown): void {
    // The next round opens the file and the log anew: nothing in memory is trusted after a failure.
    if (isDamage(error)) this.#rebuildCause = 'damaged';
    const position = error instanceof EventFailedError ? error.position : undefined;
    this.#failure = { position, message: messageOf(error), attempts: (this.#failure?.attempts ?? 0) + 1 };
    this.#reportStatus();
  }

  async #pause(ms: number): Promise<void> {
    if (ms === 0 || this.#closing.signal.aborted) return;
    this.#cutPause = new AbortController();
    await (this.#options.sleep ?? sleepInRealTime)(ms, this.#cutPause.signal);
  }

  #reportStatus(): void {
    this.#reportedServable = this.#servable();
    const [status, servable, recordedAt] = [this.status(), this.#reportedServable, this.#recordedAt];
    this.#options.onEvent({ type: 'status', status, servable, recordedAt });
  }
}

function beginIntake(model: ReadModel): Intake {
  return { startedMs: performance.now(), changes: model.takeChanges(), violations: [], last: undefined, events: 0 };
}

function laterOf(one: Timestamp | undefined, other: Timestamp | undefined): Timestamp | undefined {
  return (one ?? '') > (other ?? '') ? one : other;
}

const sleepInRealTime: Sleep = (ms, signal) => delay(ms, undefined, { signal }).catch(() => undefined);

/** Doubles with each attempt, from `retryMs` up to `retryMaxMs`. */
export function retryDelayMs(attempts: number, { retryMs, retryMaxMs }: RunnerLimits): number {
  return Math.min(retryMs * 2 ** Math.min(attempts - 1, 20), retryMaxMs);
}

/** The number of an event in the log; 0 for none, and where positions are places in a server's files. */
function numberOf(position: Position | undefined): bigint {
  return position === undefined || position.includes('-') ? 0n : BigInt(`0x${position}`);
}

function messageOf(error: unknown): string {
  const { message } = Object(error) as { readonly message?: unknown };
  return typeof message === 'string' ? message : String(error);
}
