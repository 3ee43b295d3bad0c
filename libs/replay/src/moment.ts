import { toMs, type Position, type RecordedEvent, type Timestamp } from '#kernel';

/** A moment in the log: a position, or a time (each stream's events recorded up to it); both inclusive. */
export type Moment = { readonly position: Position } | { readonly time: Timestamp };

/**
 * True for what the log held by that moment, and for everything when there is none. What was forced in and does not say
 * when it was recorded hides nothing that comes after it: it changes nothing itself.
 */
export function isUpTo(event: Pick<RecordedEvent, 'position' | 'metadata'>, at: Moment | undefined): boolean {
  if (at === undefined) return true;
  if ('position' in at) return event.position <= at.position;
  const { recordedAt } = Object(event.metadata) as { readonly recordedAt?: unknown };
  return typeof recordedAt !== 'string' || !(toMs(recordedAt) > toMs(at.time));
}
