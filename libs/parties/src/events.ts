import {
  basisSchema,
  capacitySchema,
  CommandRefused,
  defineEvent,
  field,
  holderSchema,
  MAX_HOLDERS,
  pointerSchema,
  type EventOf,
} from '#kernel';
import { z } from 'zod';

export const PARTY_KINDS = ['person', 'organisation'] as const;

export const PartyRegistered = defineEvent({
  type: 'PartyRegistered',
  streams: ['party'],
  summary: 'A legal or natural person came to be known, by a reference that means something to the caller alone.',
  schema: z.strictObject({ partyId: field.id, kind: z.enum(PARTY_KINDS), externalRef: field.text(128) }),
});

export const PartyIdentified = defineEvent({
  type: 'PartyIdentified',
  streams: ['party'],
  summary: 'A party was identified; only the hash of the evidence is kept. It may be identified again.',
  schema: z.strictObject({
    partyId: field.id,
    method: field.text(64),
    evidenceSha256: field.sha256,
    identifiedAt: field.timestamp,
  }),
});

/** Whose keys an address has: the party's own, or ours, given out to take its deposits. */
export const ADDRESS_ROLES = ['holder-controlled', 'deposit-address'] as const;
export type AddressRole = (typeof ADDRESS_ROLES)[number];

export const AddressLinked = defineEvent({
  type: 'AddressLinked',
  streams: ['party'],
  summary: 'An address on a chain was linked to the party, for good. Only one that the party itself controls names it.',
  schema: z.strictObject({
    partyId: field.id,
    chain: field.text(32),
    address: field.text(128),
    role: z.enum(ADDRESS_ROLES),
  }),
});
export type AddressLinked = EventOf<typeof AddressLinked>;

/** The opening that an attachment belongs to: the key of the command, and all that finishing it needs. */
export const openingSchema = z.strictObject({
  accountId: field.id,
  holders: z.array(holderSchema).min(1).max(MAX_HOLDERS),
  /** The command's key; with `accountId` it identifies the opening. */
  key: z.strictObject({ caller: field.actorId, value: field.text(255) }),
  commandHash: field.sha256,
});
export type Opening = z.infer<typeof openingSchema>;

export const AccountAttached = defineEvent({
  type: 'AccountAttached',
  streams: ['party'],
  summary: 'The first half of an opening: ties the account to this holder once AccountOpened lists the party.',
  schema: z.strictObject({
    partyId: field.id,
    accountId: field.id,
    capacity: capacitySchema,
    /** Who asked for the account, when the supervisor finishes it. */
    opening: openingSchema,
  }),
});

export type AccountAttached = EventOf<typeof AccountAttached>;

export const AccountDetached = defineEvent({
  type: 'AccountDetached',
  streams: ['party'],
  summary: 'An attachment was undone because its opening came to nothing.',
  schema: z.strictObject({
    partyId: field.id,
    accountId: field.id,
    key: z.strictObject({ caller: field.actorId, value: field.text(255) }),
  }),
});

export const PartyNamed = defineEvent({
  type: 'PartyNamed',
  streams: ['party'],
  summary: 'A basis in force names this party: no account opens for it until PartyNoLongerNamed.',
  schema: z.strictObject({ partyId: field.id, basis: basisSchema, citation: pointerSchema }),
});

export type PartyNamed = EventOf<typeof PartyNamed>;

export const PartyNoLongerNamed = defineEvent({
  type: 'PartyNoLongerNamed',
  streams: ['party'],
  summary: 'The basis that named this party has ended, or was varied and names it no longer.',
  schema: z.strictObject({ partyId: field.id, basis: basisSchema, citation: pointerSchema }),
});
export type PartyNoLongerNamed = EventOf<typeof PartyNoLongerNamed>;

export const partyEvents = [
  PartyRegistered,
  PartyIdentified,
  AddressLinked,
  AccountAttached,
  AccountDetached,
  PartyNamed,
  PartyNoLongerNamed,
  CommandRefused,
] as const;
export type PartyEvent = EventOf<(typeof partyEvents)[number]>;
