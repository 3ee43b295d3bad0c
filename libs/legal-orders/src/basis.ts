import { toMs, type BasisState, type Timestamp } from '#kernel';
import { expiryMs, mayAuthorise, standingObstacle } from './in-force.ts';
import { authorisationsInTheWay, limitedAuthorisations } from './limits.ts';
import { restraintOf, subjectsOf, type LegalOrderState } from './state.ts';
import { lossesOf } from './variation.ts';

/** A legal order as the basis of freezes. */
export function legalOrderBasis(orderId: string, order: LegalOrderState): BasisState {
  const { registered, verified, instrument, ended, authorisations } = order;
  const restraint = restraintOf(order);
  const isEnforced = verified !== undefined && instrument !== undefined;
  return {
    basis: { kind: 'legal-order', id: orderId },
    registered,
    listing: order.listedBy,
    subjects: subjectsOf(order),
    scope: restraint?.scope,
    terms: order.terms,
    enforcement: isEnforced ? { by: verified, from: instrument.effectiveAt } : undefined,
    ended,
    authorisations,
    mayAuthorise: (freeze) => mayAuthorise(order, freeze),
    authorisationsInTheWay: (accountId, scope = restraint?.scope) =>
      scope === undefined ? [] : authorisationsInTheWay(order, { accountId, scope }),
    limitedAuthorisations: () => limitedAuthorisations(order),
    losses: (citation, holders) => lossesOf(order, citation, holders),
    standingObstacle: (at) => standingObstacle(order, at),
    inForceBy: (at) => (isEffective(order, at) ? order.verified : undefined),
    nextMoment: (at) => nextMoment(order, at),
  };
}

/** Until its end is recorded: an expiry is recorded first, and then undoes the naming. */
function isEffective({ instrument, state }: LegalOrderState, at: Timestamp): boolean {
  return instrument !== undefined && state === 'verified' && toMs(instrument.effectiveAt) <= toMs(at);
}

/** When the order becomes effective, or expires. */
function nextMoment(order: LegalOrderState, at: Timestamp): number | undefined {
  const { instrument, state } = order;
  if (instrument === undefined || state !== 'verified') return undefined;
  const moments = [toMs(instrument.effectiveAt), expiryMs(order) ?? NaN];
  const coming = moments.filter((ms) => ms > toMs(at));
  return coming.length === 0 ? undefined : Math.min(...coming);
}
