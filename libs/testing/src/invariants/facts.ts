import type { RecordedEvent } from '#kernel';
import { z } from 'zod';

/**
 * What each event has to say, written down a second time on purpose: the checker believes nothing that the domain libraries
 * say about themselves, so that a mistake there can't hide itself.
 */
const id = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$/);
const uuid = z.string().regex(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
const asset = z.string().regex(/^[A-Z0-9]{2,16}$/);
const revision = z.string().regex(/^(0|[1-9][0-9]{0,15})$/);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const timestamp = z
  .string()
  .regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
  .refine((text) => !Number.isNaN(Date.parse(text)));
const text = z.string().min(1).max(500);
const actorId = z.string().min(1).max(128);
const units = z.string().regex(/^(0|[1-9][0-9]{0,37})$/);
const positiveUnits = z.string().regex(/^[1-9][0-9]{0,37}$/);
const pointer = z.strictObject({ stream: text, revision, eventId: uuid });
const decidedOn = z.strictObject({ stream: text, revision: revision.nullable() }).nullable();
const basis = z.strictObject({ kind: z.enum(['legal-order', 'sanctions-hit']), id });
const assets = z.union([z.literal('all'), z.array(asset).min(1)]);
const scope = z
  .strictObject({
    direction: z.enum(['debit', 'credit', 'both']),
    assets,
    limits: z.record(asset, units).optional(),
  })
  .refine(({ direction, limits }) => limits === undefined || direction === 'debit', 'limits are only for debits')
  .refine(
    (given) => given.assets === 'all' || Object.keys(given.limits ?? {}).every((code) => given.assets.includes(code)),
    'a limit is of no asset of the scope',
  );
const holders = z.array(z.strictObject({ partyId: id, capacity: z.enum(['owner', 'joint', 'beneficial']) })).min(1);
const openingKey = z.strictObject({ caller: actorId, value: text });
const subject = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('account'), accountId: id }),
  z.strictObject({ kind: z.literal('party'), partyId: id }),
  z.strictObject({ kind: z.literal('address'), chain: text, address: text }),
  z.strictObject({ kind: z.literal('external'), sha256 }),
]);
const hitSubject = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('party'), partyId: id }),
  z.strictObject({ kind: z.literal('address'), chain: text, address: text }),
]);
const clearanceCause = z.enum(['delisted', 'entry-amended', 'ownership-changed', 'mistaken-identity']);
const movement = { accountId: id, asset, amount: positiveUnits };
const withdrawal = { ...movement, withdrawalId: id, destination: z.looseObject({ kind: text }), reservedAt: timestamp };
const deposit = { ...movement, depositId: id, source: z.looseObject({ kind: text, reference: text }) };
const transferRefusal = z.enum(['credit-frozen', 'closed', 'balance-limit']);
const balanceUnits = z.string().regex(/^(0|[1-9][0-9]{0,49})$/);
const balance = z.strictObject({ asset, available: balanceUnits, reserved: balanceUnits, held: balanceUnits });
const ending = z.enum(['discharged', 'revoked', 'set-aside']);
const freeze = { accountId: id, freezeId: uuid };
const asOf = z.strictObject({ stream: text, revision });

