import type { Restriction } from '#freezes';
import { limitOf, scopeCovers } from '#kernel';

/** Money that is about to leave what its holder can use (`debit`), or to come to it (`credit`). */
export type Movement = Debit | { readonly direction: 'credit'; readonly asset: string };

export interface Debit {
  readonly direction: 'debit';
  readonly asset: string;
  /** Nought for a dispatch, whose amount is set aside already: nothing more leaves. */
  readonly amountUnits: bigint;
  readonly availableUnits: bigint;
}

export type GateVerdict = { readonly ok: true } | { readonly ok: false; readonly freezeIds: readonly string[] };

const OPEN: GateVerdict = { ok: true };

/**
 * The one gate: whether a movement may pass all restrictions in force. A debit passes when it leaves available what has to
 * stay; a credit when nothing covers it.
 * @returns when it may not, every freeze that covers the movement's asset and direction
 */
export function gate(restrictions: readonly Restriction[], movement: Movement): GateVerdict {
  if (restrictions.length === 0) return OPEN;
  const { direction, asset } = movement;
  const covering = restrictions.filter(({ scope }) => scopeCovers(scope, direction, asset));
  if (covering.length === 0) return OPEN;
  if (movement.direction === 'debit') {
    const staying = unitsToStay(covering, asset);
    if (staying === 0n) return OPEN;
    if (staying !== 'all' && movement.availableUnits - movement.amountUnits >= staying) return OPEN;
  }
  return { ok: false, freezeIds: covering.map(({ id }) => id) };
}

/**
 * What has to stay available of an asset, in minor units; `all` under a debit freeze that has no limit for it. Freezes of
 * one claim group secure one claim, so the highest of their limits counts; groups add up.
 */
export function unitsToStay(restrictions: readonly Restriction[], asset: string): bigint | 'all' {
  const highest = new Map<string, bigint>();
  for (const { scope, claimGroup } of restrictions) {
    if (!scopeCovers(scope, 'debit', asset)) continue;
    const limit = limitOf(scope, asset);
    if (limit === undefined) return 'all';
    if (limit > (highest.get(claimGroup) ?? 0n)) highest.set(claimGroup, limit);
  }
  let sum = 0n;
  for (const units of highest.values()) sum += units;
  return sum;
}

/** How much of what is available of an asset is frozen, in minor units: what has to stay, but never more than there is. */
export function frozenUnits(restrictions: readonly Restriction[], asset: string, availableUnits: bigint): bigint {
  const staying = unitsToStay(restrictions, asset);
  return staying === 'all' || staying > availableUnits ? availableUnits : staying;
}
