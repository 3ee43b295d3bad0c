import type { EventReader } from '#event-store';
import type { Bound, Clock } from '#kernel';
import { type HomeStreamIndex } from '#replay';
import { resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { InParts } from './build-in-parts.ts';
import type { ProjectionEvent, ProjectionStatus } from './projection-events.ts';
import type { Projector } from './projectors.ts';
import type { Queries } from './queries-api.ts';
import { ReadSide } from './read-side.ts';
import { DEFAULT_RUNNER_LIMITS, ProjectionRunner, type EventJudge, type RunnerLimits, type Sleep } from './runner.ts';
import { SqliteHomeStreamIndex } from './sqlite-home-stream-index.ts';
import { SqliteQueries } from './sqlite-queries.ts';
import type { LogSource } from './worker-protocol.ts';
import { WorkerRunner } from './worker-runner.ts';

interface CommonOptions {
  /** The read models' file, made when it is not there; in-process also `:memory:`. */
  readonly readModelFile: string;
  /** For logs and metrics. */
  readonly onEvent?: (event: ProjectionEvent) => void;
  readonly limits?: Partial<RunnerLimits>;
}

/** In a thread of its own, which opens the log by itself. */
export interface WorkerOptions extends CommonOptions {
  readonly kind: 'worker';
  readonly log: LogSource;
}

/** In the calling thread: for tests and tools. */
export interface InProcessOptions extends CommonOptions {
  readonly kind: 'in-process';
  /** Stays the caller's: it is not closed here. */
  readonly reader: EventReader;
  readonly clock?: Clock;
  /** How the runner waits: as its own `sleep`. */
  readonly sleep?: Sleep;
  readonly projectors?: readonly Projector[];
  readonly createJudge?: () => EventJudge;
  /** Builds by several threads what is built, with the projectors and judges of every day. */
  readonly inParts?: InParts | undefined;
}

/** The read models, kept up to date. */
export interface Projections {
  readonly queries: Queries;
  readonly index: HomeStreamIndex;
  status(): ProjectionStatus;
  /** What waits or is kept in memory, and how much of it there may be. */
  readonly bounds: readonly Bound[];
  /** Resolves true when the read models may be queried: all is taken in that the log held when they were opened. */
  caughtUp(timeoutMs: number): Promise<boolean>;
  /** Says that the log has grown. Cheap: call it after each append. */
  notify(): void;
  /** Throws the read models away and builds them again. @returns when they may be queried */
  rebuild(): Promise<void>;
  close(): Promise<void>;
}

/** Starts to follow the log. Queries are answered `read-model-behind` until the read models have caught up. */
export function startProjections(options: WorkerOptions | InProcessOptions): Projections {
  return options.kind === 'worker' ? startWorker(options) : startInProcess(options);
}

function startWorker({ log, readModelFile, limits = {}, onEvent }: WorkerOptions): Projections {
  const isLog = log.kind === 'sqlite' && resolve(log.file) === resolve(readModelFile);
  if (isLog) throw new Error('the read models need a file of their own');
  const rows = new ReadSide({
    open: () => new DatabaseSync(readModelFile, { readOnly: true }),
    release: (connection) => connection.close(),
    onWait: () => runner.hurry(),
    onDamage: () => rebuildDamaged(runner),
  });
  const use = new RunnerUse(limits);
  const runner = new WorkerRunner({ log, readModelFile, limits }, (event) => {
    rows.handle(event);
    use.note(event);
    onEvent?.(event);
  });
  runner.start();
  return assemble(runner, rows, use, () => runner.notify());
}

function startInProcess(options: InProcessOptions): Projections {
  const rows = new ReadSide({
    open: () => {
      const connection = runner.connection();
      if (connection === undefined) throw new Error('servable without a file');
      return connection;
    },
    release: () => undefined,
    onWait: () => runner.hurry(),
    onDamage: () => rebuildDamaged(runner),
  });
  const use = new RunnerUse(options.limits);
  const onEvent = (event: ProjectionEvent): void => {
    rows.handle(event);
    use.note(event);
    options.onEvent?.(event);
  };
  const runner = new ProjectionRunner({ ...options, file: options.readModelFile, onEvent });
  runner.start();
  // The reader tells the runner by itself.
  return assemble(runner, rows, use, () => undefined);
}

/** Whoever asked has an answer already: of a rebuild that comes to nothing the status tells. */
function rebuildDamaged(runner: WorkerRunner | ProjectionRunner): void {
  runner.rebuild('damaged').catch(() => undefined);
}

/** How much the runner takes in and keeps in memory: as of its last transaction. */
class RunnerUse {
  readonly #limits: RunnerLimits;
  #events = 0;
  #streams = 0;
  #names = 0;

  constructor(limits: Partial<RunnerLimits> = {}) {
    this.#limits = { ...DEFAULT_RUNNER_LIMITS, ...limits };
  }

  note(event: ProjectionEvent): void {
    if (event.type !== 'committed') return;
    this.#events = event.events;
    this.#streams = event.streams;
    this.#names = event.names;
  }

  get bounds(): readonly Bound[] {
    const { batch, buildingBatch, streams, names, buildingStreams, buildingNames } = this.#limits;
    return [
      { what: 'projection-batch', most: Math.max(batch, buildingBatch), inUse: () => this.#events },
      { what: 'projected-streams', most: Math.max(streams, buildingStreams), inUse: () => this.#streams },
      { what: 'projected-names', most: Math.max(names, buildingNames), inUse: () => this.#names },
    ];
  }
}

function assemble(
  runner: WorkerRunner | ProjectionRunner,
  rows: ReadSide,
  use: RunnerUse,
  notify: () => void,
): Projections {
  return {
    bounds: [...rows.bounds, ...use.bounds],
    queries: new SqliteQueries(rows),
    index: new SqliteHomeStreamIndex(rows),
    status: () => runner.status(),
    caughtUp: (timeoutMs) => rows.waitFor(undefined, timeoutMs),
    notify,
    rebuild: () => runner.rebuild('asked-for'),
    close: async () => {
      rows.close();
      await runner.close();
    },
  };
}
