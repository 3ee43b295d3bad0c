import { restrictions, type Restriction } from '#freezes';
import { scopeCovers, type Scope } from '#kernel';
import type { AccountEvent } from './events.ts';
import { unitsToStay } from './gate.ts';
import { balanceOf, type AccountState, type OpenWithdrawal } from './state.ts';

/** A withdrawal that is not dispatched, by its id. */
export type Stoppable = readonly [withdrawalId: string, withdrawal: OpenWithdrawal];

/**
 * The withdrawals that a freeze of this scope stops, in the order of their stopping (invariant 4). Of an asset that it
 * freezes whole, all that are not dispatched. Of one that it limits, whole ones, the latest first, and only until what is
 * available covers what has to stay.
 * @param inForce the restrictions from then on, the new freeze among them
 */
export function withdrawalsToStop(
  state: AccountState,
  scope: Scope,
  inForce: readonly Restriction[],
): readonly Stoppable[] {
  const inScope = [...state.openWithdrawals].filter(
    ([, { asset, status }]) => status === 'reserved' && scopeCovers(scope, 'debit', asset),
  );
  const byAsset = Map.groupBy(inScope, ([, { asset }]) => asset);
  const limited = [...byAsset].flatMap(([asset, reserved]) => {
    const staying = unitsToStay(inForce, asset);
    return staying === 'all' ? [] : latestUntil(staying, balanceOf(state, asset).available, reserved);
  });
  const whole = inScope.filter(([, { asset }]) => unitsToStay(inForce, asset) === 'all');
  return [...whole, ...limited];
}

/** What a freeze of this scope does to the withdrawals that it finds (invariant 4). */
export interface Stops {
  readonly stopped: string[];
  /** Dispatched already: they settle. */
  readonly inFlight: string[];
  readonly stops: readonly AccountEvent[];
}

/** @param inForce the restrictions from then on, the freeze among them */
export function stopWithdrawals(
  state: AccountState,
  freezeId: string,
  scope: Scope,
  inForce: readonly Restriction[],
): Stops {
  const { accountId } = state;
  const toStop = withdrawalsToStop(state, scope, inForce);
  const inFlight = [...state.openWithdrawals].filter(
    ([, { asset, status }]) => status === 'dispatched' && scopeCovers(scope, 'debit', asset),
  );
  const stops = toStop.map(([withdrawalId, { asset, amountUnits }]): AccountEvent => {
    const amount = amountUnits.toString();
    return { type: 'WithdrawalStopped', data: { accountId, withdrawalId, asset, amount, freezeId } };
  });
  return { stopped: toStop.map(([id]) => id), inFlight: inFlight.map(([id]) => id), stops };
}

function latestUntil(stayingUnits: bigint, availableUnits: bigint, reserved: readonly Stoppable[]): Stoppable[] {
  const stopped: Stoppable[] = [];
  for (const latest of reserved.toReversed()) {
    if (availableUnits >= stayingUnits) break;
    stopped.push(latest);
    availableUnits += latest[1].amountUnits;
  }
  return stopped;
}

/** Why a reserved withdrawal of this asset is not the next that a freeze stops; undefined when it is. */
export function checkStopIsDue(state: AccountState, withdrawalId: string, asset: string): string | undefined {
  const staying = unitsToStay(restrictions(state.freezes), asset);
  if (staying === 'all') return undefined;
  if (balanceOf(state, asset).available >= staying) return 'stops a withdrawal though enough is available';
  let latest: string | undefined;
  for (const [id, open] of state.openWithdrawals) {
    if (open.status === 'reserved' && open.asset === asset) latest = id;
  }
  return latest === withdrawalId ? undefined : 'stops another withdrawal than the latest';
}
