import type { EventPointer } from '#kernel';
import { addressesOf, linksAny } from './bases.ts';
import type { Fact, Scope } from './facts.ts';
import {
  accountOf,
  covers,
  follow,
  hasExpired,
  isWithin,
  namesAccount,
  namesParty,
  runsUntil,
  scopeAsOf,
  whyNotInForce,
  type Log,
  type Order,
  type Problem,
} from './log.ts';
import { followsOrder, lostBy } from './variations.ts';

export type OrderFact = Fact<
  | 'LegalOrderRegistered'
  | 'LegalOrderVerified'
  | 'LegalOrderRejected'
  | 'LegalOrderChangeProposed'
  | 'LegalOrderChangeRejected'
  | 'LegalOrderEnded'
  | 'LegalOrderExtended'
  | 'LegalOrderVaried'
  | 'LegalOrderExpired'
  | 'FreezeAuthorised'
>;

const protocol = (detail: string): Problem => ({ invariant: 'protocol', detail });
const one = (detail: string): Problem => ({ invariant: 1, detail });
const three = (detail: string): Problem => ({ invariant: 3, detail });

export function checkOrder(log: Log, fact: OrderFact): readonly Problem[] {
  const order = log.orders.get(fact.about);
  if (fact.type === 'LegalOrderRegistered') return checkRegistered(log, order, fact);
  if (fact.type === 'FreezeAuthorised') return checkAuthorised(log, order, fact);
  if (order === undefined) return [protocol('the order is not registered')];
  switch (fact.type) {
    case 'LegalOrderVerified':
      return [
        ...checkUndecided(order),
        ...checkChecker(fact, order.registered.data.registeredBy, fact.data.verifiedBy),
      ];
    case 'LegalOrderRejected':
      return [
        ...checkUndecided(order),
        ...checkChecker(fact, order.registered.data.registeredBy, fact.data.rejectedBy),
      ];
    case 'LegalOrderChangeProposed':
      return [...checkStanding(order), ...checkProposed(log, order, fact)];
    case 'LegalOrderChangeRejected':
      return checkChangeDecided(order, fact, fact.data.rejectedBy);
    case 'LegalOrderEnded':
      return [...checkStanding(order), ...checkChangeDecided(order, fact, fact.data.verifiedBy)];
    case 'LegalOrderExtended':
      return [...checkStanding(order), ...checkExtended(order, fact)];
    case 'LegalOrderVaried':
      return [...checkStanding(order), ...checkVaried(order, fact)];
    case 'LegalOrderExpired':
      return [...checkStanding(order), ...checkExpired(order, fact)];
  }
}

export function applyOrder(log: Log, fact: Exclude<OrderFact, Fact<'FreezeAuthorised'>>): void {
  if (fact.type === 'LegalOrderRegistered') {
    const undecided = { verified: undefined, rejected: undefined, ended: undefined };
    log.orders.set(fact.about, { registered: fact, ...undecided, changes: new Map(), extensions: [], variations: [] });
    return;
  }
  const order = log.orders.get(fact.about);
  if (order === undefined) return;
  switch (fact.type) {
    case 'LegalOrderVerified':
      order.verified = fact;
      break;
    case 'LegalOrderRejected':
      order.rejected = fact;
      break;
    case 'LegalOrderChangeProposed':
      order.changes.set(fact.data.changeId, { fact, decidedAt: undefined });
      break;
    case 'LegalOrderChangeRejected':
    case 'LegalOrderExtended':
    case 'LegalOrderVaried':
    case 'LegalOrderEnded': {
      const change = order.changes.get(fact.data.changeId);
      if (change !== undefined) change.decidedAt = fact.event.revision;
      if (fact.type === 'LegalOrderExtended') order.extensions.push(fact);
      if (fact.type === 'LegalOrderVaried') order.variations.push(fact);
      if (fact.type === 'LegalOrderEnded') order.ended = fact;
      break;
    }
    case 'LegalOrderExpired':
      order.ended = fact;
      break;
  }
}

/** Whom an order names exists: accounts are open, parties registered. */
function checkRegistered(log: Log, order: Order | undefined, fact: Fact<'LegalOrderRegistered'>): readonly Problem[] {
  const problems: Problem[] = [];
  if (order !== undefined) problems.push(protocol('the order is registered already'));
  const { registeredBy, effectiveAt, expiresAt, subjects = [] } = fact.data;
  if (registeredBy !== fact.event.metadata.actor.id) problems.push(protocol('registeredBy is not who acted'));
  if (expiresAt !== undefined && expiresAt <= effectiveAt) problems.push(protocol('it expires before it is effective'));
  if (!hasMembersOfEffect(fact)) problems.push(one('its members are not those of its effect'));
  for (const freezeId of fact.data.releases?.freezeIds ?? []) {
    if (!log.authorisations.has(freezeId)) problems.push(three('releases a freeze that there is not'));
  }
  for (const accountId of fact.data.releases?.accountIds ?? []) {
    if (log.accounts.get(accountId)?.opened === undefined)
      problems.push(three('releases an account that there is not'));
  }
  return [...problems, ...checkSubjects(log, subjects)];
}

