import type { Holder, Position, Scope, Timestamp } from '#kernel';
import type { Destination, Source } from './events.ts';

/** An account as it is shown. Amounts are minor units; `frozen` is the lesser of `available` and what is to stay. */
export interface AccountView {
  readonly accountId: string;
  readonly holders: readonly Holder[];
  readonly state: 'open' | 'closed';
  readonly balances: readonly BalanceView[];
  /** Those in force. */
  readonly freezes: readonly {
    readonly freezeId: string;
    readonly scope: Scope;
    readonly basis: { kind: string; id: string };
  }[];
  readonly streamRevision: number;
  readonly position: Position;
  readonly createdAt: Timestamp;
  readonly updatedAt: Timestamp;
}

export interface BalanceView {
  readonly asset: string;
  readonly available: string;
  readonly reserved: string;
  readonly held: string;
  readonly frozen: string;
}

export const DEPOSIT_STATES = ['deposited', 'held', 'reversed'] as const;
export type DepositStatus = (typeof DEPOSIT_STATES)[number];

export interface DepositView {
  readonly accountId: string;
  readonly depositId: string;
  readonly asset: string;
  readonly amount: string;
  readonly source: Source;
  /** `held` while a credit freeze that covered it when it arrived, or another since, is in force. */
  readonly state: DepositStatus;
  /** Of a reversal; null before. */
  readonly cause: string | null;
  readonly reason: string | null;
  readonly taken: string | null;
  readonly shortfall: string | null;
  readonly createdAt: Timestamp;
  readonly updatedAt: Timestamp;
}

export const WITHDRAWAL_STATES = ['reserved', 'dispatched', 'settled', 'cancelled', 'stopped'] as const;
export type WithdrawalStatus = (typeof WITHDRAWAL_STATES)[number];

export interface WithdrawalView {
  readonly accountId: string;
  readonly withdrawalId: string;
  readonly asset: string;
  readonly amount: string;
  readonly destination: Destination;
  readonly state: WithdrawalStatus;
  /** The reference of the last step that gave one (dispatch, settlement). */
  readonly reference: string | null;
  /** Why it was cancelled. */
  readonly reason: string | null;
  /** The freeze that stopped it. */
  readonly freezeId: string | null;
  readonly createdAt: Timestamp;
  readonly updatedAt: Timestamp;
}

export const TRANSFER_STATES = ['sent', 'received', 'returned'] as const;
export type TransferStatus = (typeof TRANSFER_STATES)[number];

/** A transfer, as it is read under the account that sent it. */
export interface TransferView {
  /** The sender. */
  readonly accountId: string;
  readonly transferId: string;
  readonly to: string;
  readonly asset: string;
  readonly amount: string;
  readonly state: TransferStatus;
  /** Why it came back. */
  readonly reason: string | null;
  readonly createdAt: Timestamp;
  readonly updatedAt: Timestamp;
}

/** One line of a statement: what one event did to one of the holder's ledger accounts, and the balance after it. */
export interface EntryView {
  readonly accountId: string;
  readonly revision: number;
  readonly position: Position;
  readonly eventId: string;
  readonly type: string;
  readonly ledgerAccount: 'available' | 'reserved' | 'held';
  readonly asset: string;
  /** Signed minor units. */
  readonly amount: string;
  readonly balance: string;
  /** The deposit, withdrawal or transfer; of a release, the freeze that held the funds. */
  readonly reference: string;
  readonly recordedAt: Timestamp;
}
