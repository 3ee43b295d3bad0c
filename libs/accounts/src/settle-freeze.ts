import {
  claimGroupStated,
  replacesStated,
  restrictions,
  settleAuthorisation,
  type BalanceSnapshot,
  type Settled,
  type Settlement,
} from '#freezes';
import { claimGroupOf, pointerTo, type BasisEnd, type Timestamp } from '#kernel';
import type { AccountEvent } from './events.ts';
import { releaseHeld, withRelease } from './held.ts';
import type { AccountState } from './state.ts';
import { stopWithdrawals } from './stops.ts';
import { varyFreeze } from './vary-freeze.ts';

/** One authorisation, and the account on whose stream it is settled. */
export interface FreezeSettlement extends Pick<
  Settlement,
  'authorisation' | 'basis' | 'keyStands' | 'basisEnded' | 'lostBy' | 'by'
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
      /** What comes in the same append before the events of the command: the lift of a freeze that this one replaces. */
      readonly ahead?: readonly AccountEvent[];
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
      return { ...liftAhead(input, settled.instead), events: freezeEvents(input, settled.instead), withKey: true };
    case 'vary':
      return { events: varyFreeze(input, settled.freeze), withKey: false };
    case 'abandon': {
      const { reason, withKey, existingFreezeId } = settled;
      const { accountId } = authorisation.data;
      const replaces = replacesStated(authorisation);
      const rest = {
        ...(existingFreezeId === undefined ? {} : { existingFreezeId }),
        ...(replaces === undefined ? {} : { replaces }),
      };
      const citation = pointerTo(authorisation);
      const data = { accountId, freezeId: authorisation.id, basis, citation, reason, ...rest };
      return { events: [{ type: 'FreezeAbandoned', data }], withKey };
    }
  }
}

/**
 * The freeze, and the stop of the withdrawals that it does not let go (invariant 4). It comes in one append with the lift of
 * the freeze that it takes the place of, if there is one: the account is free at no position of the log.
 */
function freezeEvents(
  { authorisation, basis, state, now }: FreezeSettlement,
  instead: Extract<Settled, { outcome: 'freeze' }>['instead'],
): readonly AccountEvent[] {
  const { accountId, scope, requestedBy, blockedFrom } = authorisation.data;
  const freezeId = authorisation.id;
  const claimGroup = claimGroupOf(basis, claimGroupStated(authorisation));
  const others = restrictions(state.freezes).filter(({ id }) => id !== instead?.freezeId);
  const inForce = [...others, { kind: 'freeze', id: freezeId, scope, claimGroup } as const];
  const { stopped, inFlight, stops } = stopWithdrawals(state, freezeId, scope, inForce);
  const releases = instead === undefined ? [] : releaseHeld(state, instead.freezeId, inForce);
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
      balancesAtFreeze: balances(state, BALANCES_BYTES - releases.length * RELEASE_BYTES),
      stopped,
      inFlight,
    },
  };
  return [frozen, ...stops, ...releases];
}

function liftAhead(
  { state }: FreezeSettlement,
  instead: Extract<Settled, { outcome: 'freeze' }>['instead'],
): { readonly ahead?: readonly AccountEvent[] } {
  if (instead === undefined) return {};
  return { ahead: [unfrozen(state, instead.freezeId, 'basis-varied', instead.varied)] };
}

/** What the balances may take of the append of the largest freeze: 490 of them with amounts of 38 digits, or 1,300 usual ones. */
const BALANCES_BYTES = 90_000;
/** What a release takes of it at most, with all that is told of every event. */
const RELEASE_BYTES = 800;

/**
 * By asset code, in the order of its characters: the same on any machine. Where they take more room than there is, those of
 * which there is nothing are left out first: what was there can be read as of the event before, and a freeze has to land.
 */
function balances(state: AccountState, mostBytes: number): BalanceSnapshot[] {
  const all = [...state.balances]
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([asset, { available, reserved, held }]) => ({
      asset,
      available: available.toString(),
      reserved: reserved.toString(),
      held: held.toString(),
    }));
  const listed = new Set<BalanceSnapshot>();
  let bytes = 0;
  for (const balance of [...all.filter(isOfSomething), ...all.filter((each) => !isOfSomething(each))]) {
    bytes += JSON.stringify(balance).length + 1;
    if (bytes > mostBytes) break;
    listed.add(balance);
  }
  return all.filter((balance) => listed.has(balance));
}

function isOfSomething({ available, reserved, held }: BalanceSnapshot): boolean {
  return available !== '0' || reserved !== '0' || held !== '0';
}

/**
 * The lift of a freeze whose basis has ended, or was varied so that nothing rests on it any longer (invariant 13), and what it
 * releases. Nothing, if that freeze is not in force.
 * @param end the event that did it, and the people (or the supervisor) behind that
 */
export function liftByBasis(
  state: AccountState,
  freezeId: string,
  ground: BasisGround,
  end: Omit<BasisEnd, 'endedAt'>,
): readonly AccountEvent[] {
  if (!state.freezes.inForce.has(freezeId)) return [];
  return withRelease(state, [unfrozen(state, freezeId, ground, end)]);
}

/** The grounds of a lift that the basis itself establishes. */
type BasisGround = 'basis-ended' | 'basis-varied';

function unfrozen(
  { accountId }: AccountState,
  freezeId: string,
  ground: BasisGround,
  { pointer: citation, requestedBy, approvedBy }: Omit<BasisEnd, 'endedAt'>,
): AccountEvent {
  return { type: 'AccountUnfrozen', data: { accountId, freezeId, ground, citation, requestedBy, approvedBy } };
}