const shapes = {
  AssetRegistered: { on: ['asset'], data: { code: asset, scale: z.int().min(0).max(18), kind: text } },

  PartyRegistered: { on: ['party'], data: { partyId: id, kind: text, externalRef: text } },
  PartyIdentified: {
    on: ['party'],
    data: { partyId: id, method: text, evidenceSha256: sha256, identifiedAt: timestamp },
  },
  AddressLinked: {
    on: ['party'],
    data: { partyId: id, chain: text, address: text, role: z.enum(['holder-controlled', 'deposit-address']) },
  },
  AccountAttached: {
    on: ['party'],
    data: {
      partyId: id,
      accountId: id,
      capacity: text,
      opening: z.strictObject({ accountId: id, holders, key: openingKey, commandHash: sha256 }),
    },
  },
  AccountDetached: { on: ['party'], data: { partyId: id, accountId: id, key: openingKey } },
  PartyNamed: { on: ['party'], data: { partyId: id, basis, citation: pointer } },
  PartyNoLongerNamed: { on: ['party'], data: { partyId: id, basis, citation: pointer } },

  AccountOpened: { on: ['account'], data: { accountId: id, holders } },
  AccountOpeningAbandoned: {
    on: ['account'],
    data: {
      accountId: id,
      reason: z.enum(['party-named-by-basis', 'already-exists']),
      holders,
      partyId: id.optional(),
      decidedOn,
    },
  },
  AccountClosed: {
    on: ['account'],
    data: { accountId: id, reason: text, holders, openedAt: timestamp, assets: z.array(asset) },
  },
  FundsDeposited: { on: ['account'], data: deposit },
  FundsHeld: { on: ['account'], data: deposit },
  HeldFundsReleased: { on: ['account'], data: { ...movement, freezeId: uuid } },
  DepositReversed: {
    on: ['account'],
    data: {
      ...deposit,
      depositedAt: timestamp,
      citation: pointer,
      cause: z.enum(['reorganisation', 'bank-recall', 'mistake']),
      reason: text,
      taken: units,
      takenFromHeld: units,
      shortfall: units,
    },
  },
  WithdrawalReserved: { on: ['account'], data: withdrawal },
  WithdrawalDispatched: { on: ['account'], data: { ...withdrawal, reference: text } },
  WithdrawalSettled: { on: ['account'], data: { ...withdrawal, reference: text } },
  WithdrawalCancelled: { on: ['account'], data: { ...withdrawal, reason: text } },
  WithdrawalStopped: { on: ['account'], data: { ...movement, withdrawalId: id, freezeId: uuid } },
  TransferSent: { on: ['account'], data: { ...movement, transferId: id, to: id } },
  TransferReceived: { on: ['account'], data: { ...movement, transferId: id, from: id, citation: pointer } },
  TransferRefused: {
    on: ['account'],
    data: { ...movement, transferId: id, from: id, reason: transferRefusal, citation: pointer },
  },
  TransferReturned: {
    on: ['account'],
    data: { ...movement, transferId: id, to: id, reason: transferRefusal, citation: pointer },
  },
  AccountFrozen: {
    on: ['account'],
    data: {
      ...freeze,
      basis,
      citation: pointer,
      scope,
      claimGroup: text,
      placedBy: actorId,
      blockedFrom: timestamp,
      balancesAtFreeze: z.array(balance),
      stopped: z.array(id),
      inFlight: z.array(id),
    },
  },
  FreezeVaried: {
    on: ['account'],
    data: {
      ...freeze,
      basis,
      citation: pointer,
      replaces: pointer,
      scope,
      stopped: z.array(id),
      inFlight: z.array(id),
    },
  },
  FreezeAbandoned: {
    on: ['account'],
    data: {
      ...freeze,
      basis,
      citation: pointer,
      reason: z.enum([
        'already-frozen',
        'key-used',
        'basis-ended',
        'not-a-holder',
        'account-not-open',
        'basis-varied',
        'superseded',
      ]),
      existingFreezeId: uuid.optional(),
      replaces: pointer.optional(),
    },
  },
  LiftRequested: {
    on: ['account'],
    data: {
      ...freeze,
      requestId: id,
      ground: z.enum(['placed-in-error', 'release-ordered']),
      /** Of `release-ordered`, both of them. */
      orderId: id.optional(),
      inForceAt: asOf.optional(),
      note: text.optional(),
      requestedBy: actorId,
    },
  },
  LiftRejected: {
    on: ['account'],
    data: { ...freeze, requestId: id, citation: pointer, reason: text, rejectedBy: actorId },
  },
  AccountUnfrozen: {
    on: ['account'],
    data: {
      ...freeze,
      ground: z.enum(['basis-ended', 'basis-varied', 'placed-in-error', 'release-ordered']),
      citation: pointer,
      requestId: id.optional(),
      /** Of `release-ordered`, both of them. */
      request: pointer.optional(),
      inForceAt: asOf.optional(),
      note: text.optional(),
      requestedBy: actorId,
      approvedBy: actorId,
    },
  },

  LegalOrderRegistered: {
    on: ['legalOrder'],
    data: {
      orderId: id,
      kind: text,
      effect: z.enum(['restrain', 'release']),
      authority: z.looseObject({ name: text }),
      caseReference: text,
      statute: text,
      underlyingRequest: text.optional(),
      /** Of an order that restrains. */
      subjects: z.array(subject).min(1).optional(),
      scope: scope.optional(),
      claimGroup: id.optional(),
      /** Of an order of release. */
      releases: z
        .strictObject({ freezeIds: z.array(uuid).min(1).optional(), accountIds: z.array(id).min(1).optional() })
        .optional(),
      issuedAt: timestamp,
      receivedAt: timestamp,
      effectiveAt: timestamp,
      expiresAt: timestamp.optional(),
      nonDisclosureUntil: timestamp.optional(),
      documentSha256: sha256,
      registeredBy: actorId,
    },
  },
  LegalOrderVerified: {
    on: ['legalOrder'],
    data: { orderId: id, method: text, note: text.optional(), verifiedBy: actorId },
  },
  LegalOrderRejected: { on: ['legalOrder'], data: { orderId: id, reason: text, rejectedBy: actorId } },
  LegalOrderChangeProposed: {
    on: ['legalOrder'],
    data: {
      orderId: id,
      changeId: id,
      kind: z.enum(['ending', 'extension', 'variation']),
      /** Of an ending. */
      how: ending.optional(),
      /** Of an extension. */
      expiresAt: timestamp.optional(),
      /** Of a variation. */
      subjects: z.array(subject).min(1).optional(),
      scope: scope.optional(),
      documentSha256: sha256,
      issuedAt: timestamp,
      reference: text,
      proposedBy: actorId,
    },
  },
  LegalOrderChangeRejected: {
    on: ['legalOrder'],
    data: { orderId: id, changeId: id, reason: text, rejectedBy: actorId },
  },
  LegalOrderEnded: {
    on: ['legalOrder'],
    data: {
      orderId: id,
      changeId: id,
      how: ending,
      method: text,
      note: text.optional(),
      proposedBy: actorId,
      verifiedBy: actorId,
    },
  },
  LegalOrderExtended: {
    on: ['legalOrder'],
    data: {
      orderId: id,
      changeId: id,
      expiresAt: timestamp,
      method: text,
      note: text.optional(),
      proposedBy: actorId,
      verifiedBy: actorId,
    },
  },
  LegalOrderVaried: {
    on: ['legalOrder'],
    data: {
      orderId: id,
      changeId: id,
      subjects: z.array(subject).min(1).optional(),
      scope: scope.optional(),
      method: text,
      note: text.optional(),
      proposedBy: actorId,
      verifiedBy: actorId,
    },
  },
  LegalOrderExpired: { on: ['legalOrder'], data: { orderId: id, expiresAt: timestamp } },
  SanctionsHitRaised: {
    on: ['sanctionsHit'],
    data: {
      hitId: id,
      list: z.strictObject({ id: text, version: text, sha256 }),
      entry: z.looseObject({ uid: text, sha256, measure: text }),
      subject: hitSubject,
      route: z.enum(['direct', 'address', 'ownership', 'control']),
      aggregateShare: z.number().gt(0).max(1).optional(),
      match: z.looseObject({ algorithm: text, score: z.number().min(0).max(1) }),
      raisedBy: actorId,
    },
  },
  SanctionsHitConfirmed: {
    on: ['sanctionsHit'],
    data: { hitId: id, note: text.optional(), confirmedBy: actorId },
  },
  SanctionsHitDismissed: { on: ['sanctionsHit'], data: { hitId: id, reason: text, dismissedBy: actorId } },
  ClearanceProposed: {
    on: ['sanctionsHit'],
    data: {
      hitId: id,
      clearanceId: id,
      cause: clearanceCause,
      authority: z.looseObject({ kind: text, reference: text }),
      proposedBy: actorId,
    },
  },
  ClearanceRejected: {
    on: ['sanctionsHit'],
    data: { hitId: id, clearanceId: id, reason: text, rejectedBy: actorId },
  },
  SanctionsHitCleared: {
    on: ['sanctionsHit'],
    data: {
      hitId: id,
      clearanceId: id,
      cause: clearanceCause,
      note: text.optional(),
      proposedBy: actorId,
      approvedBy: actorId,
    },
  },

  FreezeAuthorised: {
    on: ['legalOrder', 'sanctionsHit'],
    data: {
      orderId: id.optional(),
      hitId: id.optional(),
      linkedBy: pointer.optional(),
      accountId: id,
      scope,
      namedBy: pointer,
      partyId: id.optional(),
      requestedBy: actorId,
      blockedFrom: timestamp.optional(),
      claimGroup: id.optional(),
      endedFreezes: z
        .array(z.strictObject({ freezeId: uuid, endedBy: pointer }))
        .min(1)
        .optional(),
      replaces: pointer.optional(),
    },
  },

  AuthorityRequestRegistered: {
    on: ['authorityRequest'],
    data: {
      requestId: id,
      kind: z.enum(['freeze', 'disclosure', 'information']),
      authority: z.looseObject({ name: text }),
      reference: text,
      subject: text,
      receivedAt: timestamp,
      documentSha256: sha256,
      registeredBy: actorId,
    },
  },
  AuthorityRequestAnswered: {
    on: ['authorityRequest'],
    data: {
      requestId: id,
      outcome: z.enum(['refused', 'granted', 'withdrawn']),
      reason: text,
      basis: basis.optional(),
      inForceAt: asOf.optional(),
      answeredBy: actorId,
    },
  },

  CommandRefused: {
    on: ['account', 'party', 'legalOrder', 'sanctionsHit', 'authorityRequest'],
    data: {
      command: text,
      // Any text: which codes may be recorded is a rule of its own, checked with the others.
      code: text,
      detail: text,
      extra: z.record(z.string(), z.unknown()),
      request: z.record(z.string(), z.unknown()),
      decidedOn,
    },
  },
} as const;

