import type { ProjectionEvent } from './projection-events.ts';
import type { RebuildCause } from './read-model.ts';
import type { RunnerLimits } from './runner.ts';

/** Where the thread finds the log: it opens it by itself, since what is open can't cross from another thread. */
export type LogSource =
  /** The embedded store's file: it has to be there. */
  | { readonly kind: 'sqlite'; readonly file: string }
  /** As the adapter's settings. With a client of its own, that only reads. */
  | {
      readonly kind: 'eventstoredb';
      readonly connectionString: string;
      readonly caFile?: string;
      readonly streamPrefix?: string;
      readonly streamKinds: readonly string[];
    };

/** What the thread is started with. */
export interface WorkerData {
  readonly log: LogSource;
  readonly readModelFile: string;
  readonly limits: Partial<RunnerLimits>;
}

export type ToWorker =
  /** The log has grown. Answered by `noticed`: no second one is sent before. */
  | { readonly kind: 'notify' }
  /** Somebody waits for what the log holds by now. */
  | { readonly kind: 'hurry' }
  | { readonly kind: 'rebuild'; readonly id: number; readonly cause: RebuildCause }
  /** Nobody here has the read models' file open: the answer to the event `rebuilding`. */
  | { readonly kind: 'released' }
  | { readonly kind: 'close' };

export type FromWorker =
  | { readonly kind: 'event'; readonly event: ProjectionEvent }
  | { readonly kind: 'noticed' }
  | { readonly kind: 'rebuilt'; readonly id: number };
