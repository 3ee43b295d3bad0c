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

/** What an event moves from one part of the books to another. */
export interface Move {
  readonly from: LedgerPart;
  readonly to: LedgerPart;
  readonly asset: string;
  /** Minor units, not signed. */
  readonly units: bigint;
  /** The account that a transfer was sent from, by which it is known together with its id. */
  readonly sender?: string;
}

const NONE: readonly Move[] = [];

/** What an event does to the books. The lines of each event sum to zero for each asset (invariant 6). */
export function postings(event: AccountEvent): readonly Posting[] {
  const lines: Posting[] = [];
  for (const move of movesOf(event)) {
    const { from, to, asset, units } = move;
    lines.push({ ledgerAccount: ledgerAccount(event, move, from), part: from, asset, units: -units });
    lines.push({ ledgerAccount: ledgerAccount(event, move, to), part: to, asset, units });
  }
  return lines;
}

/** The same as `postings` in short. */
export function movesOf(event: AccountEvent): readonly Move[] {
  switch (event.type) {
    case 'FundsDeposited':
      return move(event.data, 'external', 'available');
    case 'FundsHeld':
      return move(event.data, 'external', 'held');
    case 'HeldFundsReleased':
      return move(event.data, 'held', 'available');
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
    case 'FreezeVaried':
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
  readonly asset: string;
  readonly amount: string;
}

function move({ asset, amount }: Moved, from: LedgerPart, to: LedgerPart): readonly Move[] {
  return [{ from, to, asset, units: BigInt(amount) }];
}

function transfer({ asset, amount }: Moved, sender: string, from: LedgerPart, to: LedgerPart): readonly Move[] {
  return [{ from, to, asset, units: BigInt(amount), sender }];
}

function takenBack(data: Extract<AccountEvent, { type: 'DepositReversed' }>['data']): readonly Move[] {
  const { asset } = data;
  const fromHeld = BigInt(data.takenFromHeld);
  const fromAvailable = BigInt(data.taken) - fromHeld;
  const moves: Move[] = [];
  if (fromHeld !== 0n) moves.push({ from: 'held', to: 'external', asset, units: fromHeld });
  if (fromAvailable !== 0n) moves.push({ from: 'available', to: 'external', asset, units: fromAvailable });
  return moves;
}

function ledgerAccount({ data }: AccountEvent, { asset, sender }: Move, part: LedgerPart): string {
  if (part === 'external') return `external:${asset}`;
  if (part === 'transit') return `transit:${sender ?? ''}:${'transferId' in data ? data.transferId : ''}`;
  return `account:${'accountId' in data ? data.accountId : ''}:${part}`;
}
