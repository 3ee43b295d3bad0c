import {
  basisStream,
  claimGroupOf,
  decodeData,
  pointerTo,
  scopeWithin,
  type EventOf,
  type Recorded,
  type RecordedEvent,
  type Scope,
} from '#kernel';
import {
  checkLegalOrder,
  evolveLegalOrder,
  initialLegalOrderState,
  type FreezeAuthorised,
  type LegalOrderEvent,
  type LegalOrderState,
} from '#legal-orders';
import { AccountAttached } from '#parties';
import type { AccountFrozen, AccountUnfrozen } from './events.ts';
import { liftKey, samePointer, type FreezesState } from './state.ts';

export type Resolution = { readonly ok: true } | { readonly ok: false; readonly reason: string };

/** A freeze, and what stands in the log where its citation points to. */
export interface CitedFreeze {
  readonly event: Recorded<AccountFrozen>;
  /** The well-formed events of the cited stream from its beginning to the cited revision; legal or not. */
  readonly basisEvents: readonly Recorded<LegalOrderEvent>[];
  /** What stands where the authorisation's `namedBy` points to. */
  readonly namedByEvent: RecordedEvent | undefined;
  /** Whether each freeze that the authorisation says had ended (`endedFreezes`, in their order) had ended by then. */
  readonly ended?: readonly boolean[] | undefined;
  /** The parties that AccountOpened lists, where they are known. */
  readonly holders?: readonly string[] | undefined;
}

/**
 * Re-runs the rule behind a freeze (invariant 1): the cited event is there, authorises this very freeze, and the order, as
 * its own events before it tell, was in force then and named the account. Looks at nothing later in the log than the
 * freeze, so the verdict is the same whenever it is asked for.
 */
export function resolveCitation(cited: CitedFreeze): Resolution {
  return resolution(citationProblem(cited));
}

function citationProblem({ event, basisEvents, namedByEvent, ended, holders }: CitedFreeze): string | undefined {
  const authorisation = basisEvents.at(-1);
  if (authorisation === undefined || !samePointer(pointerTo(authorisation), event.data.citation)) {
    return 'the cited event does not exist';
  }
  if (authorisation.type !== 'FreezeAuthorised') return 'the cited event authorises no freeze';
  return (
    mismatch(authorisation, event) ??
    tieProblem(authorisation, namedByEvent, holders) ??
    endedProblem(authorisation, ended) ??
    checkLegalOrder(foldLegal(basisEvents.slice(0, -1)), authorisation)
  );
}

/** Whatever the freeze says otherwise than the authorisation that it cites. */
function mismatch(authorisation: Recorded<FreezeAuthorised>, freeze: Recorded<AccountFrozen>): string | undefined {
  const { accountId, scope, requestedBy, blockedFrom } = authorisation.data;
  if (authorisation.stream !== basisStream(freeze.data.basis))
    return 'the cited event is not on the stream of the basis';
  if (accountId !== freeze.data.accountId || freeze.stream !== `account-${accountId}`) {
    return 'the cited event authorises a freeze of another account';
  }
  if (freeze.data.freezeId !== authorisation.id) return 'the freeze does not bear the id of its authorisation';
  if (!sameScope(freeze.data.scope, scope)) return 'the scope is not the one that was authorised';
  if (freeze.data.placedBy !== requestedBy) return 'the freeze was asked for by another person';
  if (blockedFrom !== undefined && freeze.data.blockedFrom !== blockedFrom) return 'the legal time is another';
  if (freeze.data.claimGroup !== claimGroupOf(freeze.data.basis, authorisation.data.claimGroup)) {
    return 'the claim group is not the one that was authorised';
  }
  if (!isEarlier(authorisation, freeze)) return 'the cited event is later in the log than the freeze';
  return undefined;
}

function sameScope(one: Scope, other: Scope): boolean {
  return scopeWithin(one, other) && scopeWithin(other, one);
}

/** An event that is only decided has no position yet: it comes after everything that is stored. */
function isEarlier(event: { readonly position: string }, than: { readonly position: string }): boolean {
  return than.position === '' || event.position < than.position;
}

/**
 * Why the event that `namedBy` points to does not tie the account to a subject of the order. That `namedBy` points to the
 * order's own registration, or to the stream of a party that it names, is for the order's rule to see.
 */
