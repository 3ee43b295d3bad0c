import { MAX_AMOUNT_DIGITS } from '#kernel';
import type { AccountState, Balance } from './state.ts';

const BALANCE_LIMIT = 10n ** BigInt(MAX_AMOUNT_DIGITS);

/**
 * True when all that the account has of the asset, and `units` more, is an amount of 38 digits at most. The whole counts,
 * since what is reserved can come back to what is available.
 */
export function fitsBalance({ available, reserved, held }: Readonly<Balance>, units: bigint): boolean {
  return available + reserved + held + units < BALANCE_LIMIT;
}

/**
 * Most assets of which an account holds something under credit freezes. What the last of them held is released in the
 * append that lifts it, an event for each asset. Where that freeze is varied into one of debits, or gives way to one, the
 * same append also stops every open withdrawal: with more held assets none would take both, and no debit would be stopped.
 */
export const MAX_HELD_ASSETS = 100;

/** True when a deposit of the asset that is held still leaves the release of all that is held to one append. */
export function fitsRelease({ balances }: Pick<AccountState, 'balances'>, asset: string): boolean {
  if ((balances.get(asset)?.held ?? 0n) > 0n) return true;
  let heldAssets = 0;
  for (const { held } of balances.values()) if (held > 0n) heldAssets += 1;
  return heldAssets < MAX_HELD_ASSETS;
}
