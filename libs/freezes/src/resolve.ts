import {
  basisStream,
  claimGroupOf,
  decodeData,
  namedSince,
  pointerTo,
  sameAddress,
  samePointer,
  sameScope,
  SUPERVISOR,
  termsUpTo,
  toMs,
  type BasisEnd,
  type BasisState,
  type ChainAddress,
  type EventOf,
  type IsNamed,
  type Recorded,
  type RecordedEvent,
} from '#kernel';
import {
  AccountAttached,
  AddressLinked,
  isNamedBy,
  undoneBy,
  type PartyNamed,
  type PartyNoLongerNamed,
  type PartyState,
} from '#parties';
import {
  claimGroupStated,
  endedFreezesStated,
  replacesStated,
  type BasisEvent,
  type FreezeAuthorised,
} from './basis.ts';
import type { ReleaseSeen } from './decide.ts';
import type { AccountFrozen, AccountUnfrozen, FreezeAbandoned, FreezeVaried, LiftRequested } from './events.ts';
import { liftKey, type FreezesState, type LiftRequest } from './state.ts';
import { endedBefore, freezeCiting, type LostBy } from './vary.ts';

export type Resolution = { readonly ok: true } | { readonly ok: false; readonly reason: string };

/**
 * What stands where a citation points to on the stream of a basis: the event, if it is there and is legal by the basis's
 * own events before it. Undefined for everything else, so nothing rests on what should never be.
 */
export type CitedBasisEvent = Recorded<BasisEvent> | undefined;

/** A freeze, or what varies one, and what stands in the log where its citation points to. */
interface Cited<Event extends AccountFrozen | FreezeVaried> {
  readonly event: Recorded<Event>;
  readonly cited: CitedBasisEvent;
  /** What stands where the authorisation's `namedBy` points to. */
  readonly namedByEvent: RecordedEvent | undefined;
  /** What stands where its `linkedBy` points to: of a basis that names an address. */
  readonly linkedByEvent?: RecordedEvent | undefined;
  /** The addresses that the basis named when it authorised the freeze. */
  readonly addresses: readonly ChainAddress[];
  /** Whether each freeze that the authorisation says had ended (`endedFreezes`, in their order) had ended by then. */
  readonly ended?: readonly boolean[] | undefined;
  /** The parties that AccountOpened lists, where they are known. */
  readonly holders?: readonly string[] | undefined;
}

export type CitedFreeze = Cited<AccountFrozen>;

export interface CitedVariation extends Cited<FreezeVaried> {
  /** Which variation ended what rests on an authorisation, as far as the basis was read. */
  readonly lostBy: LostBy;
}

/**
 * Re-runs the rule behind a freeze (invariant 1): the cited event is there, authorises this very freeze, and what it says
 * of the account is true; that the basis was in force then and named the account makes it a legal event of the basis.
 * Looks at nothing later in the log than the freeze, so the verdict is the same whenever it is asked for.
 */
export function resolveCitation(freeze: CitedFreeze): Resolution {
  return resolution(citationProblem(freeze, (authorisation) => mismatch(authorisation, freeze.event)));
}

/**
 * Re-runs the rule behind a freeze that is varied: as for a freeze, and the authorisation takes the place of the very one on
 * which the freeze rested, which no variation had ended before.
 */
export function resolveVariation(variation: CitedVariation): Resolution {
  return resolution(citationProblem(variation, (authorisation) => variationProblem(authorisation, variation)));
}

function citationProblem<Event extends AccountFrozen | FreezeVaried>(
  { event, cited, namedByEvent, linkedByEvent, addresses, ended, holders }: Cited<Event>,
  differs: (authorisation: Recorded<FreezeAuthorised>) => string | undefined,
): string | undefined {
  const found = authorisationOf(event, cited);
  if ('problem' in found) return found.problem;
  const { authorisation } = found;
  return (
    differs(authorisation) ??
    tieProblem(authorisation, namedByEvent, holders) ??
    linkProblem(authorisation, addresses, linkedByEvent) ??
    endedProblem(authorisation, ended)
  );
}

