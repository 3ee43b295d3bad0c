import { findScopeFlaw, SCOPE_DIRECTIONS } from '#kernel';
import {
  ENDINGS,
  MAX_RELEASES,
  MAX_SUBJECTS,
  ORDER_EFFECTS,
  ORDER_KINDS,
  ORDER_STATES,
  type ChangeView,
  type LegalOrderView,
  type OrderState,
} from '#legal-orders';
import { ApiExtraModels, ApiProperty, ApiSchema, getSchemaPath } from '@nestjs/swagger';
import { Scope, shownScope } from '../accounts/account.dto.ts';
import { ListQuery } from '../edge/query-edge.ts';
import type { AssetLookup } from '../edge/scales.ts';
import { answerOf, pageOf } from '../openapi/answers.ts';
import { WithheldOrder } from '../non-disclosure/withheld.dto.ts';
import { as } from '../openapi/schemas.ts';
import {
  AddressField,
  AmountsByAssetField,
  AssetsField,
  ChoiceField,
  IdField,
  IdsField,
  KindListField,
  NestedField,
  Sha256Field,
  TextField,
  TimestampField,
  UuidsField,
} from '../validation/fields.ts';
import type { FieldError } from '../http/problem.ts';
import { BodyByKind, Whole } from '../validation/plan.ts';

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

export class AddressSubjectBody {
  @ChoiceField(['address'])
  kind!: 'address';

  @TextField(32, { example: 'bitcoin' })
  chain!: string;

  @AddressField()
  address!: string;
}

export class ExternalSubjectBody {
  @ChoiceField(['external'])
  kind!: 'external';

  @Sha256Field({ description: "Of the UTF-8 bytes of a party's `externalRef`. It names nobody by itself." })
  sha256!: string;
}

const SUBJECT_KINDS = {
  account: AccountSubjectBody,
  party: PartySubjectBody,
  address: AddressSubjectBody,
  external: ExternalSubjectBody,
};
const SUBJECTS = Object.values(SUBJECT_KINDS);
type SubjectBody = InstanceType<(typeof SUBJECTS)[number]>;
const ONE_OF_SUBJECTS = { oneOf: SUBJECTS.map((body) => ({ $ref: getSchemaPath(body) })) };

@Whole(findReleasesFlaw)
export class ReleasesBody {
  @UuidsField(MAX_RELEASES, { optional: true })
  freezeIds?: string[];

  @IdsField(MAX_RELEASES, { optional: true, description: 'All freezes of these accounts.' })
  accountIds?: string[];
}

function findReleasesFlaw({ freezeIds, accountIds }: ReleasesBody): FieldError | undefined {
  if (freezeIds !== undefined || accountIds !== undefined) return undefined;
  return { field: 'freezeIds', message: 'or accountIds must be there' };
}

@Whole(findEffectFlaw)
export class RegisterLegalOrderBody {
  @IdField({ example: 'ord-1' })
  orderId!: string;

  @ChoiceField(ORDER_KINDS)
  kind!: (typeof ORDER_KINDS)[number];

  @ChoiceField(ORDER_EFFECTS, {
    optional: true,
    notYet: ['permit', 'execute'],
    description: '`restrain`, if absent. An order of release has `releases`, and neither `subjects` nor `scope`.',
  })
  effect?: (typeof ORDER_EFFECTS)[number];

  @NestedField(() => AuthorityBody)
  authority!: AuthorityBody;

  @TextField(200, { example: 'CL-2022-000123' })
  caseReference!: string;

  @TextField(300, { example: 'Senior Courts Act 1981 s.37' })
  statute!: string;

  @TextField(300, { optional: true, description: 'The foreign request that the order executes.' })
  underlyingRequest?: string;

  @KindListField(SUBJECT_KINDS, {
    optional: true,
    minLength: 1,
    maxLength: MAX_SUBJECTS,
    description: 'Whom the order names. Needed, save for an order of release.',
  })
  subjects?: SubjectBody[];

