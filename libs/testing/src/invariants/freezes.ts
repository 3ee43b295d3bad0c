import type { EventPointer } from '#kernel';
import { endedByWhom, endOf } from './bases.ts';
import { checkChecker } from './orders.ts';
import { ownGroup, type Fact } from './facts.ts';
import {
  accountOf,
  basisStream,
  covers,
  decisionOnAccount,
  follow,
  freezesInForce,
  holds,
  sameJson,
  staying,
  whyNotStanding,
  type Account,
  type Authorisation,
  type Freeze,
  type Log,
  type Problem,
} from './log.ts';
import { balanceOf } from './money.ts';
import { lostBy, sameScope } from './variations.ts';

export type FreezeFact = Fact<
  'AccountFrozen' | 'FreezeVaried' | 'FreezeAbandoned' | 'LiftRequested' | 'LiftRejected' | 'AccountUnfrozen'
>;
type Resolution = Fact<'AccountFrozen' | 'FreezeVaried' | 'FreezeAbandoned'>;

const protocol = (detail: string): Problem => ({ invariant: 'protocol', detail });
const one = (detail: string): Problem => ({ invariant: 1, detail });
const two = (detail: string): Problem => ({ invariant: 2, detail });
const three = (detail: string): Problem => ({ invariant: 3, detail });

export function checkFreeze(log: Log, fact: FreezeFact): readonly Problem[] {
  const account = accountOf(log, fact.about);
  switch (fact.type) {
    case 'AccountFrozen':
      return checkFrozen(log, account, fact);
    case 'FreezeVaried':
      return checkVaried(log, account, fact);
    case 'FreezeAbandoned':
      return checkAbandoned(log, account, fact);
    case 'LiftRequested':
      return checkLiftRequested(log, account, fact);
    case 'LiftRejected':
      return checkLiftRejected(log, account, fact);
    case 'AccountUnfrozen':
      return checkUnfrozen(log, account, fact);
  }
}

export function applyFreeze(log: Log, fact: FreezeFact): void {
  const account = accountOf(log, fact.about);
  const { freezeId } = fact.data;
  switch (fact.type) {
    case 'AccountFrozen': {
      const authorised = resolve(log, fact);
      if (authorised === undefined) break;
      account.freezes.set(freezeId, { fact, authorised, scope: fact.data.scope, inForce: true });
      awaitStops(account, fact);
      // It may come in the append of a lift, and cover what that would have released.
      if (account.releasing !== undefined) awaitReleases(account, account.releasing.by);
      break;
    }
    case 'FreezeVaried': {
      const freeze = account.freezes.get(freezeId);
      const authorised = resolve(log, fact);
      if (freeze === undefined || authorised === undefined) break;
      endAuthorisation(log, freeze.authorised.event.id, fact);
      freeze.authorised = authorised;
      freeze.scope = fact.data.scope;
      awaitStops(account, fact);
      awaitReleases(account, fact);
      break;
    }
    case 'FreezeAbandoned':
      resolve(log, fact);
      endAuthorisation(log, fact.data.citation.eventId, fact);
      break;
    case 'LiftRequested':
      account.liftRequests.set(requestKey(fact.data), { fact, open: true });
      break;
    case 'LiftRejected':
      closeRequest(account, requestKey(fact.data));
      break;
    case 'AccountUnfrozen': {
      const freeze = account.freezes.get(freezeId);
      closeRequest(account, requestKey(fact.data));
      if (freeze !== undefined) {
        freeze.inForce = false;
        endAuthorisation(log, freeze.authorised.event.id, fact);
      }
      awaitReleases(account, fact);
      break;
    }
  }
}

function awaitStops(account: Account, by: Fact<'AccountFrozen' | 'FreezeVaried'>): void {
  const withdrawalIds = new Set(by.data.stopped);
  if (withdrawalIds.size > 0) account.awaited = { by, withdrawalIds };
}

