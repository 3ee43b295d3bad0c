import { pointerTo, type Basis, type BasisEnd, type Recorded } from '#kernel';
import { replacesStated, type FreezeAuthorised } from './basis.ts';
import type { AbandonReason } from './events.ts';
import { freezeUnder, type Freeze, type FreezesState } from './state.ts';
import { endedBefore, freezeToVary, type LostBy } from './vary.ts';

/** All that the account's stream, the arbiter, needs to settle one authorisation. */
export interface Settlement {
  readonly authorisation: Recorded<FreezeAuthorised>;
  readonly basis: Basis;
  readonly freezes: FreezesState;
  /** `opening`: attached to a party and neither opened nor abandoned yet. `absent`: no opening, or it came to nothing. */
  readonly account: 'open' | 'opening' | 'absent';
  /** The parties that AccountOpened lists. */
  readonly holders: readonly string[];
  /** The freeze command's key stands on the account's stream already. */
  readonly keyStands: boolean;
  /** The end of the basis is recorded. Only the supervisor looks: a handler's late freeze is lifted. */
  readonly basisEnded: boolean;
  /** Which variation ended what rests on an authorisation: known at least up to the one that is settled. */
  readonly lostBy: LostBy;
  readonly by: 'handler' | 'supervisor';
}

export type Settled =
  | { readonly outcome: 'resolved-already' }
  /** Finish the account's opening, then settle again. */
  | { readonly outcome: 'opening-first' }
  | {
      readonly outcome: 'abandon';
      readonly reason: AbandonReason;
      /** Whether the event carries the command's key, and so is its answer. A key stands once in a stream. */
      readonly withKey: boolean;
      readonly existingFreezeId?: string;
    }
  | {
      readonly outcome: 'freeze';
      /** A freeze under the basis that a variation ended before the authorisation: lifted in the same append. */
      readonly instead?: { readonly freezeId: string; readonly varied: BasisEnd };
    }
  | { readonly outcome: 'vary'; readonly freeze: Freeze };

/**
 * Decides on the account's stream what an authorisation comes to: the same rule for the handler and for the supervisor,
 * so that whoever comes first is right. The order of the clauses matters.
 */
export function settleAuthorisation(input: Settlement): Settled {
  const { authorisation, basis, freezes, account, holders, keyStands } = input;
  if (freezes.resolved.has(authorisation.id)) return { outcome: 'resolved-already' };
  if (replacesStated(authorisation) !== undefined) return settleReplacement(input);
  if (account === 'opening') return { outcome: 'opening-first' };
  const abandon = (reason: AbandonReason): Settled => ({ outcome: 'abandon', reason, withKey: !keyStands });
  if (account === 'absent') return abandon('account-not-open');
  const { partyId } = authorisation.data;
  if (partyId !== undefined && !holders.includes(partyId)) return abandon('not-a-holder');
  if (keyStands) return abandon('key-used');
  const existing = freezeUnder(freezes, basis);
  const varied = existing && endedBefore(existing, pointerTo(authorisation), input.lostBy);
  if (existing !== undefined && varied === undefined) {
    return { outcome: 'abandon', reason: 'already-frozen', withKey: true, existingFreezeId: existing.freezeId };
  }
  const over = findOver(input);
  if (over !== undefined) return abandon(over);
  if (existing === undefined || varied === undefined) return { outcome: 'freeze' };
  return { outcome: 'freeze', instead: { freezeId: existing.freezeId, varied } };
}

/** What varies a freeze bears no key: nobody waits for its answer. */
function settleReplacement(input: Settlement): Settled {
  const freeze = freezeToVary(input.freezes, input.authorisation);
  const over = findOver(input);
  if (over !== undefined) return { outcome: 'abandon', reason: over, withKey: false };
  if (freeze === undefined) return { outcome: 'abandon', reason: 'superseded', withKey: false };
  return { outcome: 'vary', freeze };
}

/** Why the supervisor gives it up: the basis has ended, or a later variation ended what would rest on it. */
function findOver({ authorisation, basisEnded, lostBy, by }: Settlement): AbandonReason | undefined {
  if (by !== 'supervisor') return undefined;
  if (basisEnded) return 'basis-ended';
  return lostBy(pointerTo(authorisation)) === undefined ? undefined : 'basis-varied';
}
