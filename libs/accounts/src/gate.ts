import type { Restriction } from '#freezes';
import { scopeCovers, type Direction } from '#kernel';

/**
 * Money that is about to leave what its holder can use (`debit`), or to come in from another account (`credit`). Of a
 * dispatch, whose amount is set aside already, nothing more leaves.
 */
export interface Movement {
  readonly direction: Direction;
  readonly asset: string;
  readonly amountUnits: bigint;
  readonly availableUnits: bigint;
}

export type GateVerdict = { readonly ok: true } | { readonly ok: false; readonly freezeIds: readonly string[] };

const OPEN: GateVerdict = { ok: true };

/**
 * The one gate: whether a movement may pass all restrictions in force. One that refuses it is enough (invariant 2).
 * @returns when it may not, every freeze that covers the movement's asset and direction
 */
export function gate(restrictions: readonly Restriction[], movement: Movement): GateVerdict {
  if (restrictions.length === 0) return OPEN;
  const refusing = restrictions.filter((restriction) => refuses(restriction, movement));
  return refusing.length === 0 ? OPEN : { ok: false, freezeIds: refusing.map(({ id }) => id) };
}

/** Freezes are the only kind of restriction so far: with another, this switches on `kind`. */
function refuses({ scope }: Restriction, { direction, asset }: Movement): boolean {
  return scopeCovers(scope, direction, asset);
}

/** How much of what is available of an asset has to stay, in minor units: never more than there is. */
export function frozenUnits(restrictions: readonly Restriction[], asset: string, availableUnits: bigint): bigint {
  return gate(restrictions, { direction: 'debit', asset, amountUnits: 0n, availableUnits }).ok ? 0n : availableUnits;
}
