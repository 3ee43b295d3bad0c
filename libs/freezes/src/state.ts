import {
  basisStream,
  pointerTo,
  samePointer,
  type Basis,
  type EventPointer,
  type Recorded,
  type Scope,
  type Timestamp,
} from '#kernel';
import type { FreezeEvent } from './events.ts';

/** One restriction of one account under one basis, in force. */
export interface Freeze {
  /** Id of the FreezeAuthorised event. */
  readonly freezeId: string;
  readonly basis: Basis;
  /** The event that authorises it as it now stands. */
  readonly citation: EventPointer;
  readonly scope: Scope;
  readonly claimGroup: string;
  readonly placedBy: string;
  readonly placedAt: Timestamp;
  /** Legal time; `placedAt` is when it was written. */
  readonly blockedFrom: Timestamp;
}

/** What is remembered of a freeze that no longer restricts anything, or never did. */
export interface FreezeEnd {
  readonly state: 'lifted' | 'abandoned';
  readonly basis: Basis;
  /** The AccountUnfrozen or FreezeAbandoned event. */
  readonly pointer: EventPointer;
}

export interface LiftRequest {
  readonly requestId: string;
  readonly freezeId: string;
  readonly requestedBy: string;
  /** The order of release that is relied on; undefined where the freeze was placed in error. */
  readonly orderId: string | undefined;
  readonly state: 'requested' | 'approved' | 'rejected';
  /** The LiftRequested event. */
  readonly pointer: EventPointer;
}

type Resolution = 'frozen' | 'varied' | 'abandoned';

/** The freezes of one account: a part of that account's state, from the account's own stream alone. */
export interface FreezesState {
  /** By freezeId, in the order of their placing. */
  readonly inForce: ReadonlyMap<string, Freeze>;
  readonly ended: ReadonlyMap<string, FreezeEnd>;
  /** What each authorisation came to, by the id of its event: exactly one of the three, for good. */
  readonly resolved: ReadonlyMap<string, Resolution>;
  /** Authorisations on which nothing rests any longer, by their id, and the event since which: abandoned, replaced, lifted. */
  readonly over: ReadonlyMap<string, EventPointer>;
  /** By `liftKey`: a request's id is unique within its freeze. */
  readonly liftRequests: ReadonlyMap<string, LiftRequest>;
}

/** As `evolveFreezes` changes it, which alone does. */
interface ChangingFreezes extends FreezesState {
  readonly inForce: Map<string, Freeze>;
  readonly ended: Map<string, FreezeEnd>;
  readonly resolved: Map<string, Resolution>;
  readonly over: Map<string, EventPointer>;
  readonly liftRequests: Map<string, LiftRequest>;
}

/** Of all accounts that no freeze ever concerned, which are most: maps of their own would take more memory than their balances. */
const NO_FREEZES: FreezesState = noFreezes();

function noFreezes(): ChangingFreezes {
  return { inForce: new Map(), ended: new Map(), resolved: new Map(), over: new Map(), liftRequests: new Map() };
}

export function initialFreezesState(): FreezesState {
  return NO_FREEZES;
}

/** Neither id can hold a slash, so no two pairs share a key. */
export function liftKey(freezeId: string, requestId: string): string {
  return `${freezeId}/${requestId}`;
}

/** The freeze in force under this basis; there is one at most. */
export function freezeUnder(state: FreezesState, basis: Basis): Freeze | undefined {
  const stream = basisStream(basis);
  for (const freeze of state.inForce.values()) {
    if (basisStream(freeze.basis) === stream) return freeze;
  }
  return undefined;
}

/** Owns `before` and changes it in place, the initial state apart. Never throws for a well-formed event. */
export function evolveFreezes(before: FreezesState, event: Recorded<FreezeEvent>): FreezesState {
  const state = before === NO_FREEZES ? noFreezes() : (before as ChangingFreezes);
  switch (event.type) {
    case 'AccountFrozen': {
      const { freezeId, basis, citation, scope, claimGroup, placedBy, blockedFrom } = event.data;
      const placedAt = event.metadata.recordedAt;
      state.inForce.set(freezeId, { freezeId, basis, citation, scope, claimGroup, placedBy, placedAt, blockedFrom });
      state.resolved.set(citation.eventId, 'frozen');
      return state;
    }
    case 'FreezeVaried': {
      const { freezeId, citation, replaces, scope } = event.data;
      const freeze = state.inForce.get(freezeId);
      if (freeze !== undefined) state.inForce.set(freezeId, { ...freeze, citation, scope });
      state.over.set(replaces.eventId, pointerTo(event));
      state.resolved.set(citation.eventId, 'varied');
      return state;
    }
    case 'FreezeAbandoned':
      if (event.data.replaces === undefined) {
        state.ended.set(event.data.freezeId, {
          state: 'abandoned',
          basis: event.data.basis,
          pointer: pointerTo(event),
        });
      }
      state.over.set(event.data.citation.eventId, pointerTo(event));
      state.resolved.set(event.data.citation.eventId, 'abandoned');
      return state;
    case 'LiftRequested': {
      const { freezeId, requestId, requestedBy } = event.data;
      const orderId = event.data.ground === 'release-ordered' ? event.data.orderId : undefined;
      const pointer = pointerTo(event);
      const request: LiftRequest = { requestId, freezeId, requestedBy, orderId, state: 'requested', pointer };
      state.liftRequests.set(liftKey(freezeId, requestId), request);
      return state;
    }
    case 'LiftRejected':
      decideRequest(state, event.data.freezeId, event.data.requestId, 'rejected');
      return state;
    case 'AccountUnfrozen': {
      const { freezeId, requestId } = event.data;
      const freeze = state.inForce.get(freezeId);
      if (freeze !== undefined) {
        state.inForce.delete(freezeId);
        state.over.set(freeze.citation.eventId, pointerTo(event));
        state.ended.set(freezeId, { state: 'lifted', basis: freeze.basis, pointer: pointerTo(event) });
      }
      decideRequest(state, freezeId, requestId, 'approved');
      return state;
    }
  }
}

