import type { EventStore } from '#event-store';
import { SUPERVISOR, type Basis, type DomainEvent, type RecordedEvent, type Scope } from '#kernel';
import {
  checker,
  identification,
  letterRegistration,
  maker,
  releaseNaming,
  service,
  variation,
  type LedgerWorld,
} from './ledger-world.ts';
import { actorNamed, nextTestId, seal, type SealOptions } from './log-builder.ts';
import { clearing, putHit, raising, sampleAddress, sampleClearance } from './sanctions-samples.ts';

const destination = { kind: 'onchain', chain: 'bitcoin', address: 'bc1qstory' } as const;
const source = { kind: 'bank', reference: 'wire' } as const;

/** The freezes of the story, by what became of them. */
export interface ToldStory {
  /** Of acc-1 under ord-1: lifted as placed in error, after one request was turned down. */
  readonly placedInError: string;
  /** Of acc-2 under ord-2, which names its holder p-2: ended with the order. */
  readonly basisEnded: string;
  /** Of acc-2 under hit-1, on an address that p-2 controls: ended with the hit. */
  readonly hitCleared: string;
  /** Of credits of acc-2 under ord-5: ended with the order, which released its deposit d-2. */
  readonly released: string;
  /** Of acc-4 under ord-6, which names its holder p-3: placed with all, varied, and lifted as rel-1 ordered. */
  readonly releaseOrdered: string;
  /** Of acc-5 under ord-6: placed with all, varied, and ended by the variation that dropped it. */
  readonly dropped: string;
  /** Of acc-5 under ord-8, placed by one of two who came at the same time: ended with the order. */
  readonly raced: string;
  /** Of acc-1 under ord-4: in force. */
  readonly inForce: string;
}

/**
 * Plays a bit of everything on an empty store: accounts acc-1 (p-1), acc-2 (p-2), acc-3 (p-1), acc-4 and acc-5 (p-3), money in
 * and out, orders in all of their states but two, and varied, hits, freezes, lifts, funds held and released, refusals, and
 * letters: req-1 refused, req-2 granted under ord-4, req-3 open.
 */
export async function tellStory(world: LedgerWorld): Promise<ToldStory> {
  await world.openAccount('acc-1', 'p-1');
  await world.openAccount('acc-2', 'p-2');
  await world.accept({ type: 'RegisterAsset', code: 'EUR', scale: 2, kind: 'fiat' });
  await world.accept({ type: 'OpenAccount', accountId: 'acc-3', holders: [{ partyId: 'p-1', capacity: 'joint' }] });
  await moveMoney(world);
  const placedInError = await freezeInError(world);
  const basisEnded = await freezeUntilItsOrderEnds(world);
  const hitCleared = await freezeUntilItsHitIsCleared(world);
  await refuseWhatAnOrderForbids(world);
  const released = await holdAndRelease(world);
  await openTwice(world);
  const all = await freezeAllThatAnOrderNames(world);
  await varyThatOrder(world);
  await releaseByOrder(world, all.releaseOrdered);
  const raced = await freezeTwice(world);
  await endByTime(world);
  await turnDownHits(world);
  await world.putOrder({ orderId: 'ord-4' });
  await answerLetters(world);
  const inForce = await freeze(world, 'acc-1', 'ord-4');
  return { placedInError, basisEnded, hitCleared, released, ...all, raced, inForce };
}

async function answerLetters(world: LedgerWorld): Promise<void> {
  for (const requestId of ['req-1', 'req-2', 'req-3']) await world.accept(letterRegistration(requestId));
  const answer = { type: 'AnswerAuthorityRequest', reason: 'see the file' } as const;
  await expectRefusal(world.ask({ ...answer, requestId: 'req-1', outcome: 'refused' }));
  await world.accept({ ...answer, requestId: 'req-1', outcome: 'refused' }, { actor: checker });
  const grant = { ...answer, requestId: 'req-2', outcome: 'granted', basis: basis('ord-4') } as const;
  await world.accept(grant, { actor: checker });
}

