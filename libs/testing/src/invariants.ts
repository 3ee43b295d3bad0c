import type { Position, RecordedEvent, Timestamp } from '#kernel';
import { checkKey, checkPlace, checkTime, noteEvent, noteKey } from './invariants/envelope.ts';
import { readFact, type Fact } from './invariants/facts.ts';
import { applyFreeze, checkFreeze } from './invariants/freezes.ts';
import { applyHit, checkHit } from './invariants/hits.ts';
import { accountOf, emptyLog, type Log, type Problem } from './invariants/log.ts';
import { applyMoney, checkClosure, checkMoney } from './invariants/money.ts';
import { applyOrder, checkOrder } from './invariants/orders.ts';
import { applyOpening, applyParty, checkOpening, checkParty } from './invariants/parties.ts';
import { checkQuiescence } from './invariants/quiescence.ts';
import { checkRefusal } from './invariants/refusals.ts';
import { applyRequest, checkRequest } from './invariants/requests.ts';
import { applyTransfer, checkConservation, checkTransfer, noteOutside } from './invariants/transfers.ts';

/** One event that breaks an invariant of the domain, or that was left undone. */
export interface InvariantBreach {
  /**
   * The invariant's number; `hash` for the chain, `books` for money whose story does not add up, `protocol` for whatever
   * else should never be.
   */
  readonly invariant: number | 'hash' | 'books' | 'protocol';
  readonly detail: string;
  /** Of the event that breaks it, or that began what is not finished. */
  readonly position: Position;
}

export interface CheckLogOptions {
  /** Nobody is at work any more: every step over two streams must be finished (invariants 12 and 13). */
  readonly quiescent?: boolean;
  /** The time at which it is quiescent. Default: the latest time in the log. */
  readonly now?: Timestamp;
}

/**
 * Judges a whole log, from its first event on, by what it says alone: it shares no code with the domain libraries. An event
 * that breaks a rule is reported and changes nothing for those that follow.
 *
 * @param events any store's `readAll` from the start
 * @returns nothing for a log in which every invariant holds
 */
export function checkLog(events: readonly RecordedEvent[], options: CheckLogOptions = {}): readonly InvariantBreach[] {
  const log = emptyLog();
  const breaches: InvariantBreach[] = [];
  const report = (problems: readonly Problem[], { position }: RecordedEvent): void => {
    breaches.push(...problems.map(({ invariant, detail }) => ({ invariant, detail, position })));
  };
  for (const [index, event] of events.entries()) {
    const fact = readFact(event);
    interruptFreeze(log, event, fact, report);
    interruptLift(log, event, fact, report);
    const problems = [
      ...checkPlace(log, event, events[index - 1]),
      ...(typeof fact === 'string' ? [{ invariant: 'protocol', detail: fact } as const] : checkFact(log, fact)),
    ];
    report(problems, event);
    noteEvent(log, event);
    if (typeof fact === 'string' || problems.length > 0) continue;
    log.facts.set(event, fact);
    noteKey(log, fact);
    applyFact(log, fact);
    noteOutside(log, fact);
    if (movesMoney(fact)) report(checkConservation(log), event);
  }
  for (const { awaited, releasing } of log.accounts.values()) {
    if (awaited !== undefined) reportUnstopped(awaited, report);
    if (releasing !== undefined) reportUnreleased(releasing, report);
  }
  if (options.quiescent === true) {
    for (const unfinished of checkQuiescence(log, options.now)) report([unfinished], unfinished.since);
  }
  return breaches;
}

/** Breaches as text, a line each: for the message of a failing test. */
export function describeBreaches(breaches: readonly InvariantBreach[], events: readonly RecordedEvent[]): string {
  return breaches
    .map(({ invariant, detail, position }) => {
      const event = events.find((each) => each.position === position);
      const where = event === undefined ? position : `${event.type} ${event.stream}@${String(event.revision)}`;
      return `${String(invariant)}: ${where}: ${detail}`;
    })
    .join('\n');
}

