import { reject, type Actor, type Rejection, type Timestamp } from '#kernel';
import type { ApproveLift, FreezeCommand, RejectLift, RequestLift } from './commands.ts';
import type { FreezeEvent } from './events.ts';
import { liftKey, type FreezesState, type LiftRequest } from './state.ts';

export interface LiftContext {
  readonly now: Timestamp;
  readonly actor: Actor;
}

type Decision = readonly FreezeEvent[] | Rejection;

/** A lift that people ask for: one requests it, another approves or rejects that very request. */
export function decideLift(command: FreezeCommand, state: FreezesState, context: LiftContext): Decision {
  const { freezeId } = command;
  if (!state.inForce.has(freezeId) && !state.ended.has(freezeId)) {
    return reject('freeze-not-found', 'There is no such freeze.');
  }
  switch (command.type) {
    case 'RequestLift':
      return requestLift(command, state, context);
    case 'ApproveLift':
      return approveLift(command, state, context);
    case 'RejectLift':
      return rejectLift(command, state, context);
  }
}

function requestLift(command: RequestLift, state: FreezesState, context: LiftContext): Decision {
  const { accountId, freezeId, requestId, ground, note } = command;
  if (state.liftRequests.has(liftKey(freezeId, requestId))) {
    return reject('already-exists', 'This freeze has a lift request with this id.', { freezeId, requestId });
  }
  const ended = state.ended.get(freezeId);
  if (ended !== undefined) return notInForce(ended.state);
  const requestedBy = context.actor.id;
  return [{ type: 'LiftRequested', data: { accountId, freezeId, requestId, ground, note, requestedBy } }];
}

function approveLift(command: ApproveLift, state: FreezesState, context: LiftContext): Decision {
  const found = requestToDecide(command, state, context);
  if ('rejected' in found) return found;
  const { accountId, freezeId, requestId, note } = command;
  const { pointer: citation, requestedBy } = found.request;
  return [
    {
      type: 'AccountUnfrozen',
      data: {
        accountId,
        freezeId,
        ground: 'placed-in-error',
        citation,
        requestId,
        ...(note === undefined ? {} : { note }),
        requestedBy,
        approvedBy: context.actor.id,
      },
    },
  ];
}

function rejectLift(command: RejectLift, state: FreezesState, context: LiftContext): Decision {
  const found = requestToDecide(command, state, context);
  if ('rejected' in found) return found;
  const { accountId, freezeId, requestId, reason } = command;
  const citation = found.request.pointer;
  const rejectedBy = context.actor.id;
  return [{ type: 'LiftRejected', data: { accountId, freezeId, requestId, citation, reason, rejectedBy } }];
}

/** The open request that the command decides, or why this actor can't decide it. */
function requestToDecide(
  { freezeId, requestId }: ApproveLift | RejectLift,
  state: FreezesState,
  { actor }: LiftContext,
): { readonly request: LiftRequest } | Rejection {
  const request = state.liftRequests.get(liftKey(freezeId, requestId));
  if (request === undefined) return reject('lift-request-not-found', 'This freeze has no lift request with this id.');
  if (request.state !== 'requested') {
    return reject('invalid-transition', `The lift request was ${request.state} already.`, { state: request.state });
  }
  const ended = state.ended.get(freezeId);
  if (ended !== undefined) return notInForce(ended.state);
  if (request.requestedBy === actor.id) {
    return reject('maker-is-checker', 'Whoever asked for the lift can neither approve nor reject it.');
  }
  return { request };
}

function notInForce(state: 'lifted' | 'abandoned'): Rejection {
  return reject('invalid-transition', `The freeze is ${state}, not in force.`, { state });
}
