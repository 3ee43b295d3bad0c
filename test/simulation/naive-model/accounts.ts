import { isPartyNamed } from './bases.ts';
import { inForce, keepsOut, mayLeave } from './freezes.ts';
import {
  accountAt,
  newAccount,
  type Expected,
  type NaiveAccount,
  type NaiveState,
  type WithdrawalState,
} from './state.ts';
import type { Step } from './step.ts';

/** Accounts that are open from the beginning: two of party 0, and one of party 1. */
export const HOLDERS = [0, 0, 1] as const;

/** The account that a step opens, beside those. */
export function openedBy({ id }: Pick<Step, 'id'>): number {
  return HOLDERS.length - 1 + id;
}

/** The account that a transfer goes to, and the second one that an order names. */
export function next(account: number): number {
  return (account + 1) % HOLDERS.length;
}

/** No account opens for a party that a basis names (invariant 14). */
export function open(state: NaiveState, step: Step): Expected {
  const index = openedBy(step);
  const { holder } = accountAt(state, step.account);
  if (state.accounts.has(index)) return 'already-exists';
  if (isPartyNamed(state, holder)) return 'party-named-by-basis';
  state.accounts.set(index, newAccount(holder));
  return 'accepted';
}

export function link(state: NaiveState, { account, change }: Step): Expected {
  const { holder } = accountAt(state, account);
  const own = state.addresses.get(holder) ?? new Set();
  if (own.has(change)) return 'already-exists';
  state.addresses.set(holder, own.add(change));
  return 'accepted';
}

export function deposit(account: NaiveAccount, { id, amount }: Step): Expected {
  if (account.deposits.has(id)) return 'already-exists';
  const isHeld = keepsOut(account);
  account.deposits.set(id, { amount, isHeld, reversed: false });
  if (isHeld) account.held += amount;
  else account.available += amount;
  account.closed = false;
  return 'accepted';
}

export function reverse(account: NaiveAccount, { id, asMaker }: Step): Expected {
  const deposit = account.deposits.get(id);
  if (deposit === undefined) return 'deposit-not-found';
  if (deposit.reversed) return 'invalid-transition';
  const fromHeld = deposit.isHeld ? deposit.amount : 0;
  if (asMaker) {
    if (account.closed) return 'account-closed';
    if (!mayLeave(account, deposit.amount - fromHeld)) return 'account-frozen';
    if (deposit.amount - fromHeld > account.available) return 'insufficient-funds';
  }
  deposit.reversed = true;
  account.held -= fromHeld;
  account.available -= Math.min(deposit.amount - fromHeld, account.available);
  return 'accepted';
}

/** Sent, and at once received; what an account refuses that is closed or frozen for credits is as if it had never left. */
export function transfer(state: NaiveState, { id, amount, account: index }: Step): Expected {
  const account = accountAt(state, index);
  const to = accountAt(state, next(index));
  if (account.transfers.has(id)) return 'already-exists';
  if (account.closed) return 'account-closed';
  if (!mayLeave(account, amount)) return 'account-frozen';
  if (amount > account.available) return 'insufficient-funds';
  account.transfers.add(id);
  if (to.closed || keepsOut(to)) return 'accepted';
  account.available -= amount;
  to.available += amount;
  return 'accepted';
}

export function close(account: NaiveAccount): Expected {
  if (account.closed) return 'invalid-transition';
  if (inForce(account).length > 0) return 'account-frozen';
  if (account.available > 0 || account.held > 0 || reservedIn(account) > 0) return 'account-not-empty';
  account.closed = true;
  return 'accepted';
}

/** What is set aside for withdrawals, dispatched or not. */
export function reservedIn({ withdrawals }: NaiveAccount): number {
  const open = [...withdrawals.values()].filter(({ state }) => state === 'reserved' || state === 'dispatched');
  return open.reduce((sum, { amount }) => sum + amount, 0);
}

export function reserve(account: NaiveAccount, { id, amount }: Step): Expected {
  if (account.withdrawals.has(id)) return 'already-exists';
  if (account.closed) return 'account-closed';
  if (!mayLeave(account, amount)) return 'account-frozen';
  if (amount > account.available) return 'insufficient-funds';
  account.available -= amount;
  account.withdrawals.set(id, { amount, state: 'reserved' });
  return 'accepted';
}

export function withdrawalStep(
  account: NaiveAccount,
  id: number,
  from: readonly WithdrawalState[],
  to: WithdrawalState,
): Expected {
  const withdrawal = account.withdrawals.get(id);
  if (withdrawal === undefined) return 'withdrawal-not-found';
  if (!from.includes(withdrawal.state)) return 'invalid-transition';
  if (to === 'dispatched' && !mayLeave(account, 0)) return 'account-frozen';
  withdrawal.state = to;
  if (to === 'cancelled') account.available += withdrawal.amount;
  return 'accepted';
}