/** The authorisation that an event cites and resolves, if it is one of this account under this basis. */
function authorisationOf(
  event: Recorded<AccountFrozen | FreezeVaried | FreezeAbandoned>,
  cited: CitedBasisEvent,
): { readonly authorisation: Recorded<FreezeAuthorised> } | { readonly problem: string } {
  const { basis, citation, accountId, freezeId } = event.data;
  if (cited === undefined || !samePointer(pointerTo(cited), citation)) {
    return { problem: 'the cited event does not exist' };
  }
  if (cited.type !== 'FreezeAuthorised') return { problem: 'the cited event authorises no freeze' };
  if (cited.stream !== basisStream(basis)) return { problem: 'the cited event is not on the stream of the basis' };
  if (cited.data.accountId !== accountId || event.stream !== `account-${accountId}`) {
    return { problem: 'the cited event authorises a freeze of another account' };
  }
  if (event.type !== 'FreezeVaried' && freezeId !== cited.id)
    return { problem: 'the freeze does not bear the id of its authorisation' };
  if (!isCitable(cited, event)) return { problem: 'the cited event is later than the freeze' };
  return { authorisation: cited };
}

/** Whatever the freeze says otherwise than the authorisation that it cites. */
function mismatch(authorisation: Recorded<FreezeAuthorised>, freeze: Recorded<AccountFrozen>): string | undefined {
  const { scope, requestedBy, blockedFrom } = authorisation.data;
  if (replacesStated(authorisation) !== undefined) return 'the cited event varies a freeze, and places none';
  if (!sameScope(freeze.data.scope, scope)) return 'the scope is not the one that was authorised';
  if (freeze.data.placedBy !== requestedBy) return 'the freeze was asked for by another person';
  const { id: actorId } = freeze.metadata.actor;
  // Who asked places it, or the supervisor finishes it.
  if (actorId !== requestedBy && actorId !== SUPERVISOR.id) return 'the freeze was placed by another than who asked';
  if (blockedFrom !== undefined && freeze.data.blockedFrom !== blockedFrom) return 'the legal time is another';
  if (freeze.data.claimGroup !== claimGroupOf(freeze.data.basis, claimGroupStated(authorisation))) {
    return 'the claim group is not the one that was authorised';
  }
  return undefined;
}

/**
 * Why an authorisation does not vary the freeze: it replaces another than the one on which the freeze rests, or what rests on
 * that one was ended by a variation that came before, whatever the basis says by now.
 */
function variationProblem(
  authorisation: Recorded<FreezeAuthorised>,
  { event: { data }, lostBy }: CitedVariation,
): string | undefined {
  const replaces = replacesStated(authorisation);
  if (replaces === undefined) return 'the cited event places a freeze, and varies none';
  if (!samePointer(replaces, data.replaces)) return 'the cited event replaces another authorisation';
  if (!sameScope(data.scope, authorisation.data.scope)) return 'the scope is not the one that was authorised';
  const lost = lostBy(replaces);
  const isLost = lost !== undefined && Number(lost.pointer.revision) < authorisation.revision;
  return isLost ? 'a variation had ended the freeze' : undefined;
}

type Placed = Pick<RecordedEvent, 'position' | 'metadata'>;

/** An event that is only decided has no position yet: it comes after everything that is stored. */
function isBefore(event: Placed, other: Placed): boolean {
  return other.position === '' || event.position < other.position;
}

/**
 * True for what an event may cite: it stands before it in the log, and its time is no later, since whoever cites takes the
 * latest of the clock and of all that is cited (ARCHITECTURE, "The life of a command", 4).
 */
function isCitable(event: Placed, by: Placed): boolean {
  return isBefore(event, by) && event.metadata.recordedAt <= by.metadata.recordedAt;
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
  if (!isCitable(tie, authorisation)) return 'the event that names the account is later than the authorisation';
  if (partyId === undefined) return undefined;
  if (!attaches(tie, partyId, accountId)) return 'the account was not attached to the party';
  if (holders?.includes(partyId) === false) return 'the party does not hold the account';
  return undefined;
}