function awaitReleases(account: Account, by: Fact<'AccountUnfrozen' | 'FreezeVaried'>): void {
  const assets = new Set(freedAssets(account));
  account.releasing = assets.size > 0 ? { by, assets } : undefined;
}

function resolve(log: Log, fact: Resolution): Fact<'FreezeAuthorised'> | undefined {
  const authorisation = log.authorisations.get(fact.data.citation.eventId);
  if (authorisation !== undefined) authorisation.resolvedBy = fact;
  return authorisation?.fact;
}

function endAuthorisation(log: Log, id: string, by: NonNullable<Authorisation['over']>): void {
  const authorisation = log.authorisations.get(id);
  if (authorisation !== undefined) authorisation.over = by;
}

/** Assets of which something is held that no freeze covers. */
function freedAssets(account: Account): readonly string[] {
  const inForce = freezesInForce(account);
  return [...account.balances]
    .filter(([asset, { held }]) => held > 0n && !inForce.some(({ scope }) => covers(scope, 'credit', asset)))
    .map(([asset]) => asset);
}

function closeRequest(account: Account, key: string): void {
  const request = account.liftRequests.get(key);
  if (request !== undefined) request.open = false;
}

function requestKey(data: { readonly freezeId: string; readonly requestId?: string | undefined }): string {
  return `${data.freezeId} ${data.requestId ?? ''}`;
}

/** Invariant 1, at the account: the citation leads to an authorisation of this very freeze, earlier in the log. */
function checkFrozen(log: Log, account: Account, fact: Fact<'AccountFrozen'>): readonly Problem[] {
  const authorisation = authorisationOf(log, fact);
  if (authorisation === undefined)
    return [one('the citation leads to no authorisation that stands earlier in the log')];
  const cited = authorisation.fact.data;
  const problems = [...checkResolution(authorisation, fact)];
  if (cited.replaces !== undefined) problems.push(one('the authorisation varies a freeze, and places none'));
  if (fact.data.freezeId !== authorisation.fact.event.id)
    problems.push(one('the id of the freeze is not that of its authorisation'));
  if (!sameScope(cited.scope, fact.data.scope)) problems.push(one('another scope was authorised'));
  if ((cited.claimGroup ?? ownGroup(fact.data.basis)) !== fact.data.claimGroup) {
    problems.push(one('another claim group was authorised'));
  }
  if (cited.requestedBy !== fact.data.placedBy) problems.push(one('another person was authorised'));
  if (cited.blockedFrom !== undefined && cited.blockedFrom !== fact.data.blockedFrom) {
    problems.push(one('blockedFrom differs from what was authorised'));
  }
  if (account.opened === undefined) problems.push(one('the account is not open'));
  else if (cited.partyId !== undefined && !holds(account, cited.partyId)) {
    problems.push(one('the account is not held by the party through which the basis names it'));
  }
  if (freezeUnder(account, fact.data.basis) !== undefined) {
    problems.push(two('a freeze under the same basis is in force already'));
  }
  return [...problems, ...checkWhatItDid(account, fact)];
}

/** What holds for whatever resolves an authorisation: it is about this account and basis, under its key, the first to do so. */
function checkResolution(authorisation: Authorisation, fact: Resolution): readonly Problem[] {
  const { data, event } = authorisation.fact;
  const problems: Problem[] = [];
  if (data.accountId !== fact.about) problems.push(one('the authorisation is for another account'));
  if (basisStream(fact.data.basis) !== event.stream) problems.push(one('the authorisation is of another basis'));
  if (authorisation.resolvedBy !== undefined) problems.push(two('the citation was resolved before'));
  const { key, commandHash } = event.metadata;
  if (fact.event.metadata.key === null) return problems;
  if (
    !sameJson(keyFields(key), keyFields(fact.event.metadata.key)) ||
    commandHash !== fact.event.metadata.commandHash
  ) {
    problems.push({ invariant: 7, detail: 'key or command hash differ from those of the authorisation' });
  }
  return problems;
}

