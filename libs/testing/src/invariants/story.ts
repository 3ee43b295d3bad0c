import { pointerTo, sha256Hex, type DomainEvent, type RecordedEvent } from '#kernel';
import { LogBuilder, type AppendOptions, type Forgery } from '../log-builder.ts';
import { ownGroup } from './facts.ts';

export const SUPERVISOR = 'system:supervisor';
export const HASH = sha256Hex('document');
const BANK = { kind: 'bank', reference: 'ref-1' };
const FAR = '2030-01-01T00:00:00.000Z';
export const PAST = '2022-02-01T00:00:00.000Z';
export const ALL = { direction: 'debit', assets: 'all' } as const;
export const BTC_ONLY = { direction: 'debit', assets: ['BTC'] } as const;

export type Data = Record<string, unknown>;
export interface Step extends AppendOptions {
  /** Members of the data that differ from what is right. */
  readonly but?: Data;
  readonly forged?: Forgery;
}

/** Tells the story of a ledger as events: each step is right unless its `but` says otherwise. */
export class Story {
  readonly log = new LogBuilder();
  readonly #named = new Map<string, RecordedEvent>();

  /** An event told before, by the name that its step gave it. */
  event(name: string): RecordedEvent {
    const event = this.#named.get(name);
    if (event === undefined) throw new RangeError(`nothing was called ${name}`);
    return event;
  }

  tell(name: string, stream: string, type: string, data: Data, step: Step): this {
    const { but, forged, ...options } = step;
    const event: DomainEvent = { type, data: { ...data, ...but } };
    const recorded =
      forged === undefined ? this.log.append(stream, event, options) : this.log.forge(stream, event, forged, options);
    this.#named.set(name, recorded);
    return this;
  }

  /** Goes on with what is known by now. */
  next(go: (story: this) => unknown): this {
    go(this);
    return this;
  }

  pause(ms: number): this {
    this.log.wait(ms);
    return this;
  }

  asset(code: string, step: Step = {}): this {
    return this.tell(code, `asset-${code}`, 'AssetRegistered', { code, scale: 8, kind: 'crypto' }, step);
  }

  party(partyId: string, step: Step = {}): this {
    const stream = `party-${partyId}`;
    this.tell(partyId, stream, 'PartyRegistered', { partyId, kind: 'person', externalRef: 'x' }, step);
    const data = { partyId, method: 'passport', evidenceSha256: HASH, identifiedAt: PAST };
    return this.tell(`identified ${partyId}`, stream, 'PartyIdentified', data, {});
  }

  /** First half of an opening, for one of its holders. */
  attach(accountId: string, partyId: string, holders = [partyId], key = `open-${accountId}`, step: Step = {}): this {
    const own = { caller: 'payments', value: key };
    const opening = { accountId, holders: holdersOf(holders), key: own, commandHash: sha256Hex(key) };
    const data = { partyId, accountId, capacity: 'owner', opening };
    const options = { key: { ...own, homeStream: `account-${accountId}` }, ...step };
    return this.tell(`attached ${accountId} ${partyId}`, `party-${partyId}`, 'AccountAttached', data, options);
  }

  detach(accountId: string, partyId: string, key = `open-${accountId}`, step: Step = {}): this {
    const data = { partyId, accountId, key: { caller: 'payments', value: key } };
    return this.#unasked(`detached ${partyId}`, `party-${partyId}`, 'AccountDetached', data, step);
  }

  opened(accountId: string, holders: readonly string[], key = `open-${accountId}`, step: Step = {}): this {
    const data = { accountId, holders: holdersOf(holders) };
    return this.tell(`opened ${accountId}`, `account-${accountId}`, 'AccountOpened', data, { key, ...step });
  }

  /** The id of the account went to the opening of another key. */
  openingLost(accountId: string, partyId: string, key: string, step: Step = {}): this {
    const data = { accountId, reason: 'already-exists', holders: holdersOf([partyId]), decidedOn: null };
    const options = { key: { caller: 'payments', value: key }, ...step };
    return this.tell('opening lost', `account-${accountId}`, 'AccountOpeningAbandoned', data, options);
  }

