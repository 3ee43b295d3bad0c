import type { Recorded } from '#kernel';
import type { SanctionsHitEvent } from './events.ts';
import { mayAuthoriseUnderHit } from './in-force.ts';
import type { SanctionsHitState } from './state.ts';

type HitEvent<Type extends SanctionsHitEvent['type']> = Extract<Recorded<SanctionsHitEvent>, { readonly type: Type }>;

/** Says why this event should never be in this state, or undefined when it is legal. */
export function checkSanctionsHit(hit: SanctionsHitState, event: Recorded<SanctionsHitEvent>): string | undefined {
  if (event.type === 'CommandRefused') return undefined;
  if (event.stream !== `sanctionsHit-${event.data.hitId}`) return 'the hit is not the one that the stream is about';
  if (statedActor(event) !== event.metadata.actor.id) return 'another acted than the one who is named';
  if (event.type === 'SanctionsHitRaised') return hit.state === undefined ? undefined : 'the hit is raised already';
  if (hit.state === undefined) return 'the hit was never raised';
  switch (event.type) {
    case 'SanctionsHitConfirmed':
      return checkReview(hit, event.data.confirmedBy);
    case 'SanctionsHitDismissed':
      return checkReview(hit, event.data.dismissedBy);
    case 'ClearanceProposed':
      if (hit.clearances.has(event.data.clearanceId)) return 'the clearance is proposed already';
      return hit.state === 'confirmed' ? undefined : `no clearance is proposed for a hit that is ${hit.state}`;
    case 'ClearanceRejected':
      return checkClearanceReview(hit, event.data.clearanceId, event.data.rejectedBy);
    case 'SanctionsHitCleared':
      return checkCleared(hit, event);
    case 'FreezeAuthorised':
      return checkAuthorisation(hit, event);
  }
}

/** Who acted by the data, which is what maker and checker are compared by (invariant 9). */
function statedActor(event: Exclude<Recorded<SanctionsHitEvent>, { type: 'CommandRefused' }>): string {
  switch (event.type) {
    case 'SanctionsHitRaised':
      return event.data.raisedBy;
    case 'SanctionsHitConfirmed':
      return event.data.confirmedBy;
    case 'SanctionsHitDismissed':
      return event.data.dismissedBy;
    case 'ClearanceProposed':
      return event.data.proposedBy;
    case 'ClearanceRejected':
      return event.data.rejectedBy;
    case 'SanctionsHitCleared':
      return event.data.approvedBy;
    case 'FreezeAuthorised':
      return event.data.requestedBy;
  }
}

function checkReview(hit: SanctionsHitState, checker: string): string | undefined {
  if (hit.state !== 'raised') return `the hit is ${String(hit.state)}: it was decided before`;
  return checker === hit.raisedBy ? 'who raised the hit also decided it' : undefined;
}

function checkClearanceReview(hit: SanctionsHitState, clearanceId: string, checker: string): string | undefined {
  const clearance = hit.clearances.get(clearanceId);
  if (clearance === undefined) return 'the clearance was never proposed';
  if (clearance.state !== 'proposed') return `the clearance is ${clearance.state}: it was decided before`;
  if (hit.state !== 'confirmed') return `the hit is ${String(hit.state)}: its clearances are moot`;
  return checker === clearance.proposedBy ? 'who proposed the clearance also decided it' : undefined;
}

function checkCleared(hit: SanctionsHitState, event: HitEvent<'SanctionsHitCleared'>): string | undefined {
  const { clearanceId, cause, proposedBy, approvedBy } = event.data;
  const problem = checkClearanceReview(hit, clearanceId, approvedBy);
  if (problem !== undefined) return problem;
  const clearance = hit.clearances.get(clearanceId);
  const isSame = clearance?.cause === cause && clearance.proposedBy === proposedBy;
  return isSame ? undefined : 'the clearance is not the one that was proposed';
}

function checkAuthorisation(hit: SanctionsHitState, event: HitEvent<'FreezeAuthorised'>): string | undefined {
  const { accountId, scope, namedBy, partyId, linkedBy } = event.data;
  const tie = { namedBy, partyId, linkedBy };
  return mayAuthoriseUnderHit(hit, { accountId, scope, tie, at: event.metadata.recordedAt })?.detail;
}
