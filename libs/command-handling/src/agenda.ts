import {
  addressName,
  basisOfStream,
  type Basis,
  type Bound,
  type ChainAddress,
  type Position,
  type RecordedEvent,
} from '#kernel';
import { openingKey, type Opening } from '#parties';
import { decodeEvent, idOfStream } from '#replay';
import type { RememberedAgenda } from './agenda-memory.ts';
import type { TransferName } from './transferring.ts';

/** A stream that the supervisor should look at. */
export interface Item {
  readonly kind: Basis['kind'] | 'party' | 'opening' | 'transfer';
  readonly id: string;
}

/** The events that tell the supervisor where to look. */
export const AGENDA_EVENTS: readonly string[] = [
  'LegalOrderRegistered',
  'LegalOrderVerified',
  // What changes when an order expires changes when to look at it again.
  'LegalOrderChangeProposed',
  'LegalOrderChangeRejected',
  'LegalOrderExtended',
  'LegalOrderVaried',
  'LegalOrderEnded',
  'LegalOrderExpired',
  'SanctionsHitRaised',
  'SanctionsHitConfirmed',
  'SanctionsHitCleared',
  'FreezeAuthorised',
  'AccountFrozen',
  'FreezeVaried',
  'AccountUnfrozen',
  'AccountAttached',
  'AccountOpened',
  'PartyNamed',
  'AddressLinked',
  'TransferSent',
  'TransferReceived',
  'TransferReturned',
];

/** A step that a handler has just begun is left to it for so long, in milliseconds. */
const GRACE_MS = 1_000;
const FIRST_RETRY_MS = 500;
/** Of what is done so many are remembered: of what was forgotten the streams are looked at once more. */
const MOST_DONE = 100_000;
/** How the names of transfers begin. */
const TRANSFER = 'transfer\n';

/** Epochs of an authorisation: its basis was not varied after it; the basis, or the freeze, has ended. */
export const NEVER = -1;
export const FOR_GOOD = Infinity;

const LONGEST_RETRY_MS = 30_000;

/**
 * Where the supervisor has to look, and when. Built from the log's events, and only hints: an item says which stream to
 * look at, never what to do. Leaving one out would leave a step undone, adding one costs a look.
 */
export class Agenda {
  readonly #dueMs = new Map<string, number>();
  readonly #failures = new Map<string, number>();
  /** Authorisations that became a freeze or nothing, and up to which epoch they were followed up. */
  readonly #settled = new Map<string, number>();
  /** By address, the hits that were raised on it, and the orders that name it, or did before they were varied. */
  readonly #basesOn = new Map<string, readonly Basis[]>();
  #transfers = 0;
  /** The latest time that was looked at. */
  #latestMs = -Infinity;

  get size(): number {
    return this.#dueMs.size;
  }

  /** Those that failed when they were last looked at. */
  get failing(): number {
    return this.#failures.size;
  }

