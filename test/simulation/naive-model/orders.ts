import { next } from './accounts.ts';
import { isNamed, orderBasis } from './bases.ts';
import { claimed, endFreeze, endFreezesUnder, freezesUnder, releaseHeld, stopWithdrawals } from './freezes.ts';
import { ALL_DEBITS, common, isSame, naiveScopeOf, type NaiveScope } from './scope.ts';
import {
  accountAt,
  type Expected,
  type NaiveChange,
  type NaiveFreeze,
  type NaiveOrder,
  type NaiveState,
  type NaiveSubjects,
} from './state.ts';
import { basisOf, type Step } from './step.ts';

/** For how many days after an order's time an extension that waits to be decided puts its expiry off. */
const DEFERRAL = 3;

export function subjectsOf(state: NaiveState, { names, account, change }: Step): NaiveSubjects {
  const { holder } = accountAt(state, account);
  const nobody = { accounts: [], parties: [], addresses: [] };
  switch (names) {
    case 'account':
      return { ...nobody, accounts: [account] };
    case 'holder':
      return { ...nobody, parties: [holder] };
    case 'accounts':
      return { ...nobody, accounts: [account, next(account)] };
    case 'mixed':
      return { ...nobody, parties: [holder], accounts: [next(account)] };
    case 'address':
      return { ...nobody, addresses: [change] };
  }
}

export function registerOrder(state: NaiveState, step: Step): Expected {
  return register(state, step, { subjects: subjectsOf(state, step), scope: naiveScopeOf(step), releases: undefined });
}

export function registerRelease(state: NaiveState, step: Step): Expected {
  const nobody = { accounts: [], parties: [], addresses: [] };
  return register(
    state,
    { ...step, id: step.other },
    {
      subjects: nobody,
      scope: ALL_DEBITS,
      releases: releasesOf(state, step),
    },
  );
}

/** An order of release names the freeze that a step is about, or the account where there is no such freeze. */
export function releasesOf(state: NaiveState, step: Step): NonNullable<NaiveOrder['releases']> {
  const freeze = accountAt(state, step.account).freezes.get(basisOf(step, step.id));
  const namesFreeze = step.names !== 'account' && freeze !== undefined;
  return namesFreeze ? { freezeId: freeze.freezeId } : { account: step.account };
}

function register(
  state: NaiveState,
  { id, amount, scope, expires }: Step,
  what: Pick<NaiveOrder, 'subjects' | 'scope' | 'releases'>,
): Expected {
  if (state.orders.has(id)) return 'already-exists';
  state.orders.set(id, {
    ...what,
    state: 'registered',
    isClaimed: scope === 'claimed',
    expires: expires ? state.day + amount : Infinity,
    changes: new Map(),
  });
  return 'accepted';
}

/** Verified or rejected by another person than the maker. */
export function decideOrder({ orders }: NaiveState, { id, asMaker }: Step, to: 'verified' | 'rejected'): Expected {
  const order = orders.get(id);
  if (order === undefined) return 'legal-order-not-found';
  if (order.state !== 'registered') return 'invalid-transition';
  if (asMaker) return 'maker-is-checker';
  order.state = to;
  return 'accepted';
}

export function proposeEnding({ orders }: NaiveState, step: Step): Expected {
  const order = orders.get(step.id);
  return proposalObstacle(order, step) ?? propose(order, step, { kind: 'ending', state: 'proposed' });
}

/** Only while the order runs, and only to a later time. */
export function proposeExtension({ orders, day }: NaiveState, step: Step): Expected {
  const order = orders.get(step.id);
  const obstacle = proposalObstacle(order, step);
  if (order === undefined || obstacle !== undefined) return obstacle ?? '';
  if (day >= order.expires) return 'invalid-transition';
  const expires = day + step.amount;
  if (!(expires > order.expires)) return 'malformed-request';
  return propose(order, step, { kind: 'extension', state: 'proposed', expires });
}

/** An order of release has nothing that could be varied. */
export function proposeVariation(state: NaiveState, step: Step): Expected {
  const order = state.orders.get(step.id);
  if (order === undefined) return 'legal-order-not-found';
  const subjects = step.varies === 'scope' ? undefined : subjectsOf(state, step);
  const scope = step.varies === 'subjects' ? undefined : naiveScopeOf(step);
  if (order.releases !== undefined) return 'malformed-request';
  const change: NaiveChange = { kind: 'variation', state: 'proposed', subjects, scope };
  return proposalObstacle(order, step) ?? propose(order, step, change);
}

