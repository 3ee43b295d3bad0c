import { LIFT_GROUNDS, LIFT_REQUEST_GROUNDS, type FreezeView, type LiftRequestGround } from '#freezes';
import { BASIS_KINDS } from '#kernel';
import { ApiProperty } from '@nestjs/swagger';
import { Balance, Scope, shownScope } from '../accounts/account.dto.ts';
import { ListQuery } from '../edge/query-edge.ts';
import { shownAmount, type AssetLookup } from '../edge/scales.ts';
import { ScopeBody } from '../legal-orders/legal-order.dto.ts';
import { answerOf, pageOf } from '../openapi/answers.ts';
import { as } from '../openapi/schemas.ts';
import { Basis } from '../parties/party.dto.ts';
import { ChoiceField, IdField, NestedField, TextField, TimestampField, UuidField } from '../validation/fields.ts';
import type { FieldError } from '../http/problem.ts';
import { Whole } from '../validation/plan.ts';

const FREEZE_STATES = ['in-force', 'lifted', 'abandoned'] as const;
const REQUEST_STATES = ['requested', 'approved', 'rejected'] as const;

export class BasisBody {
  @ChoiceField(BASIS_KINDS)
  kind!: (typeof BASIS_KINDS)[number];

  @IdField({ example: 'ord-1' })
  id!: string;
}

export class FreezeBody {
  @NestedField(() => BasisBody)
  basis!: BasisBody;

  @NestedField(() => ScopeBody, { optional: true, description: "The basis's own, if absent." })
  scope?: ScopeBody;

  @TimestampField({ optional: true, description: 'From when the property counts as blocked by law.' })
  blockedFrom?: string;
}

@Whole(findGroundFlaw)
export class RequestLiftBody {
  @IdField({ example: 'lift-1' })
  requestId!: string;

  @ChoiceField(LIFT_REQUEST_GROUNDS)
  ground!: LiftRequestGround;

  @IdField({ optional: true, description: 'Needed for `release-ordered`, and for nothing else: the order of release.' })
  orderId?: string;

  @TextField(500, { optional: true, description: 'Needed for `placed-in-error`.' })
  note?: string;
}

function findGroundFlaw({ ground, orderId, note }: RequestLiftBody): FieldError | undefined {
  if (ground === 'placed-in-error' && orderId !== undefined) {
    return { field: 'orderId', message: 'is only for the ground "release-ordered"' };
  }
  if (ground === 'placed-in-error' && note === undefined) return { field: 'note', message: 'is missing' };
  if (ground === 'release-ordered' && orderId === undefined) return { field: 'orderId', message: 'is missing' };
  return undefined;
}

export class NoteBody {
  @TextField(500, { optional: true })
  note?: string;
}

export class FreezePath {
  @UuidField()
  freezeId!: string;
}

export class LiftRequestPath extends FreezePath {
  @IdField()
  requestId!: string;
}

export class FreezesQuery extends ListQuery {
  @IdField({ optional: true })
  accountId?: string;

  @IdField({ optional: true, description: 'Through which the basis names the account.' })
  partyId?: string;

  @IdField({ optional: true })
  basisId?: string;

  @ChoiceField(FREEZE_STATES, { optional: true })
  state?: (typeof FREEZE_STATES)[number];
}

export class LiftRequestsQuery extends ListQuery {
  @IdField({ optional: true })
  accountId?: string;

  @IdField({ optional: true })
  partyId?: string;

  @UuidField({ optional: true })
  freezeId?: string;

  @IdField({ optional: true })
  basisId?: string;

  @ChoiceField(REQUEST_STATES, { optional: true })
  state?: (typeof REQUEST_STATES)[number];
}

export class Citation {
  @ApiProperty(as('text'))
  stream!: string;

  @ApiProperty(as('revision'))
  revision!: string;

  @ApiProperty(as('uuid'))
  eventId!: string;
}

export class Lift {
  @ApiProperty(as('text', { enum: LIFT_GROUNDS }))
  ground!: string;

  @ApiProperty({
    type: Citation,
    nullable: true,
    description: 'The event that establishes the ground. Null where it is on the stream of an order that is withheld.',
  })
  citation!: Citation | null;

