import {
  asOfSchema,
  basisSchema,
  claimGroupOf,
  claimGroupSchema,
  defineEvent,
  field,
  pointerSchema,
  scopeSchema,
  variedScopeSchema,
  type EventOf,
} from '#kernel';
import { z } from 'zod';

/** What an account held of one asset at a moment, in minor units. */
export const balanceSnapshotSchema = z.strictObject({
  asset: field.assetCode,
  available: field.balanceUnits,
  reserved: field.balanceUnits,
  held: field.balanceUnits,
});
export type BalanceSnapshot = z.infer<typeof balanceSnapshotSchema>;

/** Most withdrawals of one account that are open at once: the largest freeze then fits one append. */
export const MAX_OPEN_WITHDRAWALS = 1000;

/** Before claim groups and limits: each freeze counted for itself. */
const accountFrozenV1 = z.strictObject({
  accountId: field.id,
  /** Id of the FreezeAuthorised event. */
  freezeId: field.uuid,
  basis: basisSchema,
  /** The FreezeAuthorised event. */
  citation: pointerSchema,
  scope: z.strictObject({
    direction: z.literal('debit'),
    assets: z.union([z.literal('all'), z.array(field.assetCode).min(1).max(100)]),
  }),
  placedBy: field.actorId,
  /** From when the property counts as blocked by law; recordedAt is when this was written. */
  blockedFrom: field.timestamp,
  balancesAtFreeze: z.array(balanceSnapshotSchema),
  /** Withdrawals reserved and not yet dispatched, stopped in the same append. */
  stopped: z.array(field.id).max(MAX_OPEN_WITHDRAWALS),
  /** Withdrawals dispatched already: they settle. */
  inFlight: z.array(field.id).max(MAX_OPEN_WITHDRAWALS),
});

export const AccountFrozen = defineEvent({
  type: 'AccountFrozen',
  streams: ['account'],
  summary: 'The account is restricted under one basis from here on. Resolves the authorisation that it cites.',
  earlier: [
    {
      schema: accountFrozenV1,
      toNext: (data: z.infer<typeof accountFrozenV1>) => ({ ...data, claimGroup: claimGroupOf(data.basis, undefined) }),
    },
  ],
  schema: z.strictObject({
    ...accountFrozenV1.shape,
    scope: scopeSchema,
    /** Freezes of one group rest on one claim: their limits are not added. The gate knows it from this stream alone. */
    claimGroup: claimGroupSchema,
  }),
});

export const FreezeVaried = defineEvent({
  type: 'FreezeVaried',
  streams: ['account'],
  summary:
    'What a freeze covers follows a variation of its basis; it is the same freeze, and its citation moves. Resolves the authorisation that it cites.',
  schema: z.strictObject({
    accountId: field.id,
    /** Stays: the id of the authorisation with which the freeze began. */
    freezeId: field.uuid,
    basis: basisSchema,
    /** The FreezeAuthorised event on which the freeze rests from here on. */
    citation: pointerSchema,
    /** The one on which it rested before. */
    replaces: pointerSchema,
    scope: variedScopeSchema,
    /** Withdrawals reserved and not yet dispatched, stopped in the same append. */
    stopped: z.array(field.id).max(MAX_OPEN_WITHDRAWALS),
    /** Withdrawals dispatched already: they settle. */
    inFlight: z.array(field.id).max(MAX_OPEN_WITHDRAWALS),
  }),
});

/** Why an authorisation came to no freeze. */
export const ABANDON_REASONS = [
  'already-frozen',
  'key-used',
  'basis-ended',
  'not-a-holder',
  'account-not-open',
  // A later variation dropped the account, or left nothing of the freeze.
  'basis-varied',
  // It was to vary a freeze that no longer rests on the authorisation which it replaces.
  'superseded',
] as const;
export type AbandonReason = (typeof ABANDON_REASONS)[number];

