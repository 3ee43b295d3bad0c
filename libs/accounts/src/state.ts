import { evolveFreezes, initialFreezesState, type FreezesState } from '#freezes';
import type { CommandKey, Holder, Recorded, Timestamp } from '#kernel';
import type { AccountEvent, Destination } from './events.ts';
import { movesOf } from './postings.ts';

/** What the account has of one asset, in minor units. */
export interface Balance {
  available: bigint;
  /** Set aside for open withdrawals. */
  reserved: bigint;
  /** Arrived under a credit freeze, and not released since. */
  held: bigint;
}

/** A withdrawal that has neither settled nor come to nothing. */
export interface OpenWithdrawal {
  readonly asset: string;
  readonly amountUnits: bigint;
  readonly destination: Destination;
  readonly reservedAt: Timestamp;
  readonly status: 'reserved' | 'dispatched';
}

/**
 * What the next command of an account needs to know. It does not grow with deposits, transfers or closed withdrawals:
 * their ids live in an index outside, and the context tells whether one is taken.
 */
export interface AccountState {
  /** Empty before the account is opened. */
  accountId: string;
  opened: boolean;
  /** Closed, and not opened again since by what came in. */
  closed: boolean;
  holders: readonly Holder[];
  /** By asset code: each asset ever touched. */
  readonly balances: Map<string, Balance>;
  /** By asset code: the revision of the last release of what was held of it. What arrived before that is held no more. */
  readonly releases: Map<string, number>;
  /** By withdrawalId, in the order of their reservation. */
  readonly openWithdrawals: Map<string, OpenWithdrawal>;
  freezes: FreezesState;
  /** The key of the opening that won: attachments of any other do not count. */
  openedKey: CommandKey | null;
  /** When it was opened; empty before. */
  createdAt: Timestamp;
}

export function initialAccountState(): AccountState {
  return {
    accountId: '',
    opened: false,
    closed: false,
    holders: [],
    balances: new Map(),
    releases: new Map(),
    openWithdrawals: new Map(),
    freezes: initialFreezesState(),
    openedKey: null,
    createdAt: '',
  };
}

const NOTHING: Readonly<Balance> = { available: 0n, reserved: 0n, held: 0n };

/** What the account has of an asset: all zero for one that it never touched. */
export function balanceOf(state: AccountState, asset: string): Readonly<Balance> {
  return state.balances.get(asset) ?? NOTHING;
}

/** False for what an account shows nothing of: a command turned down, an opening that came to nothing. */
export function updatesAccount({ type }: Pick<AccountEvent, 'type'>): boolean {
  return type !== 'CommandRefused' && type !== 'AccountOpeningAbandoned';
}

/** Owns `state` and changes it in place. Never throws for a well-formed event. */
export function evolveAccount(state: AccountState, event: Recorded<AccountEvent>): AccountState {
  post(state, event);
  switch (event.type) {
    case 'AccountOpened':
      state.accountId = event.data.accountId;
      state.opened = true;
      state.holders = event.data.holders;
      state.openedKey = event.metadata.key;
      state.createdAt = event.metadata.recordedAt;
      return state;
    case 'AccountClosed':
      state.closed = true;
      return state;
    case 'FundsDeposited':
    case 'FundsHeld':
    case 'TransferReturned':
      state.closed = false;
      return state;
    case 'WithdrawalReserved': {
      const { withdrawalId, asset, amount, destination, reservedAt } = event.data;
      const amountUnits = BigInt(amount);
      state.openWithdrawals.set(withdrawalId, { asset, amountUnits, destination, reservedAt, status: 'reserved' });
      return state;
    }
    case 'WithdrawalDispatched': {
      const open = state.openWithdrawals.get(event.data.withdrawalId);
      if (open !== undefined) state.openWithdrawals.set(event.data.withdrawalId, { ...open, status: 'dispatched' });
      return state;
    }
    case 'WithdrawalSettled':
    case 'WithdrawalCancelled':
    case 'WithdrawalStopped':
      state.openWithdrawals.delete(event.data.withdrawalId);
      return state;
    case 'AccountFrozen':
    case 'FreezeVaried':
    case 'FreezeAbandoned':
    case 'LiftRequested':
    case 'LiftRejected':
    case 'AccountUnfrozen':
      state.freezes = evolveFreezes(state.freezes, event);
      return state;
    case 'HeldFundsReleased':
      state.releases.set(event.data.asset, event.revision);
      return state;
    case 'DepositReversed':
    case 'TransferSent':
    case 'TransferReceived':
    case 'TransferRefused':
    case 'AccountOpeningAbandoned':
    case 'CommandRefused':
      return state;
  }
}

function post(state: AccountState, event: AccountEvent): void {
  for (const { from, to, asset, units } of movesOf(event)) {
    let balance = state.balances.get(asset);
    if (balance === undefined) {
      balance = { available: 0n, reserved: 0n, held: 0n };
      state.balances.set(asset, balance);
    }
    if (from !== 'external' && from !== 'transit') balance[from] -= units;
    if (to !== 'external' && to !== 'transit') balance[to] += units;
  }
}