/** What the limits no longer count has to have ended: that decides whether they sufficed. */
function endedProblem(authorisation: Recorded<FreezeAuthorised>, ended: readonly boolean[] = []): string | undefined {
  return endedFreezesStated(authorisation).every((_, index) => ended[index] === true)
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

/**
 * Why the event that `linkedBy` points to does not tie the party to an address that the basis names. That it has such a
 * pointer where it needs one, and only there, is for the rule of the basis to see.
 */
function linkProblem(
  { data, ...authorisation }: Recorded<FreezeAuthorised>,
  addresses: readonly ChainAddress[],
  link: RecordedEvent | undefined,
): string | undefined {
  if (data.linkedBy === undefined) return undefined;
  if (link === undefined || !samePointer(pointerTo(link), data.linkedBy)) {
    return 'the event that links the address does not exist';
  }
  if (!isCitable(link, authorisation)) return 'the event that links the address is later than the authorisation';
  const { partyId } = data;
  const isNamed = addresses.some((address) => partyId !== undefined && links(link, partyId, address));
  return isNamed ? undefined : 'no address that the basis names was linked to the party as its own';
}

function links(link: RecordedEvent, partyId: string, address: ChainAddress): boolean {
  if (link.type !== 'AddressLinked') return false;
  const decoded = decodeData(AddressLinked, link.schemaVersion, link.data);
  if (!decoded.ok) return false;
  const data = decoded.data as EventOf<typeof AddressLinked>['data'];
  return data.partyId === partyId && sameAddress(data, address) && data.role === 'holder-controlled';
}

/** An authorisation that came to nothing, and the facts that its reason may rest on; all of them earlier in the log. */
export interface CitedAbandonment {
  readonly event: Recorded<FreezeAbandoned>;
  readonly cited: CitedBasisEvent;
  /** The event that ended the basis, if one has. */
  readonly ending: CitedBasisEvent;
  /** The freezes just before it. */
  readonly freezes: FreezesState;
  /** Which variation ended what rests on an authorisation, as far as the basis was read. */
  readonly lostBy: LostBy;
  /** The first variation that ended what would rest on the authorisation, if one has. */
  readonly varied: CitedBasisEvent;
  /** The parties that AccountOpened lists. */
  readonly holders: readonly string[];
  /** The key of the command that asked for the freeze stands on the account's stream already. */
  readonly keyStands: boolean;
}

/**
 * Re-runs the rule behind an abandonment (DOMAIN, "Freezing"): it resolves an authorisation that the basis gave for this
 * account, and its reason is true, as a clause of the protocol demands it:
 * - `not-a-holder` (clause 2): the basis names the account through a party that AccountOpened does not list;
 * - `key-used` (clause 3): the key of the authorisation stands on the account's stream already;
 * - `basis-ended` (clause 5): the end of the basis is recorded earlier in the log;
 * - `basis-varied` (5): a later variation dropped the account, and is recorded earlier in the log;
 * - `superseded`: it replaces an authorisation on which no freeze rests;
 * - `already-frozen` (4): a freeze stands there that no variation had ended before: `checkAccount` sees that it is in force;
 * - `account-not-open` (2) rests on the account's own stream alone: `checkAccount`.
 *
 * What a reason rests on is not cited: only its place in the log counts, not its time.
 *
 * Which clause comes first is not looked at: each of these reasons, once true, is ground enough. Nor is the event that ties
 * the account to the basis: an authorisation that nothing could have frozen may be abandoned.
 */
export function resolveAbandonment(abandonment: CitedAbandonment): Resolution {
  const found = authorisationOf(abandonment.event, abandonment.cited);
  return resolution('problem' in found ? found.problem : untrueReason(found.authorisation, abandonment));
}

function untrueReason(
  authorisation: Recorded<FreezeAuthorised>,
  { event, ending, varied, freezes, lostBy, holders, keyStands }: CitedAbandonment,
): string | undefined {
  const { data } = authorisation;
  const replaces = replacesStated(authorisation);
  if (replaces === undefined ? event.data.replaces !== undefined : !samePointer(replaces, event.data.replaces)) {
    return 'it says otherwise than the authorisation what that one replaces';
  }
  switch (event.data.reason) {
    case 'not-a-holder':
      if (data.partyId === undefined) return 'the basis names the account itself, not a holder of it';
      return holders.includes(data.partyId) ? 'the party holds the account' : undefined;
    case 'key-used':
      return keyStands ? undefined : 'the key of the authorisation was not used on the account';
    case 'basis-ended':
      return ending !== undefined && isBefore(ending, event) ? undefined : 'the basis had not ended';
    case 'basis-varied':
      return varied !== undefined && isBefore(varied, event) ? undefined : 'no variation had ended it';
    case 'superseded': {
      const stands = replaces === undefined || freezeCiting(freezes, replaces) !== undefined;
      return stands ? 'what it replaces stands' : undefined;
    }
    case 'already-frozen': {
      const existing = freezes.inForce.get(event.data.existingFreezeId ?? '');
      const lost = existing && endedBefore(existing, pointerTo(authorisation), lostBy);
      return lost === undefined ? undefined : 'a variation had ended the freeze that is said to be in the way';
    }
    case 'account-not-open':
      return undefined;
  }
}

/** A lift, the freezes just before it, and what stands in the log where its citation points to. */
export interface CitedLift {
  readonly event: Recorded<AccountUnfrozen>;
  readonly freezes: FreezesState;
  /** As for a freeze; of no matter for `placed-in-error`, whose request is on the account's own stream. */
  readonly cited: CitedBasisEvent;
  /** How the cited basis ended, if it has: that happens once, and is of that event for good. */
  readonly ended: BasisEnd | undefined;
  /** Of `release-ordered`: the order of release, from its own events up to where the lift says that it was in force. */
  readonly release?: ReleaseSeen | undefined;
  /** Which variation ended what rests on an authorisation: the first one, which stays so. */
  readonly lostBy: LostBy;
}

/** Re-runs the rule behind a lift (invariants 3 and 9): the ground that it states is established by what it points to. */
export function resolveLift(lift: CitedLift): Resolution {
  switch (lift.event.data.ground) {
    case 'basis-ended':
      return resolution(basisEndedProblem(lift));
    case 'basis-varied':
      return resolution(basisVariedProblem(lift));
    case 'placed-in-error':
      return resolution(placedInErrorProblem(lift));
    case 'release-ordered':
      return resolution(releaseOrderedProblem(lift));
  }
}

/** Re-runs the rule behind a request that relies on an order of release: it was in force and named the freeze then. */
export function resolveLiftRequest(event: Recorded<LiftRequested>, release: ReleaseSeen): Resolution {
  return resolution(releaseProblem(event.data, release));
}

function releaseProblem(data: LiftRequested['data'], release: ReleaseSeen): string | undefined {
  if (data.ground !== 'release-ordered') return undefined;
  if (data.inForceAt.stream !== `legalOrder-${data.orderId}`) return 'it was in force on the stream of another order';
  return 'obstacle' in release ? release.obstacle : undefined;
}

function releaseOrderedProblem(lift: CitedLift): string | undefined {
  const { event, release } = lift;
  const { citation, request: requested, inForceAt } = event.data;
  const request = requestOf(lift);
  const problem = approvalProblem(lift, request);
  if (problem !== undefined) return problem;
  if (request?.orderId === undefined) return 'the request relies on no order of release';
  if (requested === undefined || !samePointer(request.pointer, requested)) return 'it points to another request';
  if (inForceAt?.stream !== `legalOrder-${request.orderId}`) return 'the request relies on another order';
  if (release === undefined) return 'the order of release is not known';
  if ('obstacle' in release) return release.obstacle;
  return samePointer(release.verified, citation) ? undefined : 'the cited event did not verify the order of release';
}

function basisEndedProblem(lift: CitedLift): string | undefined {
  return liftProblem(lift, lift.ended, 'end the basis');
}

/** By the first variation since what the freeze rests on: one that comes to name the account again restores nothing. */
function basisVariedProblem(lift: CitedLift): string | undefined {
  const freeze = lift.freezes.inForce.get(lift.event.data.freezeId);
  return liftProblem(lift, freeze && lift.lostBy(freeze.citation), 'end the freeze by a variation');
}

function liftProblem(
  { event, freezes, cited }: CitedLift,
  ground: BasisEnd | undefined,
  what: string,
): string | undefined {
  const { freezeId, citation, requestedBy, approvedBy } = event.data;
  const freeze = freezes.inForce.get(freezeId);
  if (freeze === undefined) return 'the freeze is not in force';
  if (cited === undefined || !samePointer(pointerTo(cited), citation)) return 'the cited event does not exist';
  if (cited.stream !== basisStream(freeze.basis)) return 'the cited event is not on the stream of the basis';
  if (!isCitable(cited, event)) return 'the cited event is later than the lift';
  if (ground === undefined || !samePointer(ground.pointer, citation)) return `the cited event did not ${what}`;
  const isTheirs = ground.requestedBy === requestedBy && ground.approvedBy === approvedBy;
  return isTheirs ? undefined : `other people did ${what}`;
}

function placedInErrorProblem(lift: CitedLift): string | undefined {
  const request = requestOf(lift);
  const problem = approvalProblem(lift, request);
  if (problem !== undefined || request === undefined) return problem;
  if (request.orderId !== undefined) return 'the request relies on an order of release';
  return samePointer(request.pointer, lift.event.data.citation) ? undefined : 'the cited event is not the request';
}

function requestOf({ event, freezes }: CitedLift): LiftRequest | undefined {
  const { freezeId, requestId } = event.data;
  return requestId === undefined ? undefined : freezes.liftRequests.get(liftKey(freezeId, requestId));
}

/** What every lift has that people ask for: a freeze in force, a request of one person, the approval of another. */
function approvalProblem({ event, freezes }: CitedLift, request: LiftRequest | undefined): string | undefined {
  const { freezeId, requestedBy, approvedBy } = event.data;
  if (!freezes.inForce.has(freezeId)) return 'the freeze is not in force';
  if (request?.state !== 'requested') return 'nobody asks for the lift of this freeze';
  if (request.requestedBy !== requestedBy) return 'another person asked for the lift';
  if (request.requestedBy === approvedBy) return 'the lift was approved by the person who asked for it';
  if (approvedBy !== event.metadata.actor.id) return 'the lift was approved by another than who acted';
  return undefined;
}

/** An event of a party that rests on a basis, and what stands in the log where its citation points to. */
export interface CitedNaming {
  readonly event: Recorded<PartyNamed | PartyNoLongerNamed>;
  readonly cited: CitedBasisEvent;
  /** Only what no later event of the basis changes is asked of it. */
  readonly basis: Pick<BasisState, 'terms' | 'enforcement' | 'ended'> | undefined;
  /** As it was just before the event. */
  readonly party: PartyState;
}

/**
 * Re-runs the rule behind the naming of a party and its end (invariant 14). A naming cites the event since which, without a
 * break, an effective basis names the party, itself or by an address that was linked to it before: what put the basis in
 * force, or a variation. It may come after a variation that dropped the party, or the end of the basis, and is undone then.
 * The end of a naming cites the first of these after the naming's own citation.
 */
export function resolveNaming(naming: CitedNaming): Resolution {
  const { event, cited } = naming;
  const { basis, citation } = event.data;
  if (cited === undefined || !samePointer(pointerTo(cited), citation)) {
    return resolution('the cited event does not exist');
  }
  if (cited.stream !== basisStream(basis)) return resolution('the cited event is not on the stream of the basis');
  if (!isCitable(cited, event)) return resolution('the cited event is later than what cites it');
  return resolution(event.type === 'PartyNamed' ? namedProblem(naming) : noLongerNamedProblem(naming));
}

function namedProblem({ event, basis, party }: CitedNaming): string | undefined {
  const { citation } = event.data;
  const isNamed: IsNamed = (subjects) => isNamedBy(party, subjects);
  const terms = termsUpTo(basis?.terms ?? [], Number(citation.revision));
  const enforcement = basis?.enforcement;
  if (enforcement === undefined || !samePointer(citation, terms.at(-1)?.since)) {
    return 'the cited event did not put the basis in force';
  }
  if (!samePointer(citation, namedSince(terms, isNamed))) return 'the basis does not name the party since then';
  const isEffective = toMs(enforcement.from) <= toMs(event.metadata.recordedAt);
  return isEffective ? undefined : 'the basis is not effective yet';
}

function noLongerNamedProblem({ event, basis, party }: CitedNaming): string | undefined {
  const naming = party.named.get(basisStream(event.data.basis));
  const undoing = naming && basis && undoneBy(naming, basis, (subjects) => isNamedBy(party, subjects));
  const isUndone = undoing !== undefined && samePointer(undoing, event.data.citation);
  return isUndone ? undefined : 'the cited event did not end what the party is named for';
}

function resolution(problem: string | undefined): Resolution {
  return problem === undefined ? { ok: true } : { ok: false, reason: problem };
}