  /** All that must not be forgotten; what is known to be done is only spared a look. */
  remembered(): RememberedAgenda {
    return { items: [...this.#dueMs.keys()], basesOn: [...this.#basesOn] };
  }

  /** Goes on from what was remembered. Only before anything is noted. */
  restore({ items, basesOn }: RememberedAgenda): void {
    for (const name of items) this.#dueMs.set(name, 0);
    this.#transfers = items.filter((name) => name.startsWith(TRANSFER)).length;
    for (const [address, bases] of basesOn) this.#basesOn.set(address, bases);
  }

  /** Transfers among them. */
  get transfers(): number {
    return this.#transfers;
  }

  get bounds(): readonly Bound[] {
    return [{ what: 'settled-authorisations', most: MOST_DONE, inUse: () => this.#settled.size }];
  }

  /**
   * @param isLegal whether an event was found legal, so that it may be believed that a step is done. What is only not known
   * to be legal is no such hint: a forged event would hide a step that is not done.
   */
  note(recorded: RecordedEvent, nowMs: number, isLegal: (position: Position) => boolean): void {
    const decoded = decodeEvent(recorded);
    if (!decoded.ok) return;
    const { event } = decoded;
    switch (event.type) {
      case 'LegalOrderVerified':
      case 'LegalOrderChangeProposed':
      case 'LegalOrderChangeRejected':
      case 'LegalOrderExtended':
      case 'LegalOrderEnded':
      case 'LegalOrderExpired':
      case 'SanctionsHitConfirmed':
      case 'SanctionsHitCleared':
        this.#addBasisOf(event, nowMs);
        return;
      case 'LegalOrderVaried':
        this.#noteSubjects(event.data.subjects ?? [], { kind: 'legal-order', id: event.data.orderId });
        this.#addBasisOf(event, nowMs);
        return;
      case 'FreezeAuthorised':
        this.#addBasisOf(event, nowMs + GRACE_MS);
        return;
      case 'SanctionsHitRaised':
        this.#noteSubjects([event.data.subject], { kind: 'sanctions-hit', id: event.data.hitId });
        return;
      case 'LegalOrderRegistered':
        if (event.data.effect === 'release') return;
        this.#noteSubjects(event.data.subjects, { kind: 'legal-order', id: event.data.orderId });
        return;
      case 'AddressLinked':
        for (const basis of this.basesOn(event.data)) this.add(basis, nowMs);
        return;
      case 'PartyNamed':
        this.add({ kind: 'party', id: idOfStream(event.stream) }, nowMs);
        return;
      case 'AccountAttached':
        this.add(openingItem(idOfStream(event.stream), event.data.opening), nowMs + GRACE_MS);
        return;
      case 'TransferSent':
        this.add(transferItem(event.data.accountId, event.data.transferId), nowMs + GRACE_MS);
        return;
      case 'TransferReceived':
        if (isLegal(event.position)) this.#remove(transferItem(event.data.from, event.data.transferId));
        return;
      case 'TransferReturned':
        if (isLegal(event.position)) this.#remove(transferItem(event.data.accountId, event.data.transferId));
        return;
      case 'AccountOpened':
        if (isLegal(event.position)) this.#removeOpening(event.data, event.metadata.key);
        return;
      case 'AccountFrozen':
      case 'FreezeVaried':
        if (isLegal(event.position)) this.settled(event.data.citation.eventId, NEVER);
        return;
      case 'AccountUnfrozen':
        if (isLegal(event.position)) this.settled(event.data.freezeId, FOR_GOOD);
        return;
      default:
        return;
    }
  }

  #addBasisOf({ stream }: RecordedEvent, dueMs: number): void {
    const basis = basisOfStream(stream);
    if (basis !== undefined) this.add(basis, dueMs);
  }

  #noteSubjects(subjects: readonly { readonly kind: string }[], basis: Basis): void {
    for (const subject of subjects) {
      if (!isAddress(subject)) continue;
      const known = this.basesOn(subject);
      const isNew = !known.some(({ kind, id }) => kind === basis.kind && id === basis.id);
      if (isNew) this.#basesOn.set(addressName(subject), [...known, basis]);
    }
  }

  /** The bases that name an address, in whatever state they are. */
  basesOn(address: ChainAddress): readonly Basis[] {
    return this.#basesOn.get(addressName(address)) ?? [];
  }

  /** Looks at an item at a time, or earlier if it is due earlier. */
  add(item: Item, dueMs: number): void {
    const name = nameOf(item);
    const known = this.#dueMs.get(name);
    this.#dueMs.set(name, Math.min(dueMs, known ?? dueMs));
    if (known === undefined && item.kind === 'transfer') this.#transfers += 1;
  }

  #remove(item: Item): void {
    this.#delete(nameOf(item));
    this.succeeded(item);
  }

  #removeOpening({ accountId, holders }: Pick<Opening, 'accountId' | 'holders'>, key: Opening['key'] | null): void {
    if (key === null) return;
    for (const { partyId } of holders) this.#remove(openingItem(partyId, { accountId, key }));
  }

  #delete(name: string): void {
    if (this.#dueMs.delete(name) && name.startsWith(TRANSFER)) this.#transfers -= 1;
  }

