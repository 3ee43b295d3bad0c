import type { RecordedEvent } from '#kernel';
import { basisNamesParty, endOf, endsNaming, enforcedBy } from './bases.ts';
import {
  basisStream,
  decisionOnAccount,
  freezesInForce,
  hasExpired,
  type Log,
  type Order,
  type Problem,
} from './log.ts';
import { ties } from './parties.ts';
import { whyLimitExceeded, whyNotFollowed } from './variations.ts';

/** Something left undone, and the event that began it. */
export interface Unfinished extends Problem {
  readonly since: RecordedEvent;
}

/** Invariants 12 and 13 when nobody is at work any more: every step over two streams is finished, no basis is outlived. */
export function checkQuiescence(log: Log, now: string | undefined): readonly Unfinished[] {
  const time = now ?? latestTime(log);
  return [
    ...checkAuthorisations(log),
    ...checkAttachments(log),
    ...checkTransfers(log),
    ...[...log.orders.values()].flatMap((order) => [
      ...checkExpiry(order, time),
      ...checkOrderNaming(log, order, time),
    ]),
    ...[...log.hits.values()].flatMap(({ raised }) => checkNaming(log, raised.event.stream)),
    ...checkNamings(log),
    ...checkFreezes(log),
    ...checkLimits(log),
  ];
}

function latestTime(log: Log): string {
  let latest = '';
  for (const { metadata } of log.facts.keys()) if (metadata.recordedAt > latest) latest = metadata.recordedAt;
  return latest;
}

function checkAuthorisations(log: Log): readonly Unfinished[] {
  return [...log.authorisations.values()]
    .filter((authorisation) => authorisation.resolvedBy === undefined)
    .map(({ fact }) => ({ invariant: 12, detail: 'the authorisation was never resolved', since: fact.event }));
}

function checkTransfers(log: Log): readonly Unfinished[] {
  return [...log.transfers.values()].flatMap(({ sent, outcome, returned }): Unfinished[] => {
    if (outcome === undefined) return [{ invariant: 12, detail: 'the transfer was never decided', since: sent.event }];
    if (outcome.type === 'TransferReceived' || returned) return [];
    return [{ invariant: 12, detail: 'the transfer was refused, and never returned', since: sent.event }];
  });
}

function checkAttachments(log: Log): readonly Unfinished[] {
  const unfinished: Unfinished[] = [];
  for (const attachment of [...log.parties.values()].flatMap((party) => party.attachments)) {
    if (attachment.detached) continue;
    const { accountId, opening } = attachment.fact.data;
    const since = attachment.fact.event;
    if (decisionOnAccount(log, accountId, opening.key) === undefined) {
      unfinished.push({ invariant: 12, detail: 'the opening was never decided', since });
    } else if (!ties(log, attachment)) {
      unfinished.push({ invariant: 12, detail: 'the opening came to nothing, and the party is still attached', since });
    }
  }
  return unfinished;
}

function checkExpiry(order: Order, now: string): readonly Unfinished[] {
  const { verified, ended } = order;
  if (verified === undefined || ended !== undefined || !hasExpired(order, Infinity, now)) return [];
  return [{ invariant: 13, detail: 'the order expired, and nobody recorded it', since: verified.event }];
}

function checkOrderNaming(log: Log, order: Order, now: string): readonly Unfinished[] {
  const { effectiveAt } = order.registered.data;
  if (now < effectiveAt || hasExpired(order, Infinity, now)) return [];
  return checkNaming(log, order.registered.event.stream);
}

/** Invariant 12: parties named by a basis in force carry its name. A proposed ending does not end it. */
function checkNaming(log: Log, stream: string): readonly Unfinished[] {
  const enforcing = enforcedBy(log, stream);
  if (enforcing === undefined || endOf(log, stream) !== undefined) return [];
  const unnamed = [...log.parties].filter(
    ([partyId, party]) =>
      basisNamesParty(log, stream, partyId) &&
      !party.namings.some((naming) => naming.stream === stream && naming.endedAt === undefined),
  );
  return unnamed.map(([partyId]) => ({
    invariant: 12,
    detail: `${partyId} does not carry the name of the basis`,
    since: enforcing.event,
  }));
}

function checkNamings(log: Log): readonly Unfinished[] {
  return [...log.parties.values()]
    .flatMap((party) => party.namings)
    .filter(({ endedAt }) => endedAt === undefined)
    .filter(({ stream, fact }) => endsNaming(log, stream, fact.about, fact.data.citation) !== undefined)
    .map(({ stream, fact }) => ({
      invariant: 12,
      detail:
        endOf(log, stream) === undefined
          ? 'the party is still named by a basis that dropped it'
          : 'the party is still named by a basis that ended',
      since: fact.event,
    }));
}

function checkFreezes(log: Log): readonly Unfinished[] {
  return [...log.accounts.values()].flatMap((account) =>
    freezesInForce(account).flatMap((freeze): Unfinished[] => {
      const since = freeze.fact.event;
      const isOver = endOf(log, basisStream(freeze.fact.data.basis)) !== undefined;
      const detail = isOver ? 'the freeze outlives its basis' : whyNotFollowed(log, account, freeze);
      return detail === undefined ? [] : [{ invariant: 13, detail, since }];
    }),
  );
}

/** A variation that lowered limits is followed: the freezes of an order keep no more than it does. */
function checkLimits(log: Log): readonly Unfinished[] {
  return [...log.orders.values()].flatMap((order): Unfinished[] => {
    const detail = order.ended === undefined ? whyLimitExceeded(log, order) : undefined;
    return detail === undefined ? [] : [{ invariant: 13, detail, since: order.registered.event }];
  });
}
