import { checkFreezes, MAX_OPEN_WITHDRAWALS, restrictions } from '#freezes';
import { scopeCovers, type Recorded } from '#kernel';
import { checkClosed } from './closure.ts';
import type { AccountEvent } from './events.ts';
import { gate, type Debit } from './gate.ts';
import { fitsBalance } from './limits.ts';
import { takeBack } from './reversal.ts';
import { balanceOf, type AccountState, type OpenWithdrawal } from './state.ts';
import { checkStopIsDue } from './stops.ts';
import { refusesTransfer } from './transfer.ts';

type Of<Type extends AccountEvent['type']> = Recorded<Extract<AccountEvent, { type: Type }>>;

/** What can stand on an account's stream while the account is not open. */
const BEFORE_OPENING: ReadonlySet<AccountEvent['type']> = new Set([
  'AccountOpened',
  'AccountOpeningAbandoned',
  'FreezeAbandoned',
]);

/**
 * Why this event should never be on its stream in this state; undefined when it may. Accepts whatever the deciders make in
 * the same state. Citations are not looked up here (`resolveCitation`, `resolveAbandonment`, `resolveLift`), nor ids that
 * are no longer open.
 */
export function checkAccount(state: AccountState, event: Recorded<AccountEvent>): string | undefined {
  if (event.type === 'CommandRefused') return undefined;
  if (event.stream !== `account-${event.data.accountId}`) return 'is about another account than its stream';
  if (!state.opened && !BEFORE_OPENING.has(event.type)) return 'the account is not open';
  switch (event.type) {
    case 'AccountOpened':
      return state.opened ? 'opens an account that is open' : undefined;
    case 'AccountOpeningAbandoned':
      return checkOpeningAbandoned(state, event);
    case 'AccountClosed':
      return checkClosed(state, event);
    case 'FundsDeposited':
      return checkDeposited(state, event);
    case 'FundsHeld':
      return checkHeld(state, event);
    case 'HeldFundsReleased':
      return checkReleased(state, event);
    case 'DepositReversed':
      return checkReversed(state, event);
    case 'WithdrawalReserved':
      return checkReserved(state, event);
    case 'WithdrawalDispatched':
      return checkDispatched(state, event);
    case 'WithdrawalSettled':
      return checkSettled(state, event);
    case 'WithdrawalCancelled':
      return checkSameWithdrawal(state.openWithdrawals.get(event.data.withdrawalId), event);
    case 'WithdrawalStopped':
      return checkStopped(state, event);
    case 'TransferSent':
      return checkSent(state, event);
    case 'TransferReceived':
      return refusesTransfer(state, event.data) === undefined ? undefined : 'takes in what it can not take in';
    case 'TransferRefused':
      return refusesTransfer(state, event.data) === event.data.reason ? undefined : 'refuses for a reason that is not';
    case 'TransferReturned':
      return undefined;
    case 'FreezeAbandoned':
      return checkFreezeAbandoned(state, event);
    case 'AccountFrozen':
    case 'FreezeVaried':
    case 'LiftRequested':
    case 'LiftRejected':
    case 'AccountUnfrozen':
      return checkFreezes(state.freezes, event);
  }
}

function checkOpeningAbandoned(state: AccountState, { data }: Of<'AccountOpeningAbandoned'>): string | undefined {
  const taken = data.reason === 'already-exists';
  if (taken && !state.opened) return 'abandoned for an id that is not taken';
  if (!taken && state.opened) return 'abandoned for a holder, yet the account is open';
  return undefined;
}

function checkFreezeAbandoned(state: AccountState, event: Of<'FreezeAbandoned'>): string | undefined {
  const { reason } = event.data;
  if (reason === 'account-not-open' && state.opened) return 'abandoned for an account that is open';
  if (reason === 'not-a-holder' && !state.opened) return 'abandoned for the holders of an account that is not open';
  return checkFreezes(state.freezes, event);
}

function checkDeposited(state: AccountState, event: Of<'FundsDeposited'>): string | undefined {
  if (!isCredited(state, event.data.asset)) return 'credits what is frozen';
  return checkArrived(state, event);
}

function checkHeld(state: AccountState, event: Of<'FundsHeld'>): string | undefined {
  if (isCredited(state, event.data.asset)) return 'holds what no freeze covers';
  return checkArrived(state, event);
}

/** Only while no freeze covers the asset, and then all that is held of it: a lift that frees nothing releases nothing. */
function checkReleased(state: AccountState, { data }: Of<'HeldFundsReleased'>): string | undefined {
  if (!isCredited(state, data.asset)) return 'releases what is frozen';
  const { held } = balanceOf(state, data.asset);
  if (held === 0n) return 'releases what is not held';
  return BigInt(data.amount) === held ? undefined : 'releases other than all that is held';
}

