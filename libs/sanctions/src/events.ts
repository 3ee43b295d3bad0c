import { authorisationFields, CommandRefused, defineEvent, field, type EventOf } from '#kernel';
import { z } from 'zod';

/** What a list asks for. Only the first takes hold of property: the others forbid services or dealings. */
export const MEASURES = ['asset-freeze', 'service-restriction', 'trading-ban', 'other'] as const;
export type Measure = (typeof MEASURES)[number];

/** How the subject comes under the entry: as what it lists, or through who owns or controls it. */
export const ROUTES = ['direct', 'address', 'ownership', 'control'] as const;
export type Route = (typeof ROUTES)[number];

export const CLEARANCE_CAUSES = ['delisted', 'entry-amended', 'ownership-changed', 'mistaken-identity'] as const;
export type ClearanceCause = (typeof CLEARANCE_CAUSES)[number];

/** What the clearance relies on. */
export const CLEARANCE_AUTHORITIES = ['list-version', 'compliance-release', 'report', 'licence'] as const;

/** Most programmes of one entry. */
export const MAX_PROGRAMMES = 50;

export const hitSubjectSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('party'), partyId: field.id }),
  z.strictObject({ kind: z.literal('address'), chain: field.text(32), address: field.text(128) }),
]);
/** Whom a hit names: a party, or whoever controls an address. */
export type HitSubject = z.infer<typeof hitSubjectSchema>;

const share = z.number().gt(0).lte(1);

/** A match between a subject and an entry of one version of one list. */
export const hitSchema = z.strictObject({
  hitId: field.id,
  list: z.strictObject({ id: field.text(64), version: field.text(64), sha256: field.sha256 }),
  entry: z.strictObject({
    uid: field.text(64),
    /** Of the entry alone: it tells an entry that changed from one that merely stands in a newer list. */
    sha256: field.sha256,
    name: field.text(300),
    programmes: z.array(field.text(64)).min(1).max(MAX_PROGRAMMES),
    measure: z.enum(MEASURES),
    /** A day, as the list has it. */
    listedOn: z.iso.date().optional(),
  }),
  subject: hitSubjectSchema,
  route: z.enum(ROUTES),
  /** The part that listed persons own together, from 0 to 1. */
  aggregateShare: share.optional(),
  match: z.strictObject({
    field: field.text(64),
    value: field.text(300),
    algorithm: field.text(64),
    algorithmVersion: field.text(64),
    /** From 0 to 1: 1 is the same text. */
    score: z.number().min(0).max(1),
    explanation: field.text(500),
  }),
});
export type Hit = z.infer<typeof hitSchema>;

export const clearanceSchema = z.strictObject({
  clearanceId: field.id,
  cause: z.enum(CLEARANCE_CAUSES),
  authority: z.strictObject({
    kind: z.enum(CLEARANCE_AUTHORITIES),
    reference: field.text(200),
    sha256: field.sha256.optional(),
  }),
});
export type Clearance = z.infer<typeof clearanceSchema>;

export const SanctionsHitRaised = defineEvent({
  type: 'SanctionsHitRaised',
  streams: ['sanctionsHit'],
  summary: 'A potential match with a list was raised; it binds nothing until another person confirms it.',
  schema: z.strictObject({ ...hitSchema.shape, raisedBy: field.actorId }),
});

export const SanctionsHitConfirmed = defineEvent({
  type: 'SanctionsHitConfirmed',
  streams: ['sanctionsHit'],
  summary: 'A second person found the match to be true: if it is of an asset freeze, freezes may rest on it.',
  schema: z.strictObject({ hitId: field.id, note: field.text(500).optional(), confirmedBy: field.actorId }),
});

export const SanctionsHitDismissed = defineEvent({
  type: 'SanctionsHitDismissed',
  streams: ['sanctionsHit'],
  summary: 'A second person found the match to be false; the same entry is not raised again for this subject.',
  schema: z.strictObject({ hitId: field.id, reason: field.text(500), dismissedBy: field.actorId }),
});

export const ClearanceProposed = defineEvent({
  type: 'ClearanceProposed',
  streams: ['sanctionsHit'],
  summary: 'The end of a confirmed hit was proposed. While it is undecided, no new freeze rests on the hit.',
  schema: z.strictObject({ hitId: field.id, ...clearanceSchema.shape, proposedBy: field.actorId }),
});

export const ClearanceRejected = defineEvent({
  type: 'ClearanceRejected',
  streams: ['sanctionsHit'],
  summary: 'A second person turned the proposed clearance down; the hit stands as it was.',
  schema: z.strictObject({
    hitId: field.id,
    clearanceId: field.id,
    reason: field.text(500),
    rejectedBy: field.actorId,
  }),
});

export const SanctionsHitCleared = defineEvent({
  type: 'SanctionsHitCleared',
  streams: ['sanctionsHit'],
  summary: 'A second person approved the clearance: the hit has ended, and what rests on it is lifted.',
  schema: z.strictObject({
    hitId: field.id,
    clearanceId: field.id,
    cause: z.enum(CLEARANCE_CAUSES),
    note: field.text(500).optional(),
    proposedBy: field.actorId,
    approvedBy: field.actorId,
  }),
});

export const FreezeAuthorised = defineEvent({
  type: 'FreezeAuthorised',
  streams: ['sanctionsHit'],
  summary:
    'The hit, confirmed and naming the account, authorises one freeze of it. The id of this event is the id of the freeze.',
  schema: z.strictObject({
    hitId: field.id,
    ...authorisationFields,
  }),
});
export type FreezeAuthorised = EventOf<typeof FreezeAuthorised>;

export const sanctionsHitEvents = [
  SanctionsHitRaised,
  SanctionsHitConfirmed,
  SanctionsHitDismissed,
  ClearanceProposed,
  ClearanceRejected,
  SanctionsHitCleared,
  FreezeAuthorised,
  CommandRefused,
] as const;
export type SanctionsHitEvent = EventOf<(typeof sanctionsHitEvents)[number]>;
