import { decodeEvent, type EncodedEvent, StoreError } from '#event-store';
import type { RecordedEvent } from '#kernel';
import shared from '@eventstore/db-client/generated/shared_pb.js';
import streams from '@eventstore/db-client/generated/streams_pb.js';
import { positionAt } from './places.ts';

export type WireEvent = streams.ReadResp.ReadEvent.RecordedEvent;

const JSON_TYPE = 'application/json';
/** The version of an event that says none: no schema has it. */
const NO_VERSION = 0;
/** Where the mark of a deletion stands: on the server at the largest 64-bit integer, which a number does not hold. */
const MARK_REVISION = Number.MAX_SAFE_INTEGER;
const VERSION_AT_END = /,?"schemaVersion":(0|[1-9][0-9]{0,14})\}$/;
const EVENT_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** An event as the server is sent it: texts become bytes once. */
export interface OutgoingEvent {
  readonly id: string;
  readonly type: string;
  readonly data: Buffer;
  readonly metadata: Buffer;
}

/**
 * The schema's version stands at the end of the metadata, which is where canonical JSON has it: its name sorts behind
 * those of the envelope. An event without a version, put into a log by other means, is written without one again.
 * @throws RangeError or TypeError for what only a bug or a forgery can ask, as it would not be given back as it is: an id that
 * is no lower-case UUID, no type, a version that is none, metadata that are no object, half of a surrogate pair
 */
export function toWire({ id, type, schemaVersion, data, metadata }: EncodedEvent): OutgoingEvent {
  if (!EVENT_ID.test(id)) throw new RangeError('the id of an event is a UUID in lower case');
  if (type === '') throw new RangeError('an event has a type');
  const wireMetadata = joinMetadata(metadata, schemaVersion);
  if (![type, data, metadata].every((text) => text.isWellFormed())) {
    throw new TypeError('half of a surrogate pair has no form in UTF-8');
  }
  return { id, type, data: Buffer.from(data), metadata: Buffer.from(wireMetadata) };
}

function joinMetadata(metadata: string, schemaVersion: number): string {
  const open = metadata.slice(0, -1);
  const joined = `${open}${open === '{' ? '' : ','}"schemaVersion":${String(schemaVersion)}}`;
  if (comesBack(joined, metadata, schemaVersion)) return joined;
  if (comesBack(metadata, metadata, schemaVersion)) return metadata;
  throw new TypeError('the metadata of an event are an object, and its version is a whole number from 0');
}

function comesBack(text: string, metadata: string, schemaVersion: number): boolean {
  const read = splitMetadata(text);
  return read.metadata === metadata && read.schemaVersion === schemaVersion;
}

/**
 * Gives a stored event back, its texts word for word. What was put there by other means comes out so that nobody takes it
 * for one of ours: data that are not said to be JSON as a text, and an event without a version with one that nothing has.
 */
export function fromWire(event: WireEvent, stream: string): RecordedEvent {
  const position = positionAt(event.getCommitPosition(), event.getPreparePosition());
  if (position === undefined) {
    throw new StoreError(
      'store-unavailable',
      'the event store tells no positions: EventStoreDB 22.10 or newer is needed',
    );
  }
  const { metadata, schemaVersion } = splitMetadata(textOf(event.getCustomMetadata_asU8()));
  const data = textOf(event.getData_asU8());
  const headers = event.getMetadataMap();
  const encoded: EncodedEvent = {
    id: readUuid(event.getId()),
    type: headers.get('type') ?? '',
    schemaVersion,
    data: headers.get('content-type') === JSON_TYPE ? data : JSON.stringify(data),
    metadata,
  };
  return decodeEvent(encoded, {
    stream,
    revision: Math.min(Number(event.getStreamRevision()), MARK_REVISION),
    position,
  });
}

/**
 * What is left of a stream that was deleted for good, as the log of all streams has it, but for its id and position, which
 * the server does not tell of one stream. So nobody takes it for a stream without events: all before the mark is missing.
 */
export function deletionMark(stream: string): RecordedEvent {
  const mark = { id: '', type: '$streamDeleted', schemaVersion: NO_VERSION, data: '{}', metadata: '{}' };
  return decodeEvent(mark, { stream, revision: MARK_REVISION, position: '' });
}

export function streamNameOf(event: WireEvent): string {
  return textOf(event.getStreamIdentifier()?.getStreamName_asU8() ?? new Uint8Array());
}

/** Whether what stands in the log has the very bytes that were sent. */
export function isSame(event: WireEvent, { id, type, data, metadata }: OutgoingEvent): boolean {
  return (
    readUuid(event.getId()) === id &&
    event.getMetadataMap().get('type') === type &&
    data.equals(event.getData_asU8()) &&
    metadata.equals(event.getCustomMetadata_asU8())
  );
}

export function proposed({ id, type, data, metadata }: OutgoingEvent): streams.BatchAppendReq.ProposedMessage {
  const message = new streams.BatchAppendReq.ProposedMessage();
  message.setId(writeUuid(id));
  message.getMetadataMap().set('type', type).set('content-type', JSON_TYPE);
  message.setData(data);
  message.setCustomMetadata(metadata);
  return message;
}

export function writeUuid(text: string): shared.UUID {
  const uuid = new shared.UUID();
  uuid.setString(text);
  return uuid;
}

/** Servers write ids as text or as two numbers, whatever they were asked. */
export function readUuid(uuid: shared.UUID | undefined): string {
  const parts = uuid?.getStructured();
  if (parts === undefined) return uuid?.getString() ?? '';
  const [high, low] = [parts.getMostSignificantBits(), parts.getLeastSignificantBits()].map((half) =>
    BigInt.asUintN(64, BigInt(half)).toString(16).padStart(16, '0'),
  );
  const digits = `${high ?? ''}${low ?? ''}`;
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

function splitMetadata(text: string): { readonly metadata: string; readonly schemaVersion: number } {
  const version = VERSION_AT_END.exec(text);
  if (version === null) return { metadata: text, schemaVersion: NO_VERSION };
  return { metadata: `${text.slice(0, version.index)}}`, schemaVersion: Number(version[1]) };
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString();
}