function tieProblem(
  authorisation: Recorded<FreezeAuthorised>,
  tie: RecordedEvent | undefined,
  holders: readonly string[] | undefined,
): string | undefined {
  const { accountId, namedBy, partyId } = authorisation.data;
  if (tie === undefined || !samePointer(pointerTo(tie), namedBy))
    return 'the event that names the account does not exist';
  if (!isEarlier(tie, authorisation)) return 'the event that names the account is later than the authorisation';
  if (partyId === undefined) return undefined;
  if (!attaches(tie, partyId, accountId)) return 'the account was not attached to the party';
  if (holders?.includes(partyId) === false) return 'the party does not hold the account';
  return undefined;
}

/** What the limits no longer count has to have ended: that decides whether they sufficed. */
function endedProblem({ data }: Recorded<FreezeAuthorised>, ended: readonly boolean[] = []): string | undefined {
  const claimed = data.endedFreezes ?? [];
  return claimed.every((_, index) => ended[index] === true)
    ? undefined
    : 'a freeze that is said to have ended had not ended';
}

/** `tie` is as it was stored: nothing in it is trusted before it is decoded. */
function attaches(tie: RecordedEvent, partyId: string, accountId: string): boolean {
  if (tie.type !== 'AccountAttached') return false;
  const decoded = decodeData(AccountAttached, tie.schemaVersion, tie.data);
  if (!decoded.ok) return false;
  const data = decoded.data as EventOf<typeof AccountAttached>['data'];
  return data.partyId === partyId && data.accountId === accountId;
}

/** The order as its own legal events make it: what should never be changes nothing. */
function foldLegal(events: readonly Recorded<LegalOrderEvent>[]): LegalOrderState {
  let state = initialLegalOrderState();
  for (const event of events) {
    if (checkLegalOrder(state, event) === undefined) state = evolveLegalOrder(state, event);
  }
  return state;
}

/** A lift, the freezes just before it, and what stands in the log where its citation points to. */
export interface CitedLift {
  readonly event: Recorded<AccountUnfrozen>;
  readonly freezes: FreezesState;
  /** As for a freeze; of no matter for `placed-in-error`, whose request is on the account's own stream. */
  readonly basisEvents: readonly Recorded<LegalOrderEvent>[];
}

/** Re-runs the rule behind a lift (invariants 3 and 9): the ground that it states is established by what it points to. */
export function resolveLift(lift: CitedLift): Resolution {
  switch (lift.event.data.ground) {
    case 'basis-ended':
      return resolution(basisEndedProblem(lift));
    case 'placed-in-error':
      return resolution(placedInErrorProblem(lift));
  }
}

function basisEndedProblem({ event, freezes, basisEvents }: CitedLift): string | undefined {
  const { freezeId, citation, requestedBy, approvedBy } = event.data;
  const freeze = freezes.inForce.get(freezeId);
  if (freeze === undefined) return 'the freeze is not in force';
  const ending = basisEvents.at(-1);
  if (ending === undefined || !samePointer(pointerTo(ending), citation)) return 'the cited event does not exist';
  if (ending.stream !== basisStream(freeze.basis)) return 'the cited event is not on the stream of the basis';
  if (!isEarlier(ending, event)) return 'the cited event is later in the log than the lift';
  const { ended } = foldLegal(basisEvents);
  if (ended === undefined || !samePointer(ended.pointer, citation)) return 'the cited event did not end the basis';
  if (ended.requestedBy !== requestedBy || ended.approvedBy !== approvedBy) return 'other people ended the basis';
  return undefined;
}

function placedInErrorProblem({ event, freezes }: CitedLift): string | undefined {
  const { freezeId, requestId, citation, requestedBy, approvedBy } = event.data;
  if (!freezes.inForce.has(freezeId)) return 'the freeze is not in force';
  const request = requestId === undefined ? undefined : freezes.liftRequests.get(liftKey(freezeId, requestId));
  if (request?.state !== 'requested') return 'nobody asks for the lift of this freeze';
  if (!samePointer(request.pointer, citation)) return 'the cited event is not the request';
  if (request.requestedBy !== requestedBy) return 'another person asked for the lift';
  if (request.requestedBy === approvedBy) return 'the lift was approved by the person who asked for it';
  if (approvedBy !== event.metadata.actor.id) return 'the lift was approved by another than who acted';
  return undefined;
}

function resolution(problem: string | undefined): Resolution {
  return problem === undefined ? { ok: true } : { ok: false, reason: problem };
}
