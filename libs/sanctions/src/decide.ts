import { assertNever, isRejection, reject, type Actor, type Rejection, type Tie, type Timestamp } from '#kernel';
import type {
  ApproveClearance,
  AuthoriseFreezeUnderHit,
  ConfirmSanctionsHit,
  DismissSanctionsHit,
  ProposeClearance,
  RaiseSanctionsHit,
  RejectClearance,
  SanctionsHitCommand,
} from './commands.ts';
import type { SanctionsHitEvent } from './events.ts';
import { HIT_SCOPE, mayAuthoriseUnderHit } from './in-force.ts';
import type { SanctionsHitState } from './state.ts';
import type { ClearanceView } from './views.ts';

export interface SanctionsHitContext {
  readonly now: Timestamp;
  readonly actor: Actor;
  /** For RaiseSanctionsHit: the subject, when it is a party that does not exist. */
  readonly unknownParty?: string | undefined;
  /** For RaiseSanctionsHit: the hit that was raised before for this subject and this very entry. */
  readonly sameHit?: string | undefined;
  /** For AuthoriseFreezeUnderHit: what ties the account to the subject, if anything does. */
  readonly tie?: Tie | undefined;
}

type Decision = readonly SanctionsHitEvent[] | Rejection;

/**
 * Decides a command about one sanctions hit. Where a person acts, these come first to last: the thing exists, it is in a
 * state for the step, and its maker is not its checker.
 */
export function decideSanctionsHit(
  command: SanctionsHitCommand,
  hit: SanctionsHitState,
  context: SanctionsHitContext,
): Decision {
  switch (command.type) {
    case 'RaiseSanctionsHit':
      return raise(command, hit, context);
    case 'ConfirmSanctionsHit':
      return confirm(command, hit, context);
    case 'DismissSanctionsHit':
      return dismiss(command, hit, context);
    case 'ProposeClearance':
      return proposeClearance(command, hit, context);
    case 'ApproveClearance':
      return approveClearance(command, hit, context);
    case 'RejectClearance':
      return rejectClearance(command, hit, context);
    case 'AuthoriseFreezeUnderHit':
      return authoriseFreeze(command, hit, context);
    default:
      return assertNever(command);
  }
}

/** An entry that changed is another entry: it may be raised again. One that did not is raised again only after a clearance. */
function raise({ hitId, hit }: RaiseSanctionsHit, state: SanctionsHitState, context: SanctionsHitContext): Decision {
  const { unknownParty, sameHit, actor } = context;
  if (unknownParty !== undefined) {
    return reject('party-not-found', 'the subject does not exist: there is no such party', { partyId: unknownParty });
  }
  if (state.state !== undefined) return reject('already-exists', 'the sanctions hit is raised already', { hitId });
  if (sameHit !== undefined) {
    return reject('already-exists', 'this entry was raised for this subject before', { hitId: sameHit });
  }
  return [{ type: 'SanctionsHitRaised', data: { ...hit, hitId, raisedBy: actor.id } }];
}

function confirm(
  { hitId, note }: ConfirmSanctionsHit,
  hit: SanctionsHitState,
  { actor }: SanctionsHitContext,
): Decision {
  const obstacle = findReviewObstacle(hit, actor);
  if (obstacle !== undefined) return obstacle;
  return [{ type: 'SanctionsHitConfirmed', data: { hitId, ...optionalNote(note), confirmedBy: actor.id } }];
}

function dismiss(
  { hitId, reason }: DismissSanctionsHit,
  hit: SanctionsHitState,
  { actor }: SanctionsHitContext,
): Decision {
  const obstacle = findReviewObstacle(hit, actor);
  if (obstacle !== undefined) return obstacle;
  return [{ type: 'SanctionsHitDismissed', data: { hitId, reason, dismissedBy: actor.id } }];
}

function findReviewObstacle(hit: SanctionsHitState, checker: Actor): Rejection | undefined {
  if (hit.state === undefined) return hitNotFound();
  if (hit.state !== 'raised') return invalidTransition(`the sanctions hit is ${hit.state}`, hit.state);
  if (hit.raisedBy === checker.id) {
    return reject('maker-is-checker', 'who raised a sanctions hit can neither confirm nor dismiss it');
  }
  return undefined;
}

