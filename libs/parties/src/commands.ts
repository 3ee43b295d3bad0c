import type { Basis, ChainAddress, EventPointer, Timestamp } from '#kernel';
import type { AddressRole, Opening, PARTY_KINDS } from './events.ts';

export interface RegisterParty {
  readonly type: 'RegisterParty';
  readonly partyId: string;
  readonly kind: (typeof PARTY_KINDS)[number];
  readonly externalRef: string;
}

export interface IdentifyParty {
  readonly type: 'IdentifyParty';
  readonly partyId: string;
  readonly method: string;
  readonly evidenceSha256: string;
  readonly identifiedAt: Timestamp;
}

/** Links an address on a chain to the party. An address is linked once in each role. */
export interface LinkAddress extends ChainAddress {
  readonly type: 'LinkAddress';
  readonly partyId: string;
  readonly role: AddressRole;
}

/** First half of an opening, on each holder's stream. Turned down while a basis names the party. */
export interface AttachAccount {
  readonly type: 'AttachAccount';
  readonly partyId: string;
  readonly opening: Opening;
}

/** Undoes an attachment whose opening came to nothing. */
export interface DetachAccount {
  readonly type: 'DetachAccount';
  readonly partyId: string;
  readonly accountId: string;
  readonly key: { readonly caller: string; readonly value: string };
}

/** The supervisor records that a basis in force names the party. `citation` is the event that put the basis in force. */
export interface NameParty {
  readonly type: 'NameParty';
  readonly partyId: string;
  readonly basis: Basis;
  readonly citation: EventPointer;
}

/** The supervisor records that a basis which named the party has ended. `citation` is the ending event. */
export interface UnnameParty {
  readonly type: 'UnnameParty';
  readonly partyId: string;
  readonly basis: Basis;
  readonly citation: EventPointer;
}

export type PartyCommand =
  RegisterParty | IdentifyParty | LinkAddress | AttachAccount | DetachAccount | NameParty | UnnameParty;
