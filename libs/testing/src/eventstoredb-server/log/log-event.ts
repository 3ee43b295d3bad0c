/** An event as a client proposes it. */
export interface ProposedEvent {
  /** A UUID in lower case with hyphens. */
  readonly id: string;
  readonly type: string;
  readonly isJson: boolean;
  readonly data: Uint8Array;
  readonly metadata: Uint8Array;
}

/** An event in the log. Its position is where its record starts, and stands for commit and prepare both. */
export interface LogEvent extends ProposedEvent {
  /** Its place among all events, from 0. */
  readonly index: number;
  readonly position: number;
  /** Where its record ends. */
  readonly endPosition: number;
  readonly stream: string;
  /** From 0 without gaps; TOMBSTONE_REVISION for the event that ends a stream for good. */
  readonly revision: number;
  readonly createdMs: number;
}

/** Stands for the largest 64-bit integer, which is the revision of a tombstone. */
export const TOMBSTONE_REVISION = Infinity;

/** A place in the log as clients name it: the end, or a pair that may fall between two events. */
export interface LogPosition {
  readonly commit: number;
  readonly prepare: number;
}

/** Negative, 0 or positive, as `left` stands before, at or after `right`. */
export function comparePositions(left: LogPosition, right: LogPosition): number {
  return left.commit === right.commit ? left.prepare - right.prepare : left.commit - right.commit;
}

export const positionOf = (event: LogEvent): LogPosition => ({ commit: event.position, prepare: event.position });