async function moveMoney(world: LedgerWorld): Promise<void> {
  for (let n = 1; n <= 5; n += 1) await deposit(world, 'acc-1', `d-${String(n)}`, 'BTC', '1.5');
  await reverse(world, 'acc-1', 'd-5');
  await moveBetweenAccounts(world);
  await deposit(world, 'acc-1', 'd-6', 'EUR', '12.34');
  await deposit(world, 'acc-2', 'd-1', 'BTC', '3');
  for (const withdrawalId of ['w-settled', 'w-cancelled', 'w-in-flight', 'w-stopped']) {
    await world.accept(reservation('acc-1', withdrawalId), { actor: service });
  }
  const dispatch = { type: 'DispatchWithdrawal', accountId: 'acc-1', reference: 'tx-1' } as const;
  await world.accept({ ...dispatch, withdrawalId: 'w-settled' }, { actor: service });
  await world.accept({ ...dispatch, withdrawalId: 'w-in-flight' }, { actor: service });
  const settle = {
    type: 'SettleWithdrawal',
    accountId: 'acc-1',
    withdrawalId: 'w-settled',
    reference: 'tx-2',
  } as const;
  await world.accept(settle, { actor: service });
  const cancel = { type: 'CancelWithdrawal', accountId: 'acc-1', withdrawalId: 'w-cancelled', reason: 'typo' } as const;
  await world.accept(cancel, { actor: service });
}

/** One transfer arrives at acc-2; another comes back from acc-3, which is closed. */
async function moveBetweenAccounts(world: LedgerWorld): Promise<void> {
  await world.accept({ type: 'CloseAccount', accountId: 'acc-3', reason: 'asked' }, { actor: service });
  const send = { type: 'SendTransfer', accountId: 'acc-1', asset: 'BTC', amount: '0.25' } as const;
  await world.accept({ ...send, transferId: 't-received', to: 'acc-2' }, { actor: service });
  await world.accept({ ...send, transferId: 't-returned', to: 'acc-3' }, { actor: service });
  await world.ledger.supervisor.pass();
}

async function freezeInError(world: LedgerWorld): Promise<string> {
  await world.putOrder();
  const freezeId = await freeze(world, 'acc-1', 'ord-1');
  await expectRefusal(world.ask(reservation('acc-1', 'w-refused'), { actor: service }));
  const request = {
    type: 'RequestLift',
    freezeId,
    ground: 'placed-in-error',
    note: 'another of the same name',
  } as const;
  await world.accept({ ...request, requestId: 'r-1' });
  await world.accept({ type: 'RejectLift', freezeId, requestId: 'r-1', reason: 'no proof' }, { actor: checker });
  await world.accept({ ...request, requestId: 'r-2' });
  await world.accept({ type: 'ApproveLift', freezeId, requestId: 'r-2' }, { actor: checker });
  return freezeId;
}

async function freezeUntilItsOrderEnds(world: LedgerWorld): Promise<string> {
  await world.putOrder({ orderId: 'ord-2', subjects: [{ kind: 'party', partyId: 'p-2' }] });
  const freezeId = await freeze(world, 'acc-2', 'ord-2');
  await world.endOrder('ord-2');
  return freezeId;
}

/** Hits on p-2 and on an address that it controls: one freeze, ended with its hit, and one hit left as it was raised. */
async function freezeUntilItsHitIsCleared(world: LedgerWorld): Promise<string> {
  const link = { type: 'LinkAddress', partyId: 'p-2', chain: 'bitcoin', role: 'holder-controlled' } as const;
  await world.accept({ ...link, address: sampleAddress.address }, { actor: service });
  await putHit(world, { subject: sampleAddress });
  const freezeId = await freezeUnder(world, 'acc-2', { kind: 'sanctions-hit', id: 'hit-1' });
  for (const [command, actor = maker] of clearing) await world.accept(command, { actor });
  await world.accept(raising({ hitId: 'hit-2', subject: { kind: 'party', partyId: 'p-2' } }));
  return freezeId;
}

async function refuseWhatAnOrderForbids(world: LedgerWorld): Promise<void> {
  await world.putOrder({ orderId: 'ord-3' }, false);
  await expectRefusal(world.ask({ type: 'FreezeAccount', accountId: 'acc-1', basis: basis('ord-3') }));
  await expectRefusal(world.ask({ type: 'VerifyLegalOrder', orderId: 'ord-3', method: 'call-back' }));
  await world.accept({ type: 'RejectLegalOrder', orderId: 'ord-3', reason: 'no seal' }, { actor: checker });
}

async function holdAndRelease(world: LedgerWorld): Promise<string> {
  const subjects = [{ kind: 'account', accountId: 'acc-2' } as const];
  const nonDisclosureUntil = '2099-01-01T00:00:00.000Z';
  const scope: Scope = { direction: 'credit', assets: ['BTC'] };
  await world.putOrder({ orderId: 'ord-5', subjects, scope, nonDisclosureUntil });
  const freezeId = await freeze(world, 'acc-2', 'ord-5');
  await deposit(world, 'acc-2', 'd-2', 'BTC', '0.5');
  await world.endOrder('ord-5');
  return freezeId;
}

