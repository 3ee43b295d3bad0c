import { isInForce } from './bases.ts';
import { endFreeze } from './freezes.ts';
import { accountAt, type Expected, type NaiveFreeze, type NaiveRequest, type NaiveState } from './state.ts';
import { basisOf, type Step } from './step.ts';

/** The latest freeze of the account under the basis, in force or not. */
export function freezeMeant(state: NaiveState, step: Step): NaiveFreeze | undefined {
  return accountAt(state, step.account).freezes.get(basisOf(step, step.id));
}

/** @param release the order of release that the request relies on; undefined for a freeze placed in error */
export function requestLift(state: NaiveState, step: Step, release: number | undefined): Expected {
  const freeze = freezeMeant(state, step);
  if (freeze === undefined) return 'freeze-not-found';
  if (freeze.requests.has(step.change)) return 'already-exists';
  if (freeze.ended) return 'invalid-transition';
  if (release !== undefined && !isReleased(state, freeze, step.account, release)) return 'ground-not-established';
  freeze.requests.set(step.change, { state: 'requested', release });
  return 'accepted';
}

/** An order of release, verified and in force, that names the freeze or the account. */
function isReleased(state: NaiveState, { freezeId }: NaiveFreeze, account: number, release: number): boolean {
  const order = state.orders.get(release);
  if (order?.releases === undefined || !isInForce(state, order)) return false;
  return 'account' in order.releases ? order.releases.account === account : order.releases.freezeId === freezeId;
}

/** The ground has to stand still when the lift is approved. */
export function approveLift(state: NaiveState, step: Step): Expected {
  const found = requestToDecide(state, step);
  if (typeof found === 'string') return found;
  const { freeze, request } = found;
  if (request.release !== undefined && !isReleased(state, freeze, step.account, request.release)) {
    return 'ground-not-established';
  }
  request.state = 'approved';
  endFreeze(accountAt(state, step.account), freeze);
  return 'accepted';
}

export function rejectLift(state: NaiveState, step: Step): Expected {
  const found = requestToDecide(state, step);
  if (typeof found === 'string') return found;
  found.request.state = 'rejected';
  return 'accepted';
}

function requestToDecide(
  state: NaiveState,
  step: Step,
): Expected | { readonly freeze: NaiveFreeze; readonly request: NaiveRequest } {
  const freeze = freezeMeant(state, step);
  if (freeze === undefined) return 'freeze-not-found';
  const request = freeze.requests.get(step.change);
  if (request === undefined) return 'lift-request-not-found';
  if (request.state !== 'requested' || freeze.ended) return 'invalid-transition';
  return step.asMaker ? 'maker-is-checker' : { freeze, request };
}
