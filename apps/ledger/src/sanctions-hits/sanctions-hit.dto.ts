import {
  CLEARANCE_AUTHORITIES,
  CLEARANCE_CAUSES,
  CLEARANCE_STATES,
  HIT_STATES,
  MAX_PROGRAMMES,
  MEASURES,
  ROUTES,
  type Clearance as ProposedClearance,
  type Hit,
  type HitState,
} from '#sanctions';
import { ApiExtraModels, ApiProperty, getSchemaPath } from '@nestjs/swagger';
import { ListQuery } from '../edge/query-edge.ts';
import { AddressSubjectBody, PartySubjectBody } from '../legal-orders/legal-order.dto.ts';
import { answerOf, pageOf } from '../openapi/answers.ts';
import { as } from '../openapi/schemas.ts';
import {
  ChoiceField,
  DateField,
  IdField,
  KindField,
  NestedField,
  PartField,
  Sha256Field,
  TextField,
  TextsField,
} from '../validation/fields.ts';

export class ListVersionBody {
  @TextField(64, { example: 'ofac-sdn' })
  id!: string;

  @TextField(64, { example: '2022-04-06' })
  version!: string;

  @Sha256Field({ description: 'Of the list as it was published.' })
  sha256!: string;
}

export class ListEntryBody {
  @TextField(64, { description: 'What the list calls the entry.' })
  uid!: string;

  @Sha256Field({ description: 'Of the entry alone.' })
  sha256!: string;

  @TextField(300)
  name!: string;

  @TextsField(MAX_PROGRAMMES, 64, { example: ['RUSSIA-EO14024'] })
  programmes!: string[];

  @ChoiceField(MEASURES, { description: 'Only `asset-freeze` supports a freeze.' })
  measure!: Hit['entry']['measure'];

  @DateField({ optional: true })
  listedOn?: string;
}

export class MatchBody {
  @TextField(64, { example: 'name' })
  field!: string;

  @TextField(300)
  value!: string;

  @TextField(64, { example: 'exact' })
  algorithm!: string;

  @TextField(64, { example: '1' })
  algorithmVersion!: string;

  @PartField({ example: 1 })
  score!: number;

  @TextField(500)
  explanation!: string;
}

export class RaiseSanctionsHitBody {
  @IdField({ example: 'hit-1' })
  hitId!: string;

  @NestedField(() => ListVersionBody)
  list!: ListVersionBody;

  @NestedField(() => ListEntryBody)
  entry!: ListEntryBody;

  @KindField({ party: PartySubjectBody, address: AddressSubjectBody })
  subject!: PartySubjectBody | AddressSubjectBody;

  @ChoiceField(ROUTES, { optional: true, description: '`direct`, if absent.' })
  route?: Hit['route'];

  @PartField({ optional: true, above: true, description: 'What listed persons own together: 0.5 is a half.' })
  aggregateShare?: number;

  @NestedField(() => MatchBody)
  match!: MatchBody;
}

export class ClearanceAuthorityBody {
  @ChoiceField(CLEARANCE_AUTHORITIES)
  kind!: ProposedClearance['authority']['kind'];

  @TextField(200)
  reference!: string;

  @Sha256Field({ optional: true })
  sha256?: string;
}

export class ProposeClearanceBody {
  @IdField({ example: 'clr-1' })
  clearanceId!: string;

  @ChoiceField(CLEARANCE_CAUSES)
  cause!: ProposedClearance['cause'];

  @NestedField(() => ClearanceAuthorityBody, { description: 'What the clearance relies on.' })
  authority!: ClearanceAuthorityBody;
}

export class HitPath {
  @IdField()
  hitId!: string;
}

export class ClearancePath extends HitPath {
  @IdField()
  clearanceId!: string;
}

export class SanctionsHitsQuery extends ListQuery {
  @IdField({ optional: true, description: 'Hits on who holds the account, or on an address of theirs.' })
  accountId?: string;

  @IdField({ optional: true, description: 'Hits on the party, or on an address that it controls.' })
  partyId?: string;

  @IdField({ optional: true, description: 'The hit itself.' })
  basisId?: string;

  @ChoiceField(HIT_STATES, { optional: true })
  state?: HitState;
}

export class ListVersion {
  @ApiProperty(as('text'))
  id!: string;

  @ApiProperty(as('text'))
  version!: string;

