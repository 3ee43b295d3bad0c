import { accountsNamed, basisObstacle, claimOf, isNamed, widestOf } from './bases.ts';
import { isSame, isWithin, naiveScopeOf, type NaiveScope } from './scope.ts';
import { accountAt, type Expected, type NaiveAccount, type NaiveFreeze, type NaiveState } from './state.ts';
import { basisOf, type Step } from './step.ts';

/** The freezes of an account that are in force. */
export function inForce({ freezes }: NaiveAccount): readonly NaiveFreeze[] {
  return [...freezes.values()].filter(({ ended }) => !ended);
}

/** Those under one basis, each with its account, in the order in which they were authorised: ids rise. */
export function freezesUnder({ accounts }: NaiveState, basis: string): readonly [number, NaiveFreeze][] {
  const found = [...accounts].flatMap(([index, { freezes }]): [number, NaiveFreeze][] => {
    const freeze = freezes.get(basis);
    return freeze === undefined || freeze.ended ? [] : [[index, freeze]];
  });
  return found.sort(([, one], [, other]) => (one.freezeId < other.freezeId ? -1 : 1));
}

/** Whether so much may leave: what has to stay is the highest limit of each claim, and claims add up. */
export function mayLeave(account: NaiveAccount, amount: number): boolean {
  const highest = new Map<string, number>();
  for (const { claim, scope } of inForce(account)) {
    if (isOnDebits(scope)) highest.set(claim, Math.max(highest.get(claim) ?? 0, scope.limit));
  }
  const stays = [...highest.values()].reduce((sum, limit) => sum + limit, 0);
  return stays === 0 || account.available - amount >= stays;
}

/** Whether what comes in is held. */
export function keepsOut(account: NaiveAccount): boolean {
  return inForce(account).some(({ scope }) => scope.credit && scope.bitcoin);
}

function isOnDebits({ debit, bitcoin }: NaiveScope): boolean {
  return debit && bitcoin;
}

/** Freezes one account, with a scope of its own or with that of the basis. */
export function freeze(
  state: NaiveState,
  basis: string,
  index: number,
  freezeId: string,
  stated?: NaiveScope,
): Expected {
  const account = accountAt(state, index);
  const obstacle = basisObstacle(state, basis);
  if (obstacle !== undefined) return obstacle;
  if (!isNamed(state, basis, index)) return 'basis-does-not-name-account';
  const widest = widestOf(state, basis);
  const scope = stated ?? widest;
  if (!isWithin(scope, widest) || exceedsLimit(state, basis, index, scope)) return 'scope-exceeds-basis';
  if (account.freezes.get(basis)?.ended === false) return 'already-exists';
  const follows = isSame(scope, widest);
  const placed = { freezeId, claim: claimOf(state, basis), scope, follows, ended: false, requests: new Map() };
  account.freezes.set(basis, placed);
  stopWithdrawals(account, scope);
  return 'accepted';
}

/** The freezes of an order keep no more together than it does; of one account the higher counts. */
function exceedsLimit(state: NaiveState, basis: string, index: number, scope: NaiveScope): boolean {
  const most = widestOf(state, basis).limit;
  if (most === Infinity) return false;
  const kept = new Map([[index, claimed(scope, most)]]);
  for (const [other, { scope: its }] of freezesUnder(state, basis)) {
    kept.set(other, Math.max(kept.get(other) ?? 0, claimed(its, most)));
  }
  return [...kept.values()].reduce((sum, each) => sum + each, 0) > most;
}

/** How much of the limit of an order a freeze uses up. */
export function claimed(scope: NaiveScope, most: number): number {
  return isOnDebits(scope) ? Math.min(scope.limit, most) : 0;
}

/** Withdrawals not yet dispatched are stopped, the latest first, until enough is there. */
export function stopWithdrawals(account: NaiveAccount, scope: NaiveScope): void {
  if (!isOnDebits(scope)) return;
  for (const withdrawal of [...account.withdrawals.values()].reverse()) {
    if (withdrawal.state !== 'reserved' || mayLeave(account, 0)) continue;
    withdrawal.state = 'stopped';
    account.available += withdrawal.amount;
  }
}

export function endFreeze(account: NaiveAccount, freeze: NaiveFreeze): void {
  freeze.ended = true;
  releaseHeld(account);
}

export function endFreezesUnder(state: NaiveState, basis: string): void {
  for (const [index, each] of freezesUnder(state, basis)) endFreeze(accountAt(state, index), each);
}

/** What was held is available as soon as nothing keeps it out. */
export function releaseHeld(account: NaiveAccount): void {
  if (keepsOut(account)) return;
  account.available += account.held;
  account.held = 0;
  for (const deposit of account.deposits.values()) deposit.isHeld = false;
}

/** The shares of a freeze of all, `amount` divided: one to each, and what is left to the first. */
export function sharesOf(accounts: readonly number[], { amount }: Pick<Step, 'amount'>): readonly [number, number][] {
  const first = Math.max(1, amount - accounts.length + 1);
  return accounts.map((index, at) => [index, at === 0 ? first : 1]);
}

/** Every account that the basis names, as each by itself; what is wrong with the whole is said before. */
export function freezeAll(state: NaiveState, step: Step, freezeIds: ReadonlyMap<number, string>): Expected {
  const basis = basisOf(step, step.id);
  const obstacle = basisObstacle(state, basis);
  if (obstacle === 'basis-not-found')
    return step.under === 'order' ? 'legal-order-not-found' : 'sanctions-hit-not-found';
  if (obstacle !== undefined) return obstacle;
  const widest = widestOf(state, basis);
  const stated = step.states === 'scope' ? naiveScopeOf(step) : undefined;
  if (stated !== undefined && !isWithin(stated, widest)) return 'scope-exceeds-basis';
  const named = accountsNamed(state, basis);
  const shares = new Map(step.states === 'shares' ? sharesOf(named, step) : []);
  const isDivided = widest.limit < Infinity && (stated ?? widest).bitcoin;
  const sum = [...shares.values()].reduce((total, share) => total + share, 0);
  if (isDivided ? sum > widest.limit : sum > 0) return 'malformed-request';
  if (isDivided && shares.size === 0 && named.length > 1) return 'malformed-request';
  const each = named.map((index) => {
    const share = shares.get(index);
    const scope = share === undefined ? stated : { ...widest, limit: share };
    return `${index} ${freeze(state, basis, index, freezeIds.get(index) ?? '', scope)}`;
  });
  return each.join(', ');
}