  @ApiProperty(as('text'))
  requestedBy!: string;

  @ApiProperty(as('text'))
  approvedBy!: string;

  @ApiProperty(as('time'))
  liftedAt!: string;
}

export class Freeze {
  @ApiProperty(as('uuid'))
  freezeId!: string;

  @ApiProperty(as('id'))
  accountId!: string;

  @ApiProperty(as('text', { enum: FREEZE_STATES }))
  state!: string;

  @ApiProperty({ type: Scope, nullable: true })
  scope!: Scope | null;

  @ApiProperty({ type: Basis })
  basis!: Basis;

  @ApiProperty({
    type: Citation,
    nullable: true,
    description: 'The event that authorised it. Null where its basis is withheld.',
  })
  citation!: Citation | null;

  @ApiProperty(as('text'))
  placedBy!: string;

  @ApiProperty(as('time'))
  placedAt!: string;

  @ApiProperty(as('time', { nullable: true }))
  blockedFrom!: string | null;

  @ApiProperty({ type: Balance, isArray: true })
  balancesAtFreeze!: readonly Balance[];

  @ApiProperty(as('id', { list: true, description: 'Withdrawals that it stopped, as it began or was varied.' }))
  stopped!: readonly string[];

  @ApiProperty(
    as('id', { list: true, description: 'Withdrawals dispatched before it began or was varied: they settle.' }),
  )
  inFlight!: readonly string[];

  @ApiProperty({ type: Lift, nullable: true })
  lift!: Lift | null;

  @ApiProperty(as('time'))
  createdAt!: string;

  @ApiProperty(as('time'))
  updatedAt!: string;
}

export class LiftRequest {
  @ApiProperty(as('uuid'))
  freezeId!: string;

  @ApiProperty(as('id'))
  accountId!: string;

  @ApiProperty(as('id'))
  requestId!: string;

  @ApiProperty(as('text', { enum: LIFT_REQUEST_GROUNDS }))
  ground!: string;

  @ApiProperty(as('text', { nullable: true, description: 'The order of release; null for `placed-in-error`.' }))
  orderId!: string | null;

  @ApiProperty(as('text', { nullable: true, description: 'Null where there is none, or where the basis is withheld.' }))
  note!: string | null;

  @ApiProperty(as('text', { enum: REQUEST_STATES }))
  state!: string;

  @ApiProperty(as('text'))
  requestedBy!: string;

  @ApiProperty(as('text', { nullable: true }))
  decidedBy!: string | null;

  @ApiProperty(as('text', { nullable: true, description: 'Of a rejection.' }))
  reason!: string | null;

  @ApiProperty(as('time'))
  createdAt!: string;

  @ApiProperty(as('time'))
  updatedAt!: string;
}

export const FreezeAnswer = answerOf('freeze', Freeze);
export const FreezePage = pageOf('FreezePage', Freeze);
export const LiftRequestAnswer = answerOf('liftRequest', LiftRequest);
export const LiftRequestPage = pageOf('LiftRequestPage', LiftRequest);

/** Codes of the assets whose scale it takes to show a freeze. */
export function assetsOfFreeze({ balancesAtFreeze, scope }: FreezeView): readonly string[] {
  return [...balancesAtFreeze.map(({ asset }) => asset), ...Object.keys(scope?.limits ?? {})];
}

/** A freeze as ops, approvers and auditors see it. */
export function shownFreeze(view: FreezeView, assets: AssetLookup): Freeze {
  const { freezeId, accountId, state, scope, basis, citation, placedBy, placedAt, blockedFrom } = view;
  const { stopped, inFlight, lift, createdAt, updatedAt } = view;
  return {
    freezeId,
    accountId,
    state,
    scope: scope === null ? null : shownScope(scope, assets),
    basis,
    citation,
    placedBy,
    placedAt,
    blockedFrom,
    balancesAtFreeze: view.balancesAtFreeze.map(({ asset, available, reserved, held }) => ({
      asset,
      available: shownAmount(available, asset, assets),
      reserved: shownAmount(reserved, asset, assets),
      held: shownAmount(held, asset, assets),
    })),
    stopped,
    inFlight,
    lift,
    createdAt,
    updatedAt,
  };
}
