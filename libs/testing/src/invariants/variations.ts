import { addressesOf, controlsAny } from './bases.ts';
import type { Fact, Scope } from './facts.ts';
import {
  covers,
  firstVariationAgainst,
  freezesInForce,
  names,
  namesAccount,
  namesParty,
  scopeAsOf,
  splitBasis,
  type Account,
  type Freeze,
  type Log,
  type Order,
} from './log.ts';

/**
 * The first variation after an authorisation that dropped its account, or left nothing in common with a scope that is only
 * ever narrowed; undefined when there is none.
 */
export function lostBy(
  log: Log,
  account: Account,
  { event, data }: Fact<'FreezeAuthorised'>,
): Fact<'LegalOrderVaried'> | undefined {
  const order = orderOf(log, event.stream);
  if (order === undefined) return undefined;
  const follows = followsOrder(log, order, { event, data } as Fact<'FreezeAuthorised'>);
  let left: Coverage | undefined = data.scope;
  return firstVariationAgainst(order, event.revision, (varied) => {
    left = left && common(left, scopeAsOf(order, varied.event.revision));
    return !stillNames(log, order, data.accountId, account, varied) || (!follows && left === undefined);
  });
}

/**
 * True when the order as varied names the account by itself, or a party that holds it, or an address that was linked to such
 * a party as its own earlier in the log than the variation. What is linked later names the account anew, and saves nothing.
 */
function stillNames(
  log: Log,
  order: Order,
  accountId: string,
  account: Account,
  { event: { revision, position } }: Fact<'LegalOrderVaried'>,
): boolean {
  if (namesAccount(order, accountId, revision)) return true;
  const addresses = addressesOf(order, revision);
  const holders = account.opened?.data.holders ?? [];
  return holders.some(
    ({ partyId }) => namesParty(order, partyId, revision) || controlsAny(log, partyId, addresses, position),
  );
}

export function orderOf(log: Log, stream: string): Order | undefined {
  const [kind, id] = splitBasis(stream);
  return kind === 'legalOrder' ? log.orders.get(id) : undefined;
}

/** The authorisation with which a freeze began had the scope that the order then had. */
export function followsOrder(log: Log, order: Order, authorised: Fact<'FreezeAuthorised'>): boolean {
  let first = authorised;
  for (;;) {
    const before = first.data.replaces && log.authorisations.get(first.data.replaces.eventId)?.fact;
    if (before === undefined) break;
    first = before;
  }
  return sameScope(first.data.scope, scopeAsOf(order, first.event.revision));
}

interface Coverage {
  readonly direction: string;
  readonly assets: Scope['assets'];
}

/** What both cover, limits aside; undefined when that is nothing. */
function common(one: Coverage, other: Coverage): Coverage | undefined {
  const direction = one.direction === 'both' ? other.direction : one.direction;
  if (other.direction !== 'both' && other.direction !== direction) return undefined;
  if (one.assets === 'all') return { direction, assets: other.assets };
  const assets = one.assets.filter((asset) => names({ direction, assets: other.assets }, asset));
  return assets.length === 0 ? undefined : { direction, assets };
}

export function sameScope(one: Scope, other: Scope): boolean {
  const text = ({ direction, assets, limits }: Scope): string =>
    JSON.stringify([
      direction,
      assets === 'all' ? 'all' : [...new Set(assets)].sort(),
      Object.entries(limits ?? {}).sort(([asset], [next]) => (asset < next ? -1 : 1)),
    ]);
  return text(one) === text(other);
}

/** What is wrong with how a freeze in force has followed its order, when nobody is at work any more. */
export function whyNotFollowed(log: Log, account: Account, freeze: Freeze): string | undefined {
  const { authorised, scope } = freeze;
  const order = orderOf(log, authorised.event.stream);
  if (order === undefined) return undefined;
  if (lostBy(log, account, authorised) !== undefined) return 'the freeze outlives a variation that ended it';
  const own = scopeAsOf(order, Infinity);
  const covered = ({ direction, assets }: Scope): Scope => ({ direction, assets });
  if (followsOrder(log, order, authorised) && !sameScope(covered(scope), covered(own))) {
    return 'the freeze covers other than its order does now';
  }
  return common(scope, own) !== undefined && sameScope(covered(scope), covered({ ...scope, ...common(scope, own) }))
    ? undefined
    : 'the freeze covers more than its order does now';
}

/** An asset of which the freezes in force under an order keep more together than it does now. */
export function whyLimitExceeded(log: Log, order: Order): string | undefined {
  const { stream } = order.registered.event;
  const inForce = [...log.accounts.values()]
    .flatMap(freezesInForce)
    .filter(({ authorised }) => authorised.event.stream === stream);
  const exceeded = Object.entries(scopeAsOf(order, Infinity).limits ?? {}).find(([asset, most]) => {
    const limits = inForce
      .filter(({ scope }) => covers(scope, 'debit', asset))
      .map(({ scope }) => BigInt(scope.limits?.[asset] ?? most));
    const unlimited = inForce.some(({ scope }) => covers(scope, 'debit', asset) && scope.limits?.[asset] === undefined);
    return unlimited || limits.reduce((sum, limit) => sum + limit, 0n) > BigInt(most);
  });
  return exceeded && `the freezes of the order keep more ${exceeded[0]} than it does now`;
}