  /** On start nothing waits for a handler: there is none. */
  hurry(): void {
    for (const name of this.#dueMs.keys()) this.#dueMs.set(name, 0);
  }

  /**
   * Takes out what is due, bases first and transfers last: whatever restricts or frees an account must not wait for the others.
   * @param mostTransfers the others stay due
   */
  takeDue(nowMs: number, mostTransfers = Infinity): Item[] {
    const due = this.#due(nowMs);
    const bases = due.filter(isOfBasis);
    const transfers = due.filter(({ kind }) => kind === 'transfer');
    const rest = due.filter((item) => !isOfBasis(item) && item.kind !== 'transfer');
    return this.#take([...bases, ...rest, ...transfers.slice(0, mostTransfers)]);
  }

  /** Takes out the bases that have become due. Not those that failed: their retries must not keep all else waiting. */
  takeDueBases(nowMs: number): Item[] {
    return this.#take(this.#due(nowMs).filter((item) => isOfBasis(item) && !this.#failures.has(nameOf(item))));
  }

  #due(nowMs: number): Item[] {
    // By a clock that was put back nobody knows any more when what was to wait for a while is due: all is looked at now.
    if (nowMs < this.#latestMs) this.hurry();
    this.#latestMs = nowMs;
    const names = [...this.#dueMs].filter(([, dueMs]) => dueMs <= nowMs).map(([name]) => name);
    return names.map((name) => {
      const at = name.indexOf('\n');
      return { kind: name.slice(0, at) as Item['kind'], id: name.slice(at + 1) };
    });
  }

  #take(items: Item[]): Item[] {
    for (const item of items) this.#delete(nameOf(item));
    return items;
  }

  succeeded(item: Item): void {
    this.#failures.delete(nameOf(item));
  }

  retry(item: Item, nowMs: number): void {
    const name = nameOf(item);
    const failures = (this.#failures.get(name) ?? 0) + 1;
    this.#failures.set(name, failures);
    this.add(item, nowMs + Math.min(FIRST_RETRY_MS * 2 ** Math.min(failures - 1, 10), LONGEST_RETRY_MS));
  }

  /** @param epoch the revision of the variation that was followed, NEVER if the basis was not varied since, or FOR_GOOD */
  settled(authorisationId: string, epoch: number): void {
    const known = this.#settled.get(authorisationId) ?? NEVER;
    this.#settled.delete(authorisationId);
    this.#settled.set(authorisationId, Math.max(epoch, known));
    forgetOldest(this.#settled);
  }

  /** True when nothing is left to do for an authorisation up to an epoch of its basis. */
  isSettled(authorisationId: string, epoch: number): boolean {
    const known = this.#settled.get(authorisationId);
    return known !== undefined && known >= epoch;
  }
}

function nameOf({ kind, id }: Item): string {
  return `${kind}\n${id}`;
}

export function isOfBasis(item: Item): item is Item & Basis {
  return item.kind === 'legal-order' || item.kind === 'sanctions-hit';
}

function forgetOldest(done: Map<string, number>): void {
  const oldest = done.keys().next();
  if (done.size > MOST_DONE && oldest.done !== true) done.delete(oldest.value);
}

function isAddress(subject: { readonly kind: string }): subject is ChainAddress & { readonly kind: 'address' } {
  return subject.kind === 'address';
}

/** The id of a transfer's item: neither id can hold a slash. */
export function transferItemId({ from, transferId }: TransferName): string {
  return `${from}/${transferId}`;
}

export function transferOfItem(id: string): TransferName {
  const at = id.indexOf('/');
  return { from: id.slice(0, at), transferId: id.slice(at + 1) };
}

function transferItem(from: string, transferId: string): Item {
  return { kind: 'transfer', id: transferItemId({ from, transferId }) };
}

/** An opening, as one of its holders is attached for it. */
export interface OpeningName {
  readonly partyId: string;
  /** As `openingKey` makes it. */
  readonly openingKey: string;
}

export function openingOfItem(id: string): OpeningName {
  const at = id.indexOf('/');
  return { partyId: id.slice(0, at), openingKey: id.slice(at + 1) };
}

function openingItem(partyId: string, { accountId, key }: Pick<Opening, 'accountId' | 'key'>): Item {
  return { kind: 'opening', id: `${partyId}/${openingKey(key, accountId)}` };
}
