import { beginningOf, endsNaming, whyNotNaming } from './bases.ts';
import type { Fact } from './facts.ts';
import {
  accountOf,
  basisStream,
  decisionOnAccount,
  follow,
  holds,
  isNamed,
  keyText,
  sameJson,
  type Attachment,
  type Log,
  type Naming,
  type Party,
  type Problem,
} from './log.ts';

type PartyFact = Fact<
  | 'PartyRegistered'
  | 'PartyIdentified'
  | 'AddressLinked'
  | 'AccountAttached'
  | 'AccountDetached'
  | 'PartyNamed'
  | 'PartyNoLongerNamed'
>;
type OpeningFact = Fact<'AccountOpened' | 'AccountOpeningAbandoned'>;

const protocol = (detail: string): Problem => ({ invariant: 'protocol', detail });
const fourteen = (detail: string): Problem => ({ invariant: 14, detail });

export function checkParty(log: Log, fact: PartyFact): readonly Problem[] {
  const party = log.parties.get(fact.about);
  if (fact.type === 'PartyRegistered') return party === undefined ? [] : [protocol('the party is registered already')];
  if (party === undefined) return [protocol('the party is not registered')];
  switch (fact.type) {
    case 'PartyIdentified':
      return [];
    case 'AddressLinked': {
      const isLinked = party.links.some((link) => sameJson(link.data, fact.data));
      return isLinked ? [protocol('the address is linked in that role already')] : [];
    }
    case 'AccountAttached':
      return checkAttached(party, fact);
    case 'AccountDetached':
      return checkDetached(log, party, fact);
    case 'PartyNamed':
      return checkNamed(log, party, fact);
    case 'PartyNoLongerNamed':
      return checkNoLongerNamed(log, party, fact);
  }
}

export function applyParty(log: Log, fact: PartyFact): void {
  if (fact.type === 'PartyRegistered') {
    log.parties.set(fact.about, { identified: false, links: [], attachments: [], namings: [] });
    return;
  }
  const party = log.parties.get(fact.about);
  if (party === undefined) return;
  switch (fact.type) {
    case 'PartyIdentified':
      party.identified = true;
      break;
    case 'AddressLinked':
      party.links.push(fact);
      break;
    case 'AccountAttached':
      party.attachments.push({ fact, detached: false });
      break;
    case 'AccountDetached': {
      const attachment = standingAttachment(party, fact.data.accountId, fact.data.key);
      if (attachment !== undefined) attachment.detached = true;
      break;
    }
    case 'PartyNamed':
      party.namings.push({ stream: basisStream(fact.data.basis), fact, endedAt: undefined });
      break;
    case 'PartyNoLongerNamed': {
      const naming = standingNaming(party, basisStream(fact.data.basis));
      if (naming !== undefined) naming.endedAt = fact.event.revision;
      break;
    }
  }
}

/** Invariant 14: nothing attaches to a party that a basis names, nor to one that nobody identified. */
function checkAttached(party: Party, fact: Fact<'AccountAttached'>): readonly Problem[] {
  const problems: Problem[] = [];
  const { accountId, capacity, opening } = fact.data;
  if (!party.identified) problems.push(fourteen('attached to a party that is not identified'));
  if (isNamed(party, fact.event.revision)) problems.push(fourteen('attached to a party while a basis names it'));
  if (standingAttachment(party, accountId, opening.key) !== undefined) {
    problems.push(protocol('attached twice for one opening'));
  }
  const holder = opening.holders.find((each) => each.partyId === fact.about);
  if (opening.accountId !== accountId || holder?.capacity !== capacity) {
    problems.push(protocol('the opening is not one of this account for this party'));
  }
  const { key, commandHash } = fact.event.metadata;
  if (key?.caller !== opening.key.caller || key.value !== opening.key.value || commandHash !== opening.commandHash) {
    problems.push({ invariant: 7, detail: 'key or command hash differ from those of the opening' });
  }
  return problems;
}

/** An attachment is undone only once its opening has come to nothing: before that it could still succeed. */
function checkDetached(log: Log, party: Party, fact: Fact<'AccountDetached'>): readonly Problem[] {
  const { accountId, key } = fact.data;
  const attachment = standingAttachment(party, accountId, key);
  if (attachment === undefined) return [protocol('there is no such attachment')];
  if (decisionOnAccount(log, accountId, key) === undefined) return [protocol('its opening is not decided yet')];
  return ties(log, attachment) ? [protocol('its opening succeeded')] : [];
}

function checkNamed(log: Log, party: Party, fact: Fact<'PartyNamed'>): readonly Problem[] {
  const { basis, citation } = fact.data;
  const stream = basisStream(basis);
  const cited = follow(log, citation);
  const problems: Problem[] = [];
  const why = whyNotNaming(log, stream, fact.about, cited);
  if (why !== undefined) problems.push(fourteen(why));
  const beginning = beginningOf(log, stream);
  const effectiveAt = beginning?.type === 'LegalOrderRegistered' ? beginning.data.effectiveAt : '';
  if (fact.event.metadata.recordedAt < effectiveAt) {
    problems.push(fourteen('the basis is not effective yet'));
  }
  if (standingNaming(party, stream) !== undefined) problems.push(protocol('named twice by one basis'));
  return problems;
}