type Report = (problems: readonly Problem[], event: RecordedEvent) => void;

/** Invariant 4: between a freeze and the last withdrawal that it stops nothing else stands on the account's stream. */
function interruptFreeze(log: Log, event: RecordedEvent, fact: Fact | string, report: Report): void {
  const account = event.stream.startsWith('account-')
    ? log.accounts.get(event.stream.slice('account-'.length))
    : undefined;
  if (account?.awaited === undefined) return;
  const { by, withdrawalIds } = account.awaited;
  const isSameAppend = typeof fact !== 'string' && fact.event.metadata.recordedAt === by.event.metadata.recordedAt;
  if (withdrawalIds.size > 0 && (event.type !== 'WithdrawalStopped' || !isSameAppend)) {
    reportUnstopped(account.awaited, report);
    withdrawalIds.clear();
  }
  if (withdrawalIds.size === 0) account.awaited = undefined;
}

/** Invariant 5: between a lift and the last release of what it frees nothing else stands on the account's stream. */
function interruptLift(log: Log, event: RecordedEvent, fact: Fact | string, report: Report): void {
  const account = event.stream.startsWith('account-')
    ? log.accounts.get(event.stream.slice('account-'.length))
    : undefined;
  if (account?.releasing === undefined) return;
  const { by, assets } = account.releasing;
  const isSameAppend = typeof fact !== 'string' && fact.event.metadata.recordedAt === by.event.metadata.recordedAt;
  // A freeze may be stopped short of the release by what the same append does before it.
  if (isSameAppend && ['AccountFrozen', 'WithdrawalStopped'].includes(event.type)) return;
  if (assets.size > 0 && (event.type !== 'HeldFundsReleased' || !isSameAppend)) {
    reportUnreleased(account.releasing, report);
    assets.clear();
  }
  if (assets.size === 0) account.releasing = undefined;
}

function reportUnreleased(
  { by, assets }: { readonly by: Fact<'AccountUnfrozen' | 'FreezeVaried'>; readonly assets: ReadonlySet<string> },
  report: Report,
): void {
  for (const asset of assets)
    report([{ invariant: 5, detail: `what is held of ${asset} is not released in the same append` }], by.event);
}

function reportUnstopped(
  {
    by,
    withdrawalIds,
  }: { readonly by: Fact<'AccountFrozen' | 'FreezeVaried'>; readonly withdrawalIds: ReadonlySet<string> },
  report: Report,
): void {
  for (const id of withdrawalIds)
    report([{ invariant: 4, detail: `${id} is not stopped in the same append` }], by.event);
}

function movesMoney({ data }: Fact): boolean {
  return 'amount' in data;
}

function checkFact(log: Log, fact: Fact): readonly Problem[] {
  return [...checkTime(log, fact), ...checkKey(log, fact), ...checkMeaning(log, fact)];
}