  /** An opening that came to nothing because a basis names one of the holders. */
  openingAbandoned(accountId: string, refused: string, holders: readonly string[], step: Step = {}): this {
    const stream = `party-${refused}`;
    const decidedOn = { stream, revision: String(this.#length(stream) - 1) };
    const data = {
      accountId,
      reason: 'party-named-by-basis',
      holders: holdersOf(holders),
      partyId: refused,
      decidedOn,
    };
    const options = { key: `open-${accountId}`, ...step };
    return this.tell('opening abandoned', `account-${accountId}`, 'AccountOpeningAbandoned', data, options);
  }

  /** A registered party and its open account. */
  account(accountId: string, partyId: string): this {
    return this.party(partyId).attach(accountId, partyId).opened(accountId, [partyId]);
  }

  deposit(amount: string, step: Step = {}, depositId = `d-${String(this.log.events.length)}`): this {
    const data = { accountId: 'a-1', depositId, asset: 'BTC', amount, source: BANK };
    return this.tell(depositId, 'account-a-1', 'FundsDeposited', data, step);
  }

  /** A deposit under a credit freeze. */
  hold(amount: string, step: Step = {}): this {
    const depositId = `d-${String(this.log.events.length)}`;
    const data = { accountId: 'a-1', depositId, asset: 'BTC', amount, source: BANK };
    return this.tell(depositId, 'account-a-1', 'FundsHeld', data, step);
  }

  /** In the append of the lift of this key's freeze, unless the step says otherwise. */
  release(key: string, amount: string, step: Step = {}): this {
    const freezeId = this.event(`authorised ${key}`).id;
    const { recordedAt } = this.event(`lifted ${key}`).metadata;
    const data = { accountId: 'a-1', asset: 'BTC', amount, freezeId };
    const options = { actor: SUPERVISOR, key: null, recordedAt, ...step };
    return this.tell(`released ${key}`, 'account-a-1', 'HeldFundsReleased', data, options);
  }

  /** @param assets that the account ever had to do with */
  close(assets: readonly string[], step: Step = {}, accountId = 'a-1'): this {
    const opened = this.event(`opened ${accountId}`);
    const { holders } = opened.data as Data;
    const data = { accountId, reason: 'asked', holders, openedAt: opened.metadata.recordedAt, assets };
    return this.tell('closed', `account-${accountId}`, 'AccountClosed', data, step);
  }

  /** From a-1 to a-2, unless told otherwise. */
  send(transferId: string, amount: string, step: Step = {}): this {
    const data = { accountId: 'a-1', to: 'a-2', transferId, asset: 'BTC', amount };
    return this.tell(transferId, 'account-a-1', 'TransferSent', data, step);
  }

  receive(transferId: string, step: Step = {}): this {
    const data = this.#incoming(transferId);
    return this.#unasked(`received ${transferId}`, `account-${data.accountId}`, 'TransferReceived', data, step);
  }

  refuseTransfer(transferId: string, reason: string, step: Step = {}): this {
    const data = { ...this.#incoming(transferId), reason };
    return this.#unasked(`refused ${transferId}`, `account-${data.accountId}`, 'TransferRefused', data, step);
  }

  /** @param cited name of the event that is said to have refused it */
  sendBack(transferId: string, cited = `refused ${transferId}`, step: Step = {}): this {
    const sent = this.event(transferId).data as Data;
    const data = { ...sent, reason: 'closed', citation: pointerTo(this.event(cited)) };
    return this.#unasked(`returned ${transferId}`, 'account-a-1', 'TransferReturned', data, step);
  }

  #incoming(transferId: string): Data & { readonly accountId: string } {
    const sent = this.event(transferId);
    const { accountId: from, to, asset, amount } = sent.data as Data;
    const accountId = String(to);
    return { accountId, from, transferId, asset, amount, citation: pointerTo(sent) };
  }

  /**
   * @param taken of the deposit; the rest is a shortfall
   * @param takenFromHeld the part of `taken` that was held
   */
  reverse(depositName: string, taken: string, step: Step = {}, takenFromHeld = '0'): this {
    const deposit = this.event(depositName);
    const data = {
      ...(deposit.data as Data),
      depositedAt: deposit.metadata.recordedAt,
      citation: pointerTo(deposit),
      cause: 'reorganisation',
      reason: 'orphaned',
      taken,
      takenFromHeld,
      shortfall: String(BigInt((deposit.data as { amount: string }).amount) - BigInt(taken)),
    };
    return this.tell(`reversed ${depositName}`, 'account-a-1', 'DepositReversed', data, step);
  }

  reserve(withdrawalId: string, amount: string, step: Step = {}): this {
    this.log.wait(1000);
    const reservedAt = this.log.now;
    const data = { accountId: 'a-1', withdrawalId, asset: 'BTC', amount, destination: BANK, reservedAt };
    return this.tell(withdrawalId, 'account-a-1', 'WithdrawalReserved', data, { recordedAt: reservedAt, ...step });
  }

  /** A later step of a withdrawal, which says again what was reserved. */
  step(type: string, withdrawalId: string, step: Step = {}): this {
    const extra = type === 'WithdrawalCancelled' ? { reason: 'changed plans' } : { reference: 'tx-1' };
    const data = { ...(this.event(withdrawalId).data as Data), ...extra };
    return this.tell(`${type} ${withdrawalId}`, 'account-a-1', type, data, step);
  }

  order(orderId: string, subjects: readonly Data[] = [{ kind: 'account', accountId: 'a-1' }], step: Step = {}): this {
    const data = {
      orderId,
      kind: 'freezing-order',
      effect: 'restrain',
      authority: { name: 'High Court of Justice', jurisdiction: 'GB-EAW' },
      caseReference: 'CL-2022-000123',
      statute: 'Senior Courts Act 1981 s.37',
      subjects,
      scope: ALL,
      issuedAt: PAST,
      receivedAt: PAST,
      effectiveAt: PAST,
      expiresAt: FAR,
      documentSha256: HASH,
      registeredBy: 'maker',
    };
    return this.tell(orderId, `legalOrder-${orderId}`, 'LegalOrderRegistered', data, { actor: 'maker', ...step });
  }

  verify(orderId: string, step: Step = {}): this {
    const data = { orderId, method: 'called the court', verifiedBy: 'checker' };
    const options = { actor: 'checker', ...step };
    return this.tell(`verified ${orderId}`, `legalOrder-${orderId}`, 'LegalOrderVerified', data, options);
  }

  reject(orderId: string, step: Step = {}): this {
    const data = { orderId, reason: 'not genuine', rejectedBy: 'checker' };
    const options = { actor: 'checker', ...step };
    return this.tell(`rejected ${orderId}`, `legalOrder-${orderId}`, 'LegalOrderRejected', data, options);
  }

  propose(orderId: string, changeId = 'ch-1', step: Step = {}): this {
    const how = { kind: 'ending', how: 'discharged', documentSha256: HASH, issuedAt: PAST, reference: 'r' };
    const data = { orderId, changeId, ...how, proposedBy: 'maker' };
    const options = { actor: 'maker', ...step };
    return this.tell(changeId, `legalOrder-${orderId}`, 'LegalOrderChangeProposed', data, options);
  }

  proposeExtension(orderId: string, expiresAt: string, changeId = 'ext-1', step: Step = {}): this {
    const what = { kind: 'extension', expiresAt, documentSha256: HASH, issuedAt: PAST, reference: 'r' };
    const data = { orderId, changeId, ...what, proposedBy: 'maker' };
    const options = { actor: 'maker', ...step };
    return this.tell(changeId, `legalOrder-${orderId}`, 'LegalOrderChangeProposed', data, options);
  }

  extend(orderId: string, expiresAt: string, changeId = 'ext-1', step: Step = {}): this {
    const data = { orderId, changeId, expiresAt, method: 'called', proposedBy: 'maker', verifiedBy: 'checker' };
    const options = { actor: 'checker', ...step };
    return this.tell(`extended ${orderId}`, `legalOrder-${orderId}`, 'LegalOrderExtended', data, options);
  }

  /** Proposed and verified: the order says this from here on. */
  vary(orderId: string, what: Data, changeId = 'var-1', step: Step = {}): this {
    const document = { kind: 'variation', documentSha256: HASH, issuedAt: PAST, reference: 'r' };
    const proposal = { orderId, changeId, ...document, ...what, proposedBy: 'maker' };
    const stream = `legalOrder-${orderId}`;
    this.tell(changeId, stream, 'LegalOrderChangeProposed', proposal, { actor: 'maker' });
    const data = { orderId, changeId, ...what, method: 'called', proposedBy: 'maker', verifiedBy: 'checker' };
    return this.tell(`varied ${changeId}`, stream, 'LegalOrderVaried', data, { actor: 'checker', ...step });
  }

  rejectChange(orderId: string, changeId = 'ch-1', step: Step = {}): this {
    const data = { orderId, changeId, reason: 'no', rejectedBy: 'checker' };
    const options = { actor: 'checker', ...step };
    return this.tell(`rejected ${changeId}`, `legalOrder-${orderId}`, 'LegalOrderChangeRejected', data, options);
  }

  end(orderId: string, changeId = 'ch-1', step: Step = {}): this {
    const data = { orderId, changeId, how: 'discharged', method: 'called', proposedBy: 'maker', verifiedBy: 'checker' };
    const options = { actor: 'checker', ...step };
    return this.tell(`ended ${orderId}`, `legalOrder-${orderId}`, 'LegalOrderEnded', data, options);
  }

  expire(orderId: string, step: Step = {}): this {
    const { expiresAt } = this.event(orderId).data as Data;
    const data = { orderId, expiresAt };
    return this.#unasked(`ended ${orderId}`, `legalOrder-${orderId}`, 'LegalOrderExpired', data, step);
  }

  /** An address is linked to a party. */
  link(partyId: string, address = 'bc1q', step: Step = {}): this {
    const data = { partyId, chain: 'bitcoin', address, role: 'holder-controlled' };
    const name = address === 'bc1q' ? `linked ${partyId}` : `linked ${partyId} ${address}`;
    return this.tell(name, `party-${partyId}`, 'AddressLinked', data, step);
  }

  hit(hitId: string, subject: Data = { kind: 'party', partyId: 'p-1' }, step: Step = {}): this {
    const data = {
      hitId,
      list: { id: 'list', version: '1', sha256: HASH },
      entry: { uid: '1', sha256: HASH, name: 'X', programmes: ['P'], measure: 'asset-freeze' },
      subject,
      route: 'direct',
      match: { field: 'name', value: 'X', algorithm: 'exact', algorithmVersion: '1', score: 1, explanation: 'same' },
      raisedBy: 'maker',
    };
    return this.tell(hitId, `sanctionsHit-${hitId}`, 'SanctionsHitRaised', data, { actor: 'maker', ...step });
  }

  confirm(hitId: string, step: Step = {}): this {
    const data = { hitId, confirmedBy: 'checker' };
    const options = { actor: 'checker', ...step };
    return this.tell(`verified ${hitId}`, `sanctionsHit-${hitId}`, 'SanctionsHitConfirmed', data, options);
  }

  dismiss(hitId: string, step: Step = {}): this {
    const data = { hitId, reason: 'a namesake', dismissedBy: 'checker' };
    const options = { actor: 'checker', ...step };
    return this.tell(`dismissed ${hitId}`, `sanctionsHit-${hitId}`, 'SanctionsHitDismissed', data, options);
  }

  proposeClearance(hitId: string, clearanceId = 'cl-1', step: Step = {}): this {
    const authority = { kind: 'report', reference: 'r' };
    const data = { hitId, clearanceId, cause: 'delisted', authority, proposedBy: 'maker' };
    const options = { actor: 'maker', ...step };
    return this.tell(clearanceId, `sanctionsHit-${hitId}`, 'ClearanceProposed', data, options);
  }

  rejectClearance(hitId: string, clearanceId = 'cl-1', step: Step = {}): this {
    const data = { hitId, clearanceId, reason: 'no', rejectedBy: 'checker' };
    const options = { actor: 'checker', ...step };
    return this.tell(`rejected ${clearanceId}`, `sanctionsHit-${hitId}`, 'ClearanceRejected', data, options);
  }

  clear(hitId: string, clearanceId = 'cl-1', step: Step = {}): this {
    const data = { hitId, clearanceId, cause: 'delisted', proposedBy: 'maker', approvedBy: 'checker' };
    const options = { actor: 'checker', ...step };
    return this.tell(`ended ${hitId}`, `sanctionsHit-${hitId}`, 'SanctionsHitCleared', data, options);
  }

  /** First half of a freeze of a-1, through p-1. */
  authoriseByHit(hitId: string, key: string, step: Step = {}): this {
    const tie = { namedBy: pointerTo(this.event('attached a-1 p-1')), partyId: 'p-1' };
    const data = { hitId, accountId: 'a-1', scope: ALL, ...tie, requestedBy: 'maker' };
    const own = { caller: 'maker', homeStream: 'account-a-1', value: key };
    const options = { actor: 'maker', key: own, ...step };
    return this.tell(`authorised ${key}`, `sanctionsHit-${hitId}`, 'FreezeAuthorised', data, options);
  }

  authorise(orderId: string, key: string, step: Step = {}): this {
    const data = {
      orderId,
      accountId: 'a-1',
      scope: (this.event(orderId).data as Data)['scope'],
      ...('claimGroup' in (this.event(orderId).data as Data)
        ? { claimGroup: (this.event(orderId).data as Data)['claimGroup'] }
        : {}),
      namedBy: pointerTo(this.event(orderId)),
      requestedBy: 'maker',
    };
    const own = { caller: 'maker', homeStream: 'account-a-1', value: key };
    const options = { actor: 'maker', key: own, ...step };
    return this.tell(`authorised ${key}`, `legalOrder-${orderId}`, 'FreezeAuthorised', data, options);
  }

  /** What a variation makes of the freeze of a key is authorised in the place of what it rests on. */
  authoriseAnew(orderId: string, key: string, replaced: string, step: Step = {}): this {
    const before = this.event(`authorised ${replaced}`);
    const data = { ...(before.data as Data), replaces: pointerTo(before) };
    return this.#unasked(`authorised ${key}`, `legalOrder-${orderId}`, 'FreezeAuthorised', data, step);
  }

  /** The freeze of a key rests on an authorisation in the place of another from here on. */
  varyFreeze(orderId: string, freeze: string, key: string, replaced: string, step: Step = {}): this {
    const authorised = this.event(`authorised ${key}`);
    const data = {
      accountId: 'a-1',
      freezeId: this.event(`authorised ${freeze}`).id,
      basis: this.#basis(orderId),
      citation: pointerTo(authorised),
      replaces: pointerTo(this.event(`authorised ${replaced}`)),
      scope: (authorised.data as Data)['scope'],
      stopped: [],
      inFlight: [],
    };
    return this.#unasked(`varied ${key}`, 'account-a-1', 'FreezeVaried', data, step);
  }

  /** Second half of a freeze: cites the authorisation of the same key. */
  freeze(orderId: string, key: string, step: Step & { stopped?: readonly string[] } = {}): this {
    const { stopped = [], ...rest } = step;
    const authorised = this.event(`authorised ${key}`);
    const own = { caller: 'maker', homeStream: 'account-a-1', value: key };
    const data = {
      accountId: 'a-1',
      freezeId: authorised.id,
      basis: this.#basis(orderId),
      citation: pointerTo(authorised),
      scope: (authorised.data as Data)['scope'],
      claimGroup: (authorised.data as Data)['claimGroup'] ?? ownGroup(this.#basis(orderId)),
      placedBy: 'maker',
      blockedFrom: PAST,
      balancesAtFreeze: this.#balances(),
      stopped,
      inFlight: [],
    };
    const options = { actor: 'maker', key: own, schemaVersion: 2, ...rest };
    this.tell(`frozen ${key}`, 'account-a-1', 'AccountFrozen', data, options);
    const { recordedAt } = this.event(`frozen ${key}`).metadata;
    for (const withdrawalId of stopped) this.stop(withdrawalId, key, { actor: 'maker', recordedAt });
    return this;
  }

  stop(withdrawalId: string, key: string, step: Step = {}): this {
    const { asset, amount } = this.event(withdrawalId).data as Data;
    const freezeId = this.event(`authorised ${key}`).id;
    const data = { accountId: 'a-1', withdrawalId, asset, amount, freezeId };
    return this.tell(`stopped ${withdrawalId}`, 'account-a-1', 'WithdrawalStopped', data, { key: null, ...step });
  }

  /** @param existing key of the freeze that is in force already */
  abandonAsFrozen(orderId: string, key: string, existing: string): this {
    const existingFreezeId = this.event(`authorised ${existing}`).id;
    return this.abandon(orderId, key, 'already-frozen', { but: { existingFreezeId } });
  }

  abandon(orderId: string, key: string, reason: string, step: Step = {}): this {
    const authorised = this.event(`authorised ${key}`);
    const own = { caller: 'maker', homeStream: 'account-a-1', value: key };
    const data = {
      accountId: 'a-1',
      freezeId: authorised.id,
      basis: this.#basis(orderId),
      citation: pointerTo(authorised),
      reason,
    };
    const options = { actor: SUPERVISOR, key: reason === 'key-used' ? null : own, ...step };
    return this.tell(`abandoned ${key}`, 'account-a-1', 'FreezeAbandoned', data, options);
  }

  /** A command turned away because of the freezes of these keys. */
  refuseFrozen(keys: readonly string[], step: Step = {}): this {
    const freezeIds = keys.map((key) => this.event(`authorised ${key}`).id);
    const data = { command: 'ReserveWithdrawal', extra: { freezeIds } };
    return this.refuse('account-a-1', 'account-frozen', { ...step, but: { ...data, ...step.but } });
  }

  requestLift(key: string, requestId = 'lift-1', step: Step = {}): this {
    const freezeId = this.event(`authorised ${key}`).id;
    const what = { ground: 'placed-in-error', note: 'wrong account', requestedBy: 'maker' };
    const data = { accountId: 'a-1', freezeId, requestId, ...what };
    return this.tell(requestId, 'account-a-1', 'LiftRequested', data, { actor: 'maker', ...step });
  }

  rejectLift(key: string, requestId = 'lift-1', step: Step = {}): this {
    const freezeId = this.event(`authorised ${key}`).id;
    const citation = pointerTo(this.event(requestId));
    const data = { accountId: 'a-1', freezeId, requestId, citation, reason: 'no error', rejectedBy: 'checker' };
    return this.tell(`rejected ${requestId}`, 'account-a-1', 'LiftRejected', data, { actor: 'checker', ...step });
  }

  approveLift(key: string, requestId = 'lift-1', step: Step = {}): this {
    const freezeId = this.event(`authorised ${key}`).id;
    const citation = pointerTo(this.event(requestId));
    const who = { requestedBy: 'maker', approvedBy: 'checker' };
    const data = { accountId: 'a-1', freezeId, ground: 'placed-in-error', citation, requestId, ...who };
    return this.tell(`lifted ${key}`, 'account-a-1', 'AccountUnfrozen', data, { actor: 'checker', ...step });
  }

  /** The supervisor lifts a freeze whose basis has ended. */
  lift(orderId: string, key: string, step: Step = {}): this {
    const end = this.event(`ended ${orderId}`);
    const isExpiry = end.type === 'LegalOrderExpired';
    const data = {
      accountId: 'a-1',
      freezeId: this.event(`authorised ${key}`).id,
      ground: 'basis-ended',
      citation: pointerTo(end),
      requestedBy: isExpiry ? SUPERVISOR : 'maker',
      approvedBy: isExpiry ? SUPERVISOR : 'checker',
    };
    return this.#unasked(`lifted ${key}`, 'account-a-1', 'AccountUnfrozen', data, step);
  }

  /** The supervisor lifts a freeze that a variation ended. */
  liftByVariation(key: string, changeId = 'var-1', step: Step = {}): this {
    const people = { requestedBy: 'maker', approvedBy: 'checker' };
    const freezeId = this.event(`authorised ${key}`).id;
    const citation = pointerTo(this.event(`varied ${changeId}`));
    const data = { accountId: 'a-1', freezeId, ground: 'basis-varied', citation, ...people };
    return this.#unasked(`lifted ${key}`, 'account-a-1', 'AccountUnfrozen', data, step);
  }

  name(orderId: string, partyId: string, step: Step = {}): this {
    const citation = pointerTo(this.event(`verified ${orderId}`));
    const data = { partyId, basis: this.#basis(orderId), citation };
    return this.#unasked(`named ${partyId}`, `party-${partyId}`, 'PartyNamed', data, step);
  }

  /** @param end name of the event that is said to have ended the basis */
  unname(orderId: string, partyId: string, end = `ended ${orderId}`, step: Step = {}): this {
    const data = { partyId, basis: this.#basis(orderId), citation: pointerTo(this.event(end)) };
    return this.#unasked(`unnamed ${partyId}`, `party-${partyId}`, 'PartyNoLongerNamed', data, step);
  }

  /** A letter of an authority. */
  letter(requestId = 'req-1', step: Step = {}): this {
    const data = {
      requestId,
      kind: 'disclosure',
      authority: { name: 'Ministry', jurisdiction: 'UA' },
      reference: 'r',
      subject: 'the holders of some addresses',
      receivedAt: PAST,
      documentSha256: HASH,
      registeredBy: 'maker',
    };
    const options = { actor: 'maker', ...step };
    return this.tell(requestId, `authorityRequest-${requestId}`, 'AuthorityRequestRegistered', data, options);
  }

  answer(requestId = 'req-1', step: Step = {}): this {
    const data = { requestId, outcome: 'refused', reason: 'no instrument', answeredBy: 'checker' };
    const options = { actor: 'checker', ...step };
    return this.tell(
      `answered ${requestId}`,
      `authorityRequest-${requestId}`,
      'AuthorityRequestAnswered',
      data,
      options,
    );
  }

  refuse(stream: string, code: string, step: Step = {}): this {
    const data = { command: 'FreezeAccount', code, detail: 'No.', extra: {}, request: {}, decidedOn: null };
    return this.tell(`refused ${code}`, stream, 'CommandRefused', data, { actor: 'maker', ...step });
  }

  #unasked(name: string, stream: string, type: string, data: Data, step: Step): this {
    return this.tell(name, stream, type, data, { actor: SUPERVISOR, key: null, ...step });
  }

  /** A basis by its id: what was told as a hit is one. */
  #basis(id: string): Data {
    const kind = this.event(id).type === 'SanctionsHitRaised' ? 'sanctions-hit' : 'legal-order';
    return { kind, id };
  }

  #length(stream: string): number {
    return this.log.events.filter((event) => event.stream === stream).length;
  }

  /** Balances of a-1 in BTC as the steps so far left them. */
  #balances(): Data[] {
    let available = 0n;
    let reserved = 0n;
    let held = 0n;
    for (const { stream, type, data } of this.log.events) {
      if (stream !== 'account-a-1' || !('amount' in (data as Data))) continue;
      const amount = BigInt((data as { amount: string }).amount);
      if (type === 'FundsDeposited' || type === 'HeldFundsReleased') available += amount;
      if (type === 'FundsHeld') held += amount;
      if (type === 'HeldFundsReleased') held -= amount;
      if (type === 'DepositReversed') available -= BigInt((data as { taken: string }).taken);
      if (type === 'WithdrawalReserved' || type === 'WithdrawalSettled') reserved -= amount;
      if (type === 'WithdrawalReserved') {
        available -= amount;
        reserved += amount + amount;
      }
      if (type === 'WithdrawalCancelled' || type === 'WithdrawalStopped') {
        available += amount;
        reserved -= amount;
      }
    }
    if (available + reserved + held === 0n) return [];
    return [{ asset: 'BTC', available: String(available), reserved: String(reserved), held: String(held) }];
  }
}

export function holdersOf(partyIds: readonly string[]): Data[] {
  return partyIds.map((partyId) => ({ partyId, capacity: 'owner' }));
}
