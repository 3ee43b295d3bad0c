import { ALL_DEBITS, type NaiveScope } from './scope.ts';
import {
  accountAt,
  type Expected,
  type NaiveHit,
  type NaiveOrder,
  type NaiveState,
  type NaiveSubjects,
} from './state.ts';
import { basisOf } from './step.ts';

/** The basis of a name: an order or a hit. */
function find(
  { orders, hits }: NaiveState,
  basis: string,
): { readonly order?: NaiveOrder | undefined; readonly hit?: NaiveHit | undefined } {
  const [kind, id] = basis.split('-');
  return kind === 'order' ? { order: orders.get(Number(id)) } : { hit: hits.get(Number(id)) };
}

/** Why nothing new may rest on a basis; undefined when something may. */
export function basisObstacle(state: NaiveState, basis: string): Expected | undefined {
  const { order, hit } = find(state, basis);
  if (order === undefined && hit === undefined) return 'basis-not-found';
  const restrains = order !== undefined ? order.releases === undefined && isInForce(state, order) : isHitInForce(hit);
  return restrains ? undefined : 'basis-not-in-force';
}

/** Verified, not run out, and nobody has proposed to end it. */
export function isInForce({ day }: NaiveState, { state, expires, changes }: NaiveOrder): boolean {
  const ending = [...changes.values()].some((change) => change.kind === 'ending' && change.state === 'proposed');
  return state === 'verified' && day < expires && !ending;
}

function isHitInForce(hit: NaiveHit | undefined): boolean {
  return hit?.state === 'confirmed' && hit.freezes && ![...hit.clearances.values()].includes('proposed');
}

/** The most that a basis can freeze. */
export function widestOf(state: NaiveState, basis: string): NaiveScope {
  return find(state, basis).order?.scope ?? ALL_DEBITS;
}

export function claimOf(state: NaiveState, basis: string): string {
  return find(state, basis).order?.isClaimed === true ? 'claim' : basis;
}

/** Whether the basis names an account: by itself, or through its holder. */
export function isNamed(state: NaiveState, basis: string, index: number): boolean {
  const { order, hit } = find(state, basis);
  const subjects = order?.subjects ?? hit?.subjects;
  if (subjects === undefined) return false;
  return subjects.accounts.includes(index) || isPartyAmong(state, subjects, accountAt(state, index).holder);
}

/** All accounts that the basis names now, in the order of their names. */
export function accountsNamed(state: NaiveState, basis: string): readonly number[] {
  return [...state.accounts.keys()].filter((index) => isNamed(state, basis, index)).sort((one, other) => one - other);
}

function isPartyAmong({ addresses }: NaiveState, subjects: NaiveSubjects, party: number): boolean {
  const own = addresses.get(party);
  return subjects.parties.includes(party) || subjects.addresses.some((address) => own?.has(address) === true);
}

/** Whether a basis names the party: then no account opens for it. A proposal to end the basis makes no difference. */
export function isPartyNamed(state: NaiveState, party: number): boolean {
  const orders = [...state.orders.values()].filter((order) => order.state === 'verified');
  const hits = [...state.hits.values()].filter((hit) => hit.state === 'confirmed' && hit.freezes);
  return [...orders, ...hits].some(({ subjects }) => isPartyAmong(state, subjects, party));
}

export const orderBasis = (id: number): string => basisOf({ under: 'order' }, id);
export const hitBasis = (id: number): string => basisOf({ under: 'hit' }, id);
