import {
  CommandRefused,
  decidedOnSchema,
  defineEvent,
  field,
  holderSchema,
  MAX_HOLDERS,
  pointerSchema,
  type EventOf,
} from '#kernel';
import { freezeEvents } from '#freezes';
import { z } from 'zod';

export const AccountOpened = defineEvent({
  type: 'AccountOpened',
  streams: ['account'],
  summary: 'The account is open and held by these parties, each of which carries the attachment of this very opening.',
  schema: z.strictObject({ accountId: field.id, holders: z.array(holderSchema).min(1).max(MAX_HOLDERS) }),
});

export const AccountOpeningAbandoned = defineEvent({
  type: 'AccountOpeningAbandoned',
  streams: ['account'],
  summary: 'An opening that had attached a holder came to nothing: a later holder was refused, or the id was taken.',
  schema: z.strictObject({
    accountId: field.id,
    reason: z.enum(['party-named-by-basis', 'already-exists']),
    holders: z.array(holderSchema).min(1).max(MAX_HOLDERS),
    /** For `party-named-by-basis`: the holder that a basis names, and where that was seen. */
    partyId: field.id.optional(),
    decidedOn: decidedOnSchema.nullable(),
  }),
});

export const AccountClosed = defineEvent({
  type: 'AccountClosed',
  streams: ['account'],
  summary: 'The account is closed: there is nothing in it. A deposit, or a transfer that comes back, opens it again.',
  schema: z.strictObject({
    accountId: field.id,
    reason: field.text(500),
    /** What the account is, said again so that the answer follows from this event alone. */
    holders: z.array(holderSchema).min(1).max(MAX_HOLDERS),
    openedAt: field.timestamp,
    /** All that it ever had to do with, by code. */
    assets: z.array(field.assetCode),
  }),
});

export const SOURCE_KINDS = ['onchain', 'bank', 'internal'] as const;
export const sourceSchema = z.strictObject({
  kind: z.enum(SOURCE_KINDS),
  reference: field.text(128),
  chain: field.text(32).optional(),
  address: field.text(128).optional(),
  memo: field.text(128).optional(),
});
export type Source = z.infer<typeof sourceSchema>;

export const DESTINATION_KINDS = ['onchain', 'bank'] as const;
export const destinationSchema = z.strictObject({
  kind: z.enum(DESTINATION_KINDS),
  reference: field.text(128).optional(),
  chain: field.text(32).optional(),
  address: field.text(128).optional(),
  memo: field.text(128).optional(),
});
export type Destination = z.infer<typeof destinationSchema>;

const deposit = {
  accountId: field.id,
  depositId: field.id,
  asset: field.assetCode,
  amount: field.units,
  source: sourceSchema,
};

export const FundsDeposited = defineEvent({
  type: 'FundsDeposited',
  streams: ['account'],
  summary: 'Funds arrived and are available.',
  schema: z.strictObject(deposit),
});

export const FundsHeld = defineEvent({
  type: 'FundsHeld',
  streams: ['account'],
  summary: 'Funds arrived under a credit freeze: they are booked, and kept from their holder until it ends.',
  schema: z.strictObject(deposit),
});

export const HeldFundsReleased = defineEvent({
  type: 'HeldFundsReleased',
  streams: ['account'],
  summary:
    'No credit freeze covers the asset any longer: all that was held of it is available, in the append of the lift.',
  schema: z.strictObject({
    accountId: field.id,
    asset: field.assetCode,
    amount: field.units,
    /** The last freeze that held them. */
    freezeId: field.uuid,
  }),
});

export const REVERSAL_CAUSES = ['reorganisation', 'bank-recall', 'mistake'] as const;

export const DepositReversed = defineEvent({
  type: 'DepositReversed',
  streams: ['account'],
  summary:
    'A deposit was taken back, as far as it was still there: it never was (a reorganisation, a bank that recalls it), or was booked by mistake.',
  schema: z.strictObject({
    accountId: field.id,
    depositId: field.id,
    asset: field.assetCode,
    /** What the deposit had brought: `taken` and `shortfall` together. */
    amount: field.units,
    source: sourceSchema,
    depositedAt: field.timestamp,
    /** The event that recorded the deposit. */
    citation: pointerSchema,
    cause: z.enum(REVERSAL_CAUSES),
    reason: field.text(500),
    taken: field.units,
    /** The part of `taken` that came out of what was held; the rest was available. */
    takenFromHeld: field.units,
    /** What was no longer there to be taken. */
    shortfall: field.units,
  }),
});