/** Two open acc-5 at the same time, for p-3 and for p-4: one of them comes too late. */
async function openTwice(world: LedgerWorld): Promise<void> {
  await world.openAccount('acc-4', 'p-3');
  await world.accept({ type: 'RegisterParty', partyId: 'p-4', kind: 'organisation', externalRef: 'ref-p-4' });
  await world.accept(identification('p-4'));
  const opening = (partyId: string): ReturnType<LedgerWorld['ask']> =>
    world.ask({ type: 'OpenAccount', accountId: 'acc-5', holders: [{ partyId, capacity: 'owner' }] });
  const [, late] = await Promise.all([opening('p-3'), opening('p-4')]);
  await expectRefusal(Promise.resolve(late));
  await deposit(world, 'acc-4', 'd-1', 'BTC', '3');
  await deposit(world, 'acc-5', 'd-1', 'BTC', '2');
}

/** ord-6 keeps 2 bitcoins of what p-3 has: 1.5 in the one account, 0.5 in the other. */
async function freezeAllThatAnOrderNames(world: LedgerWorld): Promise<Pick<ToldStory, 'releaseOrdered' | 'dropped'>> {
  const subjects = [{ kind: 'party', partyId: 'p-3' } as const];
  const scope: Scope = { direction: 'debit', assets: ['BTC'], limits: { BTC: '2' } };
  await world.putOrder({ orderId: 'ord-6', subjects, scope, expiresAt: '2022-12-01T00:00:00.000Z' });
  const shares = { 'acc-4': { BTC: '1.5' }, 'acc-5': { BTC: '0.5' } };
  const outcome = await world.freezeAll({ basis: basis('ord-6'), shares });
  const parts = outcome.status === 'answered' ? outcome.parts : [];
  const [releaseOrdered = '', dropped = ''] = parts.map(({ outcome: part }) =>
    part.status === 'accepted' ? (part.authorisation?.id ?? '') : '',
  );
  return { releaseOrdered, dropped };
}

/** ord-6 runs longer, keeps less, and then names acc-4 alone. */
async function varyThatOrder(world: LedgerWorld): Promise<void> {
  const orderId = 'ord-6';
  const document = { documentSha256: 'd'.repeat(64), issuedAt: '2022-02-15T10:00:00.000Z', reference: 'extension' };
  const expiresAt = '2023-01-01T00:00:00.000Z';
  const scope: Scope = { direction: 'debit', assets: ['BTC'], limits: { BTC: '1' } };
  const verify = { type: 'VerifyChange', orderId, method: 'sealed copy' } as const;
  await world.accept({ type: 'ProposeExtension', orderId, changeId: 'chg-1', expiresAt, ...document });
  await world.accept({ ...verify, changeId: 'chg-1' }, { actor: checker });
  await world.accept(variation('chg-2', { scope: { direction: 'both', assets: 'all' } }, orderId));
  const reject = { type: 'RejectChange', orderId, changeId: 'chg-2', reason: 'a forgery' } as const;
  await world.accept(reject, { actor: checker });
  await world.accept(variation('chg-3', { scope }, orderId));
  await world.accept({ ...verify, changeId: 'chg-3' }, { actor: checker });
  await world.accept(variation('chg-4', { subjects: [{ kind: 'account', accountId: 'acc-4' }] }, orderId));
  await world.accept({ ...verify, changeId: 'chg-4' }, { actor: checker });
}

async function releaseByOrder(world: LedgerWorld, freezeId: string): Promise<void> {
  const orderId = 'rel-1';
  const instrument = releaseNaming({ freezeIds: [freezeId] }, orderId);
  await world.accept({ type: 'RegisterLegalOrder', orderId, instrument });
  await world.accept({ type: 'VerifyLegalOrder', orderId, method: 'call-back' }, { actor: checker });
  const about = { freezeId, requestId: 'r-1' };
  await world.accept({ type: 'RequestLift', ...about, ground: 'release-ordered', orderId });
  await world.accept({ type: 'ApproveLift', ...about }, { actor: checker });
}

/** Two freeze acc-5 at the same time under ord-8: one authorisation comes to nothing. */
async function freezeTwice(world: LedgerWorld): Promise<string> {
  await world.putOrder({ orderId: 'ord-8', subjects: [{ kind: 'account', accountId: 'acc-5' }] });
  const [freezeId] = await Promise.all([
    freeze(world, 'acc-5', 'ord-8'),
    expectRefusal(world.ask({ type: 'FreezeAccount', accountId: 'acc-5', basis: basis('ord-8') })),
  ]);
  await world.endOrder('ord-8');
  return freezeId;
}

