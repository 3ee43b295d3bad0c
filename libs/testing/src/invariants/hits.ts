import { basisNamesParty, whyBasisNotInForce, linksAny } from './bases.ts';
import type { Fact } from './facts.ts';
import { follow, isWithin, type Hit, type Log, type Problem } from './log.ts';
import { checkChecker } from './orders.ts';

export type HitFact = Fact<
  | 'SanctionsHitRaised'
  | 'SanctionsHitConfirmed'
  | 'SanctionsHitDismissed'
  | 'ClearanceProposed'
  | 'ClearanceRejected'
  | 'SanctionsHitCleared'
  | 'FreezeAuthorised'
>;

const protocol = (detail: string): Problem => ({ invariant: 'protocol', detail });
const one = (detail: string): Problem => ({ invariant: 1, detail });

export function checkHit(log: Log, fact: HitFact): readonly Problem[] {
  if (fact.type === 'FreezeAuthorised') return checkAuthorised(log, fact);
  const hit = log.hits.get(fact.about);
  if (fact.type === 'SanctionsHitRaised') return checkRaised(log, hit, fact);
  if (hit === undefined) return [protocol('the hit was never raised')];
  const { raisedBy } = hit.raised.data;
  switch (fact.type) {
    case 'SanctionsHitConfirmed':
      return [...checkUndecided(hit), ...checkChecker(fact, raisedBy, fact.data.confirmedBy)];
    case 'SanctionsHitDismissed':
      return [...checkUndecided(hit), ...checkChecker(fact, raisedBy, fact.data.dismissedBy)];
    case 'ClearanceProposed':
      return [...checkStanding(hit), ...checkProposed(hit, fact)];
    case 'ClearanceRejected':
      return [...checkStanding(hit), ...checkClearanceDecided(hit, fact, fact.data.rejectedBy)];
    case 'SanctionsHitCleared':
      return [...checkStanding(hit), ...checkClearanceDecided(hit, fact, fact.data.approvedBy)];
  }
}

export function applyHit(log: Log, fact: Exclude<HitFact, Fact<'FreezeAuthorised'>>): void {
  if (fact.type === 'SanctionsHitRaised') {
    const undecided = { confirmed: undefined, dismissed: undefined, cleared: undefined };
    log.hits.set(fact.about, { raised: fact, ...undecided, clearances: new Map() });
    return;
  }
  const hit = log.hits.get(fact.about);
  if (hit === undefined) return;
  switch (fact.type) {
    case 'SanctionsHitConfirmed':
      hit.confirmed = fact;
      break;
    case 'SanctionsHitDismissed':
      hit.dismissed = fact;
      break;
    case 'ClearanceProposed':
      hit.clearances.set(fact.data.clearanceId, { fact, decidedAt: undefined });
      break;
    case 'ClearanceRejected':
    case 'SanctionsHitCleared': {
      const clearance = hit.clearances.get(fact.data.clearanceId);
      if (clearance !== undefined) clearance.decidedAt = fact.event.revision;
      if (fact.type === 'SanctionsHitCleared') hit.cleared = fact;
      break;
    }
  }
}

/** That one entry is raised once for one subject is looked up in an index: two at the same time may both stand. */
function checkRaised(log: Log, hit: Hit | undefined, fact: Fact<'SanctionsHitRaised'>): readonly Problem[] {
  const problems: Problem[] = [];
  if (hit !== undefined) problems.push(protocol('the hit is raised already'));
  const { raisedBy, subject } = fact.data;
  if (raisedBy !== fact.event.metadata.actor.id) problems.push(protocol('raisedBy is not who acted'));
  if (subject.kind === 'party' && !log.parties.has(subject.partyId)) {
    problems.push(one('names a party that there is not'));
  }
  return problems;
}

function checkUndecided({ confirmed, dismissed }: Hit): readonly Problem[] {
  const isUndecided = confirmed === undefined && dismissed === undefined;
  return isUndecided ? [] : [protocol('the hit was confirmed or dismissed before')];
}

/** A clearance needs a hit that was confirmed and is not cleared. */
function checkStanding({ confirmed, cleared }: Hit): readonly Problem[] {
  if (confirmed === undefined) return [protocol('the hit is not confirmed')];
  return cleared === undefined ? [] : [protocol('the hit was cleared before')];
}

function checkProposed(hit: Hit, fact: Fact<'ClearanceProposed'>): readonly Problem[] {
  const problems: Problem[] = [];
  if (hit.clearances.has(fact.data.clearanceId)) problems.push(protocol('the clearance was proposed already'));
  if (fact.data.proposedBy !== fact.event.metadata.actor.id) problems.push(protocol('proposedBy is not who acted'));
  return problems;
}

function checkClearanceDecided(
  hit: Hit,
  fact: Fact<'ClearanceRejected' | 'SanctionsHitCleared'>,
  checker: string,
): readonly Problem[] {
  const clearance = hit.clearances.get(fact.data.clearanceId);
  if (clearance === undefined) return [protocol('no such clearance was proposed')];
  if (clearance.decidedAt !== undefined) return [protocol('the clearance was decided before')];
  const proposal = clearance.fact.data;
  const problems = [...checkChecker(fact, proposal.proposedBy, checker)];
  if (fact.type === 'SanctionsHitCleared') {
    const matches = fact.data.proposedBy === proposal.proposedBy && fact.data.cause === proposal.cause;
    if (!matches) problems.push({ invariant: 9, detail: 'the clearance is not the one that was proposed' });
  }
  return problems;
}

/** Invariant 1, at the hit: in force, no clearance proposed, a holder of the account named, no more than debits covered. */
function checkAuthorised(log: Log, fact: Fact<'FreezeAuthorised'>): readonly Problem[] {
  const { event, data } = fact;
  const why = whyBasisNotInForce(log, event.stream, event.revision - 1, event.metadata.recordedAt);
  const hit = log.hits.get(fact.about);
  if (hit === undefined || why !== undefined) return [one(`authorised under a hit, though ${why ?? ''}`)];
  const problems: Problem[] = [];
  if (data.orderId !== undefined) problems.push(protocol('it speaks of an order'));
  const whyNotNamed = whyNotNamedBy(log, hit, fact);
  if (whyNotNamed !== undefined) problems.push(one(whyNotNamed));
  if (!isWithin(data.scope, { direction: 'debit', assets: 'all' })) problems.push(one('it covers more than debits'));
  if (data.requestedBy !== event.metadata.key?.caller) problems.push(protocol('requestedBy is not whose key it is'));
  return problems;
}

/** `namedBy` ties the account to the party, and for a hit on an address `linkedBy` ties the party to the address. */
function whyNotNamedBy(log: Log, hit: Hit, fact: Fact<'FreezeAuthorised'>): string | undefined {
  const { accountId, partyId, namedBy, linkedBy } = fact.data;
  if (partyId === undefined) return 'a hit names no account by itself';
  if (!basisNamesParty(log, fact.event.stream, partyId)) return 'the hit does not name the party';
  const tie = follow(log, namedBy);
  const isTie = tie?.type === 'AccountAttached' && tie.about === partyId && tie.data.accountId === accountId;
  if (!isTie) return 'namedBy ties no account of that id to the party';
  const { subject } = hit.raised.data;
  if (subject.kind === 'party') return linkedBy === undefined ? undefined : 'a hit on a party needs no address';
  return linksAny(log, linkedBy, partyId, [subject])
    ? undefined
    : 'linkedBy does not link the address to the party as its own';
}