function keyFields(key: { caller: string; homeStream: string; value: string } | null): unknown {
  return key === null ? null : [key.caller, key.homeStream, key.value];
}

/** Invariants 1 and 2: a freeze in force is varied by what takes the place of the very authorisation that it rests on. */
function checkVaried(log: Log, account: Account, fact: Fact<'FreezeVaried'>): readonly Problem[] {
  const authorisation = authorisationOf(log, fact);
  if (authorisation === undefined)
    return [one('the citation leads to no authorisation that stands earlier in the log')];
  const freeze = account.freezes.get(fact.data.freezeId);
  if (freeze?.inForce !== true) return [two('no such freeze is in force')];
  const { data } = authorisation.fact;
  const problems = [...checkResolution(authorisation, fact)];
  const { stream, revision, id } = freeze.authorised.event;
  const current = { stream, revision: String(revision), eventId: id };
  if (!samePlace(current, fact.data.replaces) || !samePlace(current, data.replaces)) {
    problems.push(two('it replaces another authorisation than the one on which the freeze rests'));
  }
  if (!sameScope(data.scope, fact.data.scope)) problems.push(one('another scope was authorised'));
  if (data.partyId !== undefined && !holds(account, data.partyId)) {
    problems.push(one('the account is not held by the party through which the basis names it'));
  }
  return [...problems, ...checkStops(account, fact, freeze)];
}

function samePlace(one: EventPointer, other: EventPointer | undefined): boolean {
  return one.stream === other?.stream && one.revision === other.revision && one.eventId === other.eventId;
}

/** A list of balances that takes more may leave out what the append has no room for. */
const ALWAYS_LISTED_BYTES = 9_000;

/** Invariant 4: what the freeze says of the withdrawals and balances that it found. */
function checkWhatItDid(account: Account, fact: Fact<'AccountFrozen'>): readonly Problem[] {
  const { balancesAtFreeze } = fact.data;
  const problems = [...checkStops(account, fact, undefined)];
  const listed = new Set(balancesAtFreeze.map((balance) => balance.asset));
  const wrong = balancesAtFreeze.some(({ asset, available, reserved, held }) => {
    const balance = balanceOf(account, asset);
    return !sameJson([balance.available, balance.reserved, balance.held].map(String), [available, reserved, held]);
  });
  const missing = [...account.balances].some(([asset, { available, reserved, held }]) => {
    return !listed.has(asset) && available + reserved + held > 0n;
  });
  const isCut = JSON.stringify(balancesAtFreeze).length > ALWAYS_LISTED_BYTES;
  if (wrong || (missing && !isCut))
    problems.push({ invariant: 'books', detail: 'balancesAtFreeze are not the balances then' });
  return problems;
}

/** @param varied the freeze as it was, when it is varied and not new */
function checkStops(
  account: Account,
  fact: Fact<'AccountFrozen' | 'FreezeVaried'>,
  varied: Freeze | undefined,
): readonly Problem[] {
  const { scope, inFlight } = fact.data;
  const problems: Problem[] = [];
  if (!stopsWhatItMust(account, fact, varied)) {
    problems.push({ invariant: 4, detail: 'it does not stop just the withdrawals that it covers' });
  }
  const dispatched = [...account.withdrawals.values()].filter((withdrawal) => withdrawal.dispatched);
  const ids = dispatched.map((withdrawal) => withdrawal.reserved.data.withdrawalId);
  const inScope = dispatched.filter((withdrawal) => covers(scope, 'debit', withdrawal.reserved.data.asset));
  const listsAll = inScope.every((withdrawal) => inFlight.includes(withdrawal.reserved.data.withdrawalId));
  if (!listsAll || !inFlight.every((withdrawalId) => ids.includes(withdrawalId))) {
    problems.push({ invariant: 4, detail: 'it does not list just the withdrawals in flight' });
  }
  return problems;
}