function isCredited(state: AccountState, asset: string): boolean {
  return gate(restrictions(state.freezes), { direction: 'credit', asset }).ok;
}

function checkArrived(state: AccountState, { data }: Of<'FundsDeposited' | 'FundsHeld'>): string | undefined {
  const units = BigInt(data.amount);
  if (units === 0n) return 'deposits nothing';
  return fitsBalance(balanceOf(state, data.asset), units) ? undefined : 'takes a balance beyond 38 digits';
}

/** The deposit itself is looked up elsewhere (`checkAgainstDeposit`): this is about what is taken. */
function checkReversed(state: AccountState, { data }: Of<'DepositReversed'>): string | undefined {
  const [amountUnits, taken, fromHeld] = [BigInt(data.amount), BigInt(data.taken), BigInt(data.takenFromHeld)];
  const balance = balanceOf(state, data.asset);
  const right = takeBack(balance, amountUnits, fromHeld > 0n);
  const adds = fromHeld === right.fromHeld && taken === right.fromHeld + right.fromAvailable;
  if (!adds || BigInt(data.shortfall) !== right.shortfall) return 'takes other than what is there';
  if (data.cause !== 'mistake') return undefined;
  if (right.shortfall > 0n) return 'takes back a mistake that is no longer there';
  const { available: availableUnits } = balance;
  return checkDebit(state, { asset: data.asset, amountUnits: right.fromAvailable, availableUnits });
}

function checkSent(state: AccountState, { data }: Of<'TransferSent'>): string | undefined {
  const amountUnits = BigInt(data.amount);
  const availableUnits = balanceOf(state, data.asset).available;
  if (data.to === data.accountId) return 'sends to the account itself';
  if (amountUnits === 0n) return 'sends nothing';
  if (amountUnits > availableUnits) return 'sends more than is available';
  return checkDebit(state, { asset: data.asset, amountUnits, availableUnits });
}

function checkDebit(state: AccountState, movement: Omit<Debit, 'direction'>): string | undefined {
  if (state.closed) return 'debits an account that is closed';
  return gate(restrictions(state.freezes), { direction: 'debit', ...movement }).ok
    ? undefined
    : 'debits what is frozen';
}

function checkReserved(state: AccountState, { data }: Of<'WithdrawalReserved'>): string | undefined {
  const amountUnits = BigInt(data.amount);
  const availableUnits = balanceOf(state, data.asset).available;
  if (amountUnits === 0n) return 'reserves nothing';
  if (state.openWithdrawals.has(data.withdrawalId)) return 'reserves under the id of an open withdrawal';
  if (state.openWithdrawals.size >= MAX_OPEN_WITHDRAWALS) return 'too many withdrawals are open';
  if (amountUnits > availableUnits) return 'reserves more than is available';
  return checkDebit(state, { asset: data.asset, amountUnits, availableUnits });
}

function checkDispatched(state: AccountState, event: Of<'WithdrawalDispatched'>): string | undefined {
  const { withdrawalId, asset } = event.data;
  const open = state.openWithdrawals.get(withdrawalId);
  const problem = checkSameWithdrawal(open, event);
  if (problem !== undefined) return problem;
  if (open?.status !== 'reserved') return 'dispatches twice';
  const availableUnits = balanceOf(state, asset).available;
  const movement = { direction: 'debit', asset, amountUnits: 0n, availableUnits } as const;
  return gate(restrictions(state.freezes), movement).ok ? undefined : 'dispatches what is frozen';
}

function checkSettled(state: AccountState, event: Of<'WithdrawalSettled'>): string | undefined {
  const open = state.openWithdrawals.get(event.data.withdrawalId);
  if (open?.status === 'reserved') return 'settles what was not dispatched';
  return checkSameWithdrawal(open, event);
}

function checkStopped(state: AccountState, event: Of<'WithdrawalStopped'>): string | undefined {
  const { withdrawalId, freezeId, asset } = event.data;
  const open = state.openWithdrawals.get(withdrawalId);
  const problem = checkSameWithdrawal(open, event);
  if (problem !== undefined) return problem;
  if (open?.status !== 'reserved') return 'stops what was dispatched';
  const freeze = state.freezes.inForce.get(freezeId);
  if (freeze === undefined || !scopeCovers(freeze.scope, 'debit', asset)) return 'stopped by no freeze that covers it';
  return checkStopIsDue(state, withdrawalId, asset);
}

/** Each event of a withdrawal says again what it is about: it must say the same. */
function checkSameWithdrawal(
  open: OpenWithdrawal | undefined,
  { data }: { readonly data: { readonly asset: string; readonly amount: string } },
): string | undefined {
  if (open === undefined) return 'there is no such open withdrawal';
  if (open.asset !== data.asset || open.amountUnits !== BigInt(data.amount)) return 'is not what was reserved';
  return undefined;
}
