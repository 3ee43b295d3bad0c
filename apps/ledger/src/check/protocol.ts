import type { LogExtent, LogPart } from '#event-store/sqlite';
import type { Position } from '#kernel';
import type { PartResult, Question } from './part-check.ts';

/** What a thread is started with. */
export interface WorkerData {
  readonly path: string;
  /** Position of the last event that is checked. */
  readonly end: Position;
  /** What it judges; absent for the one that measures the log, and ends when it has told. */
  readonly part?: LogPart;
}

export type FromWorker =
  | { readonly kind: 'measured'; readonly extent: LogExtent }
  | { readonly kind: 'progress'; readonly events: number }
  | { readonly kind: 'done'; readonly result: PartResult }
  | { readonly kind: 'answered'; readonly unmet: number };

export interface ToWorker {
  readonly kind: 'asked';
  /** Of all other parts; those about this one's streams are for it to answer. The thread ends after its answer. */
  readonly questions: readonly Question[];
}
