import { decideLift, type FreezeCommand, type LiftContext, MAX_OPEN_WITHDRAWALS, restrictions } from '#freezes';
import { assertNever, isRejection, Money, reject, rejectFieldNow, type Actor, type Asset } from '#kernel';
import type { Rejection, Timestamp } from '#kernel';
import type {
  AccountCommand,
  CancelWithdrawal,
  CloseAccount,
  Deposit,
  DispatchWithdrawal,
  ReserveWithdrawal,
  ReverseDeposit,
  SendTransfer,
  SettleWithdrawal,
} from './commands.ts';
import { closingFacts, isEmpty } from './closure.ts';
import type { AccountEvent } from './events.ts';
import { gate } from './gate.ts';
import { withRelease } from './held.ts';
import { fitsBalance, fitsRelease, MAX_HELD_ASSETS } from './limits.ts';
import { isHeld, takeBack, type RecordedDeposit } from './reversal.ts';
import { balanceOf, type AccountState, type OpenWithdrawal } from './state.ts';
import type { WithdrawalStatus } from './views.ts';

/** What the account's stream and its index tell beside the state. */
export interface AccountContext {
  readonly now: Timestamp;
  readonly actor: Actor;
  /** Of a deposit, reservation or transfer: the asset that it names; absent when there is none. */
  readonly asset?: Asset | undefined;
  /** A deposit with the command's id stands on the stream. */
  readonly depositExists?: boolean | undefined;
  /** Of a reversal: the deposit with the command's id, if there is one. */
  readonly deposit?: RecordedDeposit | undefined;
  /** The deposit with the command's id was reversed. */
  readonly depositReversed?: boolean | undefined;
  /** Of a transfer: the account that it is to go to exists. */
  readonly recipientExists?: boolean | undefined;
  /** A transfer with the command's id stands on the stream. */
  readonly transferExists?: boolean | undefined;
  /** What became of the withdrawal with the command's id, if it is no longer open. */
  readonly closedWithdrawal?: WithdrawalStatus | undefined;
  /** Of a lift that relies on an order of release: what the order said. */
  readonly release?: LiftContext['release'];
}

type Decision = readonly AccountEvent[] | Rejection;
type WithdrawalStep = DispatchWithdrawal | SettleWithdrawal | CancelWithdrawal;

/** Decides a command of one account. Rejections come in the order of the API: what is not there, the amount, the rules. */
export function decideAccount(command: AccountCommand, state: AccountState, context: AccountContext): Decision {
  switch (command.type) {
    case 'Deposit':
      return deposit(command, state, context);
    case 'ReverseDeposit':
      return reverseDeposit(command, state, context);
    case 'ReserveWithdrawal':
      return reserveWithdrawal(command, state, context);
    case 'DispatchWithdrawal':
      return dispatchWithdrawal(command, state, context);
    case 'SettleWithdrawal':
      return settleWithdrawal(command, state, context);
    case 'CancelWithdrawal':
      return cancelWithdrawal(command, state, context);
    case 'SendTransfer':
      return sendTransfer(command, state, context);
    case 'CloseAccount':
      return closeAccount(command, state);
    case 'RequestLift':
    case 'ApproveLift':
    case 'RejectLift':
      return lift(command, state, context);
    default:
      return assertNever(command);
  }
}

/** A deposit is a fact of a chain or a bank: it lands whatever is frozen, and under a credit freeze it stays (invariant 5). */
function deposit(command: Deposit, state: AccountState, context: AccountContext): Decision {
  const amount = parseAmount(command, state, context);
  if (isRejection(amount)) return amount;
  const { accountId, depositId, asset, source } = command;
  if (context.depositExists === true) {
    return reject('already-exists', 'The account has a deposit with this id.', { depositId });
  }
  if (!fitsBalance(balanceOf(state, asset), amount.units)) {
    return rejectFieldNow('amount', 'must not take the balance beyond 38 digits of minor units');
  }
  const credited = gate(restrictions(state.freezes), { direction: 'credit', asset }).ok;
  if (!credited && !fitsRelease(state, asset)) {
    const most = String(MAX_HELD_ASSETS);
    return rejectFieldNow(
      'asset',
      `must be one of the ${most} that the account holds under credit freezes, the most there can be`,
    );
  }
  const data = { accountId, depositId, asset, amount: amount.units.toString(), source };
  return [{ type: credited ? 'FundsDeposited' : 'FundsHeld', data }];
}

