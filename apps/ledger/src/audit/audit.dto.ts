import type { EventReader } from '#event-store';
import type { RecordedEvent } from '#kernel';
import type { RefusalView, ViolationView } from '#projections';
import { ApiProperty } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { ListQuery, ReadQuery } from '../edge/query-edge.ts';
import { pageOf } from '../openapi/answers.ts';
import { as } from '../openapi/schemas.ts';
import { RuleField } from '../validation/fields.ts';
import { countRule, momentRule, positionRule, streamRule, typesRule } from '../validation/rules.ts';

/** Most events that one JSON answer holds; NDJSON has no such bound. */
export const MAX_PAGE = 500;
const MAX_LINES = 1_000_000_000;

const AS_TEXT =
  'What was stored by other means may be anything; where it is no JSON, or nests too deep, a string is its text.';

export class EventsQuery extends ReadQuery {
  @RuleField(positionRule, {
    optional: true,
    description: 'Only events after this position; a 503 where the log does not reach it.',
  })
  after?: string;

  @RuleField(positionRule, { optional: true, description: '`nextCursor` of the answer before; the same as `after`.' })
  cursor?: string;

  @RuleField(countRule(MAX_LINES), {
    optional: true,
    description: 'Most events: of JSON 50 if absent and 500 at most; of NDJSON all if absent.',
  })
  @Transform(({ value }) => Number(value))
  limit?: number;

  @RuleField(typesRule, { optional: true, description: 'Types of events, with commas between them.' })
  @Transform(({ value }) => String(value).split(','))
  types?: string[];

  @RuleField(streamRule, { optional: true })
  stream?: string;
}

export class StreamPath {
  @RuleField(streamRule)
  stream!: string;
}

export class AsOfQuery extends ReadQuery {
  @RuleField(momentRule, { optional: true, description: 'A position or a time, inclusive; now if absent.' })
  at?: string;
}

export class FreezesAsOfQuery extends ListQuery {
  @RuleField(momentRule, { optional: true, description: 'A position or a time, inclusive; now if absent.' })
  at?: string;
}

/** An event as it stands in the log, amounts in minor units. */
export class AuditedEvent {
  @ApiProperty(as('position'))
  position!: string;

  @ApiProperty(as('text'))
  stream!: string;

  @ApiProperty(as('revision'))
  revision!: string;

  @ApiProperty(as('uuid'))
  id!: string;

  @ApiProperty(as('text'))
  type!: string;

  @ApiProperty(as('integer'))
  schemaVersion!: number;

  @ApiProperty(as('stored', { description: `See docs/events.md. Null where it is withheld. ${AS_TEXT}` }))
  data!: unknown;

  @ApiProperty(
    as('stored', {
      description: `An object. Its \`correlationId\` is null where it names an order that is withheld. ${AS_TEXT}`,
    }),
  )
  metadata!: unknown;
}

export class Refusal {
  @ApiProperty(as('text'))
  stream!: string;

  @ApiProperty(as('revision'))
  revision!: string;

  @ApiProperty(as('position'))
  position!: string;

  @ApiProperty(as('uuid'))
  eventId!: string;

  @ApiProperty(as('text', { description: 'What was asked, e.g. `ReserveWithdrawal`.' }))
  command!: string;

  @ApiProperty(as('text'))
  code!: string;

  @ApiProperty(as('text', { nullable: true, description: 'Null where it is withheld, as the three below.' }))
  detail!: string | null;

  @ApiProperty(as('anything', { nullable: true }))
  extra!: unknown;

  @ApiProperty(as('anything', { nullable: true, description: 'What was asked, as given.' }))
  request!: unknown;

  @ApiProperty(as('anything', { nullable: true, description: 'Where it was decided, when not on this stream.' }))
  decidedOn!: unknown;

  @ApiProperty(as('text'))
  actor!: string;

  @ApiProperty(as('time'))
  recordedAt!: string;
}

export class Violation {
  @ApiProperty(as('text'))
  stream!: string;

  @ApiProperty(as('revision'))
  revision!: string;

  @ApiProperty(as('position'))
  position!: string;

  @ApiProperty(as('text'))
  eventId!: string;

  @ApiProperty(as('text'))
  type!: string;

  @ApiProperty(as('text', { enum: ['malformed-event', 'hash-mismatch', 'citation-unresolved', 'illegal-event'] }))
  code!: string;

  @ApiProperty(as('text', { nullable: true, description: 'Null where it is withheld.' }))
  detail!: string | null;

  @ApiProperty(as('time'))
  detectedAt!: string;
}

export const EventPage = pageOf('EventPage', AuditedEvent);
export const RefusalPage = pageOf('RefusalPage', Refusal);
export const ViolationPage = pageOf('ViolationPage', Violation);

export type LogReader = Pick<EventReader, 'read' | 'readAll' | 'head'>;

export function shownEvent(event: RecordedEvent): AuditedEvent {
  const { position, stream, revision, id, type, schemaVersion, data, metadata } = event;
  return { position, stream, revision: String(revision), id, type, schemaVersion, data, metadata };
}

export function shownRefusal(view: RefusalView): Refusal {
  return { ...view, revision: String(view.revision) };
}

export function shownViolation(view: ViolationView): Violation {
  return { ...view, revision: String(view.revision) };
}
