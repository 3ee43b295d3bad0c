import type { EventPointer } from '#kernel';
import type { Fact, Scope } from './facts.ts';
import {
  firstVariationAgainst,
  follow,
  holds,
  namesAccount,
  namesParty,
  scopeAsOf,
  splitBasis,
  subjectsOf,
  whyNotInForce,
  type Account,
  type Hit,
  type Log,
  type Order,
  type Party,
} from './log.ts';

/** Where the kinds of basis meet: what the rules about freezes and namings ask of one, by its stream. */

/**
 * Why an event is not the one since which, without a break, the basis names the party: what put it in force, or a variation
 * that added the party.
 */
export function whyNotNaming(log: Log, stream: string, partyId: string, cited: Fact | undefined): string | undefined {
  const isVariation = cited?.type === 'LegalOrderVaried' && cited.event.stream === stream;
  if (cited === undefined || !(isVariation || cited === enforcedBy(log, stream))) {
    return 'the citation is not what put the basis in force';
  }
  const names = (at: number): boolean => basisNamesParty(log, stream, partyId, '~', at);
  const { revision } = cited.event;
  if (!names(revision)) return 'the basis does not name the party';
  return isVariation && names(revision - 1) ? 'the basis named the party before' : undefined;
}

/** The event that undoes a naming which cites another of the basis: the first variation without the party, or the end. */
export function endsNaming(log: Log, stream: string, partyId: string, cited: EventPointer): Fact | undefined {
  const [kind, id] = splitBasis(stream);
  const order = kind === 'legalOrder' ? log.orders.get(id) : undefined;
  const isUnnamed = ({ event }: Fact): boolean => !basisNamesParty(log, stream, partyId, '~', event.revision);
  return (order && firstVariationAgainst(order, Number(cited.revision), isUnnamed)) ?? endOf(log, stream);
}

/** What a freeze under a hit may cover. */
const HIT_SCOPE: Scope = { direction: 'debit', assets: 'all' };

/** The event with which the basis began. */
export function beginningOf(log: Log, stream: string): Fact | undefined {
  const [kind, id] = splitBasis(stream);
  if (kind === 'legalOrder') return log.orders.get(id)?.registered;
  return kind === 'sanctionsHit' ? log.hits.get(id)?.raised : undefined;
}

/** The event that puts the basis in force. */
export function enforcedBy(log: Log, stream: string): Fact | undefined {
  const [kind, id] = splitBasis(stream);
  return kind === 'legalOrder' ? log.orders.get(id)?.verified : log.hits.get(id)?.confirmed;
}

export function endOf(log: Log, stream: string): Fact | undefined {
  const [kind, id] = splitBasis(stream);
  return kind === 'legalOrder' ? log.orders.get(id)?.ended : log.hits.get(id)?.cleared;
}

/** Who asked for the end or variation of a basis and who agreed to it, as that event has it; undefined for any other event. */
export function endedByWhom(fact: Fact | undefined): readonly [requestedBy: string, approvedBy: string] | undefined {
  switch (fact?.type) {
    case 'LegalOrderEnded':
    case 'LegalOrderVaried':
      return [fact.data.proposedBy, fact.data.verifiedBy];
    case 'LegalOrderExpired':
      return ['system:supervisor', 'system:supervisor'];
    case 'SanctionsHitCleared':
      return [fact.data.proposedBy, fact.data.approvedBy];
    default:
      return undefined;
  }
}

/** Why the basis allows no new freeze, as of a revision of its stream and a time. */
export function whyBasisNotInForce(log: Log, stream: string, revision: number, now: string): string | undefined {
  const [kind, id] = splitBasis(stream);
  return kind === 'legalOrder'
    ? whyNotInForce(log.orders.get(id), revision, now)
    : whyHitNotInForce(log.hits.get(id), revision);
}

function whyHitNotInForce(hit: Hit | undefined, revision: number): string | undefined {
  if (hit === undefined || hit.raised.event.revision > revision) return 'it was not raised';
  const { confirmed, cleared, clearances } = hit;
  if (confirmed === undefined || confirmed.event.revision > revision) return 'it is not confirmed';
  if (cleared !== undefined && cleared.event.revision <= revision) return 'it is cleared';
  if (hit.raised.data.entry.measure !== 'asset-freeze') return 'its measure freezes nothing';
  for (const clearance of clearances.values()) {
    const open = clearance.decidedAt === undefined || clearance.decidedAt > revision;
    if (open && clearance.fact.event.revision <= revision) return 'its clearance is proposed';
  }
  return undefined;
}

