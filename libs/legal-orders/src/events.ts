import {
  authorisationFields,
  CommandRefused,
  defineEvent,
  endedFreezeSchema,
  field,
  pointerSchema,
  scopeSchema,
  type EventOf,
} from '#kernel';
import { z } from 'zod';

export const ORDER_KINDS = [
  'freezing-order',
  'restraint-order',
  'account-freezing-order',
  'crypto-wallet-freezing-order',
  'seizure-warrant',
  'forfeiture-order',
  'administrative-order',
  'statutory-measure',
] as const;

/** What an order does. */
export const ORDER_EFFECTS = ['restrain', 'release'] as const;

/** How an order can end by a change of kind `ending`. */
export const ENDINGS = ['discharged', 'revoked', 'set-aside'] as const;
export type Ending = (typeof ENDINGS)[number];

export const subjectSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('account'), accountId: field.id }),
  z.strictObject({ kind: z.literal('party'), partyId: field.id }),
  z.strictObject({ kind: z.literal('address'), chain: field.text(32), address: field.text(128) }),
  z.strictObject({ kind: z.literal('external'), sha256: field.sha256 }),
]);
/**
 * Whom an order names: a certain account, whatever accounts a party holds, or those of whoever controls an address. An
 * external reference, the SHA-256 of the UTF-8 bytes of a party's `externalRef`, names nobody by itself: that it matches is
 * found, and a person decides.
 */
export type Subject = z.infer<typeof subjectSchema>;
/** Most subjects of one order. */
export const MAX_SUBJECTS = 1000;

export const authoritySchema = z.strictObject({
  name: field.text(200),
  jurisdiction: field.text(16),
  officer: field.text(200).optional(),
  contact: field.text(200).optional(),
});

/** Most freezes, and most accounts, of one release. */
export const MAX_RELEASES = 1000;

/** What an order of release frees: certain freezes, and whatever freezes there are of certain accounts. */
export const releasesSchema = z.strictObject({
  freezeIds: z.array(field.uuid).min(1).max(MAX_RELEASES).optional(),
  accountIds: z.array(field.id).min(1).max(MAX_RELEASES).optional(),
});
export type Releases = z.infer<typeof releasesSchema>;

/** What every instrument says. Times are the instrument's own; `receivedAt` is ours. */
const instrumentFields = {
  orderId: field.id,
  kind: z.enum(ORDER_KINDS),
  authority: authoritySchema,
  caseReference: field.text(200),
  statute: field.text(300),
  underlyingRequest: field.text(300).optional(),
  issuedAt: field.timestamp,
  receivedAt: field.timestamp,
  effectiveAt: field.timestamp,
  expiresAt: field.timestamp.optional(),
  /** Until then the order may be told to nobody but those who must know. */
  nonDisclosureUntil: field.timestamp.optional(),
  documentSha256: field.sha256,
};

/** An instrument that restrains, as registered. */
export const instrumentSchema = z.strictObject({
  ...instrumentFields,
  effect: z.literal('restrain'),
  subjects: z.array(subjectSchema).min(1).max(MAX_SUBJECTS),
  scope: scopeSchema,
  /** Orders of one group rest on one claim: their limits are not added. */
  claimGroup: field.id.optional(),
});
export type Instrument = z.infer<typeof instrumentSchema>;

/** An instrument that releases: it names nobody, and is no basis of a freeze. */
export const releaseInstrumentSchema = z.strictObject({
  ...instrumentFields,
  effect: z.literal('release'),
  releases: releasesSchema,
});
export type ReleaseInstrument = z.infer<typeof releaseInstrumentSchema>;

export const LegalOrderRegistered = defineEvent({
  type: 'LegalOrderRegistered',
  streams: ['legalOrder'],
  summary:
    'An instrument that is to bind us was registered by its maker; it binds nothing until another person verifies it.',
  schema: z.discriminatedUnion('effect', [
    z.strictObject({ ...instrumentSchema.shape, registeredBy: field.actorId }),
    z.strictObject({ ...releaseInstrumentSchema.shape, registeredBy: field.actorId }),
  ]),
});

export type LegalOrderRegistered = EventOf<typeof LegalOrderRegistered>;

export const LegalOrderVerified = defineEvent({
  type: 'LegalOrderVerified',
  streams: ['legalOrder'],
  summary: 'A second person verified the instrument: it is in force from effectiveAt until it expires or ends.',
  schema: z.strictObject({
    orderId: field.id,
    method: field.text(200),
    note: field.text(500).optional(),
    verifiedBy: field.actorId,
  }),
});

export const LegalOrderRejected = defineEvent({
  type: 'LegalOrderRejected',
  streams: ['legalOrder'],
  summary: 'A second person turned the instrument down; it never binds.',
  schema: z.strictObject({ orderId: field.id, reason: field.text(500), rejectedBy: field.actorId }),
});

/** What every proposal of a change says: the document that orders it, and who brought it in. */
const proposal = {
  orderId: field.id,
  changeId: field.id,
  documentSha256: field.sha256,
  issuedAt: field.timestamp,
  reference: field.text(200),
  proposedBy: field.actorId,
};