/** That a deposit never was is a fact, and accepted whatever is frozen; a mistake of our own is put right by a debit. */
function reverseDeposit(command: ReverseDeposit, state: AccountState, context: AccountContext): Decision {
  const { accountId, depositId, cause, reason } = command;
  const { deposit } = context;
  if (!state.opened) return accountNotFound();
  if (deposit === undefined) return reject('deposit-not-found', 'The account has no deposit with this id.');
  if (context.depositReversed === true) {
    return reject('invalid-transition', 'The deposit is reversed.', { state: 'reversed' });
  }
  const { asset, amountUnits, source, depositedAt, pointer: citation } = deposit;
  const balance = balanceOf(state, asset);
  const { fromHeld, fromAvailable, shortfall } = takeBack(balance, amountUnits, isHeld(state, deposit));
  if (cause === 'mistake') {
    const refused = refuseDebit(state, asset, amountUnits - fromHeld);
    if (refused !== undefined) return refused;
    if (shortfall > 0n) return reject('insufficient-funds', 'The deposit is more than what is available.');
  }
  const what = { accountId, depositId, asset, amount: amountUnits.toString(), source, depositedAt, citation };
  const taken = (fromHeld + fromAvailable).toString();
  const outcome = { taken, takenFromHeld: fromHeld.toString(), shortfall: shortfall.toString() };
  return [{ type: 'DepositReversed', data: { ...what, cause, reason, ...outcome } }];
}

function reserveWithdrawal(command: ReserveWithdrawal, state: AccountState, context: AccountContext): Decision {
  const amount = parseAmount(command, state, context);
  if (isRejection(amount)) return amount;
  const { accountId, withdrawalId, asset, destination } = command;
  if (state.openWithdrawals.has(withdrawalId) || context.closedWithdrawal !== undefined) {
    return reject('already-exists', 'The account has a withdrawal with this id.', { withdrawalId });
  }
  const refused = refuseDebit(state, asset, amount.units);
  if (refused !== undefined) return refused;
  if (amount.units > balanceOf(state, asset).available) {
    return reject('insufficient-funds', 'The amount is more than what is available.');
  }
  if (state.openWithdrawals.size >= MAX_OPEN_WITHDRAWALS) {
    const most = String(MAX_OPEN_WITHDRAWALS);
    return reject('too-many-open-withdrawals', `The account has ${most} open withdrawals, the most that it may have.`);
  }
  const reserved = { accountId, withdrawalId, asset, amount: amount.units.toString(), destination };
  return [{ type: 'WithdrawalReserved', data: { ...reserved, reservedAt: context.now } }];
}

function dispatchWithdrawal(command: DispatchWithdrawal, state: AccountState, context: AccountContext): Decision {
  const open = findOpen(command, state, context);
  if (isRejection(open)) return open;
  if (open.status !== 'reserved') return notNow(open.status);
  const frozen = refuseFrozen(state, open.asset, 0n);
  if (frozen !== undefined) return frozen;
  const { reference } = command;
  return [{ type: 'WithdrawalDispatched', data: { ...withdrawalData(command, open), reference } }];
}

/** A settlement is a fact: no freeze turns it away. */
function settleWithdrawal(command: SettleWithdrawal, state: AccountState, context: AccountContext): Decision {
  const open = findOpen(command, state, context);
  if (isRejection(open)) return open;
  if (open.status !== 'dispatched') return notNow(open.status);
  const { reference } = command;
  return [{ type: 'WithdrawalSettled', data: { ...withdrawalData(command, open), reference } }];
}

/** Nothing leaves the account by a cancellation: no freeze turns it away, dispatched or not. */
function cancelWithdrawal(command: CancelWithdrawal, state: AccountState, context: AccountContext): Decision {
  const open = findOpen(command, state, context);
  if (isRejection(open)) return open;
  const { reason } = command;
  return [{ type: 'WithdrawalCancelled', data: { ...withdrawalData(command, open), reason } }];
}

