/** Between the protocol's messages and the log's terms. */
import { type ExpectedRevision } from '../log/commit-check.ts';
import { type LogEvent, type LogPosition, type ProposedEvent, TOMBSTONE_REVISION } from '../log/log-event.ts';
import { type Shared, shared, type Streams, streams } from './protocol.ts';

const MAX_REVISION = '9223372036854775807';
const MAX_UINT64 = 18446744073709551615n;
const JSON_TYPE = 'application/json';

export const streamName = (identifier: Shared.StreamIdentifier | undefined): string =>
  Buffer.from(identifier?.getStreamName_asU8() ?? []).toString('utf8');

export function streamIdentifier(stream: string): Shared.StreamIdentifier {
  return new shared.StreamIdentifier().setStreamName(Buffer.from(stream, 'utf8'));
}

export function uuid(id: string): Shared.UUID {
  return new shared.UUID().setString(id);
}

/** A UUID in lower case with hyphens, by either of its two forms. */
export function uuidText(id: Shared.UUID | undefined): string {
  const structured = id?.getStructured();
  if (structured === undefined) return (id?.getString() ?? '').toLowerCase();
  const hex = [structured.getMostSignificantBits(), structured.getLeastSignificantBits()]
    .map((bits) => BigInt.asUintN(64, BigInt(bits)).toString(16).padStart(16, '0'))
    .join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

/** The revision that an append or a delete expects. `exact` is asked for when none of the three words stands. */
export function expectedRevision(
  options: { hasAny(): boolean; hasNoStream(): boolean; hasStreamExists(): boolean },
  exact: () => string,
): ExpectedRevision {
  if (options.hasAny()) return 'any';
  if (options.hasNoStream()) return 'no_stream';
  return options.hasStreamExists() ? 'stream_exists' : Number(exact());
}

export function proposedEvent(
  message: Streams.AppendReq.ProposedMessage | Streams.BatchAppendReq.ProposedMessage,
): ProposedEvent {
  const metadata = message.getMetadataMap();
  return {
    id: uuidText(message.getId()),
    type: metadata.get('type') ?? '',
    isJson: metadata.get('content-type') === JSON_TYPE,
    // Copies: what the message has are parts of what came by the connection.
    data: Buffer.from(message.getData_asU8()),
    metadata: Buffer.from(message.getCustomMetadata_asU8()),
  };
}

/** What counts against the largest append: of events with data, that alone. */
export function appendSizeBytes(events: readonly ProposedEvent[]): number {
  return events.reduce((sum, { data }) => sum + data.length, 0);
}

/** A subscription or read to where a client was; beyond any log when it names the largest position. */
export function logPosition(position: Streams.ReadReq.Options.Position | undefined): LogPosition {
  const [commit, prepare] = [position?.getCommitPosition(), position?.getPreparePosition()].map((text) =>
    BigInt(text ?? 0) === MAX_UINT64 ? Infinity : Number(text ?? 0),
  );
  return { commit: commit ?? 0, prepare: prepare ?? 0 };
}

export const positionText = (position: number): string =>
  position === Infinity ? MAX_UINT64.toString() : String(position);

export function eventResponse(event: LogEvent): Streams.ReadResp {
  const position = String(event.position);
  const recorded = new streams.ReadResp.ReadEvent.RecordedEvent()
    .setId(uuid(event.id))
    .setStreamIdentifier(streamIdentifier(event.stream))
    .setStreamRevision(event.revision === TOMBSTONE_REVISION ? MAX_REVISION : String(event.revision))
    .setCommitPosition(position)
    .setPreparePosition(position)
    .setCustomMetadata(event.metadata)
    .setData(event.data);
  recorded
    .getMetadataMap()
    .set('type', event.type)
    .set('created', `${event.createdMs}0000`)
    .set('content-type', event.isJson ? JSON_TYPE : 'application/octet-stream');
  const read = new streams.ReadResp.ReadEvent().setEvent(recorded).setCommitPosition(position);
  return new streams.ReadResp().setEvent(read);
}

export function checkpointResponse({ commit, prepare }: LogPosition): Streams.ReadResp {
  const checkpoint = new streams.ReadResp.Checkpoint()
    .setCommitPosition(positionText(commit))
    .setPreparePosition(positionText(prepare));
  return new streams.ReadResp().setCheckpoint(checkpoint);
}
