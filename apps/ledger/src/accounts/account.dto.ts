import type { AccountView } from '#accounts';
import { capacitySchema, MAX_HOLDERS, SCOPE_DIRECTIONS, type Scope as KnownScope } from '#kernel';
import { ApiProperty } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { seesFreezesWhole, type Caller } from '../auth/roles.ts';
import { ListQuery } from '../edge/query-edge.ts';
import { shownAmount, type AssetLookup } from '../edge/scales.ts';
import { answerOf, pageOf } from '../openapi/answers.ts';
import { as } from '../openapi/schemas.ts';
import { Basis } from '../parties/party.dto.ts';
import { ChoiceField, IdField, NestedListField } from '../validation/fields.ts';

const CAPACITIES = capacitySchema.options;
const STATES = ['open', 'closed'] as const;

export class HolderBody {
  @IdField()
  partyId!: string;

  @ChoiceField(CAPACITIES)
  capacity!: (typeof CAPACITIES)[number];
}

export class OpenAccountBody {
  @IdField({ example: 'acc-1' })
  accountId!: string;

  @NestedListField(() => HolderBody, { minLength: 1, maxLength: MAX_HOLDERS })
  holders!: HolderBody[];
}

export class AccountPath {
  @IdField()
  accountId!: string;
}

export class AccountsQuery extends ListQuery {
  @IdField({ optional: true })
  partyId?: string;

  @ChoiceField(STATES, { optional: true })
  state?: (typeof STATES)[number];

  @ChoiceField(['true', 'false'], { optional: true, description: 'Whether a freeze is in force.' })
  @Transform(({ value }) => value === 'true')
  frozen?: boolean;
}

export class Holder {
  @ApiProperty(as('id'))
  partyId!: string;

  @ApiProperty(as('text', { enum: CAPACITIES }))
  capacity!: string;
}

export class Balance {
  @ApiProperty(as('assetCode'))
  asset!: string;

  @ApiProperty(as('amount'))
  available!: string;

  @ApiProperty(as('amount'))
  reserved!: string;

  @ApiProperty(as('amount'))
  held!: string;

  @ApiProperty(
    as('amount', { optional: true, description: 'What of `available` has to stay. Not shown to a `service`.' }),
  )
  frozen?: string;

  @ApiProperty(
    as('boolean', {
      optional: true,
      description:
        'True of an asset that nobody registered, which only a forged event can bring in: it has no scale, so amounts of it are minor units, here and wherever else they are shown.',
    }),
  )
  minorUnits?: boolean;
}

/** `"all"`, or asset codes. */
export const SHOWN_ASSETS = {
  required: true,
  oneOf: [
    { type: 'string', const: 'all' },
    { type: 'array', items: { type: 'string' } },
  ],
};

export class Scope {
  @ApiProperty(as('text', { enum: SCOPE_DIRECTIONS }))
  direction!: string;

  @ApiProperty(SHOWN_ASSETS)
  assets!: 'all' | readonly string[];

  @ApiProperty(
    as('amounts', {
      optional: true,
      description: 'How much of each asset has to stay; an asset of the scope that is not here is frozen whole.',
    }),
  )
  limits?: Readonly<Record<string, string>>;
}

export class FreezeOfAccount {
  @ApiProperty(as('uuid'))
  freezeId!: string;

  @ApiProperty(as('text', { enum: SCOPE_DIRECTIONS }))
  direction!: string;

  @ApiProperty(SHOWN_ASSETS)
  assets!: 'all' | readonly string[];

  @ApiProperty({ type: Scope, required: false, description: 'Not shown to a `service`.' })
  scope?: Scope;

  @ApiProperty({ type: Basis, required: false, description: 'Not shown to a `service`.' })
  basis?: Basis;
}

export class Account {
  @ApiProperty(as('id'))
  accountId!: string;

  @ApiProperty({ type: Holder, isArray: true })
  holders!: readonly Holder[];

  @ApiProperty(as('text', { enum: STATES }))
  state!: string;

  @ApiProperty({ type: Balance, isArray: true, description: 'One for each asset ever touched.' })
  balances!: readonly Balance[];

  @ApiProperty({ type: FreezeOfAccount, isArray: true, description: 'Those in force.' })
  freezes!: readonly FreezeOfAccount[];

  @ApiProperty(as('revision'))
  streamRevision!: string;

  @ApiProperty(as('position'))
  position!: string;

  @ApiProperty(as('time'))
  createdAt!: string;

  @ApiProperty(as('time'))
  updatedAt!: string;
}

export const AccountAnswer = answerOf('account', Account);
export const AccountPage = pageOf('AccountPage', Account);

/** An account as this caller sees it: a service learns of each freeze that it is there, and of no more. */
export function shownAccount(view: AccountView, assets: AssetLookup, caller: Caller): Account {
  const whole = seesFreezesWhole(caller);
  return {
    accountId: view.accountId,
    holders: view.holders,
    state: view.state,
    balances: view.balances.map((balance) => shownBalance(balance, assets, whole)),
    freezes: view.freezes.map(({ freezeId, scope, basis }) => {
      const seenByAll = { freezeId, direction: scope.direction, assets: scope.assets };
      return whole ? { ...seenByAll, scope: shownScope(scope, assets), basis } : seenByAll;
    }),
    streamRevision: String(view.streamRevision),
    position: view.position,
    createdAt: view.createdAt,
    updatedAt: view.updatedAt,
  };
}

/** A scope as it is shown: its limits are decimals with the full scale of each asset. */
export function shownScope({ direction, assets, limits }: KnownScope, lookup: AssetLookup): Scope {
  if (limits === undefined) return { direction, assets };
  const shown = Object.entries(limits).map(([code, units]) => [code, shownAmount(units, code, lookup)] as const);
  return { direction, assets, limits: Object.fromEntries(shown) };
}

/** Codes of the assets whose scale it takes to show an account. */
export function assetsShown({ balances, freezes }: AccountView): readonly string[] {
  return [...balances.map(({ asset }) => asset), ...freezes.flatMap(({ scope }) => Object.keys(scope.limits ?? {}))];
}

function shownBalance(
  { asset, available, reserved, held, frozen }: AccountView['balances'][number],
  assets: AssetLookup,
  whole: boolean,
): Balance {
  const shown = (units: string): string => shownAmount(units, asset, assets);
  const seenByAll = { asset, available: shown(available), reserved: shown(reserved), held: shown(held) };
  const unregistered = assets(asset) === undefined ? { minorUnits: true } : {};
  return { ...seenByAll, ...(whole ? { frozen: shown(frozen) } : {}), ...unregistered };
}
