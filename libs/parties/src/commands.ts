import type { ChainAddress, Timestamp } from '#kernel';
import type { AddressRole, Opening, PARTY_KINDS } from './events.ts';
import type { NamingBasis } from './naming.ts';

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

/** Names the party under a basis, no longer names it, or both, as the basis has it; nothing where that stands already. */
export interface FollowBasis {
  readonly type: 'FollowBasis';
  readonly partyId: string;
  readonly naming: NamingBasis;
}

export type PartyCommand = RegisterParty | IdentifyParty | LinkAddress | AttachAccount | DetachAccount | FollowBasis;
