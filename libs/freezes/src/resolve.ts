import {
  basisStream,
  decodeData,
  pointerTo,
  scopeWithin,
  type ChainAddress,
  type EventOf,
  type Recorded,
  type RecordedEvent,
  type Scope,
} from '#kernel';
import { AccountAttached, AddressLinked } from '#parties';
import { foldBasis, type BasisEvent, type FreezeAuthorised } from './basis.ts';
import type { AccountFrozen, AccountUnfrozen } from './events.ts';
import { liftKey, samePointer, type FreezesState } from './state.ts';

export type Resolution = { readonly ok: true } | { readonly ok: false; readonly reason: string };

/** A freeze, and what stands in the log where its citation points to. */
export interface CitedFreeze {
  readonly event: Recorded<AccountFrozen>;
  /** The well-formed events of the cited stream from its beginning to the cited revision; legal or not. */
  readonly basisEvents: readonly Recorded<BasisEvent>[];
  /** What stands where the authorisation's `namedBy` points to. */
  readonly namedByEvent: RecordedEvent | undefined;
  /** What stands where its `linkedBy` points to: of a hit on an address. */
  readonly linkedByEvent?: RecordedEvent | undefined;
  /** The parties that AccountOpened lists, where they are known. */
  readonly holders?: readonly string[] | undefined;
}

/**
 * Re-runs the rule behind a freeze (invariant 1): the cited event is there, authorises this very freeze, and the basis, as
 * its own events before it tell, was in force then and named the account. Looks at nothing later in the log than the
 * freeze, so the verdict is the same whenever it is asked for.
 */
export function resolveCitation(cited: CitedFreeze): Resolution {
  return resolution(citationProblem(cited));
}

function citationProblem({
  event,
  basisEvents,
  namedByEvent,
  linkedByEvent,
  holders,
}: CitedFreeze): string | undefined {
  const authorisation = basisEvents.at(-1);
  if (authorisation === undefined || !samePointer(pointerTo(authorisation), event.data.citation)) {
    return 'the cited event does not exist';
  }
  if (authorisation.type !== 'FreezeAuthorised') return 'the cited event authorises no freeze';
  const basis = foldBasis(authorisation.stream, basisEvents.slice(0, -1));
  if (basis === undefined) return 'the cited event is not on the stream of a basis';
  return (
    mismatch(authorisation, event) ??
    tieProblem(authorisation, namedByEvent, holders) ??
    linkProblem(authorisation, basis.state.subjects.addresses, linkedByEvent) ??
    basis.objection(authorisation)
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
 * Why the event that `namedBy` points to does not tie the account to a subject of the basis. That `namedBy` points to an
 * order's own registration, or to the stream of a party that is named, is for the rule of the basis to see.
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

/** `tie` is as it was stored: nothing in it is trusted before it is decoded. */
function attaches(tie: RecordedEvent, partyId: string, accountId: string): boolean {
  if (tie.type !== 'AccountAttached') return false;
  const decoded = decodeData(AccountAttached, tie.schemaVersion, tie.data);
  if (!decoded.ok) return false;
  const data = decoded.data as EventOf<typeof AccountAttached>['data'];
  return data.partyId === partyId && data.accountId === accountId;
}

/**
 * Why the event that `linkedBy` points to does not tie the party to an address that the hit names. That a hit on an address
 * has such a pointer, and no other basis has, is for the rule of the basis to see.
 */
function linkProblem(
  { data, ...authorisation }: Recorded<FreezeAuthorised>,
  addresses: readonly ChainAddress[],
  link: RecordedEvent | undefined,
): string | undefined {
  if (!('linkedBy' in data) || data.linkedBy === undefined) return undefined;
  if (link === undefined || !samePointer(pointerTo(link), data.linkedBy)) {
    return 'the event that links the address does not exist';
  }
  if (!isEarlier(link, authorisation)) return 'the event that links the address is later than the authorisation';
  const { partyId } = data;
  const isNamed = addresses.some((address) => partyId !== undefined && links(link, partyId, address));
  return isNamed ? undefined : 'no address that the hit names was linked to the party as its own';
}

function links(link: RecordedEvent, partyId: string, { chain, address }: ChainAddress): boolean {
  if (link.type !== 'AddressLinked') return false;
  const decoded = decodeData(AddressLinked, link.schemaVersion, link.data);
  if (!decoded.ok) return false;
  const data = decoded.data as EventOf<typeof AddressLinked>['data'];
  return (
    data.partyId === partyId && data.chain === chain && data.address === address && data.role === 'holder-controlled'
  );
}

/** A lift, the freezes just before it, and what stands in the log where its citation points to. */
export interface CitedLift {
  readonly event: Recorded<AccountUnfrozen>;
  readonly freezes: FreezesState;
  /** As for a freeze; of no matter for `placed-in-error`, whose request is on the account's own stream. */
  readonly basisEvents: readonly Recorded<BasisEvent>[];
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
  const ended = foldBasis(ending.stream, basisEvents)?.state.ended;
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
