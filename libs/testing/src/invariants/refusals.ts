import { basisNamesAccount, beginningOf, scopeOf, whyBasisNotInForce } from './bases.ts';
import { splitStream, type Fact, type Scope } from './facts.ts';
import {
  accountOf,
  basisStream,
  freezesInForce,
  isNamed,
  isWithin,
  splitBasis,
  type Log,
  type Problem,
} from './log.ts';
import { whyNoRelease } from './freezes.ts';
import { exceededLimit } from './orders.ts';
import { wasNamed } from './parties.ts';

type Refusal = Fact<'CommandRefused'>;
type DecidedOn = NonNullable<Refusal['data']['decidedOn']>;

const ten = (detail: string): Problem => ({ invariant: 10, detail });

/** The kinds of stream on which each code may be recorded: that of the thing refused. No other code is ever recorded. */
const RECORDED: Readonly<Record<string, readonly string[]>> = {
  'account-frozen': ['account'],
  'basis-not-found': ['account', 'authorityRequest'],
  'basis-not-in-force': ['account', 'authorityRequest', 'legalOrder', 'sanctionsHit'],
  'basis-does-not-name-account': ['account'],
  'scope-exceeds-basis': ['account', 'legalOrder', 'sanctionsHit'],
  'maker-is-checker': ['legalOrder', 'sanctionsHit', 'account', 'authorityRequest'],
  'ground-not-established': ['account'],
  'party-named-by-basis': ['account', 'party'],
};

/** Invariants 5 and 10: what may be refused and recorded, where, and that it was true as of where it was decided. */
export function checkRefusal(log: Log, fact: Refusal): readonly Problem[] {
  const { code, command } = fact.data;
  const problems: Problem[] = [];
  if (command === 'Deposit') problems.push({ invariant: 5, detail: 'a deposit is a fact, and was refused' });
  const kinds = Object.hasOwn(RECORDED, code) ? RECORDED[code] : undefined;
  if (kinds === undefined) return [...problems, ten(`${code} is not recorded, ever`)];
  const [kind] = splitStream(fact.event.stream);
  if (!kinds.includes(kind)) return [...problems, ten(`${code} on ${fact.event.stream}`)];
  const untrue = kind === 'authorityRequest' ? whyNotAnswerable(log, fact) : whyUntrue(log, fact);
  return untrue === undefined ? problems : [...problems, ten(`${code}: ${untrue}`)];
}

function whyUntrue(log: Log, fact: Refusal): string | undefined {
  const { decidedOn, code } = fact.data;
  switch (code) {
    case 'account-frozen':
      return decidedOn === null ? whyNotFrozen(log, fact) : 'it is decided on its own stream';
    case 'maker-is-checker':
      return decidedOn === null ? whyNotMaker(log, fact) : 'it is decided on its own stream';
    case 'party-named-by-basis':
      return whyPartyNotNamed(log, fact);
    case 'ground-not-established':
      return whyGroundEstablished(log, fact);
    default:
      return whyBasisAllows(log, fact);
  }
}

/** What is refused on the stream of a letter is an answer to it, which nobody has given yet. */
function whyNotAnswerable(log: Log, fact: Refusal): string | undefined {
  const request = log.requests.get(fact.about);
  if (request === undefined) return 'no such letter is registered';
  if (request.answered !== undefined) return 'the letter was answered before, which comes first';
  const byMaker = request.registered.data.registeredBy === fact.event.metadata.actor.id;
  if (fact.data.code !== 'maker-is-checker') {
    return byMaker ? 'who registered the letter was refused, which comes first' : whyUntrue(log, fact);
  }
  if (fact.data.decidedOn !== null) return 'it is decided on its own stream';
  return byMaker ? undefined : 'who was refused had made nothing here';
}

/** The freezes that are said to be in the way are in force. */
function whyNotFrozen(log: Log, fact: Refusal): string | undefined {
  const inForce = freezesInForce(accountOf(log, fact.about)).map((freeze) => freeze.fact.data.freezeId);
  const { freezeIds } = fact.data.extra;
  if (!Array.isArray(freezeIds) || freezeIds.length === 0) return 'it names no freezes';
  return freezeIds.every((freezeId) => inForce.includes(freezeId as string))
    ? undefined
    : 'it names a freeze not in force';
}

/** Who was turned away as checker had made something here. */
function whyNotMaker(log: Log, fact: Refusal): string | undefined {
  const who = fact.event.metadata.actor.id;
  return makersOn(log, fact).includes(who) ? undefined : 'who was refused had made nothing here';
}

function makersOn(log: Log, { event, about }: Refusal): readonly string[] {
  const [kind] = splitStream(event.stream);
  if (kind === 'legalOrder') {
    const order = log.orders.get(about);
    const changes = [...(order?.changes.values() ?? [])].map((change) => change.fact.data.proposedBy);
    return order === undefined ? [] : [order.registered.data.registeredBy, ...changes];
  }
  if (kind === 'sanctionsHit') {
    const hit = log.hits.get(about);
    const clearances = [...(hit?.clearances.values() ?? [])].map((clearance) => clearance.fact.data.proposedBy);
    return hit === undefined ? [] : [hit.raised.data.raisedBy, ...clearances];
  }
  return [...accountOf(log, about).liftRequests.values()].map((request) => request.fact.data.requestedBy);
}

