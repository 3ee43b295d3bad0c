import { reject, rejectField, type Actor, type EventPointer, type Rejection, type Timestamp } from '#kernel';
import type { ApproveLift, FreezeCommand, RejectLift, RequestLift } from './commands.ts';
import type { AccountUnfrozen, FreezeEvent } from './events.ts';
import { liftKey, type FreezesState, type LiftRequest } from './state.ts';

export interface LiftContext {
  readonly now: Timestamp;
  readonly actor: Actor;
  /** What the order of release, which is relied on, said when it was looked at. */
  readonly release?: ReleaseSeen | undefined;
}

/** An order of release as of a revision of its stream, at the time of the decision: that stays true. */
export type ReleaseSeen =
  | { readonly obstacle: string }
  | {
      /** The event that verified it. */
      readonly verified: EventPointer;
      readonly inForceAt: { readonly stream: string; readonly revision: string };
    };

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
  const { accountId, freezeId, requestId, ground, orderId, note } = command;
  if (state.liftRequests.has(liftKey(freezeId, requestId))) {
    return reject('already-exists', 'This freeze has a lift request with this id.', { freezeId, requestId });
  }
  const ended = state.ended.get(freezeId);
  if (ended !== undefined) return notInForce(ended.state);
  const about = { accountId, freezeId, requestId, requestedBy: context.actor.id };
  if (ground === 'placed-in-error') {
    if (note === undefined) return rejectField('note', 'is missing');
    return [{ type: 'LiftRequested', data: { ...about, ground, note } }];
  }
  if (orderId === undefined) return rejectField('orderId', 'is missing');
  const release = established(context);
  if ('rejected' in release) return release;
  const { inForceAt } = release;
  return [{ type: 'LiftRequested', data: { ...about, ground, orderId, inForceAt, ...optionalNote(note) } }];
}

function approveLift(command: ApproveLift, state: FreezesState, context: LiftContext): Decision {
  const found = requestToDecide(command, state, context);
  if ('rejected' in found) return found;
  const { accountId, freezeId, requestId, note } = command;
  const ground = groundOf(found.request, context);
  if ('rejected' in ground) return ground;
  const { requestedBy } = found.request;
  const people = { requestedBy, approvedBy: context.actor.id };
  return [
    { type: 'AccountUnfrozen', data: { accountId, freezeId, ...ground, requestId, ...optionalNote(note), ...people } },
  ];
}

/** The ground of an approved lift, and what establishes it. An order of release has to do so still. */
function groundOf(
  { pointer, orderId }: LiftRequest,
  context: LiftContext,
): Pick<AccountUnfrozen['data'], 'ground' | 'citation' | 'request' | 'inForceAt'> | Rejection {
  if (orderId === undefined) return { ground: 'placed-in-error', citation: pointer };
  const release = established(context);
  if ('rejected' in release) return release;
  const { verified, inForceAt } = release;
  return { ground: 'release-ordered', citation: verified, request: pointer, inForceAt };
}

/** @throws Error when nobody looked at the order: a bug */
function established({ release }: LiftContext): Exclude<ReleaseSeen, { readonly obstacle: string }> | Rejection {
  if (release === undefined) throw new Error('a lift relies on an order of release that nobody looked at');
  return 'obstacle' in release ? reject('ground-not-established', release.obstacle) : release;
}

function optionalNote(note: string | undefined): { readonly note?: string } {
  return note === undefined ? {} : { note };
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