/** Several clearances may be proposed at once; the first that is approved ends the hit, and the others are moot. */
function proposeClearance(command: ProposeClearance, hit: SanctionsHitState, { actor }: SanctionsHitContext): Decision {
  const { hitId, clearanceId, cause, authority } = command;
  if (hit.state === undefined) return hitNotFound();
  if (hit.clearances.has(clearanceId)) {
    return reject('already-exists', 'the sanctions hit has a clearance of that id already', { hitId, clearanceId });
  }
  if (hit.state !== 'confirmed') return invalidTransition(`the sanctions hit is ${hit.state}`, hit.state);
  return [{ type: 'ClearanceProposed', data: { hitId, clearanceId, cause, authority, proposedBy: actor.id } }];
}

function approveClearance(command: ApproveClearance, hit: SanctionsHitState, { actor }: SanctionsHitContext): Decision {
  const { hitId, clearanceId, note } = command;
  const clearance = findReviewableClearance(hit, clearanceId, actor);
  if (isRejection(clearance)) return clearance;
  const { cause, proposedBy } = clearance;
  const data = { hitId, clearanceId, cause, ...optionalNote(note), proposedBy, approvedBy: actor.id };
  return [{ type: 'SanctionsHitCleared', data }];
}

function rejectClearance(command: RejectClearance, hit: SanctionsHitState, { actor }: SanctionsHitContext): Decision {
  const { hitId, clearanceId, reason } = command;
  const clearance = findReviewableClearance(hit, clearanceId, actor);
  if (isRejection(clearance)) return clearance;
  return [{ type: 'ClearanceRejected', data: { hitId, clearanceId, reason, rejectedBy: actor.id } }];
}

function findReviewableClearance(
  hit: SanctionsHitState,
  clearanceId: string,
  checker: Actor,
): ClearanceView | Rejection {
  if (hit.state === undefined) return hitNotFound();
  const clearance = hit.clearances.get(clearanceId);
  if (clearance === undefined) return reject('clearance-not-found', 'the sanctions hit has no such clearance');
  if (clearance.state !== 'proposed') {
    return invalidTransition(`the clearance is ${clearance.state}`, clearance.state);
  }
  if (hit.state !== 'confirmed') {
    return invalidTransition(`the sanctions hit is ${hit.state}: its clearances are moot`, hit.state);
  }
  if (clearance.proposedBy === checker.id) {
    return reject('maker-is-checker', 'who proposed a clearance can neither approve nor reject it');
  }
  return clearance;
}

function authoriseFreeze(
  command: AuthoriseFreezeUnderHit,
  hit: SanctionsHitState,
  context: SanctionsHitContext,
): Decision {
  const { hitId, accountId, scope, blockedFrom } = command;
  const { tie, now, actor } = context;
  const obstacle = mayAuthoriseUnderHit(hit, { accountId, scope, tie, at: now });
  if (obstacle !== undefined) return reject(obstacle.code, obstacle.detail);
  if (tie === undefined) throw new Error('a sanctions hit authorised a freeze without a tie');
  const { namedBy, partyId, linkedBy } = tie;
  const data = {
    hitId,
    accountId,
    scope: scope ?? HIT_SCOPE,
    namedBy,
    ...(partyId === undefined ? {} : { partyId }),
    ...(linkedBy === undefined ? {} : { linkedBy }),
    requestedBy: actor.id,
    ...(blockedFrom === undefined ? {} : { blockedFrom }),
  };
  return [{ type: 'FreezeAuthorised', data }];
}

function optionalNote(note: string | undefined): { readonly note?: string } {
  return note === undefined ? {} : { note };
}

function hitNotFound(): Rejection {
  return reject('sanctions-hit-not-found', 'the sanctions hit was never raised');
}

function invalidTransition(detail: string, state: string): Rejection {
  return reject('invalid-transition', detail, { state });
}
