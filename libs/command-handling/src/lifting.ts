import { decideAccount } from '#accounts';
import { liftKey, type ApproveLift, type RejectLift, type ReleaseSeen, type RequestLift } from '#freezes';
import { isRejection, toTimestamp, type Actor } from '#kernel';
import { releaseUnder } from '#legal-orders';
import type { Core } from './core.ts';
import { look, type Look } from './looking.ts';
import type { Decided } from './one-stream.ts';
import type { View } from './plan.ts';
import { stateOf } from './streams.ts';

/**
 * Decides a step of a lift on the account's stream. An order of release that it relies on is looked at within that turn: it
 * may end at any time, so what is recorded is as of which revision of its stream it was in force, at the time of the step.
 */
export async function decideLiftStep(
  core: Core,
  view: View,
  command: RequestLift | ApproveLift | RejectLift,
  actor: Actor,
): Promise<Decided> {
  const orderId = orderReliedOn(view, command);
  const ownMs = view.time();
  const seen = orderId === undefined ? undefined : await lookAtRelease(core, orderId, command, ownMs);
  const nowMs = seen?.nowMs ?? ownMs;
  const context = { now: toTimestamp(nowMs), actor, release: seen?.seen };
  const outcome = decideAccount(command, stateOf(view, 'account'), context);
  const becauseOfOrder = isRejection(outcome) && outcome.code === 'ground-not-established';
  return { outcome, nowMs, decidedOn: becauseOfOrder ? (seen?.decidedOn ?? null) : null };
}

function orderReliedOn(view: View, command: RequestLift | ApproveLift | RejectLift): string | undefined {
  switch (command.type) {
    case 'RequestLift':
      return command.ground === 'release-ordered' ? command.orderId : undefined;
    case 'ApproveLift': {
      const { liftRequests } = stateOf(view, 'account').freezes;
      return liftRequests.get(liftKey(command.freezeId, command.requestId))?.orderId;
    }
    case 'RejectLift':
      return undefined;
  }
}

function lookAtRelease(
  core: Core,
  orderId: string,
  freeze: { readonly freezeId: string; readonly accountId: string },
  ownMs: number,
): Promise<Look<ReleaseSeen>> {
  return look(core, `legalOrder-${orderId}`, ownMs, (view, now): ReleaseSeen => {
    const release = releaseUnder(stateOf(view, 'legalOrder'), freeze, now);
    if ('obstacle' in release) return release;
    return { ...release, inForceAt: { stream: view.stream, revision: String(view.revision) } };
  });
}