function checkSubjects(
  log: Log,
  subjects: NonNullable<Fact<'LegalOrderRegistered'>['data']['subjects']>,
): readonly Problem[] {
  const problems: Problem[] = [];
  for (const subject of subjects) {
    if (subject.kind === 'address' || subject.kind === 'external') continue;
    const exists =
      subject.kind === 'party'
        ? log.parties.has(subject.partyId)
        : log.accounts.get(subject.accountId)?.opened !== undefined;
    if (!exists) problems.push(one(`names a ${subject.kind} that there is not`));
  }
  return problems;
}

/** An order restrains somebody to some extent, or releases something, and never both. */
function hasMembersOfEffect({ data }: Fact<'LegalOrderRegistered'>): boolean {
  const { effect, subjects, scope, claimGroup, releases } = data;
  if (effect === 'restrain') return subjects !== undefined && scope !== undefined && releases === undefined;
  const isNothing = releases?.freezeIds === undefined && releases?.accountIds === undefined;
  return !isNothing && subjects === undefined && scope === undefined && claimGroup === undefined;
}

function checkUndecided(order: Order): readonly Problem[] {
  const isUndecided = order.verified === undefined && order.rejected === undefined;
  return isUndecided ? [] : [protocol('the order was verified or rejected before')];
}

/** A change or an end needs an order that was verified and has not ended. */
function checkStanding(order: Order): readonly Problem[] {
  if (order.verified === undefined) return [protocol('the order is not verified')];
  return order.ended === undefined ? [] : [protocol('the order has ended before')];
}

/** Invariant 9: the checker is who acted, is a person, and is not the maker. */
export function checkChecker(fact: Fact, maker: string, checker: string): readonly Problem[] {
  const problems: Problem[] = [];
  if (checker === maker) problems.push({ invariant: 9, detail: `${checker} checks what he or she made` });
  if (checker !== fact.event.metadata.actor.id) problems.push({ invariant: 9, detail: 'the checker is not who acted' });
  if (checker.startsWith('system:')) problems.push({ invariant: 9, detail: 'the checker is no person' });
  return problems;
}

function checkProposed(log: Log, order: Order, fact: Fact<'LegalOrderChangeProposed'>): readonly Problem[] {
  const problems: Problem[] = [];
  if (order.changes.has(fact.data.changeId)) problems.push(protocol('the change was proposed already'));
  if (fact.data.proposedBy !== fact.event.metadata.actor.id) problems.push(protocol('proposedBy is not who acted'));
  if (fact.data.kind === 'extension') problems.push(...checkExtensionProposed(order, fact));
  if (fact.data.kind === 'variation') problems.push(...checkVariationProposed(log, order, fact));
  return problems;
}

/** An extension is asked for in time, and for longer. */
function checkExtensionProposed(order: Order, { data, event }: Fact<'LegalOrderChangeProposed'>): readonly Problem[] {
  const until = runsUntil(order, event.revision);
  if (until === undefined || data.expiresAt === undefined || data.expiresAt <= until) {
    return [protocol('the extension would not extend the order')];
  }
  return event.metadata.recordedAt < until ? [] : [protocol('the extension is proposed too late')];
}

/** A variation varies something, of an order that has not expired, and names whom there is. */
function checkVariationProposed(
  log: Log,
  order: Order,
  { data, event }: Fact<'LegalOrderChangeProposed'>,
): readonly Problem[] {
  const problems = [...checkSubjects(log, data.subjects ?? [])];
  if (data.subjects === undefined && data.scope === undefined) problems.push(protocol('it varies nothing'));
  const isOver = hasExpired(order, event.revision - 1, event.metadata.recordedAt);
  return isOver ? [...problems, protocol('it had expired')] : problems;
}

