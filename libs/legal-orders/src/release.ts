import type { EventPointer, Timestamp } from '#kernel';
import { standing } from './in-force.ts';
import type { LegalOrderState } from './state.ts';

/** A freeze that an order may release. */
export interface FreezeToRelease {
  readonly freezeId: string;
  readonly accountId: string;
}

/**
 * The one rule by which an order establishes that a freeze is to be lifted (invariant 3, `release-ordered`): used to decide
 * on a request and on its approval, and again by whoever checks a lift. The order is one of release, is verified and in
 * force with no ending proposed, and names the freeze or its account.
 * @returns the event that verified it, which a lift cites; or why it establishes nothing
 */
export function releaseUnder(
  order: LegalOrderState,
  { freezeId, accountId }: FreezeToRelease,
  at: Timestamp,
): { readonly verified: EventPointer } | { readonly obstacle: string } {
  const { instrument, verified } = order;
  if (instrument === undefined) return { obstacle: 'there is no such legal order' };
  if (instrument.effect !== 'release') return { obstacle: 'the legal order is not one of release' };
  const obstacle = standing(order, at);
  if (obstacle !== undefined) return { obstacle: obstacle.detail };
  const { freezeIds = [], accountIds = [] } = instrument.releases;
  if (!freezeIds.includes(freezeId) && !accountIds.includes(accountId)) {
    return { obstacle: 'the legal order names neither the freeze nor its account' };
  }
  return verified === undefined ? { obstacle: 'the legal order is not verified yet' } : { verified };
}
