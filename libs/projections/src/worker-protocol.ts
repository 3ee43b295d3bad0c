import type { RebuildCause } from './read-model.ts';
import type { ProjectionEvent, RunnerLimits } from './runner.ts';

/** What the thread is started with. */
export interface WorkerData {
  readonly eventFile: string;
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
