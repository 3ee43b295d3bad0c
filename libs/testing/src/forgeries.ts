import type { ExpectedRevision } from '#event-store';
import type { EventPointer, RecordedEvent, SealedEvent } from '#kernel';
import { nextTestId, seal, type StreamEnd } from './log-builder.ts';

/** Puts events into a log past the service: straight into a store, or into its file. */
export interface LogForger {
  read(stream: string): Promise<readonly RecordedEvent[]>;
  write(stream: string, expected: ExpectedRevision, events: readonly SealedEvent[]): Promise<void>;
}

/** What a log has to hold for the forgeries: open accounts of these ids, each with funds, two orders and two parties. */
export interface ForgeryScene {
  /** Open accounts, one for each forgery. */
  readonly accounts: Readonly<Record<ForgeryName, string>>;
  /**
   * A verified order that names none of those accounts but `liftedWithoutApproval`, which is frozen under it, and
   * `abandonedUntruly`, which is not.
   */
  readonly verifiedOrder: string;
  /** An order that names the account of `forgedPair` and was never verified. */
  readonly unverifiedOrder: string;
  readonly parties: {
    /** An identified party that no order names. */
    readonly named: string;
    /** A party that the verified order names. */
    readonly noLongerNamed: string;
  };
}

export const FORGERY_NAMES = [
  'withoutCitation',
  'danglingCitation',
  'orderForAnotherAccount',
  'laterThanItself',
  'forgedPair',
  'liftedWithoutApproval',
  'danglingAbandonment',
  'abandonedUntruly',
  'malformed',
  'brokenChain',
] as const;
export type ForgeryName = (typeof FORGERY_NAMES)[number];

/** The violation that each forgery has to be listed as, on the account's stream. Those of parties are unresolved too. */
export const EXPECTED_VIOLATION: Readonly<Record<ForgeryName, string>> = {
  withoutCitation: 'malformed-event',
  danglingCitation: 'citation-unresolved',
  orderForAnotherAccount: 'citation-unresolved',
  laterThanItself: 'citation-unresolved',
  forgedPair: 'citation-unresolved',
  liftedWithoutApproval: 'citation-unresolved',
  danglingAbandonment: 'citation-unresolved',
  abandonedUntruly: 'citation-unresolved',
  malformed: 'malformed-event',
  brokenChain: 'hash-mismatch',
};

/** Forges each of these into the log, well sealed but for what makes it a forgery. */
export async function forgeAll(log: LogForger, scene: ForgeryScene): Promise<void> {
  const { accounts } = scene;
  const verified = `legalOrder-${scene.verifiedOrder}`;
  const unverified = `legalOrder-${scene.unverifiedOrder}`;
  const nowhere = { stream: verified, revision: '999', eventId: nextTestId() };
  const { citation: _, ...uncited } = frozen(accounts.withoutCitation, nowhere);

  await add(log, accounts.withoutCitation, 'AccountFrozen', uncited);
  await add(log, accounts.danglingCitation, 'AccountFrozen', frozen(accounts.danglingCitation, nowhere));
  const real = await find(log, verified, 'FreezeAuthorised');
  await add(log, accounts.orderForAnotherAccount, 'AccountFrozen', frozen(accounts.orderForAnotherAccount, real));

  const later = accounts.laterThanItself;
  const authorisationToCome = await sealed(log, verified, 'FreezeAuthorised', await authorised(log, verified, later));
  await add(log, later, 'AccountFrozen', frozen(later, pointer(verified, authorisationToCome)));
  await log.write(verified, authorisationToCome.revision - 1, authorisationToCome.events);

  const pair = accounts.forgedPair;
  const authorisation = await sealed(log, unverified, 'FreezeAuthorised', await authorised(log, unverified, pair));
  await log.write(unverified, authorisation.revision - 1, authorisation.events);
  await add(log, pair, 'AccountFrozen', frozen(pair, pointer(unverified, authorisation)));

  const lifted = accounts.liftedWithoutApproval;
  const freeze = await find(log, `account-${lifted}`, 'AccountFrozen');
  const freezeId = (await eventAt(log, freeze)).data as { freezeId: string };
  await add(log, lifted, 'AccountUnfrozen', {
    accountId: lifted,
    freezeId: freezeId.freezeId,
    ground: 'placed-in-error',
    citation: freeze,
    requestId: 'r-1',
    requestedBy: 'maker',
    approvedBy: 'payments',
  });

  await forgeAbandonments(log, scene);
  await forgeNamings(log, scene);
  await add(log, accounts.malformed, 'FundsDeposited', { amount: 'a lot', ['__proto__x']: [null] });
  await breakChain(log, accounts.brokenChain);
}