/**
 * Of what it freezes whole, all that is reserved is stopped. Of what it limits, the latest are: without the last of them too
 * little would stay, and with all of them enough does, unless nothing is left to stop.
 */
function stopsWhatItMust(
  account: Account,
  fact: Fact<'AccountFrozen' | 'FreezeVaried'>,
  varied: Freeze | undefined,
): boolean {
  const stopped = new Set(fact.data.stopped);
  const reserved = [...account.withdrawals.values()].filter((withdrawal) => !withdrawal.dispatched);
  const ids = new Set(reserved.map((withdrawal) => withdrawal.reserved.data.withdrawalId));
  if (stopped.size !== fact.data.stopped.length || !fact.data.stopped.every((id) => ids.has(id))) return false;
  const byAsset = Map.groupBy(reserved, (withdrawal) => withdrawal.reserved.data.asset);
  return [...byAsset].every(([asset, withdrawals]) => {
    const latestFirst = withdrawals.map((withdrawal) => withdrawal.reserved.data).reverse();
    const count = latestFirst.filter(({ withdrawalId }) => stopped.has(withdrawalId)).length;
    if (!covers(fact.data.scope, 'debit', asset)) return count === 0;
    const others = freezesInForce(account).filter((freeze) => freeze !== varied);
    const keep = staying(
      [...others, { fact: varied?.fact ?? (fact as Fact<'AccountFrozen'>), scope: fact.data.scope }],
      asset,
    );
    if (keep === 'all') return count === latestFirst.length;
    if (!latestFirst.slice(0, count).every(({ withdrawalId }) => stopped.has(withdrawalId))) return false;
    const availableAfter = (stops: number): bigint =>
      latestFirst
        .slice(0, stops)
        .reduce((sum, { amount }) => sum + BigInt(amount), balanceOf(account, asset).available);
    const isEnough = availableAfter(count) >= keep || count === latestFirst.length;
    return isEnough && (count === 0 || availableAfter(count - 1) < keep);
  });
}

/** An authorisation comes to nothing only for a reason that is true. */
function checkAbandoned(log: Log, account: Account, fact: Fact<'FreezeAbandoned'>): readonly Problem[] {
  const authorisation = authorisationOf(log, fact);
  if (authorisation === undefined)
    return [one('the citation leads to no authorisation that stands earlier in the log')];
  const problems = [...checkResolution(authorisation, fact)];
  if (!isReasonTrue(log, account, authorisation, fact))
    problems.push(protocol(`abandoned as ${fact.data.reason}: untrue`));
  return problems;
}

function isReasonTrue(
  log: Log,
  account: Account,
  authorisation: Authorisation,
  fact: Fact<'FreezeAbandoned'>,
): boolean {
  const { accountId, partyId, namedBy } = authorisation.fact.data;
  const { key } = authorisation.fact.event.metadata;
  switch (fact.data.reason) {
    case 'already-frozen': {
      const existing = freezeUnder(account, fact.data.basis);
      if (existing === undefined || existing.fact.data.freezeId !== fact.data.existingFreezeId) return false;
      const lost = lostBy(log, account, existing.authorised);
      return lost === undefined || lost.event.revision > authorisation.fact.event.revision;
    }
    case 'basis-varied':
      return lostBy(log, account, authorisation.fact) !== undefined;
    case 'superseded': {
      const replaced = authorisation.fact.data.replaces?.eventId;
      return (
        replaced !== undefined && !freezesInForce(account).some(({ authorised }) => authorised.event.id === replaced)
      );
    }
    case 'key-used':
      return key !== null && decisionOnAccount(log, accountId, key) !== undefined;
    case 'basis-ended':
      return endOf(log, basisStream(fact.data.basis)) !== undefined;
    case 'account-not-open':
      return account.opened === undefined;
    case 'not-a-holder': {
      if (account.opened === undefined || partyId === undefined) return false;
      const tie = follow(log, namedBy);
      const opening = tie?.type === 'AccountAttached' ? tie.data.opening : undefined;
      const openedBy = account.opened.event.metadata.key;
      const isOwnOpening = openedBy?.caller === opening?.key.caller && openedBy?.value === opening?.key.value;
      return !holds(account, partyId) || !isOwnOpening;
    }
  }
}