function checkVaried(order: Order, fact: Fact<'LegalOrderVaried'>): readonly Problem[] {
  const { changeId, subjects, scope, verifiedBy, proposedBy } = fact.data;
  const proposal = order.changes.get(changeId)?.fact.data;
  const problems = [...checkChangeDecided(order, fact, verifiedBy)];
  const isProposed = proposal?.kind === 'variation' && proposal.proposedBy === proposedBy;
  if (!isProposed || !sameContent([proposal.subjects, proposal.scope], [subjects, scope])) {
    problems.push({ invariant: 9, detail: 'the variation is not the one that was proposed' });
  }
  if (order.registered.data.effect === 'release') problems.push(protocol('it varies an order of release'));
  const isOver = hasExpired(order, fact.event.revision - 1, fact.event.metadata.recordedAt);
  return isOver ? [...problems, protocol('it had expired')] : problems;
}

/** The same members, in whatever order. */
function sameContent(one: unknown, other: unknown): boolean {
  const sorted = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(sorted);
    if (typeof value !== 'object' || value === null) return value ?? null;
    return Object.entries(value)
      .sort(([name], [next]) => (name < next ? -1 : 1))
      .map(([name, each]) => [name, sorted(each)]);
  };
  return JSON.stringify(sorted(one)) === JSON.stringify(sorted(other));
}

function checkExtended(order: Order, fact: Fact<'LegalOrderExtended'>): readonly Problem[] {
  const { changeId, expiresAt, verifiedBy, proposedBy } = fact.data;
  const proposal = order.changes.get(changeId)?.fact.data;
  const problems = [...checkChangeDecided(order, fact, verifiedBy)];
  if (proposal?.kind !== 'extension' || proposal.expiresAt !== expiresAt || proposal.proposedBy !== proposedBy) {
    problems.push({ invariant: 9, detail: 'the extension is not the one that was proposed' });
  }
  const before = fact.event.revision - 1;
  if (hasExpired(order, before, fact.event.metadata.recordedAt)) problems.push(protocol('it had expired'));
  if (expiresAt <= (runsUntil(order, before) ?? '~')) problems.push(protocol('it does not extend the order'));
  return problems;
}

function checkChangeDecided(
  order: Order,
  fact: Fact<'LegalOrderChangeRejected' | 'LegalOrderEnded' | 'LegalOrderExtended' | 'LegalOrderVaried'>,
  checker: string,
): readonly Problem[] {
  const change = order.changes.get(fact.data.changeId);
  if (change?.decidedAt !== undefined) return [protocol('the change was decided before')];
  if (change === undefined) return [protocol('no such change was proposed')];
  const proposal = change.fact.data;
  const problems = [...checkChecker(fact, proposal.proposedBy, checker)];
  if (fact.type === 'LegalOrderEnded') {
    const matches =
      proposal.kind === 'ending' && fact.data.proposedBy === proposal.proposedBy && fact.data.how === proposal.how;
    if (!matches) problems.push({ invariant: 9, detail: 'the ending is not the one that was proposed' });
  }
  return problems;
}

function checkExpired(order: Order, fact: Fact<'LegalOrderExpired'>): readonly Problem[] {
  const before = fact.event.revision - 1;
  if (runsUntil(order, before) !== fact.data.expiresAt) return [protocol('expiresAt is not that of the order')];
  const isOver = hasExpired(order, before, fact.event.metadata.recordedAt);
  return isOver ? [] : [protocol('the time of the order has not run out')];
}

/** Invariant 1, at the basis: in force, its ending not proposed, the account named, the scope within the order's. */
function checkAuthorised(log: Log, order: Order | undefined, fact: Fact<'FreezeAuthorised'>): readonly Problem[] {
  const { event, data } = fact;
  if (data.replaces !== undefined) return checkReplacement(log, order, fact, data.replaces);
  const why = whyNotInForce(order, event.revision - 1, event.metadata.recordedAt);
  if (order === undefined || why !== undefined) return [one(`authorised under an order, though ${why ?? ''}`)];
  const problems: Problem[] = [];
  if (data.hitId !== undefined) problems.push(protocol('it speaks of a hit'));
  const whyNotNamed = whyNotNamedBy(log, order, fact);
  if (whyNotNamed !== undefined) problems.push(one(whyNotNamed));
  const own = scopeAsOf(order, event.revision);
  if (order.registered.data.scope === undefined) return [...problems, one('the order covers nothing')];
  if (!isWithin(data.scope, own)) problems.push(one('the scope exceeds that of the order'));
  const live = [...log.authorisations.values()].filter(
    (each) => each.over === undefined && each.fact.event.stream === event.stream,
  );
  const exceeded = exceededLimit(own, [...live.map((each) => each.fact.data), data]);
  if (exceeded !== undefined) problems.push(one(`the freezes of the order keep more ${exceeded} than it does`));
  if (data.claimGroup !== order.registered.data.claimGroup)
    problems.push(one('another claim group than the order has'));
  problems.push(...checkEvidence(log, fact));
  if (data.requestedBy !== event.metadata.key?.caller) problems.push(protocol('requestedBy is not whose key it is'));
  return problems;
}

