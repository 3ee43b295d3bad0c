import { restrictions, type Restriction } from '#freezes';
import type { AccountEvent } from './events.ts';
import { gate } from './gate.ts';
import type { AccountState } from './state.ts';

/**
 * The release of what the account holds of each asset that no restriction keeps from being credited any longer, by asset
 * code: it follows in the same append whatever ended or narrowed a freeze.
 * @param freezeId the freeze that ended or was narrowed
 * @param remaining the restrictions from then on
 */
export function releaseHeld(
  state: AccountState,
  freezeId: string,
  remaining: readonly Restriction[],
): readonly AccountEvent[] {
  const { accountId } = state;
  return [...state.balances]
    .filter(([asset, { held }]) => held > 0n && gate(remaining, { direction: 'credit', asset }).ok)
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([asset, { held }]) => {
      return { type: 'HeldFundsReleased', data: { accountId, asset, amount: held.toString(), freezeId } };
    });
}

/** The events of a lift, and the release of what only the lifted freezes held. */
export function withRelease(state: AccountState, events: readonly AccountEvent[]): readonly AccountEvent[] {
  let remaining = restrictions(state.freezes);
  let releases: readonly AccountEvent[] = [];
  for (const event of events) {
    if (event.type !== 'AccountUnfrozen') continue;
    const { freezeId } = event.data;
    remaining = remaining.filter(({ id }) => id !== freezeId);
    releases = releaseHeld(state, freezeId, remaining);
  }
  return [...events, ...releases];
}
