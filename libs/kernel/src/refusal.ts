import { z } from 'zod';
import { RECORDED_CODES } from './rejection.ts';
import { defineEvent, field, type EventOf } from './schema.ts';

/** Where a refusal was decided, when not on the home stream: it was true as of that revision (null: the stream had no event). */
export const decidedOnSchema = z.strictObject({
  stream: z.string().min(1).max(96),
  revision: field.revision.nullable(),
});
export type DecidedOn = z.infer<typeof decidedOnSchema>;

/**
 * A command turned down for a reason that people will ask about, kept as a fact (invariant 10). It holds all that the answer
 * is made of, so that a repeat is answered from it, and all that a report needs.
 */
export const CommandRefused = defineEvent({
  type: 'CommandRefused',
  streams: ['account', 'party', 'legalOrder', 'sanctionsHit', 'authorityRequest'],
  summary: 'A command was turned down for one of the recorded reasons; nothing else happened.',
  schema: z.strictObject({
    /** The command's type, e.g. `ReserveWithdrawal`. */
    command: field.text(64),
    code: z.enum(RECORDED_CODES),
    detail: field.text(500),
    /** Further members of the answer, e.g. `freezeIds`. */
    extra: z.record(z.string(), z.unknown()),
    /** What was asked, as given. */
    request: z.record(z.string(), z.unknown()),
    decidedOn: decidedOnSchema.nullable(),
  }),
});
export type CommandRefused = EventOf<typeof CommandRefused>;
