import type { FreezeCommand } from '#freezes';
import type { Destination, REVERSAL_CAUSES, Source } from './events.ts';

/** Records that funds arrived: a fact of a chain or a bank, never turned away. `amount` is a decimal as the caller wrote it. */
export interface Deposit {
  readonly type: 'Deposit';
  readonly accountId: string;
  readonly depositId: string;
  readonly asset: string;
  readonly amount: string;
  readonly source: Source;
}

/** Takes a deposit back: because it never was, which is a fact, or because it was booked by mistake, which is a debit. */
export interface ReverseDeposit {
  readonly type: 'ReverseDeposit';
  readonly accountId: string;
  readonly depositId: string;
  readonly cause: (typeof REVERSAL_CAUSES)[number];
  readonly reason: string;
}

/** Sets funds aside for a withdrawal. */
export interface ReserveWithdrawal {
  readonly type: 'ReserveWithdrawal';
  readonly accountId: string;
  readonly withdrawalId: string;
  readonly asset: string;
  readonly amount: string;
  readonly destination: Destination;
}

/** Asks for the permission to broadcast. */
export interface DispatchWithdrawal {
  readonly type: 'DispatchWithdrawal';
  readonly accountId: string;
  readonly withdrawalId: string;
  readonly reference: string;
}

/** Records that dispatched funds have left. */
export interface SettleWithdrawal {
  readonly type: 'SettleWithdrawal';
  readonly accountId: string;
  readonly withdrawalId: string;
  readonly reference: string;
}

/** Records that a withdrawal came to nothing. */
export interface CancelWithdrawal {
  readonly type: 'CancelWithdrawal';
  readonly accountId: string;
  readonly withdrawalId: string;
  readonly reason: string;
}

/** Sends funds to another account. */
export interface SendTransfer {
  readonly type: 'SendTransfer';
  readonly accountId: string;
  readonly transferId: string;
  readonly to: string;
  readonly asset: string;
  readonly amount: string;
}

/** Closes an account in which there is nothing. */
export interface CloseAccount {
  readonly type: 'CloseAccount';
  readonly accountId: string;
  readonly reason: string;
}

export type AccountCommand =
  | Deposit
  | ReverseDeposit
  | ReserveWithdrawal
  | DispatchWithdrawal
  | SettleWithdrawal
  | CancelWithdrawal
  | SendTransfer
  | CloseAccount
  | FreezeCommand;
