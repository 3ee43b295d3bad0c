import type { AccountEvent } from './events.ts';
import type { AccountState } from './state.ts';

type Closed = Extract<AccountEvent, { type: 'AccountClosed' }>;

/** True when nothing of any asset is in the account, and no withdrawal is under way. */
export function isEmpty({ balances, openWithdrawals }: AccountState): boolean {
  if (openWithdrawals.size > 0) return false;
  for (const { available, reserved, held } of balances.values()) {
    if (available !== 0n || reserved !== 0n || held !== 0n) return false;
  }
  return true;
}

/** What the closure of an account says again of it. */
export function closingFacts(state: AccountState): Pick<Closed['data'], 'holders' | 'openedAt' | 'assets'> {
  return { holders: [...state.holders], openedAt: state.createdAt, assets: [...state.balances.keys()].sort() };
}

/** Why this closure should never be, of an account that is open; undefined when it may. */
export function checkClosed(state: AccountState, { data }: Closed): string | undefined {
  if (state.closed) return 'closes an account that is closed';
  if (state.freezes.inForce.size > 0) return 'closes an account that is frozen';
  if (!isEmpty(state)) return 'closes an account that is not empty';
  const { holders, openedAt, assets } = closingFacts(state);
  const told =
    data.openedAt === openedAt && same(data.assets, assets) && same(data.holders.map(holding), holders.map(holding));
  return told ? undefined : 'says otherwise than the account that it closes';
}

function holding({ partyId, capacity }: Closed['data']['holders'][number]): string {
  return `${capacity} ${partyId}`;
}

function same(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((each, index) => each === other[index]);
}
