import type { BasisState } from '#kernel';
import { HIT_SCOPE, hitInForce, hitStandingObstacle, hitSubjects, mayAuthoriseUnderHit } from './in-force.ts';
import type { SanctionsHitState } from './state.ts';

/** A sanctions hit as the basis of freezes. */
export function sanctionsHitBasis(hitId: string, hit: SanctionsHitState): BasisState {
  const { raised, confirmed, confirmation, ended, authorisations } = hit;
  const isEnforced = confirmed !== undefined && confirmation !== null;
  return {
    basis: { kind: 'sanctions-hit', id: hitId },
    registered: raised,
    subjects: hitSubjects(hit),
    scope: HIT_SCOPE,
    enforcement: isEnforced ? { by: confirmed, from: confirmation.confirmedAt } : undefined,
    ended,
    authorisations,
    mayAuthorise: (freeze) => mayAuthoriseUnderHit(hit, freeze),
    authorisationsInTheWay: () => [],
    standingObstacle: () => hitStandingObstacle(hit),
    inForceBy: () => (hitInForce(hit).ok ? confirmed : undefined),
    // People alone change a hit.
    nextMoment: () => undefined,
  };
}
