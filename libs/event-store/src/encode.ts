import { StoredEvent, type EventTexts, type RecordedEvent } from '#kernel';
import { type EventToAppend, type ExpectedRevision, MAX_APPEND_BYTES, MAX_APPEND_EVENTS, StoreError } from './port.ts';

/** What stands for "no event" where revisions are plain numbers: one below the first. */
export const NO_REVISION = -1;

/** An event as it is stored: its data and metadata as JSON text. */
export interface EncodedEvent extends EventTexts {
  readonly id: string;
  readonly type: string;
  readonly schemaVersion: number;
}

/** What a log is asked to store, all or nothing. */
export interface AppendRequest {
  readonly stream: string;
  /** The stream's last revision, or `NO_REVISION`. */
  readonly expected: number;
  readonly events: readonly EncodedEvent[];
}

/** An append that was checked for all that can be checked without the log. */
export interface EncodedAppend extends AppendRequest {
  /** Over the JSON of the events. */
  readonly sizeBytes: number;
}

/** The bytes of an event's JSON beside its five values: names, braces, commas, and the quotes of id and type. */
const FRAME_BYTES = '{"id":"","type":"","schemaVersion":,"data":,"metadata":}'.length;

/**
 * Fixes the bytes of an append: nothing that happens to the events afterwards changes what is stored.
 * @throws StoreError `append-too-large`; RangeError or TypeError for what only a bug can ask: no events, a revision that
 * is none, a stream without a name, a value that JSON does not have
 */
export function encodeAppend(
  stream: string,
  expected: ExpectedRevision,
  events: readonly EventToAppend[],
): EncodedAppend {
  if (stream === '') throw new RangeError('a stream has a name');
  if (events.length === 0) throw new RangeError('an append has at least one event');
  if (events.length > MAX_APPEND_EVENTS) {
    throw new StoreError('append-too-large', `an append has at most ${MAX_APPEND_EVENTS} events`);
  }
  let sizeBytes = 0;
  const encoded = events.map((event) => {
    const text = encodeEvent(event);
    sizeBytes += sizeOf(text);
    return text;
  });
  if (sizeBytes > MAX_APPEND_BYTES) {
    throw new StoreError('append-too-large', `an append has at most ${MAX_APPEND_BYTES} bytes, not ${sizeBytes}`);
  }
  return { stream, expected: revisionNumber(expected), events: encoded, sizeBytes };
}

/** Gives a stored event back. A text that is not JSON, put there by other means, is given back as it stands. */
export function decodeEvent(
  event: EncodedEvent,
  place: Pick<RecordedEvent, 'stream' | 'revision' | 'position'>,
): RecordedEvent {
  return new StoredEvent(event, place);
}

function encodeEvent({ id, type, schemaVersion, data, metadata, texts }: EventToAppend): EncodedEvent {
  return { id, type, schemaVersion, data: texts?.data ?? jsonOf(data), metadata: texts?.metadata ?? jsonOf(metadata) };
}

function jsonOf(value: unknown): string {
  const text = JSON.stringify(value) as string | undefined;
  if (text === undefined) throw new TypeError('the data and metadata of an event are JSON values');
  return text;
}

function sizeOf({ id, type, schemaVersion, data, metadata }: EncodedEvent): number {
  return (
    FRAME_BYTES +
    String(schemaVersion).length +
    Buffer.byteLength(id) +
    Buffer.byteLength(type) +
    Buffer.byteLength(data) +
    Buffer.byteLength(metadata)
  );
}

function revisionNumber(expected: ExpectedRevision): number {
  if (expected === 'no-stream') return NO_REVISION;
  if (!Number.isSafeInteger(expected) || expected < 0) throw new RangeError('a revision is a whole number from 0');
  return expected;
}
