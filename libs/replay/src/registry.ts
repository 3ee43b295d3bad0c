import { accountEvents } from '#accounts';
import { assetEvents } from '#assets';
import { authorityRequestEvents } from '#authority-requests';
import {
  accepts,
  canonicalShape,
  currentVersion,
  decodeData,
  field,
  isAsWritten,
  linkIn,
  sealHolds,
  sealHoldsIn,
  StoredEvent,
  UUID_PATTERN,
  type EventDefinition,
  type EventTexts,
  type Link,
  type Recorded,
  type RecordedEvent,
} from '#kernel';
import { legalOrderEvents } from '#legal-orders';
import { partyEvents } from '#parties';
import { sanctionsHitEvents } from '#sanctions';
import { z } from 'zod';
import type { LedgerEvent, StreamState } from './judged.ts';

/** What a stream can be about: the part of its name before the first `-`. */
export type StreamKind = StreamState['kind'];

const EVENTS: Readonly<Record<StreamKind, readonly EventDefinition[]>> = {
  asset: assetEvents,
  party: partyEvents,
  account: accountEvents,
  legalOrder: legalOrderEvents,
  sanctionsHit: sanctionsHitEvents,
  authorityRequest: authorityRequestEvents,
};

/** Every event there is, by the kind of stream it stands on: guards, catalogue and upcasters come from here. */
export const registry: Readonly<Record<StreamKind, ReadonlyMap<string, EventDefinition>>> = {
  asset: byType(EVENTS.asset),
  party: byType(EVENTS.party),
  account: byType(EVENTS.account),
  legalOrder: byType(EVENTS.legalOrder),
  sanctionsHit: byType(EVENTS.sanctionsHit),
  authorityRequest: byType(EVENTS.authorityRequest),
};

function byType(definitions: readonly EventDefinition[]): ReadonlyMap<string, EventDefinition> {
  return new Map(definitions.map((definition) => [definition.type, definition]));
}

/** Prefixes of all streams of ours. */
export const STREAM_PREFIXES: readonly string[] = Object.keys(EVENTS).map((kind) => `${kind}-`);

export function kindOfStream(stream: string): StreamKind | undefined {
  const kind = stream.slice(0, Math.max(0, stream.indexOf('-')));
  return Object.hasOwn(EVENTS, kind) ? (kind as StreamKind) : undefined;
}

/** The id in a stream's name: `acc-1` of `account-acc-1`. */
export function idOfStream(stream: string): string {
  return stream.slice(stream.indexOf('-') + 1);
}

/** What every event's metadata is. */
export const metadataSchema = z.strictObject({
  actor: z.strictObject({ id: field.actorId, roles: z.array(z.string().max(32)).max(16) }),
  correlationId: z.string().min(1).max(128),
  causationId: field.uuid.nullable(),
  key: z
    .strictObject({ caller: field.actorId, homeStream: z.string().min(1).max(96), value: field.text(255) })
    .nullable(),
  commandHash: field.sha256.nullable(),
  recordedAt: field.timestamp,
  previousHash: field.sha256.nullable(),
  hash: field.sha256,
});

/** An event that is well formed, with its data lifted to the current version. */
interface Decoded {
  readonly ok: true;
  readonly event: Recorded<LedgerEvent>;
  /** The texts that it was read from, when both are known to be canonical JSON. */
  readonly canonical: EventTexts | undefined;
}

/** Checks envelope and data against the registry and lifts the data to the current version. */
export function decodeEvent(recorded: RecordedEvent): Decoded | { readonly ok: false; readonly problem: string } {
  const kind = kindOfStream(recorded.stream);
  const definition = kind === undefined ? undefined : registry[kind].get(recorded.type);
  if (definition === undefined)
    return { ok: false, problem: `no event of type ${recorded.type} belongs on this stream` };
  // Nothing could point to it: the service would have begun what it can never finish.
  if (!UUID_PATTERN.test(recorded.id)) return { ok: false, problem: 'id: must be a UUID' };
  const texts = StoredEvent.textsOf(recorded);
  const metadataShape = texts && canonicalShape(metadataSchema, texts.metadata);
  if (metadataShape !== 'valid' && !accepts(metadataSchema, recorded.metadata)) {
    const metadata = metadataSchema.safeParse(recorded.metadata);
    if (!metadata.success) {
      const issue = metadata.error.issues[0];
      return { ok: false, problem: `metadata.${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'malformed'}` };
    }
  }
  const isCurrent = recorded.schemaVersion === currentVersion(definition);
  const dataShape = texts && isCurrent ? canonicalShape(definition.schema, texts.data) : undefined;
  const canonical = metadataShape !== undefined && dataShape !== undefined ? texts : undefined;
  if (dataShape === 'valid') return { ok: true, event: recorded as Recorded<LedgerEvent>, canonical };
  const decoded = decodeData(definition, recorded.schemaVersion, recorded.data);
  if (!decoded.ok) return decoded;
  // As it stands for all but the events of earlier versions.
  const event = decoded.data === recorded.data ? recorded : { ...recorded, data: decoded.data };
  return { ok: true, event: event as Recorded<LedgerEvent>, canonical };
}

/** What places a well-formed event in its stream. @param canonical of its decoding */
export function linkOf(recorded: RecordedEvent, canonical: EventTexts | undefined): Link {
  return canonical === undefined ? recorded.metadata : linkIn(canonical.metadata);
}

/** True when an event has the hash of its content. @param canonical of its decoding */
export function hashIsRight(recorded: RecordedEvent, canonical: EventTexts | undefined): boolean {
  return canonical === undefined ? sealHolds(recorded) : sealHoldsIn(recorded, canonical);
}

/** What is wrong with an event that has not the hash of its content, or a text that says more than was hashed. */
export function hashFault(recorded: RecordedEvent): string {
  if (isAsWritten(recorded)) return 'hash is not that of the content';
  return 'the text of its data or metadata is not what writing it gives: something may stand in it twice';
}