function checkMeaning(log: Log, fact: Fact): readonly Problem[] {
  switch (fact.type) {
    case 'AssetRegistered':
      return log.assets.has(fact.about) ? [{ invariant: 'protocol', detail: 'the asset is registered already' }] : [];
    case 'PartyRegistered':
    case 'PartyIdentified':
    case 'AddressLinked':
    case 'AccountAttached':
    case 'AccountDetached':
    case 'PartyNamed':
    case 'PartyNoLongerNamed':
      return checkParty(log, fact);
    case 'AccountOpened':
    case 'AccountOpeningAbandoned':
      return checkOpening(log, fact);
    case 'AccountClosed':
      return checkClosure(log, fact);
    case 'FundsDeposited':
    case 'FundsHeld':
    case 'HeldFundsReleased':
    case 'DepositReversed':
    case 'WithdrawalReserved':
    case 'WithdrawalDispatched':
    case 'WithdrawalSettled':
    case 'WithdrawalCancelled':
    case 'WithdrawalStopped':
      return checkMoney(log, fact);
    case 'TransferSent':
    case 'TransferReceived':
    case 'TransferRefused':
    case 'TransferReturned':
      return checkTransfer(log, fact);
    case 'AccountFrozen':
    case 'FreezeVaried':
    case 'FreezeAbandoned':
    case 'LiftRequested':
    case 'LiftRejected':
    case 'AccountUnfrozen':
      return checkFreeze(log, fact);
    case 'LegalOrderRegistered':
    case 'LegalOrderVerified':
    case 'LegalOrderRejected':
    case 'LegalOrderChangeProposed':
    case 'LegalOrderChangeRejected':
    case 'LegalOrderEnded':
    case 'LegalOrderExtended':
    case 'LegalOrderVaried':
    case 'LegalOrderExpired':
      return checkOrder(log, fact);
    case 'SanctionsHitRaised':
    case 'SanctionsHitConfirmed':
    case 'SanctionsHitDismissed':
    case 'ClearanceProposed':
    case 'ClearanceRejected':
    case 'SanctionsHitCleared':
      return checkHit(log, fact);
    case 'FreezeAuthorised':
      return fact.event.stream.startsWith('legalOrder-') ? checkOrder(log, fact) : checkHit(log, fact);
    case 'AuthorityRequestRegistered':
    case 'AuthorityRequestAnswered':
      return checkRequest(log, fact);
    case 'CommandRefused':
      return checkRefusal(log, fact);
  }
}

function applyFact(log: Log, fact: Fact): void {
  switch (fact.type) {
    case 'AssetRegistered':
      log.assets.set(fact.about, fact.data.scale);
      break;
    case 'PartyRegistered':
    case 'PartyIdentified':
    case 'AddressLinked':
    case 'AccountAttached':
    case 'AccountDetached':
    case 'PartyNamed':
    case 'PartyNoLongerNamed':
      applyParty(log, fact);
      break;
    case 'AccountOpened':
    case 'AccountOpeningAbandoned':
      applyOpening(log, fact);
      break;
    case 'AccountClosed':
      accountOf(log, fact.about).closed = true;
      break;
    case 'FundsDeposited':
    case 'FundsHeld':
    case 'HeldFundsReleased':
    case 'DepositReversed':
    case 'WithdrawalReserved':
    case 'WithdrawalDispatched':
    case 'WithdrawalSettled':
    case 'WithdrawalCancelled':
    case 'WithdrawalStopped':
      applyMoney(log, fact);
      break;
    case 'TransferSent':
    case 'TransferReceived':
    case 'TransferRefused':
    case 'TransferReturned':
      applyTransfer(log, fact);
      break;
    case 'AccountFrozen':
    case 'FreezeVaried':
    case 'FreezeAbandoned':
    case 'LiftRequested':
    case 'LiftRejected':
    case 'AccountUnfrozen':
      applyFreeze(log, fact);
      break;
    case 'LegalOrderRegistered':
    case 'LegalOrderVerified':
    case 'LegalOrderRejected':
    case 'LegalOrderChangeProposed':
    case 'LegalOrderChangeRejected':
    case 'LegalOrderEnded':
    case 'LegalOrderExtended':
    case 'LegalOrderVaried':
    case 'LegalOrderExpired':
      applyOrder(log, fact);
      break;
    case 'FreezeAuthorised':
      log.authorisations.set(fact.event.id, { fact, over: undefined, resolvedBy: undefined });
      break;
    case 'SanctionsHitRaised':
    case 'SanctionsHitConfirmed':
    case 'SanctionsHitDismissed':
    case 'ClearanceProposed':
    case 'ClearanceRejected':
    case 'SanctionsHitCleared':
      applyHit(log, fact);
      break;
    case 'AuthorityRequestRegistered':
    case 'AuthorityRequestAnswered':
      applyRequest(log, fact);
      break;
    case 'CommandRefused':
      break;
  }
}
