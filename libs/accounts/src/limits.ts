import { MAX_AMOUNT_DIGITS } from '#kernel';
import type { Balance } from './state.ts';

const BALANCE_LIMIT = 10n ** BigInt(MAX_AMOUNT_DIGITS);

/**
 * True when all that the account has of the asset, and `units` more, is an amount of 38 digits at most. The whole counts,
 * since what is reserved can come back to what is available.
 */
export function fitsBalance({ available, reserved, held }: Readonly<Balance>, units: bigint): boolean {
  return available + reserved + held + units < BALANCE_LIMIT;
}
