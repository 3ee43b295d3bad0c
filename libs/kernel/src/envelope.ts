import { canonicalJson, sha256Hex } from './canonical.ts';
import type { Timestamp } from './clock.ts';
import { isAsWritten } from './stored-event.ts';

/** Who acted: the token's `sub` and the roles it had at the time. The service itself is `system:supervisor`. */
export interface Actor {
  readonly id: string;
  readonly roles: readonly string[];
}

/** The actor of whatever the service finishes or ends by itself. No token may carry a `sub` that starts with `system:`. */
export const SUPERVISOR: Actor = { id: 'system:supervisor', roles: [] };

/**
 * Names a command for good: the caller's key, scoped to the caller and the home stream. `caller` is the one who asked,
 * which `actor` is not when the supervisor finishes the step.
 */
export interface CommandKey {
  readonly caller: string;
  readonly homeStream: string;
  readonly value: string;
}

export interface EventMetadata {
  readonly actor: Actor;
  readonly correlationId: string;
  /** The event that brought this one about: of the step's first stream, or the first event of the same command; or null. */
  readonly causationId: string | null;
  /** On the first event of a command in each stream; null on those that follow it and on what nobody asked for. */
  readonly key: CommandKey | null;
  /** SHA-256 over JSON of the command's method, path and normalised content (docs/events.md); null when `key` is. */
  readonly commandHash: string | null;
  readonly recordedAt: Timestamp;
  /** `hash` of the event before in the same stream; null on the first. */
  readonly previousHash: string | null;
  /** SHA-256 over canonical JSON of stream, revision and everything else but this field and the position. */
  readonly hash: string;
}

/** An event ready to be stored, its bytes fixed: it may be sent again and again and is stored once. */
export interface SealedEvent {
  /** UUIDv7, new for each attempt, never derived. */
  readonly id: string;
  readonly type: string;
  readonly schemaVersion: number;
  readonly data: unknown;
  readonly metadata: EventMetadata;
}

/**
 * A place in the total order of a store: opaque text, URL-safe, of one width for each store, so that two positions of one
 * store compare as strings.
 */
export type Position = string;

/** True for anything that could be a position of some store (16 hexadecimal digits, or two such joined by `-`). */
export function isPosition(text: string): boolean {
  return /^[0-9a-f]{16}(-[0-9a-f]{16})?$/.test(text);
}

/** An event as it stands in the log. `data` and `metadata` are whatever was stored: check before trusting them. */
export interface RecordedEvent extends SealedEvent {
  readonly stream: string;
  /** Counts from 0 in its stream. */
  readonly revision: number;
  readonly position: Position;
}

/** Points to one recorded event. `revision` is a decimal string, as revisions are everywhere outside the process. */
export interface EventPointer {
  readonly stream: string;
  readonly revision: string;
  readonly eventId: string;
}

/** Whether both name the same event in the same place. */
export function samePointer(one: EventPointer, other: EventPointer | undefined): boolean {
  return one.stream === other?.stream && one.revision === other.revision && one.eventId === other.eventId;
}

/** Also to an event that is about to be stored: its place in its stream is known. */
export function pointerTo({ stream, revision, id }: Pick<RecordedEvent, 'stream' | 'revision' | 'id'>): EventPointer {
  return { stream, revision: String(revision), eventId: id };
}

/** The hash that belongs into `metadata.hash` of this event in this place. Ignores a hash that is there already. */
export function eventHash(
  stream: string,
  revision: number,
  event: Omit<SealedEvent, 'metadata'> & { readonly metadata: Omit<EventMetadata, 'hash'> },
): string {
  const { hash: _, ...metadata } = event.metadata as EventMetadata;
  const { id, type, schemaVersion, data } = event;
  return sha256Hex(canonicalJson({ data, id, metadata, revision: String(revision), schemaVersion, stream, type }));
}

/**
 * True when an event's stored hash is that of its content, and of nothing else that its texts could be read as; false also for
 * content that has no canonical form.
 */
export function hashHolds(event: RecordedEvent): boolean {
  try {
    return eventHash(event.stream, event.revision, event) === event.metadata.hash && isAsWritten(event);
  } catch {
    return false;
  }
}

/** A recorded event whose data was checked against its registry entry and lifted to the current version. */
export type Recorded<Event extends { readonly type: string; readonly data: unknown }> = Event extends unknown
  ? Omit<RecordedEvent, 'type' | 'data'> & Event
  : never;