function whyPartyNotNamed(log: Log, fact: Refusal): string | undefined {
  const { decidedOn } = fact.data;
  if (decidedOn === null) {
    if (!fact.event.stream.startsWith('party-')) return 'it was decided elsewhere, and does not say where';
    return isNamed(log.parties.get(fact.about), fact.event.revision) ? undefined : 'no basis names the party';
  }
  const [kind, partyId] = splitStream(decidedOn.stream);
  if (kind !== 'party') return 'it was not decided on the stream of a party';
  return wasNamed(log, partyId, decidedOn.revision) ? undefined : 'no basis named the party as of that revision';
}

/** The order that was relied on, as of the revision that is stated, established nothing. */
function whyGroundEstablished(log: Log, { data, about, event }: Refusal): string | undefined {
  const { decidedOn, request, command } = data;
  if (decidedOn === null) return 'it was decided elsewhere, and does not say where';
  const freezeId = String(request['freezeId']);
  const asked = accountOf(log, about).liftRequests.get(`${freezeId} ${String(request['requestId'])}`);
  const orderId = command === 'RequestLift' ? request['orderId'] : asked?.fact.data.orderId;
  if (typeof orderId !== 'string' || decidedOn.stream !== `legalOrder-${orderId}`) return 'it relied on another order';
  const revision = decidedOn.revision === null ? -1 : Number(decidedOn.revision);
  const why = whyNoRelease(log, orderId, { freezeId, accountId: about }, revision, event.metadata.recordedAt);
  return why === undefined ? 'the order of release establishes it' : undefined;
}

/** Where it was decided, if on another stream; a freeze of all that a basis names is refused on the basis's own. */
function decidedOnBasis({ event, data }: Refusal): DecidedOn | string {
  const isOwn = splitBasis(event.stream)[0] !== '';
  if (isOwn && data.decidedOn !== null) return 'it is decided on its own stream';
  if (isOwn) return { stream: event.stream, revision: String(event.revision - 1) };
  return data.decidedOn ?? 'it was decided elsewhere, and does not say where';
}

/** The four codes about the basis, which are decided on its stream: each was true as of the revision that it states. */
function whyBasisAllows(log: Log, fact: Refusal): string | undefined {
  const { request, code } = fact.data;
  const decidedOn = decidedOnBasis(fact);
  if (typeof decidedOn === 'string') return decidedOn;
  const { stream } = decidedOn;
  if (splitBasis(stream)[0] === '') return 'it was not decided on the stream of a basis';
  const asked = request['basis'] as { readonly kind: string; readonly id: string } | null | undefined;
  if (asked != null && basisStream(asked) !== stream) return 'it was decided on another basis';
  const revision = decidedOn.revision === null ? -1 : Number(decidedOn.revision);
  const decidedAt = log.streams.get(stream)?.[revision];
  if (revision >= 0 && decidedAt === undefined) return 'no such revision stands before it';
  const beginning = beginningOf(log, stream);
  if (code === 'basis-not-found') {
    return beginning === undefined || beginning.event.revision > revision ? undefined : 'the basis was registered';
  }
  const why = whyBasisNotInForce(log, stream, revision, fact.event.metadata.recordedAt);
  if (code === 'basis-not-in-force') return why === undefined ? 'the basis was in force' : undefined;
  const allowed = scopeOf(log, stream, revision);
  if (allowed === undefined || why !== undefined) return 'the basis was not in force, which comes first';
  if (code === 'basis-does-not-name-account') {
    // A link from before the last event of the basis that was looked at was there to be seen.
    const account = accountOf(log, fact.about);
    const names = basisNamesAccount(log, stream, fact.about, account, decidedAt?.position ?? '', revision);
    return names ? 'the basis names the account' : undefined;
  }
  return whyScopeAllowed(log, fact, allowed, decidedOn);
}

/** It is too wide for the basis, or its limits are, together with those of all that the basis had authorised by then. */
function whyScopeAllowed(log: Log, fact: Refusal, allowed: Scope, { stream, revision }: DecidedOn): string | undefined {
  const given = fact.data.request['scope'] as Scope | undefined;
  const asked = given === undefined ? allowed : inUnits(log, given);
  if (!isWithin(asked, allowed)) return undefined;
  if (stream === fact.event.stream) return 'the scope is within that of the basis';
  // Which of them had ended by then was read a moment before: the log can't tell, so each of them counts.
  const authorised = [...log.authorisations.values()]
    .map((each) => each.fact)
    .filter(({ event }) => event.stream === stream && event.revision <= Number(revision ?? -1))
    .map(({ data }) => data);
  const exceeded = exceededLimit(allowed, [...authorised, { accountId: fact.about, scope: asked }]);
  return exceeded === undefined ? 'the scope is within that of the basis' : undefined;
}

/** What was asked for has decimals: minor units by the scale of each asset. */
function inUnits(log: Log, { limits, ...scope }: Scope): Scope {
  if (limits === undefined) return scope;
  const units = Object.entries(limits).map(([asset, decimal]) => {
    const [whole = '', fraction = ''] = decimal.split('.');
    return [asset, BigInt(whole + fraction.padEnd(log.assets.get(asset) ?? 0, '0')).toString()] as const;
  });
  return { ...scope, limits: Object.fromEntries(units) };
}