/** What no longer counts is over, by the event that is said to have ended it. */
function checkEvidence(log: Log, { data }: Fact<'FreezeAuthorised'>): readonly Problem[] {
  const isTrue = (data.endedFreezes ?? []).every(({ freezeId, endedBy }) => {
    const end = follow(log, endedBy);
    const over = log.authorisations.get(freezeId)?.over;
    return end !== undefined && over === end;
  });
  return isTrue ? [] : [one('relies on the end of a freeze that has not ended')];
}

/** A freeze is authorised anew only after a variation, where none has ended it, by an order that has not ended. */
function checkReplacement(
  log: Log,
  order: Order | undefined,
  fact: Fact<'FreezeAuthorised'>,
  replaces: EventPointer,
): readonly Problem[] {
  const { event, data } = fact;
  const replaced = follow(log, replaces);
  if (order?.verified === undefined || order.ended !== undefined) return [one('authorised anew under no order')];
  if (replaced?.type !== 'FreezeAuthorised' || replaced.event.stream !== event.stream) {
    return [one('it replaces no authorisation of the order')];
  }
  const problems = [...checkEvidence(log, fact)];
  const before = replaced.data;
  const isSame = before.accountId === data.accountId && before.requestedBy === data.requestedBy;
  if (!isSame || data.claimGroup !== order.registered.data.claimGroup || data.blockedFrom !== undefined)
    problems.push(one('it says otherwise than what it replaces'));
  if (!order.variations.some((varied) => varied.event.revision > replaced.event.revision))
    problems.push(one('authorised anew without a variation'));
  if (lostBy(log, accountOf(log, data.accountId), replaced) !== undefined)
    problems.push(one('authorised anew though a variation had ended it'));
  const whyNotNamed = whyNotNamedBy(log, order, fact);
  if (whyNotNamed !== undefined) problems.push(one(whyNotNamed));
  if (!isWithin(data.scope, scopeAsOf(order, event.revision)))
    problems.push(one('the scope exceeds that of the order'));
  if (!followsOrder(log, order, replaced) && !isWithin(data.scope, before.scope))
    problems.push(one('a freeze that was placed narrower is widened'));
  return problems;
}

/**
 * An asset of which freezes of one order keep more than its scope allows. Of an account the highest counts: only one of
 * them can be in force.
 */
export function exceededLimit(
  allowed: Scope,
  freezes: readonly { readonly accountId: string; readonly scope: Scope }[],
): string | undefined {
  const byAccount = Map.groupBy(freezes, ({ accountId }) => accountId);
  return Object.entries(allowed.limits ?? {}).find(([asset, most]) => {
    let sum = 0n;
    for (const own of byAccount.values()) {
      // One from before a variation that brought limits in may use up all of them.
      const limits = own.map(({ scope }) =>
        BigInt(covers(scope, 'debit', asset) ? (scope.limits?.[asset] ?? most) : 0),
      );
      sum += limits.reduce((one, other) => (one > other ? one : other), 0n);
    }
    return sum > BigInt(most);
  })?.[0];
}

/** The event that `namedBy` points to ties the account to a subject of the order. */
function whyNotNamedBy(log: Log, order: Order, fact: Fact<'FreezeAuthorised'>): string | undefined {
  const { accountId, partyId, namedBy, linkedBy } = fact.data;
  const tie = follow(log, namedBy);
  if (partyId === undefined) {
    if (linkedBy !== undefined) return 'an account that the order names itself needs no address';
    if (!namesAccount(order, accountId)) return 'the order does not name the account';
    const lists = tie?.type === 'LegalOrderRegistered' || tie?.type === 'LegalOrderVaried';
    const isListed =
      lists &&
      tie.event.stream === fact.event.stream &&
      tie.data.subjects?.some((subject) => subject.kind === 'account' && subject.accountId === accountId) === true;
    return isListed ? undefined : 'namedBy is no event of the order that lists the account';
  }
  const isNamed =
    linkedBy === undefined ? namesParty(order, partyId) : linksAny(log, linkedBy, partyId, addressesOf(order));
  if (!isNamed) return 'the order does not name the party';
  const isTie = tie?.type === 'AccountAttached' && tie.about === partyId && tie.data.accountId === accountId;
  return isTie ? undefined : 'namedBy ties no account of that id to the party';
}
