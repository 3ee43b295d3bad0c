import {
  scopeWithin,
  samePointer,
  tieFits,
  toMs,
  type FreezeInQuestion,
  type Obstacle,
  type StandingObstacle,
  type Tie,
  type Timestamp,
} from '#kernel';
import type { Instrument, ReleaseInstrument } from './events.ts';
import { exceededLimit } from './limits.ts';
import { restraintOf, subjectsOf, type LegalOrderState } from './state.ts';
import type { OrderState } from './views.ts';

const NOT_IN_FORCE: Record<Exclude<OrderState, 'verified'>, string> = {
  registered: 'the legal order is not verified yet',
  rejected: 'the legal order was rejected',
  expired: 'the legal order has expired',
  discharged: 'the legal order was discharged',
  revoked: 'the legal order was revoked',
  'set-aside': 'the legal order was set aside',
};

/**
 * An order is in force from its verification, `effectiveAt <= at < expiresAt`, until it ends. An order whose time ran out
 * is no longer in force, whether its expiry is recorded or not.
 */
export function inForce(
  order: LegalOrderState,
  at: Timestamp,
): { readonly ok: true } | { readonly ok: false; readonly reason: string } {
  const { instrument, state } = order;
  if (instrument === undefined || state === undefined) return { ok: false, reason: 'there is no such legal order' };
  if (state !== 'verified') return { ok: false, reason: NOT_IN_FORCE[state] };
  if (toMs(at) < toMs(instrument.effectiveAt)) return { ok: false, reason: 'the legal order is not effective yet' };
  return hasRunOut(instrument, at) ? { ok: false, reason: NOT_IN_FORCE.expired } : { ok: true };
}

/** For how long after `expiresAt` an extension that is proposed and not decided puts the expiry off. */
export const LONGEST_DEFERRAL_MS = 72 * 3_600_000;

/**
 * When the order expires, or undefined when it never does: at `expiresAt`, or 72 hours later while an extension waits to be
 * decided. Freezes hold until then; none is authorised after `expiresAt`. An extension counts only if it was proposed before
 * `expiresAt`, and no other can be proposed. One that another has overtaken can't be verified any more, so it puts nothing off.
 */
export function expiryMs(order: LegalOrderState): number | undefined {
  const expiresAt = order.instrument?.expiresAt;
  if (expiresAt === undefined) return undefined;
  const isDeferred = [...order.changes.values()].some(
    (change) => change.kind === 'extension' && change.state === 'proposed' && isExtension(order, change.expiresAt),
  );
  return toMs(expiresAt) + (isDeferred ? LONGEST_DEFERRAL_MS : 0);
}

/** True when the order would run longer until this time. False for an order that never expires: nothing extends it. */
export function isExtension({ instrument }: LegalOrderState, expiresAt: Timestamp): boolean {
  return instrument?.expiresAt !== undefined && toMs(instrument.expiresAt) < toMs(expiresAt);
}

/** True from `expiresAt` on. */
export function hasRunOut(instrument: Instrument | ReleaseInstrument, at: Timestamp): boolean {
  return instrument.expiresAt !== undefined && toMs(instrument.expiresAt) <= toMs(at);
}

/**
 * The one rule by which an order authorises a freeze (invariant 1): used to decide, and again by whoever checks a citation.
 * Checked in this order: the order exists, is in force with no ending proposed, names the account, covers the scope, and
 * its limits suffice for all its freezes. Of a tie through a party it sees that the party is a subject and the event on its
 * stream; what that event says, and whether a freeze has ended, is for the caller to know.
 * @returns the first obstacle, or undefined when the freeze may be authorised
 */
export function mayAuthorise(order: LegalOrderState, freeze: FreezeInQuestion): Obstacle | undefined {
  const instrument = restraintOf(order);
  const standing = standingObstacle(order, freeze.at);
  if (standing !== undefined || instrument === undefined) return standing;
  if (freeze.tie === undefined || !fits(order, freeze.accountId, freeze.tie)) {
    return {
      code: 'basis-does-not-name-account',
      detail: 'the legal order names neither the account nor a holder of it',
    };
  }
  const scope = freeze.scope ?? instrument.scope;
  if (!scopeWithin(scope, instrument.scope)) {
    return { code: 'scope-exceeds-basis', detail: 'the freeze would cover more than the legal order does' };
  }
  const { accountId, endedFreezes = [] } = freeze;
  const exceeded = exceededLimit(order, { accountId, scope }, new Set(endedFreezes));
  if (exceeded !== undefined) {
    return {
      code: 'scope-exceeds-basis',
      detail: `with the order's other freezes it would keep more ${exceeded} than the legal order does`,
    };
  }
  return undefined;
}

/**
 * Why nothing new may rest on the order at a time as on a basis; undefined when something may. The order exists, restrains,
 * is in force, and no ending of it is proposed.
 */
export function standingObstacle(order: LegalOrderState, at: Timestamp): StandingObstacle | undefined {
  if (order.instrument?.effect === 'release') {
    return { code: 'basis-not-in-force', detail: 'the legal order is one of release: it restrains nothing' };
  }
  return standing(order, at);
}

/** As above, whatever the effect of the order is. */
export function standing(order: LegalOrderState, at: Timestamp): StandingObstacle | undefined {
  if (order.instrument === undefined) return { code: 'basis-not-found', detail: 'there is no such legal order' };
  const force = inForce(order, at);
  if (!force.ok) return { code: 'basis-not-in-force', detail: force.reason };
  if (!hasOpenEnding(order)) return undefined;
  return {
    code: 'basis-not-in-force',
    detail: 'an ending of the legal order is proposed: until it is decided, nothing new rests on it',
  };
}

function hasOpenEnding(order: LegalOrderState): boolean {
  return [...order.changes.values()].some(({ kind, state }) => kind === 'ending' && state === 'proposed');
}

/**
 * True when the order, as it now is, names the account by this tie. An account that it names itself may be tied to it by any
 * event of the order that lists it: the order may have been varied since that was looked at.
 */
export function fits(order: LegalOrderState, accountId: string, tie: Tie): boolean {
  const subjects = subjectsOf(order);
  const lists = order.terms
    .filter((terms) => terms.subjects.accounts.includes(accountId))
    .map(({ listedBy }) => listedBy);
  const listing = lists.find((pointer) => samePointer(tie.namedBy, pointer));
  return tieFits(subjects, listing, accountId, tie);
}