  @NestedField(() => ScopeBody, { optional: true, description: 'Needed, save for an order of release.' })
  scope?: ScopeBody;

  @NestedField(() => ReleasesBody, { optional: true, description: 'Of an order of release, and of no other.' })
  releases?: ReleasesBody;

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

  @TimestampField({
    optional: true,
    description: 'Until then the order is shown to those alone whose token has the scope `confidential`.',
  })
  nonDisclosureUntil?: string;

  @Sha256Field()
  documentSha256!: string;
}

/** Which members an order has hangs on its effect. */
function findEffectFlaw(body: RegisterLegalOrderBody): FieldError | undefined {
  const isRelease = body.effect === 'release';
  const [needed, surplus] = isRelease ? [RELEASING, RESTRAINING] : [RESTRAINING, RELEASING];
  const missing = needed.find((name) => body[name] === undefined);
  if (missing !== undefined) return { field: missing, message: 'is missing' };
  const field = [...surplus, ...(isRelease ? (['claimGroup'] as const) : [])].find((name) => body[name] !== undefined);
  const effect = isRelease ? 'restrain' : 'release';
  return field === undefined ? undefined : { field, message: `is only for the effect "${effect}"` };
}
const RESTRAINING = ['subjects', 'scope'] as const;
const RELEASING = ['releases'] as const;

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

  @KindListField(SUBJECT_KINDS, {
    optional: true,
    minLength: 1,
    maxLength: MAX_SUBJECTS,
    description: 'Whom the order is to name from then on, all of them. Left out: whom it names now.',
  })
  subjects?: SubjectBody[];

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
  @IdField({
    optional: true,
    description:
      'Orders that name the account, who holds it, or an address that such a party controls; and releases that name the account.',
  })
  accountId?: string;

  @IdField({ optional: true, description: 'Orders that name the party, or an address that it controls.' })
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
    items: ONE_OF_SUBJECTS,
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

@ApiSchema({ name: 'Releases' })
export class ShownReleases {
  @ApiProperty(as('uuid', { list: true, optional: true }))
  freezeIds?: readonly string[] | undefined;

  @ApiProperty(as('id', { list: true, optional: true }))
  accountIds?: readonly string[] | undefined;
}

@ApiExtraModels(...SUBJECTS)
export class LegalOrder {
  @ApiProperty(as('id'))
  orderId!: string;

  @ApiProperty(as('text', { enum: ORDER_KINDS }))
  kind!: string;

  @ApiProperty(as('text', { enum: ORDER_EFFECTS }))
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
    required: false,
    description: 'Not of an order of release.',
    items: ONE_OF_SUBJECTS,
  })
  subjects?: readonly object[];

  @ApiProperty({ type: Scope, required: false })
  scope?: Scope;

  @ApiProperty({ type: ShownReleases, required: false, description: 'Of an order of release.' })
  releases?: ShownReleases;

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

  @ApiProperty(as('time', { optional: true }))
  nonDisclosureUntil?: string | undefined;

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
export const LegalOrderPage = pageOf('LegalOrderPage', LegalOrder, WithheldOrder);
export const ChangeAnswer = answerOf('change', Change);

/** An order as it is shown: its limits are decimals. */
export function shownOrder(view: LegalOrderView, assets: AssetLookup): LegalOrder {
  const changes = view.changes.map((change) => shownChange(change, assets));
  return view.effect === 'release' ? { ...view, changes } : { ...view, scope: shownScope(view.scope, assets), changes };
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
export function assetsLimited(view: LegalOrderView): readonly string[] {
  const { changes } = view;
  const scope = view.effect === 'release' ? undefined : view.scope;
  const varied = changes.flatMap((change) => (change.kind === 'variation' ? [change.scope] : []));
  return [scope, ...varied].flatMap((each) => Object.keys(each?.limits ?? {}));
}