/** How older versions of an event are read: the data of the next one. */
const older: Readonly<Record<string, readonly ((data: Readonly<Record<string, unknown>>) => unknown)[]>> = {
  // Before claim groups, each order was a claim of its own.
  AccountFrozen: [({ claimGroup: _, ...data }) => ({ ...data, claimGroup: ownGroup(data['basis']) })],
};

/** The claim group of an order that names none. */
export function ownGroup(of: unknown): string {
  const parsed = basis.safeParse(of);
  return parsed.success ? `${parsed.data.kind}/${parsed.data.id}` : '';
}

type Shapes = typeof shapes;
export type FactType = keyof Shapes;

const schemas = Object.fromEntries(
  Object.entries(shapes).map(([type, shape]) => [type, z.strictObject(shape.data as z.ZodRawShape)]),
);

const metadataSchema = z.strictObject({
  actor: z.strictObject({ id: actorId, roles: z.array(z.string()) }),
  correlationId: z.string(),
  causationId: uuid.nullable(),
  key: z.strictObject({ caller: actorId, homeStream: text, value: text }).nullable(),
  commandHash: sha256.nullable(),
  recordedAt: timestamp,
  previousHash: sha256.nullable(),
  hash: sha256,
});

type DataOf<Type extends FactType> = z.infer<z.ZodObject<Shapes[Type]['data']>>;

