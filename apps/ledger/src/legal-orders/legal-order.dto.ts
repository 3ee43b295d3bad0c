import { findScopeFlaw, SCOPE_DIRECTIONS } from '#kernel';
import {
  ENDINGS,
  MAX_SUBJECTS,
  ORDER_KINDS,
  ORDER_STATES,
  type ChangeView,
  type LegalOrderView,
  type OrderState,
} from '#legal-orders';
import { ApiExtraModels, ApiProperty, getSchemaPath } from '@nestjs/swagger';
import { Scope, shownScope } from '../accounts/account.dto.ts';
import { ListQuery } from '../edge/query-edge.ts';
import type { AssetLookup } from '../edge/scales.ts';
import { answerOf, pageOf } from '../openapi/answers.ts';
import { as } from '../openapi/schemas.ts';
import {
  AmountsByAssetField,
  AssetsField,
  ChoiceField,
  IdField,
  KindListField,
  NestedField,
  Sha256Field,
  TextField,
  TimestampField,
} from '../validation/fields.ts';
import { BodyByKind, NotYet, Whole } from '../validation/plan.ts';

@Whole(findScopeFlaw)
export class ScopeBody {
  @ChoiceField(SCOPE_DIRECTIONS)
  direction!: (typeof SCOPE_DIRECTIONS)[number];

  @AssetsField()
  assets!: 'all' | string[];

  @AmountsByAssetField({
    optional: true,
    description:
      'Only with the direction `debit`: how much of each asset has to stay. An asset of the scope that is not here is frozen whole.',
  })
  limits?: Record<string, string>;
}

export class AuthorityBody {
  @TextField(200, { example: 'High Court of Justice' })
  name!: string;

  @TextField(16, { description: 'ISO 3166, with the part where it matters.', example: 'GB-EAW' })
  jurisdiction!: string;

  @TextField(200, { optional: true })
  officer?: string;

  @TextField(200, { optional: true })
  contact?: string;
}

export class AccountSubjectBody {
  @ChoiceField(['account'])
  kind!: 'account';

  @IdField()
  accountId!: string;
}

export class PartySubjectBody {
  @ChoiceField(['party'])
  kind!: 'party';

  @IdField()
  partyId!: string;
}

@NotYet('nonDisclosureUntil', 'releases')
export class RegisterLegalOrderBody {
  @IdField({ example: 'ord-1' })
  orderId!: string;

  @ChoiceField(ORDER_KINDS)
  kind!: (typeof ORDER_KINDS)[number];

  @ChoiceField(['restrain'], { optional: true, notYet: ['release', 'permit', 'execute'] })
  effect?: 'restrain';

  @NestedField(() => AuthorityBody)
  authority!: AuthorityBody;

  @TextField(200, { example: 'CL-2022-000123' })
  caseReference!: string;

  @TextField(300, { example: 'Senior Courts Act 1981 s.37' })
  statute!: string;

  @TextField(300, { optional: true, description: 'The foreign request that the order executes.' })
  underlyingRequest?: string;

  @KindListField(
    { account: AccountSubjectBody, party: PartySubjectBody },
    { minLength: 1, maxLength: MAX_SUBJECTS, notYet: ['address', 'external'], description: 'Whom the order names.' },
  )
  subjects!: (AccountSubjectBody | PartySubjectBody)[];

  @NestedField(() => ScopeBody)
  scope!: ScopeBody;

  @IdField({
    optional: true,
    description: 'Orders over one claim name one group: the highest of their limits counts, and not their sum.',
  })
  claimGroup?: string;

  @TimestampField()
  issuedAt!: string;

  @TimestampField()
  receivedAt!: string;

  @TimestampField({ description: 'In force from here on, once verified.' })
  effectiveAt!: string;

  @TimestampField({ optional: true })
  expiresAt?: string;

  @Sha256Field()
  documentSha256!: string;
}

export class VerificationBody {
  @TextField(200, { description: 'How it was verified.' })
  method!: string;