function proposalObstacle(order: NaiveOrder | undefined, { change }: Step): Expected | undefined {
  if (order === undefined) return 'legal-order-not-found';
  if (order.changes.has(change)) return 'already-exists';
  return order.state === 'verified' ? undefined : 'invalid-transition';
}

function propose(order: NaiveOrder | undefined, step: Step, change: NaiveChange): Expected {
  order?.changes.set(step.change, change);
  return 'accepted';
}

export function verifyChange(state: NaiveState, step: Step): Expected {
  const found = changeToDecide(state, step);
  if (typeof found === 'string') return found;
  const { order, change } = found;
  if (change.kind === 'extension' && !(change.expires > order.expires)) return 'invalid-transition';
  change.state = 'verified';
  switch (change.kind) {
    case 'ending':
      order.state = 'discharged';
      endFreezesUnder(state, orderBasis(step.id));
      break;
    case 'extension':
      order.expires = change.expires;
      break;
    case 'variation':
      order.subjects = change.subjects ?? order.subjects;
      order.scope = change.scope ?? order.scope;
      followVariation(state, step.id, order);
      break;
  }
  return 'accepted';
}

export function rejectChange(state: NaiveState, step: Step): Expected {
  const found = changeToDecide(state, step);
  if (typeof found === 'string') return found;
  found.change.state = 'rejected';
  return 'accepted';
}

function changeToDecide(
  { orders }: NaiveState,
  step: Step,
): Expected | { readonly order: NaiveOrder; readonly change: NaiveChange } {
  const order = orders.get(step.id);
  if (order === undefined) return 'legal-order-not-found';
  const change = order.changes.get(step.change);
  if (change === undefined) return 'change-not-found';
  if (change.state !== 'proposed' || order.state !== 'verified') return 'invalid-transition';
  return step.asMaker ? 'maker-is-checker' : { order, change };
}

/**
 * A freeze of an account that the order names no longer ends, and one of which nothing is left. A freeze that was placed with
 * the scope of the order takes what that is now; any other keeps what it has in common with it. Whatever changes stops
 * withdrawals and releases what was held, as a new freeze and a lift do.
 */
function followVariation(state: NaiveState, id: number, order: NaiveOrder): void {
  const basis = orderBasis(id);
  const wanted = (freeze: NaiveFreeze): NaiveScope | undefined =>
    freeze.follows ? order.scope : common(freeze.scope, order.scope);
  for (const [index, freeze] of freezesUnder(state, basis)) {
    if (!isNamed(state, basis, index) || wanted(freeze) === undefined) endFreeze(accountAt(state, index), freeze);
  }
  const left = freezesUnder(state, basis);
  const grants = spend(left, order.scope.limit);
  for (const [index, freeze] of left) {
    const asked = wanted(freeze) ?? freeze.scope;
    const isShared = asked.limit < Infinity && order.scope.limit < Infinity;
    const scope = isShared ? { ...asked, limit: grants.get(index) ?? 0 } : asked;
    if (isSame(asked, freeze.scope) && isSame(scope, freeze.scope)) continue;
    freeze.scope = scope;
    stopWithdrawals(accountAt(state, index), scope);
    releaseHeld(accountAt(state, index));
  }
}

/**
 * The limit of an order over its freezes, in the order in which they were placed: each keeps what it has, as far as those
 * before it leave that; and one that follows the order grows into what nobody uses.
 */
function spend(freezes: readonly [number, NaiveFreeze][], most: number): ReadonlyMap<number, number> {
  const grants = new Map<number, number>();
  let before = 0;
  let after = freezes.reduce((sum, [, { scope }]) => sum + claimed(scope, most), 0);
  for (const [index, { scope, follows }] of freezes) {
    const has = claimed(scope, most);
    after -= has;
    const kept = Math.min(has, most - before);
    const grant = Math.min(follows ? most : has, Math.max(kept, most - before - after));
    grants.set(index, grant);
    before += grant;
  }
  return grants;
}

/** Orders whose time ran out end, with their freezes, unless an extension that would be one waits to be decided. */
export function expireOrders(state: NaiveState): void {
  for (const [id, order] of state.orders) {
    const waits = [...order.changes.values()].some(
      (change) => change.kind === 'extension' && change.state === 'proposed' && change.expires > order.expires,
    );
    if (order.state !== 'verified' || state.day < order.expires + (waits ? DEFERRAL : 0)) continue;
    order.state = 'expired';
    endFreezesUnder(state, orderBasis(id));
  }
}