function decideRequest(
  state: ChangingFreezes,
  freezeId: string,
  requestId: string | undefined,
  decided: 'approved' | 'rejected',
): void {
  if (requestId === undefined) return;
  const key = liftKey(freezeId, requestId);
  const request = state.liftRequests.get(key);
  if (request !== undefined) state.liftRequests.set(key, { ...request, state: decided });
}

/**
 * Why this event should never be in this state; undefined when it may. Citations are not looked up here: that is
 * `resolveCitation`, `resolveAbandonment` and `resolveLift`.
 */
export function checkFreezes(state: FreezesState, event: Recorded<FreezeEvent>): string | undefined {
  switch (event.type) {
    case 'AccountFrozen':
      if (freezeUnder(state, event.data.basis) !== undefined) return 'a freeze under this basis is in force already';
      return checkResolves(state, event.data);
    case 'FreezeVaried':
      return checkVaried(state, event.data);
    case 'FreezeAbandoned':
      return checkAbandoned(state, event.data);
    case 'LiftRequested': {
      const { freezeId, requestId, requestedBy } = event.data;
      if (requestedBy !== event.metadata.actor.id) return 'the lift was asked for by another than who acted';
      if (!state.inForce.has(freezeId)) return 'asks to lift a freeze that is not in force';
      if (state.liftRequests.has(liftKey(freezeId, requestId))) return 'asks twice for a lift with one request id';
      return undefined;
    }
    case 'LiftRejected':
      return checkLiftRejected(state, event);
    case 'AccountUnfrozen':
      return state.inForce.has(event.data.freezeId) ? undefined : 'lifts a freeze that is not in force';
  }
}

function checkResolves(
  state: FreezesState,
  data: { readonly freezeId: string; readonly citation: EventPointer },
): string | undefined {
  if (data.freezeId !== data.citation.eventId) return 'the freeze is not named after the authorisation that it cites';
  if (state.resolved.has(data.citation.eventId)) return 'resolves an authorisation a second time';
  return undefined;
}

function checkVaried(
  state: FreezesState,
  { freezeId, basis, citation, replaces }: Extract<FreezeEvent, { type: 'FreezeVaried' }>['data'],
): string | undefined {
  const freeze = state.inForce.get(freezeId);
  if (freeze === undefined) return 'varies a freeze that is not in force';
  if (basisStream(freeze.basis) !== basisStream(basis)) return 'varies a freeze under another basis';
  if (!samePointer(freeze.citation, replaces)) return 'varies a freeze that does not rest on what is replaced';
  return state.resolved.has(citation.eventId) ? 'resolves an authorisation a second time' : undefined;
}

function checkAbandoned(
  state: FreezesState,
  data: Extract<FreezeEvent, { type: 'FreezeAbandoned' }>['data'],
): string | undefined {
  const existing = freezeUnder(state, data.basis);
  const isFrozen = existing !== undefined && existing.freezeId === data.existingFreezeId;
  if (data.reason === 'already-frozen' && !isFrozen) {
    return 'abandoned for a freeze that is not in force under this basis';
  }
  return checkResolves(state, data);
}

function checkLiftRejected(
  state: FreezesState,
  { data, metadata }: Recorded<Extract<FreezeEvent, { type: 'LiftRejected' }>>,
): string | undefined {
  if (data.rejectedBy !== metadata.actor.id) return 'the lift was rejected by another than who acted';
  const request = state.liftRequests.get(liftKey(data.freezeId, data.requestId));
  if (request?.state !== 'requested') return 'rejects a lift that nobody asks for';
  if (!state.inForce.has(data.freezeId)) return 'rejects the lift of a freeze that is not in force';
  if (!samePointer(request.pointer, data.citation)) return 'cites another event than the request that it rejects';
  if (request.requestedBy === data.rejectedBy) return 'the lift was rejected by the person who asked for it';
  return undefined;
}

/** What a movement of the account's money has to get past. A union: other kinds than freezes will follow. */
export interface Restriction {
  readonly kind: 'freeze';
  readonly id: string;
  readonly scope: Scope;
  /** Limits of one group are not added: the highest counts. */
  readonly claimGroup: string;
}

const NO_RESTRICTIONS: readonly Restriction[] = [];

/** Those in force, in the order of their placing. */
export function restrictions(state: FreezesState): readonly Restriction[] {
  if (state.inForce.size === 0) return NO_RESTRICTIONS;
  return Array.from(state.inForce.values(), ({ freezeId, scope, claimGroup }) => ({
    kind: 'freeze',
    id: freezeId,
    scope,
    claimGroup,
  }));
}