  @TextField(500, { optional: true })
  note?: string;
}

@BodyByKind(() => ({ ending: EndingBody, extension: ExtensionBody, variation: VariationBody }))
export abstract class ProposeChangeBody {
  @IdField({ example: 'chg-1' })
  changeId!: string;

  @Sha256Field()
  documentSha256!: string;

  @TimestampField()
  issuedAt!: string;

  @TextField(200)
  reference!: string;
}

export class EndingBody extends ProposeChangeBody {
  @ChoiceField(['ending'])
  kind!: 'ending';

  @ChoiceField(ENDINGS)
  how!: (typeof ENDINGS)[number];
}

export class ExtensionBody extends ProposeChangeBody {
  @ChoiceField(['extension'])
  kind!: 'extension';

  @TimestampField({ description: 'The time that the order is to run until: later than now.' })
  expiresAt!: string;
}

@Whole(({ subjects, scope }: VariationBody) =>
  subjects === undefined && scope === undefined
    ? { field: 'subjects', message: 'must be there, or scope, or both' }
    : undefined,
)
export class VariationBody extends ProposeChangeBody {
  @ChoiceField(['variation'])
  kind!: 'variation';

  @KindListField(
    { account: AccountSubjectBody, party: PartySubjectBody },
    {
      optional: true,
      minLength: 1,
      maxLength: MAX_SUBJECTS,
      notYet: ['address', 'external'],
      description: 'Whom the order is to name from then on, all of them. Left out: whom it names now.',
    },
  )
  subjects?: (AccountSubjectBody | PartySubjectBody)[];

  @NestedField(() => ScopeBody, {
    optional: true,
    description: 'What the order is to cover from then on. Left out: what it covers now.',
  })
  scope?: ScopeBody;
}

export class OrderPath {
  @IdField()
  orderId!: string;
}

export class ChangePath extends OrderPath {
  @IdField()
  changeId!: string;
}

export class OrdersQuery extends ListQuery {
  @IdField({ optional: true })
  accountId?: string;

  @IdField({ optional: true })
  partyId?: string;

  @IdField({ optional: true, description: 'The order itself.' })
  basisId?: string;

  @ChoiceField(ORDER_STATES, { optional: true })
  state?: OrderState;
}

export class Authority {
  @ApiProperty(as('text'))
  name!: string;

  @ApiProperty(as('text'))
  jurisdiction!: string;

  @ApiProperty(as('text', { optional: true }))
  officer?: string | undefined;

  @ApiProperty(as('text', { optional: true }))
  contact?: string | undefined;
}

export class Verification {
  @ApiProperty(as('text'))
  method!: string;

  @ApiProperty(as('text', { nullable: true }))
  note!: string | null;

  @ApiProperty(as('text'))
  verifiedBy!: string;

  @ApiProperty(as('time'))
  verifiedAt!: string;
}

export class Rejection {
  @ApiProperty(as('text'))
  reason!: string;

  @ApiProperty(as('text'))
  rejectedBy!: string;

  @ApiProperty(as('time'))
  rejectedAt!: string;
}

export class Change {
  @ApiProperty(as('id'))
  orderId!: string;

  @ApiProperty(as('id'))
  changeId!: string;

  @ApiProperty(as('text', { enum: ['ending', 'extension', 'variation'] }))
  kind!: string;

  @ApiProperty(as('text', { enum: ENDINGS, optional: true, description: 'Of an ending.' }))
  how?: string;

  @ApiProperty(as('time', { optional: true, description: 'Of an extension.' }))
  expiresAt?: string;

  @ApiProperty({
    type: 'array',
    required: false,
    description: 'Of a variation that names others.',
    items: { oneOf: [{ $ref: getSchemaPath(AccountSubjectBody) }, { $ref: getSchemaPath(PartySubjectBody) }] },
  })
  subjects?: readonly object[];

  @ApiProperty({ type: Scope, required: false, description: 'Of a variation that covers something else.' })
  scope?: Scope;