/** As of a revision of the basis's stream. */
export function scopeOf(log: Log, stream: string, revision: number): Scope | undefined {
  const [kind, id] = splitBasis(stream);
  if (kind !== 'legalOrder') return HIT_SCOPE;
  const order = log.orders.get(id);
  return order && scopeAsOf(order, revision);
}

/**
 * True when the basis names the party: by itself, or through an address that is linked to the party as its own.
 * @param before looks only at links that stand earlier in the log than this position
 * @param revision of the basis's stream: as of it
 */
export function basisNamesParty(log: Log, stream: string, partyId: string, before = '~', revision = Infinity): boolean {
  const [kind, id] = splitBasis(stream);
  if (kind === 'legalOrder') {
    const order = log.orders.get(id);
    if (order === undefined) return false;
    return namesParty(order, partyId, revision) || controlsAny(log, partyId, addressesOf(order, revision), before);
  }
  const hit = log.hits.get(id);
  if (hit?.raised.data.entry.measure !== 'asset-freeze') return false;
  const { subject } = hit.raised.data;
  if (subject.kind === 'party') return subject.partyId === partyId;
  return controlsAny(log, partyId, [subject], before);
}

/** True when one of the addresses was linked to the party as its own before that position of the log. */
export function controlsAny(log: Log, partyId: string, addresses: readonly Address[], before: string): boolean {
  return addresses.some((address) => {
    const link = controlling(log.parties.get(partyId), address);
    return link !== undefined && link.event.position < before;
  });
}

/** True when `linkedBy` leads to the event that linked one of the addresses to the party as its own. */
export function linksAny(
  log: Log,
  linkedBy: EventPointer | undefined,
  partyId: string,
  addresses: readonly Address[],
): boolean {
  const link = linkedBy === undefined ? undefined : follow(log, linkedBy);
  if (link?.type !== 'AddressLinked' || link.about !== partyId || link.data.role !== 'holder-controlled') return false;
  return addresses.some((address) => isSame(link.data, address));
}

/** The addresses that an order names as of a revision. */
export function addressesOf(order: Order, revision = Infinity): readonly Address[] {
  return subjectsOf(order, revision).flatMap((subject) => (subject.kind === 'address' ? [subject] : []));
}

interface Address {
  readonly chain: string;
  readonly address: string;
}

function controlling(party: Party | undefined, address: Address): Fact<'AddressLinked'> | undefined {
  return party?.links.find(({ data }) => data.role === 'holder-controlled' && isSame(data, address));
}

/** Capitals make no difference to a chain, to hexadecimal with `0x`, and to bech32 that is all of one case. */
function isSame(one: Address, other: Address): boolean {
  if (one.chain.trim().toLowerCase() !== other.chain.trim().toLowerCase()) return false;
  return one.address === other.address || inOneCase(one.address) === inOneCase(other.address);
}

function inOneCase(address: string): string {
  const lower = address.toLowerCase();
  const isHexadecimal = /^0x[0-9a-f]+$/.test(lower);
  // Characters of bech32 after its last 1, in a text without small letters.
  const isBech32 =
    /^[!-~]{1,83}1[qpzry9x8gf2tvdw0s3jn54khce6mua7l]{6,}$/.test(lower) && address === address.toUpperCase();
  return isHexadecimal || isBech32 ? lower : address;
}

/** True when the basis names the account as far as the log tells: by itself or through a party that holds it. */
export function basisNamesAccount(
  log: Log,
  stream: string,
  accountId: string,
  account: Account,
  before: string,
  revision: number,
): boolean {
  const [kind, id] = splitBasis(stream);
  const order = kind === 'legalOrder' ? log.orders.get(id) : undefined;
  if (order !== undefined && namesAccount(order, accountId, revision)) return true;
  return [...log.parties.keys()].some(
    (partyId) => holds(account, partyId) && basisNamesParty(log, stream, partyId, before, revision),
  );
}
