import { describe, expect, it } from '@jest/globals';
import { pointerTo, sha256Hex, type DomainEvent, type RecordedEvent } from '#kernel';
import { checkLog, describeBreaches, type CheckLogOptions, type InvariantBreach } from './invariants.ts';
import { LogBuilder, type AppendOptions, type Forgery } from './log-builder.ts';

const SUPERVISOR = 'system:supervisor';
const HASH = sha256Hex('document');
const BANK = { kind: 'bank', reference: 'ref-1' };
const FAR = '2030-01-01T00:00:00.000Z';
const PAST = '2022-02-01T00:00:00.000Z';
const ALL = { direction: 'debit', assets: 'all' } as const;
const BTC_ONLY = { direction: 'debit', assets: ['BTC'] } as const;

type Data = Record<string, unknown>;
interface Step extends AppendOptions {
  /** Members of the data that differ from what is right. */
  readonly but?: Data;
  readonly forged?: Forgery;
}

/** Tells the story of a ledger as events: each step is right unless its `but` says otherwise. */
class Story {
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

  openingAbandoned(accountId: string, partyId: string, step: Step = {}): this {
    const decidedOn = { stream: `party-${partyId}`, revision: String(this.#length(`party-${partyId}`) - 1) };
    const data = {
      accountId,
      reason: 'party-named-by-basis',
      holders: holdersOf(['p-1', partyId]),
      partyId,
      decidedOn,
    };
    const options = { key: `open-${accountId}`, ...step };
    return this.tell('opening abandoned', `account-${accountId}`, 'AccountOpeningAbandoned', data, options);
  }

  /** A registered party and its open account. */
  account(accountId: string, partyId: string): this {
    return this.party(partyId).attach(accountId, partyId).opened(accountId, [partyId]);
  }

  deposit(amount: string, step: Step = {}): this {
    const depositId = `d-${String(this.log.events.length)}`;
    const data = { accountId: 'a-1', depositId, asset: 'BTC', amount, source: BANK };
    return this.tell(depositId, 'account-a-1', 'FundsDeposited', data, step);
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

  authorise(orderId: string, key: string, step: Step = {}): this {
    const data = {
      orderId,
      accountId: 'a-1',
      scope: (this.event(orderId).data as Data)['scope'],
      namedBy: pointerTo(this.event(orderId)),
      requestedBy: 'maker',
    };
    const own = { caller: 'maker', homeStream: 'account-a-1', value: key };
    const options = { actor: 'maker', key: own, ...step };
    return this.tell(`authorised ${key}`, `legalOrder-${orderId}`, 'FreezeAuthorised', data, options);
  }

  /** Second half of a freeze: cites the authorisation of the same key. */
  freeze(orderId: string, key: string, step: Step & { stopped?: readonly string[] } = {}): this {
    const { stopped = [], ...rest } = step;
    const authorised = this.event(`authorised ${key}`);
    const own = { caller: 'maker', homeStream: 'account-a-1', value: key };
    const data = {
      accountId: 'a-1',
      freezeId: authorised.id,
      basis: { kind: 'legal-order', id: orderId },
      citation: pointerTo(authorised),
      scope: (authorised.data as Data)['scope'],
      placedBy: 'maker',
      blockedFrom: PAST,
      balancesAtFreeze: this.#balances(),
      stopped,
      inFlight: [],
    };
    this.tell(`frozen ${key}`, 'account-a-1', 'AccountFrozen', data, { actor: 'maker', key: own, ...rest });
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

  abandon(orderId: string, key: string, reason: string, step: Step = {}): this {
    const authorised = this.event(`authorised ${key}`);
    const own = { caller: 'maker', homeStream: 'account-a-1', value: key };
    const data = {
      accountId: 'a-1',
      freezeId: authorised.id,
      basis: { kind: 'legal-order', id: orderId },
      citation: pointerTo(authorised),
      reason,
    };
    const options = { actor: SUPERVISOR, key: reason === 'key-used' ? null : own, ...step };
    return this.tell(`abandoned ${key}`, 'account-a-1', 'FreezeAbandoned', data, options);
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

  name(orderId: string, partyId: string, step: Step = {}): this {
    const citation = pointerTo(this.event(`verified ${orderId}`));
    const data = { partyId, basis: { kind: 'legal-order', id: orderId }, citation };
    return this.#unasked(`named ${partyId}`, `party-${partyId}`, 'PartyNamed', data, step);
  }

  unname(orderId: string, partyId: string, step: Step = {}): this {
    const citation = pointerTo(this.event(`ended ${orderId}`));
    const data = { partyId, basis: { kind: 'legal-order', id: orderId }, citation };
    return this.#unasked(`unnamed ${partyId}`, `party-${partyId}`, 'PartyNoLongerNamed', data, step);
  }

  refuse(stream: string, code: string, step: Step = {}): this {
    const data = { command: 'FreezeAccount', code, detail: 'No.', extra: {}, request: {}, decidedOn: null };
    return this.tell(`refused ${code}`, stream, 'CommandRefused', data, { actor: 'maker', ...step });
  }

  #unasked(name: string, stream: string, type: string, data: Data, step: Step): this {
    return this.tell(name, stream, type, data, { actor: SUPERVISOR, key: null, ...step });
  }

  #length(stream: string): number {
    return this.log.events.filter((event) => event.stream === stream).length;
  }

  /** Balances of a-1 in BTC as the steps so far left them. */
  #balances(): Data[] {
    let available = 0n;
    let reserved = 0n;
    for (const { stream, type, data } of this.log.events) {
      if (stream !== 'account-a-1' || !('amount' in (data as Data))) continue;
      const amount = BigInt((data as { amount: string }).amount);
      if (type === 'FundsDeposited') available += amount;
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
    if (available + reserved === 0n) return [];
    return [{ asset: 'BTC', available: String(available), reserved: String(reserved), held: '0' }];
  }
}

function holdersOf(partyIds: readonly string[]): Data[] {
  return partyIds.map((partyId) => ({ partyId, capacity: 'owner' }));
}

/** BTC, the party p-1 and its open account a-1. */
const start = (): Story => new Story().asset('BTC').account('a-1', 'p-1');
/** That, and an order ord-1 in force that names the account. */
const ordered = (): Story => start().order('ord-1').verify('ord-1');
/** That, and the account frozen under it. */
const frozen = (): Story => ordered().deposit('100').authorise('ord-1', 'k').freeze('ord-1', 'k');

const BY_PARTY = [{ kind: 'party', partyId: 'p-1' }];
/** An order in force that names the party, and the party carrying its name. */
const named = (): Story => start().order('ord-1', BY_PARTY).verify('ord-1').name('ord-1', 'p-1');
/** The way in which a freeze is authorised through a party. */
const viaParty = (story: Story): Data => ({ partyId: 'p-1', namedBy: pointerTo(story.event('attached a-1 p-1')) });

function check(story: Story, options?: CheckLogOptions): readonly InvariantBreach[] {
  return checkLog(story.log.events, options);
}

describe('checkLog passes', () => {
  const stories: Record<string, () => Story> = {
    'an empty log': () => new Story(),
    'money coming in and going out': () =>
      start()
        .deposit('100')
        .reserve('w-1', '30')
        .step('WithdrawalDispatched', 'w-1')
        .step('WithdrawalSettled', 'w-1')
        .reserve('w-2', '70')
        .step('WithdrawalCancelled', 'w-2')
        .reserve('w-3', '70')
        .step('WithdrawalDispatched', 'w-3')
        .step('WithdrawalCancelled', 'w-3'),
    'a freeze that stops a withdrawal, lets another settle, takes a deposit, and ends with its order': () =>
      ordered()
        .deposit('100')
        .reserve('w-1', '30')
        .reserve('w-2', '20')
        .step('WithdrawalDispatched', 'w-2')
        .authorise('ord-1', 'k')
        .freeze('ord-1', 'k', { stopped: ['w-1'], but: { inFlight: ['w-2'] } })
        .refuse('account-a-1', 'account-frozen', {
          but: { extra: { freezeIds: ['00000000-0000-7000-8000-00000000000d'] } },
        })
        .deposit('5')
        .step('WithdrawalSettled', 'w-2')
        .propose('ord-1')
        .end('ord-1')
        .lift('ord-1', 'k')
        .reserve('w-3', '85'),
    'a freeze of one asset that leaves the others alone': () =>
      start()
        .asset('ETH')
        .order('ord-1', undefined, { but: { scope: BTC_ONLY } })
        .verify('ord-1')
        .deposit('7')
        .deposit('9', { but: { asset: 'ETH' } })
        .authorise('ord-1', 'k')
        .freeze('ord-1', 'k', {
          but: {
            balancesAtFreeze: [
              { asset: 'BTC', available: '7', reserved: '0', held: '0' },
              { asset: 'ETH', available: '9', reserved: '0', held: '0' },
            ],
          },
        })
        .reserve('w-1', '9', { but: { asset: 'ETH' } }),
    'a freeze narrower than its order, through a party': () => {
      const story = named();
      return story.authorise('ord-1', 'k', { but: { ...viaParty(story), scope: BTC_ONLY } }).freeze('ord-1', 'k');
    },
    'a freeze lifted as placed in error, at the second request': () =>
      frozen()
        .requestLift('k')
        .rejectLift('k')
        .requestLift('k', 'lift-2')
        .approveLift('k', 'lift-2')
        .reserve('w-1', '1'),
    'freezes of two orders, stacked': () =>
      frozen()
        .order('ord-2')
        .verify('ord-2')
        .authorise('ord-2', 'k-2')
        .freeze('ord-2', 'k-2')
        .propose('ord-1')
        .end('ord-1')
        .lift('ord-1', 'k')
        .refuse('account-a-1', 'account-frozen', {
          but: { extra: { freezeIds: ['00000000-0000-7000-8000-00000000000c'] } },
        }),
    'a freeze that a handler places after the end of its basis, and the supervisor lifts': () =>
      ordered().authorise('ord-1', 'k').propose('ord-1').end('ord-1').freeze('ord-1', 'k').lift('ord-1', 'k'),
    'a proposed ending that is rejected, and a freeze after it': () =>
      ordered().propose('ord-1').rejectChange('ord-1').authorise('ord-1', 'k').freeze('ord-1', 'k'),
    'authorisations abandoned, each for its reason': () =>
      frozen()
        .authorise('ord-1', 'k-2')
        .abandon('ord-1', 'k-2', 'already-frozen', {
          but: { existingFreezeId: '00000000-0000-7000-8000-000000000009' },
        })
        .authorise('ord-1', 'k-3')
        .order('ord-2')
        .verify('ord-2')
        .authorise('ord-2', 'k-4')
        .refuse('account-a-1', 'account-frozen', {
          key: 'k-4',
          but: { extra: { freezeIds: ['00000000-0000-7000-8000-000000000009'] } },
        })
        .abandon('ord-2', 'k-4', 'key-used')
        .propose('ord-1')
        .end('ord-1')
        .abandon('ord-1', 'k-3', 'basis-ended')
        .lift('ord-1', 'k'),
    'an order that expires, with its freeze and the name on the party': () => {
      const story = start()
        .order('ord-1', BY_PARTY, { but: { expiresAt: '2022-03-02T00:00:00.000Z' } })
        .verify('ord-1');
      return story
        .name('ord-1', 'p-1')
        .authorise('ord-1', 'k', { but: viaParty(story) })
        .freeze('ord-1', 'k')
        .tell('', 'asset-ETH', 'AssetRegistered', { code: 'ETH', scale: 18, kind: 'crypto' }, {})
        .pause(86_400_000)
        .expire('ord-1')
        .lift('ord-1', 'k')
        .unname('ord-1', 'p-1');
    },
    'an opening that comes to nothing because its second holder is named': () =>
      named()
        .party('p-2')
        .attach('a-2', 'p-2', ['p-2', 'p-1'])
        .openingAbandoned('a-2', 'p-1', {
          but: { holders: holdersOf(['p-2', 'p-1']) },
        })
        .detach('a-2', 'p-2'),
    'an opening whose id another key took': () =>
      start()
        .party('p-2')
        .attach('a-1', 'p-2', ['p-2'], 'late')
        .tell(
          '',
          'account-a-1',
          'AccountOpeningAbandoned',
          {
            accountId: 'a-1',
            reason: 'already-exists',
            holders: holdersOf(['p-2']),
            decidedOn: null,
          },
          { key: 'late' },
        )
        .detach('a-1', 'p-2', 'late'),
    'an attachment that never became a holding: its freeze is abandoned': () => {
      const story = named()
        .party('p-2')
        .order('ord-2', [{ kind: 'party', partyId: 'p-2' }]);
      story.attach('a-1', 'p-2', ['p-2'], 'late').verify('ord-2').name('ord-2', 'p-2');
      return story
        .authorise('ord-2', 'k', { but: { partyId: 'p-2', namedBy: pointerTo(story.event('attached a-1 p-2')) } })
        .tell(
          '',
          'account-a-1',
          'AccountOpeningAbandoned',
          {
            accountId: 'a-1',
            reason: 'already-exists',
            holders: holdersOf(['p-2']),
            decidedOn: null,
          },
          { key: 'late', actor: SUPERVISOR, but: {} },
        )
        .abandon('ord-2', 'k', 'not-a-holder')
        .detach('a-1', 'p-2', 'late');
    },
  };
  it.each(Object.keys(stories))('%s', (name) => {
    const story = stories[name]?.() ?? new Story();
    expect(describeBreaches(check(story, { quiescent: true }), story.log.events)).toBe('');
  });
});
