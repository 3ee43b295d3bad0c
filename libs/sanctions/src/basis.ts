import type { BasisState } from '#kernel';
import { HIT_SCOPE, hitInForce, hitStandingObstacle, mayAuthoriseUnderHit } from './in-force.ts';
import { hitSubjects, type SanctionsHitState } from './state.ts';

/** A sanctions hit as the basis of freezes. */
export function sanctionsHitBasis(hitId: string, hit: SanctionsHitState): BasisState {
  const { raised, confirmed, confirmation, ended, authorisations } = hit;
  const isEnforced = confirmed !== undefined && confirmation !== null;
  return {
    basis: { kind: 'sanctions-hit', id: hitId },
    registered: raised,
    listing: raised,
    subjects: hitSubjects(hit),
    scope: HIT_SCOPE,
    terms: confirmed === undefined ? [] : [{ since: confirmed, subjects: hitSubjects(hit) }],
    enforcement: isEnforced ? { by: confirmed, from: confirmation.confirmedAt } : undefined,
    ended,
    authorisations,
    mayAuthorise: (freeze) => mayAuthoriseUnderHit(hit, freeze),
    authorisationsInTheWay: () => [],
    limitedAuthorisations: () => [],
    // A hit is cleared, never varied.
    losses: () => [],
    standingObstacle: () => hitStandingObstacle(hit),
    inForceBy: () => (hitInForce(hit).ok ? confirmed : undefined),
    // People alone change a hit.
    nextMoment: () => undefined,
  };
}
