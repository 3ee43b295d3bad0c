import { claimGroupStated, restrictions, settleAuthorisation, type BalanceSnapshot, type Settlement } from '#freezes';
import { claimGroupOf, pointerTo, scopeCovers, type EventPointer, type Timestamp } from '#kernel';
import type { AccountEvent } from './events.ts';
import { withRelease } from './held.ts';
import type { AccountState } from './state.ts';
import { withdrawalsToStop } from './stops.ts';

/** One authorisation, and the account on whose stream it is settled. */
export interface FreezeSettlement extends Pick<
  Settlement,
  'authorisation' | 'basis' | 'keyStands' | 'basisEnded' | 'by'
> {
  readonly state: AccountState;
  /** The account is attached to a party by an opening that is neither done nor abandoned. */
  readonly opening: boolean;
  readonly now: Timestamp;
}

export type SettledFreeze =
  | 'resolved-already'
  /** Finish the account's opening, then settle again. */
  | 'opening-first'
  | {
      readonly events: readonly AccountEvent[];
      /** Whether the first event carries the freeze command's key. */
      readonly withKey: boolean;
    };

/** What an authorisation comes to on the account's stream, as the events of one append. */
export function settleFreeze(input: FreezeSettlement): SettledFreeze {
  const { authorisation, basis, state, opening } = input;
  const settled = settleAuthorisation({
    ...input,
    freezes: state.freezes,
    account: state.opened ? 'open' : opening ? 'opening' : 'absent',
    holders: state.holders.map(({ partyId }) => partyId),
  });
  switch (settled.outcome) {
    case 'resolved-already':
    case 'opening-first':
      return settled.outcome;
    case 'freeze':
      return { events: freezeEvents(input), withKey: true };
    case 'abandon': {
      const { reason, withKey, existingFreezeId } = settled;
      const { accountId } = authorisation.data;
      const existing = existingFreezeId === undefined ? {} : { existingFreezeId };
      const citation = pointerTo(authorisation);
      const data = { accountId, freezeId: authorisation.id, basis, citation, reason, ...existing };
      return { events: [{ type: 'FreezeAbandoned', data }], withKey };
    }
  }
}

/** The freeze, and the stop of the withdrawals that it does not let go (invariant 4). */
function freezeEvents({ authorisation, basis, state, now }: FreezeSettlement): readonly AccountEvent[] {
  const { accountId, scope, requestedBy, blockedFrom } = authorisation.data;
  const freezeId = authorisation.id;
  const claimGroup = claimGroupOf(basis, claimGroupStated(authorisation));
  const inForce = [...restrictions(state.freezes), { kind: 'freeze', id: freezeId, scope, claimGroup } as const];
  const stopped = withdrawalsToStop(state, scope, inForce);
  const inFlight = [...state.openWithdrawals].filter(
    ([, { asset, status }]) => status === 'dispatched' && scopeCovers(scope, 'debit', asset),
  );
  const frozen: AccountEvent = {
    type: 'AccountFrozen',
    data: {
      accountId,
      freezeId,
      basis,
      citation: pointerTo(authorisation),
      scope,
      claimGroup,
      placedBy: requestedBy,
      blockedFrom: blockedFrom ?? now,
      balancesAtFreeze: balances(state),
      stopped: stopped.map(([withdrawalId]) => withdrawalId),
      inFlight: inFlight.map(([withdrawalId]) => withdrawalId),
    },
  };
  const stops = stopped.map(([withdrawalId, { asset, amountUnits }]): AccountEvent => {
    const amount = amountUnits.toString();
    return { type: 'WithdrawalStopped', data: { accountId, withdrawalId, asset, amount, freezeId } };
  });
  return [frozen, ...stops];
}

/** By asset code, in the order of its characters: the same on any machine. */
function balances(state: AccountState): BalanceSnapshot[] {
  return [...state.balances]
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([asset, { available, reserved, held }]) => ({
      asset,
      available: available.toString(),
      reserved: reserved.toString(),
      held: held.toString(),
    }));
}

/** How a basis came to its end: the event that ended it, and the people (or the supervisor) behind that. */
export interface EndedBasis {
  readonly pointer: EventPointer;
  readonly requestedBy: string;
  readonly approvedBy: string;
}

/** The lift of a freeze whose basis ended (invariant 13), and what it releases. Nothing, if that freeze is not in force. */
export function liftForEndedBasis(
  state: AccountState,
  freezeId: string,
  { pointer: citation, requestedBy, approvedBy }: EndedBasis,
): readonly AccountEvent[] {
  if (!state.freezes.inForce.has(freezeId)) return [];
  const { accountId } = state;
  const data = { accountId, freezeId, ground: 'basis-ended', citation, requestedBy, approvedBy } as const;
  return withRelease(state, [{ type: 'AccountUnfrozen', data }]);
}