/** What every event of a withdrawal says again, so that its postings and answers follow from it alone. */
const withdrawal = {
  accountId: field.id,
  withdrawalId: field.id,
  asset: field.assetCode,
  amount: field.units,
  destination: destinationSchema,
  reservedAt: field.timestamp,
};

export const WithdrawalReserved = defineEvent({
  type: 'WithdrawalReserved',
  streams: ['account'],
  summary: 'Funds were set aside for a withdrawal: they are no longer available.',
  schema: z.strictObject(withdrawal),
});

export const WithdrawalDispatched = defineEvent({
  type: 'WithdrawalDispatched',
  streams: ['account'],
  summary:
    'The permission to broadcast was given: from here on the withdrawal settles or is cancelled, and no freeze stops it.',
  schema: z.strictObject({ ...withdrawal, reference: field.text(128) }),
});

export const WithdrawalSettled = defineEvent({
  type: 'WithdrawalSettled',
  streams: ['account'],
  summary: 'The funds have left: a fact of a chain or a bank.',
  schema: z.strictObject({ ...withdrawal, reference: field.text(128) }),
});

export const WithdrawalCancelled = defineEvent({
  type: 'WithdrawalCancelled',
  streams: ['account'],
  summary: 'The withdrawal came to nothing; its funds are available again.',
  schema: z.strictObject({ ...withdrawal, reason: field.text(500) }),
});

export const WithdrawalStopped = defineEvent({
  type: 'WithdrawalStopped',
  streams: ['account'],
  summary:
    'A freeze stopped a withdrawal that was not yet dispatched, in the append of the freeze; its funds are available again.',
  // No destination: a freeze stops up to 1,000 withdrawals in one append of less than 1 MiB.
  schema: z.strictObject({
    accountId: field.id,
    withdrawalId: field.id,
    asset: field.assetCode,
    amount: field.units,
    freezeId: field.uuid,
  }),
});

/** What every event of a transfer says again. Its identity is that of the sending account and its id there. */
const transfer = { transferId: field.id, asset: field.assetCode, amount: field.units };

export const TransferSent = defineEvent({
  type: 'TransferSent',
  streams: ['account'],
  summary: 'Funds left for another account: they are in transit until that account has received or refused them.',
  schema: z.strictObject({ accountId: field.id, to: field.id, ...transfer }),
});

export const TransferReceived = defineEvent({
  type: 'TransferReceived',
  streams: ['account'],
  summary: 'Funds that another account sent have arrived.',
  schema: z.strictObject({
    accountId: field.id,
    from: field.id,
    ...transfer,
    /** The event that sent them. */
    citation: pointerSchema,
  }),
});

export const TRANSFER_REFUSALS = ['credit-frozen', 'closed', 'balance-limit'] as const;

export const TransferRefused = defineEvent({
  type: 'TransferRefused',
  streams: ['account'],
  summary: 'Funds that another account sent can not be taken in: they go back.',
  schema: z.strictObject({
    accountId: field.id,
    from: field.id,
    ...transfer,
    reason: z.enum(TRANSFER_REFUSALS),
    /** The event that sent them. */
    citation: pointerSchema,
  }),
});

export const TransferReturned = defineEvent({
  type: 'TransferReturned',
  streams: ['account'],
  summary: 'Funds that another account refused are back, whatever is frozen; an account that was closed is open again.',
  schema: z.strictObject({
    accountId: field.id,
    to: field.id,
    ...transfer,
    reason: z.enum(TRANSFER_REFUSALS),
    /** The refusal, on the stream of the account that it was sent to. */
    citation: pointerSchema,
  }),
});

export const ownAccountEvents = [
  AccountOpened,
  AccountOpeningAbandoned,
  AccountClosed,
  FundsDeposited,
  FundsHeld,
  HeldFundsReleased,
  DepositReversed,
  WithdrawalReserved,
  WithdrawalDispatched,
  WithdrawalSettled,
  WithdrawalCancelled,
  WithdrawalStopped,
  TransferSent,
  TransferReceived,
  TransferRefused,
  TransferReturned,
] as const;

/** All that can stand on an account's stream. */
export const accountEvents = [...ownAccountEvents, ...freezeEvents, CommandRefused] as const;
export type AccountEvent = EventOf<(typeof accountEvents)[number]>;