function checkLiftRequested(log: Log, account: Account, fact: Fact<'LiftRequested'>): readonly Problem[] {
  const problems = [...checkGroundAsked(log, fact)];
  if (account.freezes.get(fact.data.freezeId)?.inForce !== true) problems.push(three('no such freeze is in force'));
  if (account.liftRequests.has(requestKey(fact.data))) problems.push(protocol('the lift was requested already'));
  if (fact.data.requestedBy !== fact.event.metadata.actor.id) problems.push(protocol('requestedBy is not who acted'));
  return problems;
}

/** A person who asks says why, or names the order that does. */
function checkGroundAsked(log: Log, fact: Fact<'LiftRequested'>): readonly Problem[] {
  const { ground, orderId, inForceAt, note } = fact.data;
  if (ground === 'placed-in-error') {
    if (orderId !== undefined || inForceAt !== undefined) return [protocol('speaks of an order of release')];
    return note === undefined ? [protocol('says nothing of the error')] : [];
  }
  const why = whyNotReleased(log, fact, orderId);
  return why === undefined ? [] : [three(why)];
}

/**
 * Why the order does not establish that the freeze is to be lifted, as of where the event says that it was in force: it is
 * one of release, was verified and in force with no ending proposed, and names the freeze or its account.
 */
function whyNotReleased(
  log: Log,
  { event, data }: Fact<'LiftRequested' | 'AccountUnfrozen'>,
  orderId: string | undefined,
): string | undefined {
  const { inForceAt } = data;
  if (orderId === undefined || inForceAt === undefined) return 'it does not say which order was in force where';
  if (inForceAt.stream !== `legalOrder-${orderId}`) return 'inForceAt is not on the stream of the order';
  const revision = Number(inForceAt.revision);
  if (log.streams.get(inForceAt.stream)?.[revision] === undefined) return 'the order had not come so far';
  return whyNoRelease(log, orderId, data, revision, event.metadata.recordedAt);
}

/** As above, of an order as of a revision and a time. */
export function whyNoRelease(
  log: Log,
  orderId: string,
  { freezeId, accountId }: { readonly freezeId: string; readonly accountId: string },
  revision: number,
  now: string,
): string | undefined {
  const order = log.orders.get(orderId);
  const why = whyNotStanding(order, revision, now);
  if (order === undefined || why !== undefined) return `the order of release: ${why ?? 'is not there'}`;
  const { effect, releases } = order.registered.data;
  if (effect !== 'release') return 'the order is not one of release';
  const isNamed =
    releases?.freezeIds?.includes(freezeId) === true || releases?.accountIds?.includes(accountId) === true;
  return isNamed ? undefined : 'the order of release names neither the freeze nor its account';
}

function checkLiftRejected(log: Log, account: Account, fact: Fact<'LiftRejected'>): readonly Problem[] {
  const request = account.liftRequests.get(requestKey(fact.data));
  if (request?.open !== true) return [three('no such lift is requested')];
  const problems = [...checkChecker(fact, request.fact.data.requestedBy, fact.data.rejectedBy)];
  if (follow(log, fact.data.citation) !== request.fact) problems.push(three('the citation is not the request'));
  return problems;
}

