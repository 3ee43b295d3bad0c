import { OUTCOMES, REQUEST_KINDS, REQUEST_STATES, type AnswerOutcome, type RequestState } from '#authority-requests';
import { ApiProperty } from '@nestjs/swagger';
import { ListQuery } from '../edge/query-edge.ts';
import { BasisBody } from '../freezes/freeze.dto.ts';
import { Authority, AuthorityBody } from '../legal-orders/legal-order.dto.ts';
import { answerOf, pageOf } from '../openapi/answers.ts';
import { as } from '../openapi/schemas.ts';
import { Basis } from '../parties/party.dto.ts';
import { ChoiceField, IdField, NestedField, Sha256Field, TextField, TimestampField } from '../validation/fields.ts';

export class RegisterAuthorityRequestBody {
  @IdField({ example: 'req-1' })
  requestId!: string;

  @ChoiceField(REQUEST_KINDS, { description: 'What the letter asks for.' })
  kind!: (typeof REQUEST_KINDS)[number];

  @NestedField(() => AuthorityBody)
  authority!: AuthorityBody;

  @TextField(200, { description: "The authority's own.", example: '22/01-2-1' })
  reference!: string;

  @TextField(500, { description: 'What it asks about, in a few words: never the name of a person.' })
  subject!: string;

  @TimestampField()
  receivedAt!: string;

  @Sha256Field()
  documentSha256!: string;
}

export class AnswerBody {
  @ChoiceField(OUTCOMES, { description: '`withdrawn`: the authority took the letter back.' })
  outcome!: AnswerOutcome;

  @TextField(500)
  reason!: string;

  @NestedField(() => BasisBody, {
    optional: true,
    description: 'On what the answer rests, if anything; it has to be in force. What is granted needs one.',
  })
  basis?: BasisBody;
}

export class RequestPath {
  @IdField()
  requestId!: string;
}

export class AuthorityRequestsQuery extends ListQuery {
  @IdField({ optional: true, description: 'The basis that the answer cites.' })
  basisId?: string;

  @ChoiceField(REQUEST_STATES, { optional: true })
  state?: RequestState;
}

export class AsOf {
  @ApiProperty(as('text'))
  stream!: string;

  @ApiProperty(as('revision'))
  revision!: string;
}

export class AnswerToRequest {
  @ApiProperty(as('text', { enum: OUTCOMES }))
  outcome!: string;

  @ApiProperty(as('text', { nullable: true, description: 'Null where the basis is withheld.' }))
  reason!: string | null;

  @ApiProperty({ type: Basis, nullable: true })
  basis!: Basis | null;

  @ApiProperty({ type: AsOf, nullable: true, description: 'As of where the basis was in force, at `answeredAt`.' })
  inForceAt!: AsOf | null;

  @ApiProperty(as('text'))
  answeredBy!: string;

  @ApiProperty(as('time'))
  answeredAt!: string;
}

export class AuthorityRequest {
  @ApiProperty(as('id'))
  requestId!: string;

  @ApiProperty(as('text', { enum: REQUEST_KINDS }))
  kind!: string;

  @ApiProperty({ type: Authority })
  authority!: Authority;

  @ApiProperty(as('text'))
  reference!: string;

  @ApiProperty(as('text'))
  subject!: string;

  @ApiProperty(as('time'))
  receivedAt!: string;

  @ApiProperty(as('sha256'))
  documentSha256!: string;

  @ApiProperty(as('text', { enum: REQUEST_STATES }))
  state!: string;

  @ApiProperty(as('text'))
  registeredBy!: string;

  @ApiProperty({ type: AnswerToRequest, nullable: true, description: 'Null until it is answered.' })
  answer!: AnswerToRequest | null;

  @ApiProperty(as('time'))
  createdAt!: string;

  @ApiProperty(as('time'))
  updatedAt!: string;
}

export const AuthorityRequestAnswer = answerOf('authorityRequest', AuthorityRequest);
export const AuthorityRequestPage = pageOf('AuthorityRequestPage', AuthorityRequest);