function lift(command: FreezeCommand, state: AccountState, context: AccountContext): Decision {
  const decision = decideLift(command, state.freezes, context);
  return isRejection(decision) ? decision : withRelease(state, decision);
}

/** The first half of a transfer: the funds are in transit until the other account has decided. */
function sendTransfer(command: SendTransfer, state: AccountState, context: AccountContext): Decision {
  const { accountId, transferId, to, asset } = command;
  if (!state.opened) return accountNotFound();
  if (context.recipientExists !== true) {
    return reject('account-not-found', 'There is no account that the transfer could go to.', { accountId: to });
  }
  const amount = parseAmount(command, state, context);
  if (isRejection(amount)) return amount;
  if (context.transferExists === true) {
    return reject('already-exists', 'The account has sent a transfer with this id.', { transferId });
  }
  const refused = refuseDebit(state, asset, amount.units);
  if (refused !== undefined) return refused;
  if (amount.units > balanceOf(state, asset).available) {
    return reject('insufficient-funds', 'The amount is more than what is available.');
  }
  return [{ type: 'TransferSent', data: { accountId, to, transferId, asset, amount: amount.units.toString() } }];
}

/** What people froze stays open to be seen: that is said before what is left in it. */
function closeAccount({ accountId, reason }: CloseAccount, state: AccountState): Decision {
  if (!state.opened) return accountNotFound();
  if (state.closed) return reject('invalid-transition', 'The account is closed.', { state: 'closed' });
  const freezeIds = [...state.freezes.inForce.keys()];
  if (freezeIds.length > 0) {
    return reject('account-frozen', 'The account is frozen, and stays open until it is not.', { freezeIds });
  }
  if (!isEmpty(state)) {
    return reject('account-not-empty', 'There are funds in the account, or a withdrawal is under way.');
  }
  return [{ type: 'AccountClosed', data: { accountId, reason, ...closingFacts(state) } }];
}

function parseAmount(
  command: Deposit | ReserveWithdrawal | SendTransfer,
  state: AccountState,
  { asset }: AccountContext,
): Money | Rejection {
  if (!state.opened) return accountNotFound();
  if (asset === undefined) return reject('asset-not-found', 'There is no such asset.');
  return Money.parse(command.amount, asset);
}

function findOpen(
  { withdrawalId }: WithdrawalStep,
  state: AccountState,
  { closedWithdrawal }: AccountContext,
): OpenWithdrawal | Rejection {
  if (!state.opened) return accountNotFound();
  const open = state.openWithdrawals.get(withdrawalId);
  if (open !== undefined) return open;
  if (closedWithdrawal !== undefined) return notNow(closedWithdrawal);
  return reject('withdrawal-not-found', 'The account has no withdrawal with this id.');
}

function refuseDebit(state: AccountState, asset: string, amountUnits: bigint): Rejection | undefined {
  if (state.closed) return reject('account-closed', 'The account is closed.');
  return refuseFrozen(state, asset, amountUnits);
}

function refuseFrozen(state: AccountState, asset: string, amountUnits: bigint): Rejection | undefined {
  const availableUnits = balanceOf(state, asset).available;
  const verdict = gate(restrictions(state.freezes), { direction: 'debit', asset, amountUnits, availableUnits });
  if (verdict.ok) return undefined;
  return reject('account-frozen', 'The account is frozen for debits of this asset.', { freezeIds: verdict.freezeIds });
}

function accountNotFound(): Rejection {
  return reject('account-not-found', 'There is no such account.');
}

function notNow(state: WithdrawalStatus): Rejection {
  return reject('invalid-transition', `The withdrawal is ${state}.`, { state });
}

function withdrawalData(
  { accountId, withdrawalId }: WithdrawalStep,
  { asset, amountUnits, destination, reservedAt }: OpenWithdrawal,
): Extract<AccountEvent, { type: 'WithdrawalReserved' }>['data'] {
  return { accountId, withdrawalId, asset, amount: amountUnits.toString(), destination, reservedAt };
}
