import { decideAuthorityRequest, type AnswerAuthorityRequest, type BasisSeen } from '#authority-requests';
import { basisStream, isRejection, toTimestamp, type Actor, type Basis } from '#kernel';
import type { Core } from './core.ts';
import { look, type Look } from './looking.ts';
import type { Decided } from './one-stream.ts';
import type { View } from './plan.ts';
import { basisOf, stateOf } from './streams.ts';

/**
 * Decides the answer to a letter on the letter's stream. A basis that it cites is looked at within that turn: a basis in
 * force can end at any time, so what is recorded is that it was in force as of a revision of its stream, at the time of the
 * answer. That stays true. Nothing follows from the answer, so nothing has to be undone when the basis ends.
 */
export async function decideAnswer(
  core: Core,
  view: View,
  command: AnswerAuthorityRequest,
  actor: Actor,
): Promise<Decided> {
  const state = stateOf(view, 'authorityRequest');
  const ownMs = view.time();
  const look = command.basis === undefined ? undefined : await lookAt(core, command.basis, ownMs);
  const nowMs = look?.nowMs ?? ownMs;
  const outcome = decideAuthorityRequest(command, state, { now: toTimestamp(nowMs), actor, basis: look?.seen });
  const becauseOfBasis = look !== undefined && isRejection(outcome) && isObstacle(look.seen, outcome.code);
  return { outcome, nowMs, decidedOn: becauseOfBasis ? look.decidedOn : null };
}

function lookAt(core: Core, basis: Basis, ownMs: number): Promise<Look<BasisSeen>> {
  return look(core, basisStream(basis), ownMs, (view, now) => {
    const obstacle = basisOf(view).standingObstacle(now);
    return obstacle ?? { inForceAt: { stream: view.stream, revision: String(view.revision) } };
  });
}

function isObstacle(seen: BasisSeen, code: string): boolean {
  return 'code' in seen && seen.code === code;
}