  @ApiProperty(as('text', { enum: ['proposed', 'verified', 'rejected'] }))
  state!: string;

  @ApiProperty(as('sha256'))
  documentSha256!: string;

  @ApiProperty(as('time'))
  issuedAt!: string;

  @ApiProperty(as('text'))
  reference!: string;

  @ApiProperty(as('text'))
  proposedBy!: string;

  @ApiProperty(as('text', { nullable: true }))
  decidedBy!: string | null;

  @ApiProperty(as('text', { nullable: true, description: 'Of a rejection.' }))
  reason!: string | null;

  @ApiProperty(as('time'))
  createdAt!: string;

  @ApiProperty(as('time'))
  updatedAt!: string;
}

@ApiExtraModels(AccountSubjectBody, PartySubjectBody)
export class LegalOrder {
  @ApiProperty(as('id'))
  orderId!: string;

  @ApiProperty(as('text', { enum: ORDER_KINDS }))
  kind!: string;

  @ApiProperty(as('text', { enum: ['restrain'] }))
  effect!: string;

  @ApiProperty({ type: Authority })
  authority!: Authority;

  @ApiProperty(as('text'))
  caseReference!: string;

  @ApiProperty(as('text'))
  statute!: string;

  @ApiProperty(as('text', { optional: true }))
  underlyingRequest?: string | undefined;

  @ApiProperty({
    type: 'array',
    items: { oneOf: [{ $ref: getSchemaPath(AccountSubjectBody) }, { $ref: getSchemaPath(PartySubjectBody) }] },
  })
  subjects!: readonly object[];

  @ApiProperty({ type: Scope })
  scope!: Scope;

  @ApiProperty(as('text', { optional: true }))
  claimGroup?: string | undefined;

  @ApiProperty(as('time'))
  issuedAt!: string;

  @ApiProperty(as('time'))
  receivedAt!: string;

  @ApiProperty(as('time'))
  effectiveAt!: string;

  @ApiProperty(as('time', { optional: true }))
  expiresAt?: string | undefined;

  @ApiProperty(as('sha256'))
  documentSha256!: string;

  @ApiProperty(as('text', { enum: ORDER_STATES }))
  state!: string;

  @ApiProperty(as('text'))
  registeredBy!: string;

  @ApiProperty({ type: Verification, nullable: true })
  verification!: Verification | null;

  @ApiProperty({ type: Rejection, nullable: true })
  rejection!: Rejection | null;

  @ApiProperty(as('time', { nullable: true }))
  endedAt!: string | null;

  @ApiProperty({ type: Change, isArray: true })
  changes!: readonly Change[];

  @ApiProperty(as('time'))
  createdAt!: string;

  @ApiProperty(as('time'))
  updatedAt!: string;
}

export const LegalOrderAnswer = answerOf('legalOrder', LegalOrder);
export const LegalOrderPage = pageOf('LegalOrderPage', LegalOrder);
export const ChangeAnswer = answerOf('change', Change);

/** An order as it is shown: its limits are decimals. */
export function shownOrder(view: LegalOrderView, assets: AssetLookup): LegalOrder {
  const changes = view.changes.map((change) => shownChange(change, assets));
  return { ...view, scope: shownScope(view.scope, assets), changes };
}

/** A change as it is shown: the limits of a variation are decimals. */
export function shownChange(change: ChangeView, assets: AssetLookup): Change {
  if (change.kind !== 'variation') return change;
  const { scope, subjects, ...rest } = change;
  return {
    ...rest,
    ...(subjects === undefined ? {} : { subjects }),
    ...(scope === undefined ? {} : { scope: shownScope(scope, assets) }),
  };
}

/** Codes of the assets whose scale it takes to show an order. */
export function assetsLimited({ scope, changes }: LegalOrderView): readonly string[] {
  const varied = changes.flatMap((change) => (change.kind === 'variation' ? [change.scope] : []));
  return [scope, ...varied].flatMap((each) => Object.keys(each?.limits ?? {}));
}