function checkNoLongerNamed(log: Log, party: Party, fact: Fact<'PartyNoLongerNamed'>): readonly Problem[] {
  const stream = basisStream(fact.data.basis);
  const cited = follow(log, fact.data.citation);
  const problems: Problem[] = [];
  const naming = standingNaming(party, stream);
  if (naming === undefined) return [protocol('the basis does not name the party')];
  if (cited === undefined || cited !== endsNaming(log, stream, fact.about, naming.fact.data.citation))
    problems.push(fourteen('the citation is not the end of the basis, nor of the naming'));
  return problems;
}

function standingNaming({ namings }: Party, stream: string): Naming | undefined {
  return namings.find((naming) => naming.stream === stream && naming.endedAt === undefined);
}

export function checkOpening(log: Log, fact: OpeningFact): readonly Problem[] {
  return fact.type === 'AccountOpened' ? checkOpened(log, fact) : checkOpeningAbandoned(log, fact);
}

export function applyOpening(log: Log, fact: OpeningFact): void {
  if (fact.type === 'AccountOpened') accountOf(log, fact.about).opened = fact;
}

/** Invariant 14: every holder carries the attachment of this very opening. */
function checkOpened(log: Log, fact: Fact<'AccountOpened'>): readonly Problem[] {
  const problems: Problem[] = [];
  if (accountOf(log, fact.about).opened !== undefined) problems.push(protocol('the account is open already'));
  const partyIds = fact.data.holders.map((holder) => holder.partyId);
  if (new Set(partyIds).size !== partyIds.length) problems.push(protocol('a party is listed twice'));
  for (const partyId of partyIds) {
    const attachment = attachmentFor(log, fact, partyId);
    if (attachment === undefined) problems.push(fourteen(`${partyId} carries no attachment of this opening`));
    else if (!sameJson(attachment.fact.data.opening.holders, fact.data.holders)) {
      problems.push(fourteen(`the attachment of ${partyId} speaks of other holders`));
    }
  }
  return problems;
}

function checkOpeningAbandoned(log: Log, fact: Fact<'AccountOpeningAbandoned'>): readonly Problem[] {
  const { reason, holders, partyId, decidedOn } = fact.data;
  const problems: Problem[] = [];
  if (!holders.some((holder) => attachmentFor(log, fact, holder.partyId) !== undefined)) {
    problems.push(protocol('no holder carries an attachment of this opening'));
  }
  if (reason === 'already-exists') {
    if (accountOf(log, fact.about).opened === undefined) problems.push(protocol('no account has taken the id'));
    return problems;
  }
  if (!holders.some((holder) => holder.partyId === partyId))
    problems.push(protocol('it names no holder that was refused'));
  if (decidedOn?.stream !== `party-${partyId ?? ''}`) {
    problems.push({ invariant: 10, detail: 'decided on the stream of a party, and does not say where' });
  } else if (!wasNamed(log, partyId ?? '', decidedOn.revision)) {
    problems.push({ invariant: 10, detail: 'no basis named the party as of that revision' });
  }
  return problems;
}

/** True when a basis named the party as of a revision that stands in the log. */
export function wasNamed(log: Log, partyId: string, revision: string | null): boolean {
  const length = log.streams.get(`party-${partyId}`)?.length ?? 0;
  return revision !== null && Number(revision) < length && isNamed(log.parties.get(partyId), Number(revision));
}

/** The standing attachment of the party that was made by the very command that the fact answers. */
function attachmentFor(log: Log, fact: OpeningFact, partyId: string): Attachment | undefined {
  const { key, commandHash } = fact.event.metadata;
  const party = log.parties.get(partyId);
  if (key === null || party === undefined) return undefined;
  const attachment = standingAttachment(party, fact.about, key);
  return attachment?.fact.data.opening.commandHash === commandHash ? attachment : undefined;
}

function standingAttachment(
  party: Party,
  accountId: string,
  key: { readonly caller: string; readonly value: string },
): Attachment | undefined {
  const wanted = keyText(key.caller, accountId, key.value);
  return party.attachments.find(({ fact: { data }, detached }) => {
    const own = keyText(data.opening.key.caller, data.accountId, data.opening.key.value);
    return !detached && own === wanted;
  });
}

/** True when the attachment's own opening succeeded: the account lists the party under the same key and content. */
export function ties(log: Log, attachment: Attachment): boolean {
  const { accountId, partyId, opening } = attachment.fact.data;
  const account = accountOf(log, accountId);
  const decided = decisionOnAccount(log, accountId, opening.key);
  const isItsOpening = decided?.event === account.opened?.event && decided?.commandHash === opening.commandHash;
  return decided !== undefined && isItsOpening && holds(account, partyId);
}
