import type { Position, Timestamp } from '#kernel';
import type { ViolationView } from './queries-api.ts';
import type { RebuildCause } from './read-model.ts';

/** What keeps the read models from going on. It is tried again, and skips nothing. */
export interface ProjectionFailure {
  /** The event that could not be taken in; undefined when it was no event's fault. */
  readonly position: Position | undefined;
  readonly message: string;
  /** How often it has failed in a row. */
  readonly attempts: number;
}

export interface ProjectionStatus {
  /** `catching-up` until all is taken in that the log held when the file was opened; only then may it be queried. */
  readonly state: 'catching-up' | 'live' | 'failing' | 'closed';
  readonly checkpoint: Position | undefined;
  readonly failure: ProjectionFailure | undefined;
}

/** For logs and metrics. Plain data: it crosses from the worker. */
export type ProjectionEvent =
  | {
      readonly type: 'status';
      readonly status: ProjectionStatus;
      readonly servable: boolean;
      /** As with `committed`; after a start of the last event that was taken in before. */
      readonly recordedAt?: Timestamp | undefined;
    }
  | {
      readonly type: 'committed';
      readonly checkpoint: Position;
      readonly events: number;
      readonly durationMs: number;
      /** The latest time at which one of those that were taken in so far was recorded. */
      readonly recordedAt: Timestamp | undefined;
      readonly servable: boolean;
      /** Streams whose state is in memory. */
      readonly streams: number;
      /** Names of theirs. */
      readonly names: number;
    }
  /** There are no read models, and there is a log: they are built from its first event. */
  | { readonly type: 'building' }
  /** So many events are taken in by those that build in parts. It may come to nothing: then they are taken in once more. */
  | { readonly type: 'building-in-parts'; readonly events: number }
  /** The read models are thrown away and built again from the log. */
  | {
      readonly type: 'rebuilding';
      readonly cause: RebuildCause;
      /** For `ahead-of-log`: how many events, at least, they have taken in that the log does not have. */
      readonly missingEvents?: number | undefined;
    }
  | { readonly type: 'violation'; readonly violation: ViolationView };