  @ApiProperty(as('sha256'))
  sha256!: string;
}

export class ListEntry {
  @ApiProperty(as('text'))
  uid!: string;

  @ApiProperty(as('sha256'))
  sha256!: string;

  @ApiProperty(as('text'))
  name!: string;

  @ApiProperty(as('text', { list: true }))
  programmes!: readonly string[];

  @ApiProperty(as('text', { enum: MEASURES }))
  measure!: string;

  @ApiProperty(as('text', { optional: true }))
  listedOn?: string;
}

export class Match {
  @ApiProperty(as('text'))
  field!: string;

  @ApiProperty(as('text'))
  value!: string;

  @ApiProperty(as('text'))
  algorithm!: string;

  @ApiProperty(as('text'))
  algorithmVersion!: string;

  @ApiProperty({ type: 'number' })
  score!: number;

  @ApiProperty(as('text'))
  explanation!: string;
}

export class Confirmation {
  @ApiProperty(as('text', { nullable: true }))
  note!: string | null;

  @ApiProperty(as('text'))
  confirmedBy!: string;

  @ApiProperty(as('time'))
  confirmedAt!: string;
}

export class Dismissal {
  @ApiProperty(as('text'))
  reason!: string;

  @ApiProperty(as('text'))
  dismissedBy!: string;

  @ApiProperty(as('time'))
  dismissedAt!: string;
}

export class ClearanceAuthority {
  @ApiProperty(as('text', { enum: CLEARANCE_AUTHORITIES }))
  kind!: string;

  @ApiProperty(as('text'))
  reference!: string;

  @ApiProperty(as('sha256', { optional: true }))
  sha256?: string;
}

export class Clearance {
  @ApiProperty(as('id'))
  hitId!: string;

  @ApiProperty(as('id'))
  clearanceId!: string;

  @ApiProperty(as('text', { enum: CLEARANCE_CAUSES }))
  cause!: string;

  @ApiProperty({ type: ClearanceAuthority })
  authority!: ClearanceAuthority;

  @ApiProperty(as('text', { enum: CLEARANCE_STATES }))
  state!: string;

  @ApiProperty(as('text'))
  proposedBy!: string;

  @ApiProperty(as('text', { nullable: true }))
  decidedBy!: string | null;

  @ApiProperty(as('text', { nullable: true, description: 'Of an approval.' }))
  note!: string | null;

  @ApiProperty(as('text', { nullable: true, description: 'Of a rejection.' }))
  reason!: string | null;

  @ApiProperty(as('time'))
  createdAt!: string;

  @ApiProperty(as('time'))
  updatedAt!: string;
}

@ApiExtraModels(PartySubjectBody, AddressSubjectBody)
export class SanctionsHit {
  @ApiProperty(as('id'))
  hitId!: string;

  @ApiProperty({ type: ListVersion })
  list!: ListVersion;

  @ApiProperty({ type: ListEntry })
  entry!: ListEntry;

  @ApiProperty({
    oneOf: [{ $ref: getSchemaPath(PartySubjectBody) }, { $ref: getSchemaPath(AddressSubjectBody) }],
  })
  subject!: object;

  @ApiProperty(as('text', { enum: ROUTES }))
  route!: string;

  @ApiProperty({ type: 'number', required: false })
  aggregateShare?: number;

  @ApiProperty({ type: Match })
  match!: Match;

  @ApiProperty(as('text', { enum: HIT_STATES }))
  state!: string;

  @ApiProperty(as('text'))
  raisedBy!: string;

  @ApiProperty({ type: Confirmation, nullable: true })
  confirmation!: Confirmation | null;

  @ApiProperty({ type: Dismissal, nullable: true })
  dismissal!: Dismissal | null;

  @ApiProperty(as('time', { nullable: true }))
  clearedAt!: string | null;

  @ApiProperty({ type: Clearance, isArray: true })
  clearances!: readonly Clearance[];

  @ApiProperty(as('time'))
  createdAt!: string;

  @ApiProperty(as('time'))
  updatedAt!: string;
}

export const SanctionsHitAnswer = answerOf('sanctionsHit', SanctionsHit);
export const SanctionsHitPage = pageOf('SanctionsHitPage', SanctionsHit);
export const ClearanceAnswer = answerOf('clearance', Clearance);
