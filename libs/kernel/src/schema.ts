import { z } from 'zod';
import { canonicalJson } from './canonical.ts';
import { withPattern } from './canonical-shape.ts';
import { parseTimestamp } from './clock.ts';
import { accepts } from './guard.ts';
import { ASSET_CODE_PATTERN, ID_PATTERN, SHA256_PATTERN, UUID_PATTERN } from './ids.ts';
import { isUnits } from './money.ts';

const RECORDED_TIME = /^\d{4}-\d{2}-\d{2}T([01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3}Z$/;
/** The last day that was found in the calendar: most events are of the same day as the one before. */
let knownDay = '';

/** Recorded times whose day needs no calendar: all but those of 29 February. */
const EVERYDAY_TIME =
  /^[0-9]{4}-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))T([01][0-9]|2[0-3])[:][0-5][0-9][:][0-5][0-9][.][0-9]{3}Z$/;

/** True for a time as events record it, to the character. */
function isRecordedTimestamp(text: string): boolean {
  if (!RECORDED_TIME.test(text)) return false;
  const day = text.slice(0, 10);
  if (day !== knownDay) {
    if (parseTimestamp(text) !== text) return false;
    knownDay = day;
  }
  return true;
}

/** The building blocks of event schemas, so that a field means the same wherever it stands. */
export const field = {
  id: z.string().regex(ID_PATTERN),
  uuid: z.string().regex(UUID_PATTERN),
  assetCode: z.string().regex(ASSET_CODE_PATTERN),
  /** Minor units as a decimal string. */
  units: withPattern(
    z.string().refine(isUnits, 'must be minor units as a decimal string').meta({ pattern: '^(0|[1-9][0-9]{0,37})$' }),
    /^(0|[1-9][0-9]{0,37})$/,
  ),
  /** More than zero minor units. */
  positiveUnits: withPattern(
    z
      .string()
      .refine((text) => isUnits(text) && text !== '0', 'must be minor units, more than zero, as a decimal string')
      .meta({ pattern: '^[1-9][0-9]{0,37}$' }),
    /^[1-9][0-9]{0,37}$/,
  ),
  /** What an account has, in minor units: more digits than one amount, for transfers that come back always land. */
  balanceUnits: z.string().regex(/^(0|[1-9][0-9]{0,49})$/),
  timestamp: withPattern(
    z.string().refine(isRecordedTimestamp, 'must be RFC 3339, UTC, with milliseconds').meta({ format: 'date-time' }),
    EVERYDAY_TIME,
  ),
  sha256: z.string().regex(SHA256_PATTERN),
  /** Free text of people, bounded. */
  text: (maxLength: number) => z.string().min(1).max(maxLength),
  /** A revision as a decimal string, of no more digits than a number holds exactly: it is looked up in a store. */
  revision: z.string().regex(/^(0|[1-9][0-9]{0,14})$/),
  /** The `sub` of a token. */
  actorId: z.string().min(1).max(128),
} as const;

export const pointerSchema = z.strictObject({
  stream: z.string().min(1).max(96),
  revision: field.revision,
  eventId: field.uuid,
});

/** One older version of an event's data and the step to the next version. */
export interface EarlierVersion {
  readonly schema: z.ZodType;
  readonly toNext: (data: never) => unknown;
}

/**
 * What the registry knows of an event: guards, the catalogue and the upcasters all come from here. `earlier[0]` is version
 * 1; the current version is `earlier.length + 1`.
 */
export interface EventDefinition<Type extends string = string, Schema extends z.ZodType = z.ZodType> {
  /** The stored name: it never changes, whatever the code is called. */
  readonly type: Type;
  /** The streams it stands on, by prefix: `account` for `account-<id>`. */
  readonly streams: readonly string[];
  /** One sentence for the catalogue. */
  readonly summary: string;
  readonly schema: Schema;
  readonly earlier?: readonly EarlierVersion[];
}

export function defineEvent<const Type extends string, Schema extends z.ZodType>(
  definition: EventDefinition<Type, Schema>,
): EventDefinition<Type, Schema> {
  return definition;
}

/** The event type that a definition describes. */
export type EventOf<Definition> =
  Definition extends EventDefinition<infer Type, infer Schema>
    ? { readonly type: Type; readonly data: z.infer<Schema> }
    : never;

export function currentVersion(definition: EventDefinition): number {
  return (definition.earlier?.length ?? 0) + 1;
}

/**
 * Checks stored data against the version it was written in and lifts it to the current one.
 * @returns the data, or a sentence saying what is wrong with it
 */
export function decodeData(
  definition: EventDefinition,
  schemaVersion: number,
  data: unknown,
): { readonly ok: true; readonly data: unknown } | { readonly ok: false; readonly problem: string } {
  const earlier = definition.earlier ?? [];
  if (!Number.isInteger(schemaVersion) || schemaVersion < 1 || schemaVersion > earlier.length + 1) {
    return { ok: false, problem: `schemaVersion ${String(schemaVersion)} of ${definition.type} is not known` };
  }
  if (schemaVersion > earlier.length && accepts(definition.schema, data)) return { ok: true, data };
  let value: unknown = data;
  for (const version of earlier.slice(schemaVersion - 1)) {
    const parsed = version.schema.safeParse(value);
    if (!parsed.success) return { ok: false, problem: describeIssues(parsed.error) };
    value = version.toNext(parsed.data as never);
  }
  const parsed = definition.schema.safeParse(value);
  if (!parsed.success) return { ok: false, problem: describeIssues(parsed.error) };
  // What says the same is given back as it stands, to the order of its members: answers are made of it.
  return { ok: true, data: isTheSame(parsed.data, data) ? data : parsed.data };
}

/** Whatever the order of members. False for what has no canonical form: its hash does not hold either. */
function isTheSame(one: unknown, other: unknown): boolean {
  try {
    return canonicalJson(one) === canonicalJson(other);
  } catch {
    return false;
  }
}

function describeIssues(error: z.ZodError): string {
  return error.issues.map((issue) => `${issue.path.join('.') || 'data'}: ${issue.message}`).join('; ');
}

/** A revision of a stream as of which something was so: that stays true, whatever comes later. */
export const asOfSchema = z.strictObject({ stream: pointerSchema.shape.stream, revision: field.revision });
export type AsOf = z.infer<typeof asOfSchema>;