/** What a variation puts in the place of the instrument's own: at least one of them. */
const varied = {
  subjects: z.array(subjectSchema).min(1).max(MAX_SUBJECTS).optional(),
  scope: scopeSchema.optional(),
};

export function variesSomething({
  subjects,
  scope,
}: {
  readonly subjects?: unknown;
  readonly scope?: unknown;
}): boolean {
  return subjects !== undefined || scope !== undefined;
}

const VARIES_NOTHING = 'a variation has to vary the subjects or the scope';

export const LegalOrderChangeProposed = defineEvent({
  type: 'LegalOrderChangeProposed',
  streams: ['legalOrder'],
  summary:
    'A change of the order was proposed. A proposed ending blocks new freezes at once; a proposed extension puts the expiry off for a while.',
  schema: z.discriminatedUnion('kind', [
    z.strictObject({ ...proposal, kind: z.literal('ending'), how: z.enum(ENDINGS) }),
    /** The time that the order is to run until. */
    z.strictObject({ ...proposal, kind: z.literal('extension'), expiresAt: field.timestamp }),
    z.strictObject({ ...proposal, kind: z.literal('variation'), ...varied }).refine(variesSomething, VARIES_NOTHING),
  ]),
});

export const LegalOrderChangeRejected = defineEvent({
  type: 'LegalOrderChangeRejected',
  streams: ['legalOrder'],
  summary: 'A second person turned the proposed change down; the order goes on as it was.',
  schema: z.strictObject({
    orderId: field.id,
    changeId: field.id,
    reason: field.text(500),
    rejectedBy: field.actorId,
  }),
});

export const LegalOrderEnded = defineEvent({
  type: 'LegalOrderEnded',
  streams: ['legalOrder'],
  summary:
    'A second person verified the ending: the order is discharged, revoked or set aside, and what rests on it is lifted.',
  schema: z.strictObject({
    orderId: field.id,
    changeId: field.id,
    how: z.enum(ENDINGS),
    method: field.text(200),
    note: field.text(500).optional(),
    proposedBy: field.actorId,
    verifiedBy: field.actorId,
  }),
});

export const LegalOrderExtended = defineEvent({
  type: 'LegalOrderExtended',
  streams: ['legalOrder'],
  summary: 'A second person verified the extension: the order runs until the new time, and what rests on it holds on.',
  schema: z.strictObject({
    orderId: field.id,
    changeId: field.id,
    expiresAt: field.timestamp,
    method: field.text(200),
    note: field.text(500).optional(),
    proposedBy: field.actorId,
    verifiedBy: field.actorId,
  }),
});

export const LegalOrderVaried = defineEvent({
  type: 'LegalOrderVaried',
  streams: ['legalOrder'],
  summary:
    'A second person verified the variation: from here on the order names these subjects and covers this scope, and what rests on it follows.',
  schema: z
    .strictObject({
      orderId: field.id,
      changeId: field.id,
      ...varied,
      method: field.text(200),
      note: field.text(500).optional(),
      proposedBy: field.actorId,
      verifiedBy: field.actorId,
    })
    .refine(variesSomething, VARIES_NOTHING),
});

export const LegalOrderExpired = defineEvent({
  type: 'LegalOrderExpired',
  streams: ['legalOrder'],
  summary: 'The time of a verified order ran out.',
  schema: z.strictObject({ orderId: field.id, expiresAt: field.timestamp }),
});

/** Most ended freezes that one authorisation relies on. */
export const MAX_ENDED_FREEZES = 1000;

export const FreezeAuthorised = defineEvent({
  type: 'FreezeAuthorised',
  streams: ['legalOrder'],
  summary:
    'The order, in force and naming the account, authorises one freeze of it. The id of this event is the id of the freeze.',
  schema: z.strictObject({
    orderId: field.id,
    ...authorisationFields,
    /** The order's; absent when it names none. */
    claimGroup: field.id.optional(),
    /** Without these, the limits of the order's freezes would add up to more than its own. Absent where none is needed. */
    endedFreezes: z.array(endedFreezeSchema).min(1).max(MAX_ENDED_FREEZES).optional(),
    /** Only after a variation: the authorisation that this one is put in the place of. It places no freeze, it varies one. */
    replaces: pointerSchema.optional(),
  }),
});
export type FreezeAuthorised = EventOf<typeof FreezeAuthorised>;
export type LegalOrderVaried = EventOf<typeof LegalOrderVaried>;

export const legalOrderEvents = [
  LegalOrderRegistered,
  LegalOrderVerified,
  LegalOrderRejected,
  LegalOrderChangeProposed,
  LegalOrderChangeRejected,
  LegalOrderEnded,
  LegalOrderExtended,
  LegalOrderVaried,
  LegalOrderExpired,
  FreezeAuthorised,
  CommandRefused,
] as const;
export type LegalOrderEvent = EventOf<(typeof legalOrderEvents)[number]>;
