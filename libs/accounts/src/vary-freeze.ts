import { restrictions, type Freeze } from '#freezes';
import { pointerTo, type Basis, type EventPointer, type Recorded, type Scope } from '#kernel';
import type { AccountEvent } from './events.ts';
import { releaseHeld } from './held.ts';
import type { AccountState } from './state.ts';
import { stopWithdrawals } from './stops.ts';

/** An authorisation that varies a freeze of the account. */
interface Varying {
  readonly authorisation: Recorded<{ readonly type: string; readonly data: { readonly scope: Scope } }>;
  readonly basis: Basis;
  readonly state: AccountState;
}

/**
 * The freeze as varied, in one append: what it now covers stops withdrawals as a new freeze does (invariant 4), and what it no
 * longer keeps from being credited is released (invariant 5).
 */
export function varyFreeze({ authorisation, basis, state }: Varying, freeze: Freeze): readonly AccountEvent[] {
  const { freezeId, claimGroup } = freeze;
  const { scope } = authorisation.data;
  const others = restrictions(state.freezes).filter(({ id }) => id !== freezeId);
  const inForce = [...others, { kind: 'freeze', id: freezeId, scope, claimGroup } as const];
  const { stopped, inFlight, stops } = stopWithdrawals(state, freezeId, scope, inForce);
  const citation: EventPointer = pointerTo(authorisation);
  const { accountId } = state;
  const what = { accountId, freezeId, basis, citation, replaces: freeze.citation, scope, stopped, inFlight };
  return [{ type: 'FreezeVaried', data: what }, ...stops, ...releaseHeld(state, freezeId, inForce)];
}
