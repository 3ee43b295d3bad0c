import { BASIS_KINDS, type Recorded } from '#kernel';
import { ADDRESS_ROLES, PARTY_KINDS, type AddressLinked, type AddressRole, type PartyView } from '#parties';
import type { PartyWithAccounts as PartyInQueries } from '#projections';
import { ApiProperty } from '@nestjs/swagger';
import type { Caller } from '../auth/roles.ts';
import { seesFreezesWhole } from '../auth/roles.ts';
import { ListQuery } from '../edge/query-edge.ts';
import { answerOf, pageOf } from '../openapi/answers.ts';
import { as } from '../openapi/schemas.ts';
import { AddressField, ChoiceField, IdField, Sha256Field, TextField, TimestampField } from '../validation/fields.ts';

export class RegisterPartyBody {
  @IdField({ example: 'p-1' })
  partyId!: string;

  @ChoiceField(PARTY_KINDS)
  kind!: (typeof PARTY_KINDS)[number];

  @TextField(128, { description: 'A reference that means something to the caller alone: never a name.' })
  externalRef!: string;
}

export class IdentifyPartyBody {
  @TextField(64, { example: 'passport' })
  method!: string;

  @Sha256Field({ description: 'Of the evidence, which stays with the caller.' })
  evidenceSha256!: string;

  @TimestampField()
  identifiedAt!: string;
}

export class LinkAddressBody {
  @TextField(32, { example: 'bitcoin' })
  chain!: string;

  @AddressField()
  address!: string;

  @ChoiceField(ADDRESS_ROLES, { description: 'Whose keys it has: those of the party, or ours.' })
  role!: AddressRole;
}

export class PartyPath {
  @IdField()
  partyId!: string;
}

export class PartiesQuery extends ListQuery {
  @TextField(128, { optional: true })
  externalRef?: string;
}

export class Identification {
  @ApiProperty(as('text'))
  method!: string;

  @ApiProperty(as('sha256'))
  evidenceSha256!: string;

  @ApiProperty(as('time'))
  identifiedAt!: string;
}

export class Basis {
  @ApiProperty(as('text', { enum: BASIS_KINDS }))
  kind!: string;

  @ApiProperty(
    as('id', { optional: true, description: 'Of the order or hit. Not shown of an order that is withheld.' }),
  )
  id?: string;
}

export class Party {
  @ApiProperty(as('id'))
  partyId!: string;

  @ApiProperty(as('text', { enum: PARTY_KINDS }))
  kind!: string;

  @ApiProperty(as('text'))
  externalRef!: string;

  @ApiProperty({ type: Identification, nullable: true, description: 'Null until the party is identified.' })
  identification!: Identification | null;

  @ApiProperty(as('time'))
  createdAt!: string;

  @ApiProperty(as('time'))
  updatedAt!: string;
}

export class Address {
  @ApiProperty(as('id'))
  partyId!: string;

  @ApiProperty(as('text'))
  chain!: string;

  @ApiProperty(as('text'))
  address!: string;

  @ApiProperty(as('text', { enum: ADDRESS_ROLES }))
  role!: string;

  @ApiProperty(as('time'))
  createdAt!: string;

  @ApiProperty(as('time'))
  updatedAt!: string;
}

export class LinkedAddress {
  @ApiProperty(as('text'))
  chain!: string;

  @ApiProperty(as('text'))
  address!: string;

  @ApiProperty(as('text', { enum: ADDRESS_ROLES }))
  role!: string;

  @ApiProperty(as('time'))
  linkedAt!: string;
}

export class PartyWithAccounts extends Party {
  @ApiProperty(as('id', { list: true, description: 'Accounts that the party holds.' }))
  accounts!: readonly string[];

  @ApiProperty({ type: LinkedAddress, isArray: true, description: 'Addresses that are linked to the party.' })
  addresses!: readonly LinkedAddress[];

  @ApiProperty({
    type: Basis,
    isArray: true,
    required: false,
    description: 'Bases in force that name the party. Not shown to a `service`.',
  })
  namedBy?: readonly Basis[];
}

export const PartyAnswer = answerOf('party', Party);
export const AddressAnswer = answerOf('address', Address);
export const PartyPage = pageOf('PartyPage', PartyWithAccounts);

/** A party without the bases that name it: what a command about it answers, whoever asked. */
export function shownParty(view: PartyView): Party {
  const { partyId, kind, externalRef, identification, createdAt, updatedAt } = view;
  return { partyId, kind, externalRef, identification, createdAt, updatedAt };
}

/** A link never changes. */
export function shownAddress({ data, metadata }: Recorded<AddressLinked>): Address {
  return { ...data, createdAt: metadata.recordedAt, updatedAt: metadata.recordedAt };
}

/** A party as this caller sees it: a service learns of no basis. */
export function shownPartyWithAccounts(view: PartyInQueries, caller: Caller): PartyWithAccounts {
  const { accounts, addresses, namedBy } = view;
  return { ...shownParty(view), accounts, addresses, ...(seesFreezesWhole(caller) ? { namedBy } : {}) };
}
