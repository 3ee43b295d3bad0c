import {
  isRejection,
  limitOf,
  Money,
  reject,
  rejectField,
  scopeCovers,
  type Asset,
  type Rejection,
  type RequestedScope,
  type Scope,
} from '#kernel';

/** What each account is to keep of what a basis limits: decimals by asset, by account. */
export type Shares = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** One scope to be spread over several accounts, and what it may come to. */
export interface Division {
  /** As it was asked for; undefined: the basis's own. */
  readonly requested: RequestedScope | undefined;
  readonly shares: Shares | undefined;
  /** The basis's own: what it limits is limited over all accounts together. */
  readonly widest: Scope;
}

/** The assets whose limit has to be divided: the basis limits them, and the scope that is asked for is about them. */
export function sharedAssets({ requested, widest }: Division): readonly string[] {
  const scope = { ...widest, ...requested, limits: undefined };
  return Object.keys(widest.limits ?? {})
    .filter((asset) => scopeCovers(scope, 'debit', asset))
    .sort();
}

/** Shares in minor units, by asset, by account. */
export type SharedUnits = ReadonlyMap<string, ReadonlyMap<string, bigint>>;

/**
 * Reads shares exactly, by the scale of each asset.
 * @param assetOf the assets that there are
 * @returns `malformed-request` naming an amount that its asset can't have, `asset-not-found` for a share of no asset
 */
export function parseShares(
  shares: Shares | undefined,
  assetOf: (code: string) => Asset | undefined,
): SharedUnits | Rejection {
  const read = new Map<string, ReadonlyMap<string, bigint>>();
  for (const [accountId, share] of Object.entries(shares ?? {})) {
    const units = new Map<string, bigint>();
    for (const [code, amount] of Object.entries(share)) {
      const asset = assetOf(code);
      if (asset === undefined)
        return reject('asset-not-found', 'a share is of no asset that there is', { asset: code });
      const money = Money.parse(amount, asset, `shares.${accountId}.${code}`);
      if (isRejection(money)) return money;
      units.set(code, money.units);
    }
    read.set(accountId, units);
  }
  return read;
}

/**
 * Why the limits of a basis can't be divided like this over all the accounts that it names; undefined when they can. With
 * one account nothing has to be divided. With several, each has its share of each limit, and together they keep no more.
 *
 * @param units the shares, read
 * @param scope what was asked for, or else the basis's own, in minor units, and within the basis's own
 * @returns `malformed-request` naming the share
 */
export function findShareFlaw(
  division: Division,
  units: SharedUnits,
  scope: Scope,
  accountIds: readonly string[],
): Rejection | undefined {
  const assets = sharedAssets(division);
  if (division.shares === undefined) return assets.length > 0 && accountIds.length > 1 ? sharesMissing() : undefined;
  const surplus = surplusShare(units, assets, new Set(accountIds));
  if (surplus !== undefined) return surplus;
  const missing = accountIds.map((accountId) => missingShare(division, accountId)).find((flaw) => flaw !== undefined);
  if (missing !== undefined) return missing;
  const exceeded = assets.find((asset) => sumOf(units, asset) > (limitOf(scope, asset) ?? 0n));
  return exceeded === undefined
    ? undefined
    : rejectField('shares', `must add up to no more ${exceeded} than the limit`);
}

function surplusShare(
  units: SharedUnits,
  assets: readonly string[],
  named: ReadonlySet<string>,
): Rejection | undefined {
  for (const [accountId, share] of units) {
    if (!named.has(accountId)) return rejectField(`shares.${accountId}`, 'is not an account that the basis names');
    const surplus = [...share.keys()].find((code) => !assets.includes(code));
    if (surplus !== undefined) {
      return rejectField(`shares.${accountId}.${surplus}`, 'is of an asset that the basis does not limit');
    }
  }
  return undefined;
}

function sumOf(units: SharedUnits, asset: string): bigint {
  let sum = 0n;
  for (const share of units.values()) sum += share.get(asset) ?? 0n;
  return sum;
}

/** The scope of one account's freeze, its limits in decimals; undefined: the basis's own. */
export function scopeOfShare({ requested, shares, widest }: Division, accountId: string): RequestedScope | undefined {
  const share = ownShare(shares, accountId);
  if (share === undefined) return requested;
  const { direction, assets } = requested ?? widest;
  return { direction, assets, limits: { ...requested?.limits, ...share } };
}

/** Why an account can't be frozen beside others: it has no share of what is limited. */
export function missingShare(division: Division, accountId: string): Rejection | undefined {
  const assets = sharedAssets(division);
  if (assets.length === 0) return undefined;
  if (division.shares === undefined) return sharesMissing();
  const share = ownShare(division.shares, accountId);
  if (share === undefined) return rejectField(`shares.${accountId}`, 'is missing: each account needs a share');
  const missing = assets.find((asset) => !Object.hasOwn(share, asset));
  return missing === undefined ? undefined : rejectField(`shares.${accountId}.${missing}`, 'is missing');
}

function ownShare(shares: Shares | undefined, accountId: string): Shares[string] | undefined {
  return shares !== undefined && Object.hasOwn(shares, accountId) ? shares[accountId] : undefined;
}

function sharesMissing(): Rejection {
  return rejectField('shares', 'is missing: the limits have to be divided over the accounts that the basis names');
}
