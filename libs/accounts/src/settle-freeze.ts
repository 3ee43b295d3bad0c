import { settleAuthorisation, type BalanceSnapshot, type Settlement } from '#freezes';
import { pointerTo, scopeCovers, type EventPointer, type Timestamp } from '#kernel';
import type { AccountEvent } from './events.ts';
import type { AccountState } from './state.ts';

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

/** The freeze, and the stop of every withdrawal in its scope that was not yet dispatched (invariant 4). */
function freezeEvents({ authorisation, basis, state, now }: FreezeSettlement): readonly AccountEvent[] {
  const { accountId, scope, requestedBy, blockedFrom } = authorisation.data;
  const freezeId = authorisation.id;
  const inScope = [...state.openWithdrawals].filter(([, { asset }]) => scopeCovers(scope, 'debit', asset));
  const stopped = inScope.filter(([, { status }]) => status === 'reserved');
  const inFlight = inScope.filter(([, { status }]) => status === 'dispatched');
  const frozen: AccountEvent = {
    type: 'AccountFrozen',
    data: {
      accountId,
      freezeId,
      basis,
      citation: pointerTo(authorisation),
      scope,
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

/** The lift of a freeze whose basis ended (invariant 13). Nothing, if that freeze is not in force. */
export function liftForEndedBasis(
  state: AccountState,
  freezeId: string,
  { pointer: citation, requestedBy, approvedBy }: EndedBasis,
): readonly AccountEvent[] {
  if (!state.freezes.inForce.has(freezeId)) return [];
  const { accountId } = state;
  const data = { accountId, freezeId, ground: 'basis-ended', citation, requestedBy, approvedBy } as const;
  return [{ type: 'AccountUnfrozen', data }];
}