/** ord-7 is verified when its time has run out already. */
async function endByTime(world: LedgerWorld): Promise<void> {
  await world.putOrder({ orderId: 'ord-7', expiresAt: '2022-02-15T11:00:00.000Z' });
  await world.ledger.supervisor.pass();
}

/** hit-3 is dismissed; hit-4 on p-4 is confirmed, and stays so: its clearance is rejected. */
async function turnDownHits(world: LedgerWorld): Promise<void> {
  const subject = { kind: 'party', partyId: 'p-4' } as const;
  await world.accept(raising({ hitId: 'hit-3', subject: { kind: 'party', partyId: 'p-3' } }));
  await expectRefusal(world.ask({ type: 'ConfirmSanctionsHit', hitId: 'hit-3' }));
  await world.accept({ type: 'DismissSanctionsHit', hitId: 'hit-3', reason: 'a namesake' }, { actor: checker });
  await putHit(world, { hitId: 'hit-4', subject });
  const about = { hitId: 'hit-4', clearanceId: 'clr-1' } as const;
  await world.accept({ type: 'ProposeClearance', ...sampleClearance, ...about });
  await world.accept({ type: 'RejectClearance', ...about, reason: 'still listed' }, { actor: checker });
}

async function deposit(
  world: LedgerWorld,
  accountId: string,
  depositId: string,
  asset: string,
  amount: string,
): Promise<void> {
  await world.accept({ type: 'Deposit', accountId, depositId, asset, amount, source }, { actor: service });
}

async function reverse(world: LedgerWorld, accountId: string, depositId: string): Promise<void> {
  const why = { cause: 'reorganisation', reason: 'orphaned' } as const;
  await world.accept({ type: 'ReverseDeposit', accountId, depositId, ...why }, { actor: service });
}

function reservation(
  accountId: string,
  withdrawalId: string,
): Extract<Parameters<LedgerWorld['ask']>[0], { type: 'ReserveWithdrawal' }> {
  return { type: 'ReserveWithdrawal', accountId, withdrawalId, asset: 'BTC', amount: '0.5', destination };
}

function basis(orderId: string): { readonly kind: 'legal-order'; readonly id: string } {
  return { kind: 'legal-order', id: orderId };
}

function freeze(world: LedgerWorld, accountId: string, orderId: string): Promise<string> {
  return freezeUnder(world, accountId, basis(orderId));
}

async function freezeUnder(world: LedgerWorld, accountId: string, under: Basis): Promise<string> {
  const [frozen] = await world.accept({ type: 'FreezeAccount', accountId, basis: under }, { actor: maker });
  return (frozen?.data as { readonly freezeId: string }).freezeId;
}

async function expectRefusal(asked: ReturnType<LedgerWorld['ask']>): Promise<void> {
  const outcome = await asked;
  if (outcome.status !== 'rejected') throw new Error('what the story refuses was accepted');
}

/** Appends an event past the service, well sealed. @returns it as recorded */
export async function forceIn(
  store: EventStore,
  stream: string,
  event: DomainEvent,
  options: SealOptions = {},
): Promise<RecordedEvent> {
  const [last] = await store.read(stream, { direction: 'backwards', limit: 1 });
  const end = last === undefined ? undefined : { revision: last.revision, hash: last.metadata.hash };
  await store.append(
    stream,
    end?.revision ?? 'no-stream',
    seal(stream, end, [event], { actor: actorNamed(event) ?? SUPERVISOR, ...options }),
  );
  const [recorded] = await store.read(stream, { direction: 'backwards', limit: 1 });
  if (recorded === undefined) throw new Error('nothing was stored');
  return recorded;
}

/** A freeze of the account that cites an event which is not there. */
export function danglingFreeze(accountId: string): DomainEvent {
  const freezeId = nextTestId();
  const data = {
    accountId,
    freezeId,
    basis: basis('ord-4'),
    citation: { stream: 'legalOrder-ord-4', revision: '99', eventId: freezeId },
    scope: { direction: 'debit', assets: 'all' },
    placedBy: 'maker',
    blockedFrom: '2022-02-15T00:00:00.000Z',
    balancesAtFreeze: [],
    stopped: [],
    inFlight: [],
  };
  return { type: 'AccountFrozen', data };
}