/** Invariant 3: a freeze in force ends on a ground, and the citation leads to what establishes it. */
function checkUnfrozen(log: Log, account: Account, fact: Fact<'AccountUnfrozen'>): readonly Problem[] {
  const freeze = account.freezes.get(fact.data.freezeId);
  if (freeze?.inForce !== true) return [three('no such freeze is in force')];
  switch (fact.data.ground) {
    case 'basis-ended':
      return checkBasisEnded(log, freeze, fact);
    case 'basis-varied':
      return checkBasisVaried(log, account, freeze, fact);
    case 'placed-in-error':
    case 'release-ordered':
      return checkLiftApproved(log, account, fact);
  }
}

function checkBasisEnded(log: Log, freeze: Freeze, fact: Fact<'AccountUnfrozen'>): readonly Problem[] {
  const cited = follow(log, fact.data.citation);
  const people = endedByWhom(cited);
  const isEnd = people !== undefined && cited?.type !== 'LegalOrderVaried';
  if (!isEnd || cited?.event.stream !== basisStream(freeze.fact.data.basis)) {
    return [three('the citation is not the end of the basis')];
  }
  const [requestedBy, approvedBy] = people;
  const isTrue = fact.data.requestedBy === requestedBy && fact.data.approvedBy === approvedBy;
  return isTrue ? [] : [three('requestedBy and approvedBy are not those who ended the basis')];
}

/** The first variation since what the freeze rests on that dropped the account, whatever came later. */
function checkBasisVaried(
  log: Log,
  account: Account,
  freeze: Freeze,
  fact: Fact<'AccountUnfrozen'>,
): readonly Problem[] {
  const cited = follow(log, fact.data.citation);
  const lost = lostBy(log, account, freeze.authorised);
  if (lost === undefined || cited !== lost) return [three('the citation is not the variation that ended the freeze')];
  const { proposedBy, verifiedBy } = lost.data;
  const isTrue = fact.data.requestedBy === proposedBy && fact.data.approvedBy === verifiedBy;
  return isTrue ? [] : [three('requestedBy and approvedBy are not those who varied the basis')];
}

function checkLiftApproved(log: Log, account: Account, fact: Fact<'AccountUnfrozen'>): readonly Problem[] {
  const request = account.liftRequests.get(requestKey(fact.data));
  if (request?.open !== true) return [three('no such lift is requested')];
  const problems = [...checkChecker(fact, request.fact.data.requestedBy, fact.data.approvedBy)];
  problems.push(...checkGroundStated(log, request.fact, fact).map(three));
  if (fact.data.requestedBy !== request.fact.data.requestedBy)
    problems.push(three('another person requested the lift'));
  return problems;
}

/** The lift states the ground that was asked for, and points to what establishes it. */
function checkGroundStated(log: Log, asked: Fact<'LiftRequested'>, fact: Fact<'AccountUnfrozen'>): readonly string[] {
  const { ground, citation, request, inForceAt } = fact.data;
  if (ground !== asked.data.ground) return ['another ground was asked for'];
  if (ground === 'placed-in-error') {
    const isPlain = request === undefined && inForceAt === undefined;
    const speaks = isPlain ? [] : ['it speaks of an order of release'];
    return follow(log, citation) === asked ? speaks : [...speaks, 'the citation is not the request'];
  }
  const why = whyNotReleased(log, fact, asked.data.orderId);
  const problems = why === undefined ? [] : [why];
  if (request === undefined || follow(log, request) !== asked) problems.push('it points to another request');
  const verified = log.orders.get(asked.data.orderId ?? '')?.verified;
  if (verified === undefined || follow(log, citation) !== verified) {
    problems.push('the citation is not the verification of the order of release');
  }
  return problems;
}

function authorisationOf(log: Log, fact: Resolution): Authorisation | undefined {
  const cited = follow(log, fact.data.citation);
  return cited?.type === 'FreezeAuthorised' ? log.authorisations.get(cited.event.id) : undefined;
}

function freezeUnder(account: Account, basis: Fact<'AccountFrozen'>['data']['basis']): Freeze | undefined {
  return freezesInForce(account).find((freeze) => basisStream(freeze.fact.data.basis) === basisStream(basis));
}
