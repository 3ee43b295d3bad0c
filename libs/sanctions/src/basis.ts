import { NOBODY, type BasisState, type BasisSubjects } from '#kernel';
import { hitInForce, hitStandingObstacle, mayAuthoriseUnderHit } from './in-force.ts';
import type { SanctionsHitState } from './state.ts';

/** A sanctions hit as the basis of freezes. */
export function sanctionsHitBasis(hitId: string, hit: SanctionsHitState): BasisState {
  const { raised, confirmed, confirmation, ended, authorisations } = hit;
  const isEnforced = confirmed !== undefined && confirmation !== null;
  return {
    basis: { kind: 'sanctions-hit', id: hitId },
    registered: raised,
    listing: raised,
    subjects: subjectsOf(hit),
    terms: confirmed === undefined ? [] : [{ since: confirmed, subjects: subjectsOf(hit) }],
    enforcement: isEnforced ? { by: confirmed, from: confirmation.confirmedAt } : undefined,
    ended,
    authorisations,
    mayAuthorise: (freeze) => mayAuthoriseUnderHit(hit, freeze),
    authorisationsInTheWay: () => [],
    limitedAuthorisations: () => [],
    // A hit is cleared, never varied.
    lostBy: () => undefined,
    standingObstacle: () => hitStandingObstacle(hit),
    inForceBy: () => (hitInForce(hit).ok ? confirmed : undefined),
    // People alone change a hit.
    nextMoment: () => undefined,
  };
}

/** A lesser measure than an asset freeze names nobody: it forbids dealings and takes hold of nothing. */
function subjectsOf({ hit }: SanctionsHitState): BasisSubjects {
  if (hit?.entry.measure !== 'asset-freeze') return NOBODY;
  const { subject } = hit;
  if (subject.kind === 'party') return { ...NOBODY, parties: [subject.partyId] };
  return { ...NOBODY, addresses: [{ chain: subject.chain, address: subject.address }] };
}
