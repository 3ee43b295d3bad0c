import { decideAuthorityRequest, type AnswerAuthorityRequest, type BasisSeen } from '#authority-requests';
import { basisStream, isRejection, toTimestamp, type Actor, type Basis, type DecidedOn } from '#kernel';
import type { Core } from './core.ts';
import type { Decided } from './one-stream.ts';
import type { View } from './plan.ts';
import { basisOf, stateOf } from './streams.ts';

/** A basis as its own stream told of it in its turn. */
interface Look {
  readonly seen: BasisSeen;
  readonly decidedOn: DecidedOn;
  /** The time at which it was so. */
  readonly nowMs: number;
}

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

function lookAt(core: Core, basis: Basis, ownMs: number): Promise<Look> {
  const stream = basisStream(basis);
  return core.streams.inspect(stream, (view) => {
    const { revision } = view;
    const nowMs = view.time(ownMs);
    const obstacle = basisOf(view).standingObstacle(toTimestamp(nowMs));
    const seen = obstacle ?? { inForceAt: { stream, revision: String(revision) } };
    return { seen, decidedOn: { stream, revision: revision < 0 ? null : String(revision) }, nowMs };
  });
}

function isObstacle(seen: BasisSeen, code: string): boolean {
  return 'code' in seen && seen.code === code;
}
