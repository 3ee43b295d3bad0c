import { assertNever } from '#kernel';
import type { AccountEvent } from './events.ts';

/** The ledger accounts that an account's events move money between: the outside world, and the holder's three. */
export type LedgerPart = 'external' | 'available' | 'reserved' | 'held';

/** One line of the books. */
export interface Posting {
  /** `external:<asset>`, or `account:<id>:available`, `:reserved` or `:held`. */
  readonly ledgerAccount: string;
  readonly part: LedgerPart;
  readonly asset: string;
  /** Signed minor units: what the ledger account gains. */
  readonly units: bigint;
}

/** What an event moves from one part of the books to another. */
export interface Transfer {
  readonly from: LedgerPart;
  readonly to: LedgerPart;
  readonly asset: string;
  /** Minor units, not signed. */
  readonly units: bigint;
}

const NONE: readonly Posting[] = [];

/** What an event does to the books. The lines of each event sum to zero for each asset (invariant 6). */
export function postings(event: AccountEvent): readonly Posting[] {
  const moved = transferOf(event);
  if (moved === undefined || event.type === 'CommandRefused') return NONE;
  const { from, to, asset, units } = moved;
  const { accountId } = event.data;
  return [
    { ledgerAccount: ledgerAccount(accountId, asset, from), part: from, asset, units: -units },
    { ledgerAccount: ledgerAccount(accountId, asset, to), part: to, asset, units },
  ];
}

/** The same as `postings` in short; undefined for an event that moves nothing. */
export function transferOf(event: AccountEvent): Transfer | undefined {
  switch (event.type) {
    case 'FundsDeposited':
      return move(event.data, 'external', 'available');
    case 'FundsHeld':
      return move(event.data, 'external', 'held');
    case 'HeldFundsReleased':
      return move(event.data, 'held', 'available');
    case 'WithdrawalReserved':
      return move(event.data, 'available', 'reserved');
    case 'WithdrawalSettled':
      return move(event.data, 'reserved', 'external');
    case 'WithdrawalCancelled':
    case 'WithdrawalStopped':
      return move(event.data, 'reserved', 'available');
    case 'WithdrawalDispatched':
    case 'AccountOpened':
    case 'AccountOpeningAbandoned':
    case 'AccountFrozen':
    case 'FreezeAbandoned':
    case 'LiftRequested':
    case 'LiftRejected':
    case 'AccountUnfrozen':
    case 'CommandRefused':
      return undefined;
    default:
      return assertNever(event);
  }
}

function move(
  { asset, amount }: { readonly asset: string; readonly amount: string },
  from: LedgerPart,
  to: LedgerPart,
): Transfer {
  return { from, to, asset, units: BigInt(amount) };
}

function ledgerAccount(accountId: string, asset: string, part: LedgerPart): string {
  return part === 'external' ? `external:${asset}` : `account:${accountId}:${part}`;
}
