import {
  addressName,
  basisStream,
  pointerTo,
  type Basis,
  type BasisSubjects,
  type ChainAddress,
  type EventPointer,
  type Recorded,
  type Timestamp,
} from '#kernel';
import type { AddressRole, Opening, PartyEvent } from './events.ts';
import type { PartyView } from './views.ts';

/** One attachment: it ties the account to the party once AccountOpened, for the same opening, lists the party. */
export interface Attachment {
  readonly opening: Opening;
  /** The AccountAttached event. */
  readonly pointer: EventPointer;
  readonly status: 'attached' | 'detached';
}

/** An address in one role. */
export interface LinkedAddress {
  /** The first AddressLinked event. */
  readonly linkedBy: EventPointer;
  /** Each spelling in which it was linked: several in logs of versions to which they were several addresses. */
  readonly spellings: readonly string[];
}

/** One basis that names the party, and the event that put it in force. */
export interface Naming {
  readonly basis: Basis;
  readonly citation: EventPointer;
}

/** What a party's stream says. */
export interface PartyState {
  registered:
    | {
        readonly partyId: string;
        readonly kind: string;
        readonly externalRef: string;
        readonly createdAt: Timestamp;
      }
    | undefined;
  /** The latest: a party may be identified again. */
  identification: PartyView['identification'];
  /** By `linkName`, in the order of linking. */
  readonly addresses: Map<string, LinkedAddress>;
  /** By `openingKey`, in the order of attachment; those detached stay, so that no opening attaches twice. */
  readonly attachments: Map<string, Attachment>;
  /** By the basis's stream, in the order of naming. */
  readonly named: Map<string, Naming>;
  /** When the last event was recorded that changed what is shown. */
  updatedAt: Timestamp | undefined;
}

export function initialPartyState(): PartyState {
  return {
    registered: undefined,
    identification: null,
    addresses: new Map(),
    attachments: new Map(),
    named: new Map(),
    updatedAt: undefined,
  };
}

/** Names a link: an address may be linked once in each role. */
export function linkName(address: ChainAddress, role: AddressRole): string {
  return JSON.stringify([addressName(address), role]);
}

/** The address as it is written. */
export function spellingOf({ chain, address }: ChainAddress): string {
  return JSON.stringify([chain, address]);
}

/** An address that the party controls, and the event that linked it as its own. */
export interface Control {
  readonly address: ChainAddress;
  readonly linkedBy: EventPointer;
}

/** The first of these addresses that was linked to the party as its own, if any was. */
export function controlOf(state: PartyState, addresses: readonly ChainAddress[]): Control | undefined {
  let first: Control | undefined;
  for (const address of addresses) {
    const linkedBy = state.addresses.get(linkName(address, 'holder-controlled'))?.linkedBy;
    if (linkedBy === undefined) continue;
    if (first === undefined || Number(linkedBy.revision) < Number(first.linkedBy.revision))
      first = { address, linkedBy };
  }
  return first;
}

/** True when a basis with these subjects names the party: itself, or an address that is linked to it as its own. */
export function isNamedBy(state: PartyState, { parties, addresses }: BasisSubjects): boolean {
  const { registered } = state;
  if (registered === undefined) return false;
  return parties.includes(registered.partyId) || controlOf(state, addresses) !== undefined;
}

/** Names an opening: the key of its command, as the caller gave it, and the account that it opens. */
export function openingKey(key: Opening['key'], accountId: string): string {
  return JSON.stringify([key.caller, key.value, accountId]);
}

/**
 * The attachment through which a party holds an account, or may come to hold it.
 * @param openedKey the key with which the account was opened: no other opening's attachment counts then; without it
 * (the account is not open yet) the first that still stands
 */
export function attachmentOf(state: PartyState, accountId: string, openedKey?: Opening['key']): Attachment | undefined {
  const candidates =
    openedKey === undefined
      ? [...state.attachments.values()]
      : [state.attachments.get(openingKey(openedKey, accountId))];
  return candidates.find((entry) => entry?.status === 'attached' && entry.opening.accountId === accountId);
}

/** The bases that name the party, in the order in which they did. */
export function namingBases(state: PartyState): Basis[] {
  return [...state.named.values()].map(({ basis }) => basis);
}

/** The party as it is shown, or undefined when it is not registered. */
export function partyView(state: PartyState): PartyView | undefined {
  const { registered, identification, updatedAt } = state;
  if (registered === undefined) return undefined;
  return { ...registered, identification, namedBy: namingBases(state), updatedAt: updatedAt ?? registered.createdAt };
}

export function evolveParty(state: PartyState, event: Recorded<PartyEvent>): PartyState {
  if (event.type === 'CommandRefused') return state;
  state.updatedAt = event.metadata.recordedAt;
  switch (event.type) {
    case 'PartyRegistered':
      state.registered = { ...event.data, createdAt: event.metadata.recordedAt };
      return state;
    case 'PartyIdentified': {
      const { method, evidenceSha256, identifiedAt } = event.data;
      state.identification = { method, evidenceSha256, identifiedAt };
      return state;
    }
    case 'AddressLinked': {
      const name = linkName(event.data, event.data.role);
      const { linkedBy, spellings } = state.addresses.get(name) ?? { linkedBy: pointerTo(event), spellings: [] };
      state.addresses.set(name, { linkedBy, spellings: [...spellings, spellingOf(event.data)] });
      return state;
    }
    case 'AccountAttached': {
      const { opening } = event.data;
      const attachment: Attachment = { opening, pointer: pointerTo(event), status: 'attached' };
      state.attachments.set(openingKey(opening.key, opening.accountId), attachment);
      return state;
    }
    case 'AccountDetached': {
      const name = openingKey(event.data.key, event.data.accountId);
      const attachment = state.attachments.get(name);
      if (attachment !== undefined) state.attachments.set(name, { ...attachment, status: 'detached' });
      return state;
    }
    case 'PartyNamed': {
      const { basis, citation } = event.data;
      state.named.set(basisStream(basis), { basis, citation });
      return state;
    }
    case 'PartyNoLongerNamed':
      state.named.delete(basisStream(event.data.basis));
      return state;
  }
}
