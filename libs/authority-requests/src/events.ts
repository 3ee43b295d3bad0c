import { asOfSchema, basisSchema, CommandRefused, defineEvent, field, type EventOf } from '#kernel';
import { authoritySchema } from '#legal-orders';
import { z } from 'zod';

/** What a letter asks for. */
export const REQUEST_KINDS = ['freeze', 'disclosure', 'information'] as const;

/** How a letter can be answered; `withdrawn` is for one that its authority took back. */
export const OUTCOMES = ['refused', 'granted', 'withdrawn'] as const;
export type AnswerOutcome = (typeof OUTCOMES)[number];

/** The letter as registered. `receivedAt` is when it reached us. */
export const letterSchema = z.strictObject({
  requestId: field.id,
  kind: z.enum(REQUEST_KINDS),
  authority: authoritySchema,
  reference: field.text(200),
  /** What it asks about, in a few words: never the name of a person. */
  subject: field.text(500),
  receivedAt: field.timestamp,
  documentSha256: field.sha256,
});
export type Letter = z.infer<typeof letterSchema>;

export const AuthorityRequestRegistered = defineEvent({
  type: 'AuthorityRequestRegistered',
  streams: ['authorityRequest'],
  summary: 'A letter of an authority was registered. It asks, and binds nobody: nothing freezes because of it.',
  schema: z.strictObject({ ...letterSchema.shape, registeredBy: field.actorId }),
});

export const AuthorityRequestAnswered = defineEvent({
  type: 'AuthorityRequestAnswered',
  streams: ['authorityRequest'],
  summary: 'A second person answered the letter. What is granted cites a basis, and where that basis was in force.',
  schema: z.strictObject({
    requestId: field.id,
    outcome: z.enum(OUTCOMES),
    reason: field.text(500),
    /** Always there when granted. */
    basis: basisSchema.optional(),
    /** Goes with `basis`: up to this revision of its stream, and at the time of the answer, the basis was in force. */
    inForceAt: asOfSchema.optional(),
    answeredBy: field.actorId,
  }),
});
export type AuthorityRequestAnswered = EventOf<typeof AuthorityRequestAnswered>;

export const authorityRequestEvents = [AuthorityRequestRegistered, AuthorityRequestAnswered, CommandRefused] as const;
export type AuthorityRequestEvent = EventOf<(typeof authorityRequestEvents)[number]>;
