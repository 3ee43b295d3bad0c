import type { EventReader } from '#event-store';
import type { Clock } from '#kernel';
import type { HomeStreamIndex } from '#replay';
import { resolve } from 'node:path';
import type { Queries } from './queries-api.ts';
import { ReadSide } from './read-side.ts';
import { ProjectionRunner, type EventJudge, type ProjectionEvent, type ProjectionStatus, type RunnerLimits } from './runner.ts';
import type { Projector } from './projectors.ts';
import { SqliteHomeStreamIndex } from './sqlite-home-stream-index.ts';
import { SqliteQueries } from './sqlite-queries.ts';
import { WorkerRunner } from './worker-runner.ts';

interface CommonOptions {
  /** For logs and metrics. */
  readonly onEvent?: (event: ProjectionEvent) => void;
  readonly limits?: Partial<RunnerLimits>;
}

/** In a thread of its own, over the embedded store's file. */
export interface WorkerOptions extends CommonOptions {
  readonly kind: 'worker';
  /** The event store's file: it has to be there. */
  readonly eventFile: string;
  readonly readModelFile: string;
}

/** In the calling thread: for tests, tools, and stores that are read over the network. */
export interface InProcessOptions extends CommonOptions {
  readonly kind: 'in-process';
  /** Stays the caller's: it is not closed here. */
  readonly reader: EventReader;
  /** A file, or `:memory:`. */
  readonly readModelFile: string;
  readonly clock?: Clock;
  readonly projectors?: readonly Projector[];
  readonly createJudge?: () => EventJudge;
}

/** The read models, kept up to date. */
export interface Projections {
  readonly queries: Queries;
  readonly index: HomeStreamIndex;
  status(): ProjectionStatus;
  /** Resolves true when the read models may be queried: all is taken in that the log held when they were opened. */
  caughtUp(timeoutMs: number): Promise<boolean>;
  /** Says that the log has grown. Cheap: call it after each append. */
  notify(): void;
  /** Throws the read models away and builds them again. @returns when they may be queried */
  rebuild(): Promise<void>;
  close(): Promise<void>;
}

/** What follows the log, in this thread or another. */
export interface RunningProjections {
  readonly status: () => ProjectionStatus;
  readonly notify: () => void;
  readonly rebuild: (reason: string) => Promise<void>;
  readonly close: () => Promise<void>;
}

/** Starts to follow the log. Queries answer `read-model-behind` until the read models have caught up. */
export function startProjections(options: WorkerOptions | InProcessOptions): Projections {
  return options.kind === 'worker' ? startWorker(options) : startInProcess(options);
}

function startWorker(options: WorkerOptions): Projections {
  const { eventFile, readModelFile, limits = {} } = options;
  if (resolve(eventFile) === resolve(readModelFile)) throw new Error('the read models need a file of their own');
  const runner: WorkerRunner = new WorkerRunner({
    eventFile,
    readModelFile,
    limits,
    onEvent: (event) => {
      rows.handle(event);
      options.onEvent?.(event);
    },
  });
  const rows = ReadSide.overFile(readModelFile, () => runner.rebuildDamaged());
  runner.start();
  return assemble(runner, rows);
}

function startInProcess(options: InProcessOptions): Projections {
  const { reader, readModelFile: file } = options;
  const runner = new ProjectionRunner({
    ...options,
    file,
    onEvent: (event) => {
      rows.handle(event);
      options.onEvent?.(event);
    },
  });
  const rows = ReadSide.overWriter(
    () => runner.connection(),
    () => runner.rebuildDamaged(),
  );
  runner.start();
  return assemble({ ...bound(runner), notify: () => undefined }, rows);
}
