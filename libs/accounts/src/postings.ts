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

const NONE: readonly Posting[] = [];

/** What an event does to the books. The lines of each event sum to zero for each asset (invariant 6). */
export function postings(event: AccountEvent): readonly Posting[] {
  switch (event.type) {
    case 'FundsDeposited':
      return move(event.data, 'external', 'available');
    case 'DepositReversed':
      return takenBack(event.data);
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
    case 'AccountClosed':
    case 'AccountFrozen':
    case 'FreezeAbandoned':
    case 'LiftRequested':
    case 'LiftRejected':
    case 'AccountUnfrozen':
    case 'CommandRefused':
      return NONE;
    default:
      return assertNever(event);
  }
}

function move(
  { accountId, asset, amount }: { readonly accountId: string; readonly asset: string; readonly amount: string },
  from: LedgerPart,
  to: LedgerPart,
): readonly Posting[] {
  const units = BigInt(amount);
  return [
    { ledgerAccount: ledgerAccount(accountId, asset, from), part: from, asset, units: -units },
    { ledgerAccount: ledgerAccount(accountId, asset, to), part: to, asset, units },
  ];
}

function takenBack(data: Extract<AccountEvent, { type: 'DepositReversed' }>['data']): readonly Posting[] {
  const { accountId, asset } = data;
  const fromHeld = BigInt(data.takenFromHeld);
  const fromAvailable = BigInt(data.taken) - fromHeld;
  return [
    ...(fromHeld === 0n ? NONE : move({ accountId, asset, amount: data.takenFromHeld }, 'held', 'external')),
    ...(fromAvailable === 0n
      ? NONE
      : move({ accountId, asset, amount: String(fromAvailable) }, 'available', 'external')),
  ];
}

function ledgerAccount(accountId: string, asset: string, part: LedgerPart): string {
  return part === 'external' ? `external:${asset}` : `account:${accountId}:${part}`;
}