export const FreezeAbandoned = defineEvent({
  type: 'FreezeAbandoned',
  streams: ['account'],
  summary: 'An authorisation came to no freeze, and never will. Resolves the authorisation that it cites.',
  schema: z.strictObject({
    accountId: field.id,
    /** Id of the FreezeAuthorised event. */
    freezeId: field.uuid,
    basis: basisSchema,
    citation: pointerSchema,
    reason: z.enum(ABANDON_REASONS),
    /** For `already-frozen`: the freeze in force under the same basis. */
    existingFreezeId: field.uuid.optional(),
    /** Of an authorisation that was to vary a freeze: the one that it replaces. The freeze holds. */
    replaces: pointerSchema.optional(),
  }),
});

/** The grounds on which people ask for a lift. */
export const LIFT_REQUEST_GROUNDS = ['placed-in-error', 'release-ordered'] as const;
export type LiftRequestGround = (typeof LIFT_REQUEST_GROUNDS)[number];

const requestFields = { accountId: field.id, freezeId: field.uuid, requestId: field.id, requestedBy: field.actorId };

export const LiftRequested = defineEvent({
  type: 'LiftRequested',
  streams: ['account'],
  summary: 'A person asks that a freeze be lifted on a stated ground; another has to approve.',
  schema: z.discriminatedUnion('ground', [
    z.strictObject({ ...requestFields, ground: z.literal('placed-in-error'), note: field.text(500) }),
    z.strictObject({
      ...requestFields,
      ground: z.literal('release-ordered'),
      /** The order of release, which names the freeze or its account. */
      orderId: field.id,
      /** The revision of the order's stream as of which it was in force, at the time of the event. */
      inForceAt: asOfSchema,
      note: field.text(500).optional(),
    }),
  ]),
});
export type LiftRequested = EventOf<typeof LiftRequested>;

export const LiftRejected = defineEvent({
  type: 'LiftRejected',
  streams: ['account'],
  summary: 'A second person turned a requested lift down; the freeze holds.',
  schema: z.strictObject({
    accountId: field.id,
    freezeId: field.uuid,
    requestId: field.id,
    /** The LiftRequested event. */
    citation: pointerSchema,
    reason: field.text(500),
    rejectedBy: field.actorId,
  }),
});

/** The grounds of a lift. There is none called "we changed our mind". */
export const LIFT_GROUNDS = ['basis-ended', 'basis-varied', 'placed-in-error', 'release-ordered'] as const;
export type LiftGround = (typeof LIFT_GROUNDS)[number];

export const AccountUnfrozen = defineEvent({
  type: 'AccountUnfrozen',
  streams: ['account'],
  summary: 'One freeze ended on a stated ground; the others stay.',
  schema: z.strictObject({
    accountId: field.id,
    freezeId: field.uuid,
    ground: z.enum(LIFT_GROUNDS),
    /**
     * The event that establishes the ground: the end or variation of the basis, the LiftRequested that was approved, or the
     * verification of the order of release.
     */
    citation: pointerSchema,
    requestId: field.id.optional(),
    /** Of `release-ordered`: the LiftRequested that was approved. */
    request: pointerSchema.optional(),
    /** Of `release-ordered`. */
    inForceAt: asOfSchema.optional(),
    note: field.text(500).optional(),
    requestedBy: field.actorId,
    approvedBy: field.actorId,
  }),
});

export const freezeEvents = [
  AccountFrozen,
  FreezeVaried,
  FreezeAbandoned,
  LiftRequested,
  LiftRejected,
  AccountUnfrozen,
] as const;
export type FreezeEvent = EventOf<(typeof freezeEvents)[number]>;
export type AccountFrozen = EventOf<typeof AccountFrozen>;
export type FreezeVaried = EventOf<typeof FreezeVaried>;
export type FreezeAbandoned = EventOf<typeof FreezeAbandoned>;
export type AccountUnfrozen = EventOf<typeof AccountUnfrozen>;
