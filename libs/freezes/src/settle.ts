import type { Basis, Recorded } from '#kernel';
import type { FreezeAuthorised } from './basis.ts';
import type { AbandonReason } from './events.ts';
import { freezeUnder, type FreezesState } from './state.ts';

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
  | { readonly outcome: 'freeze' };

/**
 * Decides on the account's stream what an authorisation comes to: the same rule for the handler and for the supervisor,
 * so that whoever comes first is right. The order of the clauses matters.
 */
export function settleAuthorisation(input: Settlement): Settled {
  const { authorisation, basis, freezes, account, holders, keyStands } = input;
  if (freezes.resolved.has(authorisation.id)) return { outcome: 'resolved-already' };
  if (account === 'opening') return { outcome: 'opening-first' };
  const abandon = (reason: AbandonReason): Settled => ({ outcome: 'abandon', reason, withKey: !keyStands });
  if (account === 'absent') return abandon('account-not-open');
  const { partyId } = authorisation.data;
  if (partyId !== undefined && !holders.includes(partyId)) return abandon('not-a-holder');
  if (keyStands) return abandon('key-used');
  const existing = freezeUnder(freezes, basis);
  if (existing !== undefined) {
    return { outcome: 'abandon', reason: 'already-frozen', withKey: true, existingFreezeId: existing.freezeId };
  }
  if (input.by === 'supervisor' && input.basisEnded) return abandon('basis-ended');
  return { outcome: 'freeze' };
}
