import { assertNever } from '#kernel';
import type { AccountEvent } from './events.ts';

/**
 * The ledger accounts that an account's events move money between: the outside world, what is on its way to another account,
 * and the holder's three.
 */
export type LedgerPart = 'external' | 'transit' | 'available' | 'reserved' | 'held';

/** One line of the books. */
export interface Posting {
  /** `external:<asset>`, `transit:<from>:<transferId>`, or `account:<id>:available`, `:reserved` or `:held`. */
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
    case 'TransferSent':
      return transfer(event.data, event.data.accountId, 'available', 'transit');
    case 'TransferReceived':
      return transfer(event.data, event.data.from, 'transit', 'available');
    case 'TransferReturned':
      return transfer(event.data, event.data.accountId, 'transit', 'available');
    case 'TransferRefused':
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

interface Moved {
  readonly accountId: string;
  readonly asset: string;
  readonly amount: string;
}

function move(moved: Moved, from: LedgerPart, to: LedgerPart, transit = ''): readonly Posting[] {
  const { accountId, asset } = moved;
  const units = BigInt(moved.amount);
  const named = (part: LedgerPart): string => (part === 'transit' ? transit : ledgerAccount(accountId, asset, part));
  return [
    { ledgerAccount: named(from), part: from, asset, units: -units },
    { ledgerAccount: named(to), part: to, asset, units },
  ];
}

/** @param sender the account that the transfer was sent from, by which it is known together with its id */
function transfer(
  data: Moved & { readonly transferId: string },
  sender: string,
  from: LedgerPart,
  to: LedgerPart,
): readonly Posting[] {
  return move(data, from, to, `transit:${sender}:${data.transferId}`);
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
