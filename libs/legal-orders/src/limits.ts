import { limitOf, scopeCovers, type Authorisation, type EndedFreeze, type Scope } from '#kernel';
import { restraintOf, type LegalOrderState } from './state.ts';

/** A freeze that is to be authorised. */
interface Claim {
  readonly accountId: string;
  readonly scope: Scope;
}

/**
 * The assets of which the order's freezes, with one more, could keep more than the order allows.
 * Of one account only one freeze under the order is ever in force, so its highest limit counts, and accounts add up. An
 * authorisation counts until its freeze is known to have ended, or to have been varied, also while it is not settled.
 * @param ended ids of freezes that no longer count
 */
function exceededLimits(order: LegalOrderState, claim: Claim, ended: ReadonlySet<string>): readonly string[] {
  const limits = Object.entries(restraintOf(order)?.scope.limits ?? {});
  return limits
    .filter(([asset, most]) => claimedUnits(order, claim, ended, asset, BigInt(most)) > BigInt(most))
    .map(([asset]) => asset);
}

/** The first of these assets; undefined when there is none. */
export function exceededLimit(order: LegalOrderState, claim: Claim, ended: ReadonlySet<string>): string | undefined {
  return exceededLimits(order, claim, ended)[0];
}

function claimedUnits(
  order: LegalOrderState,
  claim: Claim,
  ended: ReadonlySet<string>,
  asset: string,
  most: bigint,
): bigint {
  const highest = new Map<string, bigint>();
  const live = order.authorisations.filter(({ pointer }) => !ended.has(pointer.eventId));
  for (const { accountId, scope } of [...live, claim]) {
    const units = claims(scope, asset, most);
    if (units > (highest.get(accountId) ?? 0n)) highest.set(accountId, units);
  }
  let sum = 0n;
  for (const units of highest.values()) sum += units;
  return sum;
}

/**
 * How much of the order's limit for an asset a freeze of this scope uses up, in minor units: one without a limit, from before
 * a variation that brought limits in, uses up all of it.
 */
export function claims(scope: Scope, asset: string, most: bigint): bigint {
  return scopeCovers(scope, 'debit', asset) ? (limitOf(scope, asset) ?? most) : 0n;
}

/**
 * All authorisations among which the limits that the order has now are divided; none where it has no limits. Also those that
 * use up nothing of them: a freeze that follows the order grows into what no other uses.
 */
export function limitedAuthorisations(order: LegalOrderState): readonly Authorisation[] {
  return Object.keys(restraintOf(order)?.scope.limits ?? {}).length === 0 ? [] : order.authorisations;
}

/**
 * Authorisations whose end, if they have ended, would make room for a freeze that would exceed the order's limits: those that
 * use up any of the assets of which it would.
 */
export function authorisationsInTheWay(order: LegalOrderState, claim: Claim): readonly Authorisation[] {
  const assets = exceededLimits(order, claim, new Set());
  return order.authorisations.filter(({ scope }) => assets.some((asset) => claims(scope, asset, 1n) > 0n));
}

/** The first of the ended freezes, as few as make room; all of them when they do not. */
export function endedFreezesNeeded(
  order: LegalOrderState,
  claim: Claim,
  known: readonly EndedFreeze[],
): readonly EndedFreeze[] {
  const needed: EndedFreeze[] = [];
  const ids = new Set<string>();
  for (const each of known) {
    if (exceededLimit(order, claim, ids) === undefined) return needed;
    needed.push(each);
    ids.add(each.freezeId);
  }
  return needed;
}
