import { canonicalJson, sha256Hex } from './canonical.ts';
import type { EventMetadata, RecordedEvent, SealedEvent } from './envelope.ts';
import { isAsWritten, type EventTexts } from './stored-event.ts';

/** What sealing an event gives. */
export interface Seal {
  /** `eventHash` of the event in its place. */
  readonly hash: string;
  /** The canonical JSON of the data, and of the whole metadata, `hash` included. */
  readonly texts: EventTexts;
}

/**
 * Hashes an event and writes its data and metadata in one go: the text that is hashed is the one that can be stored, but
 * for the hash itself, which stands in it between `correlationId` and `key`.
 */
export function sealEvent(
  stream: string,
  revision: number,
  event: Omit<SealedEvent, 'metadata'> & { readonly metadata: Omit<EventMetadata, 'hash'> },
): Seal {
  const { actor, causationId, commandHash, correlationId, key, previousHash, recordedAt } = event.metadata;
  const before = canonicalJson({ actor, causationId, commandHash, correlationId }).slice(0, -1);
  const after = canonicalJson({ key, previousHash, recordedAt }).slice(1);
  const data = canonicalJson(event.data);
  const hash = hashOf(stream, revision, event, data, `${before},${after}`);
  return { hash, texts: { data, metadata: `${before},"hash":"${hash}",${after}` } };
}

/** The hash of an event from its parts as canonical JSON, the metadata without the hash. */
function hashOf(
  stream: string,
  revision: number,
  { id, type, schemaVersion }: Pick<SealedEvent, 'id' | 'type' | 'schemaVersion'>,
  data: string,
  metadata: string,
): string {
  const place = `"revision":"${String(revision)}","schemaVersion":${canonicalJson(schemaVersion)},"stream":${canonicalJson(stream)}`;
  return sha256Hex(
    `{"data":${data},"id":${canonicalJson(id)},"metadata":${metadata},${place},"type":${canonicalJson(type)}}`,
  );
}

/**
 * `hashHolds` for an event whose metadata have all their members and no others, as decoding makes sure: quicker, because
 * they need not be looked through.
 */
export function sealHolds(event: RecordedEvent): boolean {
  try {
    return sealEvent(event.stream, event.revision, event).hash === event.metadata.hash && isAsWritten(event);
  } catch {
    // Content that has no canonical form, such as half of a surrogate pair.
    return false;
  }
}

const HASH_START = ',"hash":"';
const HASH_END = '",';

/**
 * `sealHolds` for an event that was read from these very texts, which have the shape of canonical JSON
 * (`canonicalShape`): they need not be written again. No text in them has a quote in it, so the hash is where it seems.
 */
export function sealHoldsIn(event: RecordedEvent, { data, metadata }: EventTexts): boolean {
  const start = metadata.indexOf(HASH_START);
  const end = metadata.indexOf(HASH_END, start + HASH_START.length);
  const unsealed = `${metadata.slice(0, start)},${metadata.slice(end + HASH_END.length)}`;
  const hash = metadata.slice(start + HASH_START.length, end);
  return hashOf(event.stream, event.revision, event, data, unsealed) === hash;
}

const LINK_START = ',"previousHash":';
const LINK_END = ',"recordedAt":';

/** What of an event's metadata places it in its stream. */
export type Link = Pick<EventMetadata, 'hash' | 'previousHash' | 'recordedAt'>;

/**
 * The link in the text of metadata that have the shape of canonical JSON: their other members need not be parsed. No text
 * in them has a quote in it, so what stands between quotes and before a colon is the name of a member.
 */
export function linkIn(metadata: string): Link {
  const hash = metadata.indexOf(HASH_START) + HASH_START.length;
  const end = metadata.lastIndexOf(LINK_END);
  const previousHash = metadata.lastIndexOf(LINK_START, end) + LINK_START.length;
  // A piece of a text keeps the whole of it in memory, which one that is parsed does not: folds keep two of the three.
  return {
    hash: JSON.parse(metadata.slice(hash - 1, metadata.indexOf('"', hash) + 1)) as string,
    previousHash: metadata[previousHash] === '"' ? metadata.slice(previousHash + 1, end - 1) : null,
    recordedAt: JSON.parse(metadata.slice(end + LINK_END.length, -1)) as string,
  };
}