/** A recorded event whose data has the shape that its type promises. `about` is the id within its stream's name. */
export type Fact<Type extends FactType = FactType> = {
  [T in Type]: { readonly type: T; readonly data: DataOf<T>; readonly event: RecordedEvent; readonly about: string };
}[Type];

export interface Scope {
  readonly direction: string;
  readonly assets: 'all' | readonly string[];
  readonly limits?: Readonly<Record<string, string>> | undefined;
}

const SUBJECT_FIELD: Readonly<Record<string, string>> = {
  asset: 'code',
  party: 'partyId',
  account: 'accountId',
  legalOrder: 'orderId',
  sanctionsHit: 'hitId',
  authorityRequest: 'requestId',
};

/** @returns the event as a fact, or a sentence that says why it is none */
export function readFact(event: RecordedEvent): Fact | string {
  if (!uuid.safeParse(event.id).success) return `the id ${JSON.stringify(event.id)} is no UUID`;
  const metadata = metadataSchema.safeParse(event.metadata);
  if (!metadata.success) return `metadata: ${describe(metadata.error)}`;
  if (!isFactType(event.type)) return `no event is called ${JSON.stringify(event.type)}`;
  const steps = older[event.type] ?? [];
  if (!Number.isInteger(event.schemaVersion) || event.schemaVersion < 1 || event.schemaVersion > steps.length + 1) {
    return `schemaVersion ${String(event.schemaVersion)} of ${event.type} is unknown`;
  }
  const [prefix, about] = splitStream(event.stream);
  if (!(shapes[event.type].on as readonly string[]).includes(prefix)) return `${event.type} on ${event.stream}`;
  const lifted = steps
    .slice(event.schemaVersion - 1)
    .reduce<unknown>((stored, lift) => lift(Object(stored) as Readonly<Record<string, unknown>>), event.data);
  const data = schemas[event.type]?.safeParse(lifted);
  if (data?.success !== true) return `data: ${data === undefined ? 'unknown' : describe(data.error)}`;
  const subjectField = SUBJECT_FIELD[prefix] ?? '';
  if (event.type !== 'CommandRefused' && data.data[subjectField] !== about) {
    return `${subjectField} ${String(data.data[subjectField])} on ${event.stream}`;
  }
  return { type: event.type, data: data.data, event, about } as Fact;
}

/** `account-a-1` is `account` and `a-1`. */
export function splitStream(stream: string): readonly [prefix: string, id: string] {
  const dash = stream.indexOf('-');
  return dash < 0 ? [stream, ''] : [stream.slice(0, dash), stream.slice(dash + 1)];
}

function isFactType(type: string): type is FactType {
  return Object.hasOwn(shapes, type);
}

function describe(error: z.ZodError): string {
  return error.issues.map((issue) => `${issue.path.join('.') || 'all of it'}: ${issue.message}`).join('; ');
}
