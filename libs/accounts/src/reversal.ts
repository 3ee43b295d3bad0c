import { pointerTo, type EventPointer, type Recorded, type Timestamp } from '#kernel';
import type { AccountEvent, Source } from './events.ts';
import { balanceOf, type AccountState, type Balance } from './state.ts';

type Reversed = Extract<AccountEvent, { type: 'DepositReversed' }>;

/** A deposit as the event that recorded it tells it. */
export interface RecordedDeposit {
  readonly pointer: EventPointer;
  readonly asset: string;
  readonly amountUnits: bigint;
  readonly source: Source;
  readonly depositedAt: Timestamp;
  /** It was not available when it came, but held. */
  readonly wasHeld: boolean;
}

/** @returns undefined for an event that records no deposit of this id */
export function recordedDeposit(
  event: Recorded<AccountEvent> | undefined,
  depositId: string,
): RecordedDeposit | undefined {
  if (event?.type !== 'FundsDeposited' && event?.type !== 'FundsHeld') return undefined;
  if (event.data.depositId !== depositId) return undefined;
  const { asset, amount, source } = event.data;
  const depositedAt = event.metadata.recordedAt;
  return {
    pointer: pointerTo(event),
    asset,
    amountUnits: BigInt(amount),
    source,
    depositedAt,
    wasHeld: event.type === 'FundsHeld',
  };
}

/**
 * Whether a deposit is still held: it was when it came, and nothing of its asset was released since. A release is of all that
 * is held of an asset; what is held after that came later, under a freeze of its own, and is none of this deposit's.
 */
export function isHeld(state: AccountState, { asset, pointer, wasHeld }: RecordedDeposit): boolean {
  return wasHeld && Number(pointer.revision) > (state.releases.get(asset) ?? -1);
}

/** What a reversal takes, and from where, in minor units. */
export interface TakenBack {
  readonly fromHeld: bigint;
  readonly fromAvailable: bigint;
  readonly shortfall: bigint;
}

/**
 * As much of a deposit as is there: out of what is held first, if it is held itself, then out of what is available.
 * What is reserved is promised elsewhere and stays. Nothing falls below zero.
 */
export function takeBack(balance: Readonly<Balance>, amountUnits: bigint, ofHeld: boolean): TakenBack {
  const fromHeld = ofHeld ? lesser(balance.held, amountUnits) : 0n;
  const fromAvailable = lesser(balance.available, amountUnits - fromHeld);
  return { fromHeld, fromAvailable, shortfall: amountUnits - fromHeld - fromAvailable };
}

function lesser(one: bigint, other: bigint): bigint {
  return one < other ? one : other;
}

/**
 * Why a reversal is not that of the deposit that it cites; undefined when it is.
 * @param account before the reversal
 */
export function checkAgainstDeposit(
  { data }: Recorded<Reversed>,
  deposit: RecordedDeposit | undefined,
  account: AccountState,
): string | undefined {
  if (deposit === undefined) return 'cites no deposit of this id';
  const { asset, amountUnits, source, depositedAt } = deposit;
  const same =
    data.asset === asset &&
    BigInt(data.amount) === amountUnits &&
    data.depositedAt === depositedAt &&
    data.source.kind === source.kind &&
    data.source.reference === source.reference &&
    data.source.chain === source.chain &&
    data.source.address === source.address &&
    data.source.memo === source.memo;
  if (!same) return 'says otherwise than the deposit that it cites';
  const fromHeld = isHeld(account, deposit) ? lesser(balanceOf(account, asset).held, amountUnits) : 0n;
  if (BigInt(data.takenFromHeld) === fromHeld) return undefined;
  return fromHeld === 0n
    ? 'takes from what is held for a deposit that is not held'
    : 'takes other than what is held for a deposit that is held';
}