/** One of nothing, and one of a freeze that the order did authorise: a step that was left open, and is to be finished. */
async function forgeAbandonments(log: LogForger, { accounts, verifiedOrder }: ForgeryScene): Promise<void> {
  const order = `legalOrder-${verifiedOrder}`;
  const nowhere = { stream: order, revision: '999', eventId: nextTestId() };
  const dangling = abandoned(accounts.danglingAbandonment, nowhere, 'key-used');
  await add(log, accounts.danglingAbandonment, 'FreezeAbandoned', dangling);

  const open = accounts.abandonedUntruly;
  const authorisation = await sealed(log, order, 'FreezeAuthorised', await authorised(log, order, open));
  await log.write(order, authorisation.revision - 1, authorisation.events);
  await add(log, open, 'FreezeAbandoned', abandoned(open, pointer(order, authorisation), 'basis-ended'));
}

/** Keeps a party from opening accounts that no order names, and lets one open them that an order does name. */
async function forgeNamings(log: LogForger, { parties, verifiedOrder }: ForgeryScene): Promise<void> {
  const basis = { kind: 'legal-order', id: verifiedOrder };
  const citation = await find(log, `legalOrder-${verifiedOrder}`, 'LegalOrderVerified');
  const { named, noLongerNamed } = parties;
  await addTo(log, `party-${named}`, 'PartyNamed', { partyId: named, basis, citation });
  const unnamed = { partyId: noLongerNamed, basis, citation };
  await addTo(log, `party-${noLongerNamed}`, 'PartyNoLongerNamed', unnamed);
}

/** A deposit that would be right, were it linked to the event before it. */
async function breakChain(log: LogForger, accountId: string): Promise<void> {
  const stream = `account-${accountId}`;
  const end = await endOf(log, stream);
  const source = { kind: 'bank', reference: 'forged' };
  const data = { accountId, depositId: 'forged', asset: 'BTC', amount: '100000000', source };
  const events = seal(stream, { revision: end?.revision ?? -1, hash: 'f'.repeat(64) }, [
    { type: 'FundsDeposited', data },
  ]);
  await log.write(stream, end?.revision ?? 'no-stream', events);
}

interface Sealed {
  readonly revision: number;
  readonly events: readonly SealedEvent[];
}

async function sealed(log: LogForger, stream: string, type: string, data: unknown): Promise<Sealed> {
  const end = await endOf(log, stream);
  const recordedAt = new Date().toISOString();
  return { revision: (end?.revision ?? -1) + 1, events: seal(stream, end, [{ type, data }], { recordedAt }) };
}

async function add(log: LogForger, accountId: string, type: string, data: unknown): Promise<void> {
  await addTo(log, `account-${accountId}`, type, data);
}

async function addTo(log: LogForger, stream: string, type: string, data: unknown): Promise<void> {
  const { revision, events } = await sealed(log, stream, type, data);
  await log.write(stream, revision === 0 ? 'no-stream' : revision - 1, events);
}

async function endOf(log: LogForger, stream: string): Promise<StreamEnd | undefined> {
  const last = (await log.read(stream)).at(-1);
  return last === undefined ? undefined : { revision: last.revision, hash: last.metadata.hash };
}

async function find(log: LogForger, stream: string, type: string): Promise<EventPointer> {
  const event = (await log.read(stream)).find((each) => each.type === type);
  if (event === undefined) throw new Error(`the scene lacks a ${type} on ${stream}`);
  return { stream, revision: String(event.revision), eventId: event.id };
}

async function eventAt(log: LogForger, { stream, revision }: EventPointer): Promise<RecordedEvent> {
  const event = (await log.read(stream))[Number(revision)];
  if (event === undefined) throw new Error(`nothing at ${stream}@${revision}`);
  return event;
}

function pointer(stream: string, { revision, events }: Sealed): EventPointer {
  const [event] = events;
  if (event === undefined) throw new Error('nothing was sealed');
  return { stream, revision: String(revision), eventId: event.id };
}

async function authorised(log: LogForger, orderStream: string, accountId: string): Promise<Record<string, unknown>> {
  return {
    orderId: orderStream.slice('legalOrder-'.length),
    accountId,
    scope: { direction: 'debit', assets: 'all' },
    namedBy: await find(log, orderStream, 'LegalOrderRegistered'),
    requestedBy: 'maker',
  };
}

function abandoned(accountId: string, citation: EventPointer, reason: string): Record<string, unknown> {
  const basis = { kind: 'legal-order', id: citation.stream.slice('legalOrder-'.length) };
  return { accountId, freezeId: citation.eventId, basis, citation, reason };
}

function frozen(accountId: string, citation: EventPointer): Record<string, unknown> {
  return {
    accountId,
    freezeId: citation.eventId,
    basis: { kind: 'legal-order', id: citation.stream.slice('legalOrder-'.length) },
    citation,
    scope: { direction: 'debit', assets: 'all' },
    placedBy: 'maker',
    blockedFrom: '2022-02-15T00:00:00.000Z',
    balancesAtFreeze: [],
    stopped: [],
    inFlight: [],
  };
}
