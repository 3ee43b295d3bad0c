import type { Basis, Timestamp } from '#kernel';
import type { AddressRole } from './events.ts';

/** A party as it is shown. Its accounts are those whose AccountOpened lists it. */
export interface PartyView {
  readonly partyId: string;
  readonly kind: string;
  readonly externalRef: string;
  readonly identification: {
    readonly method: string;
    readonly evidenceSha256: string;
    readonly identifiedAt: Timestamp;
  } | null;
  /** The bases in force that name the party. */
  readonly namedBy: readonly Basis[];
  readonly createdAt: Timestamp;
  readonly updatedAt: Timestamp;
}

/** An address on a chain, as a party shows it. */
export interface LinkedAddressView {
  readonly chain: string;
  readonly address: string;
  readonly role: AddressRole;
  readonly linkedAt: Timestamp;
}
