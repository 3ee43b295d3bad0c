import { canonicalJson, sha256Hex } from './canonical.ts';
import type { EventMetadata, RecordedEvent, SealedEvent } from './envelope.ts';

/** What sealing an event gives. */
export interface Seal {
  /** `eventHash` of the event in its place. */
  readonly hash: string;
  /** The canonical JSON of the whole metadata, `hash` included. */
  readonly metadataText: string;
}

/**
 * Hashes an event and writes its metadata in one go: the text that is hashed is the one that can be stored, but for the
 * hash itself, which stands in it between `correlationId` and `key`.
 */
export function sealEvent(
  stream: string,
  revision: number,
  event: Omit<SealedEvent, 'metadata'> & { readonly metadata: Omit<EventMetadata, 'hash'> },
): Seal {
  const { id, type, schemaVersion, data, metadata } = event;
  const { actor, causationId, commandHash, correlationId, key, previousHash, recordedAt } = metadata;
  const before = canonicalJson({ actor, causationId, commandHash, correlationId }).slice(0, -1);
  const after = canonicalJson({ key, previousHash, recordedAt }).slice(1);
  const place = canonicalJson({ revision: String(revision), schemaVersion, stream, type }).slice(1);
  const content = `{"data":${canonicalJson(data)},"id":${canonicalJson(id)},"metadata":${before},${after},${place}`;
  const hash = sha256Hex(content);
  return { hash, metadataText: `${before},"hash":"${hash}",${after}` };
}

/**
 * `hashHolds` for an event whose metadata have all their members and no others, as decoding makes sure: quicker, because
 * they need not be looked through.
 */
export function sealHolds(event: RecordedEvent): boolean {
  try {
    return sealEvent(event.stream, event.revision, event).hash === event.metadata.hash;
  } catch {
    // Content that has no canonical form, such as half of a surrogate pair.
    return false;
  }
}
