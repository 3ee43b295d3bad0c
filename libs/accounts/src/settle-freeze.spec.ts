import { describe, expect, it } from '@jest/globals';
import { MAX_APPEND_BYTES, MAX_APPEND_EVENTS } from '#event-store';
import { MAX_OPEN_WITHDRAWALS, restrictions, type AbandonReason } from '#freezes';
import { eventHash, SUPERVISOR, type Actor, type Basis, type Recorded, type Scope, type SealedEvent } from '#kernel';
import type { FreezeAuthorised } from '#legal-orders';
import { arbitraryScope, specEventId, specPointer } from '#testing';
import fc from 'fast-check';
import { checkAccount } from './check.ts';
import type { AccountEvent } from './events.ts';
import { gate } from './gate.ts';
import { MAX_HELD_ASSETS } from './limits.ts';
import { liftByBasis, settleFreeze, type FreezeSettlement } from './settle-freeze.ts';
import { evolveAccount, initialAccountState, type AccountState } from './state.ts';

const now = '2022-04-06T12:00:00.000Z';
const basis: Basis = { kind: 'legal-order', id: 'ord-1' };
const order = 'legalOrder-ord-1';

function recorded<Event>(event: Event, stream: string, revision: number): Event & Omit<SealedEvent, 'type' | 'data'> {
  const actor = { id: 'ops-1', roles: [] };
  const nulls = { causationId: null, key: null, commandHash: null, previousHash: null };
  const metadata = { actor, correlationId: 'c', recordedAt: now, hash: '', ...nulls };
  const placed = { id: specEventId(revision), schemaVersion: 1, metadata, stream, revision, position: '' };
  return { ...event, ...placed };
}

function authorised(scope: Scope, changed: Partial<FreezeAuthorised['data']> = {}): Recorded<FreezeAuthorised> {
  const namedBy = specPointer(order, 0);
  const data = { orderId: 'ord-1', accountId: 'acc-1', scope, namedBy, requestedBy: 'ops-1', ...changed };
  return recorded({ type: 'FreezeAuthorised', data } as const, order, 2) as Recorded<FreezeAuthorised>;
}

/** Folds what is legal; whatever is not fails the specification. */
function after(state: AccountState, events: readonly AccountEvent[], accountId = 'acc-1'): AccountState {
  return events.reduce((before, event, revision) => {
    const next = recorded(event, `account-${accountId}`, revision) as Recorded<AccountEvent>;
    expect(checkAccount(before, next)).toBeUndefined();
    return evolveAccount(before, next);
  }, state);
}

const opened: AccountEvent = {
  type: 'AccountOpened',
  data: { accountId: 'acc-1', holders: [{ partyId: 'p-1', capacity: 'owner' }] },
};
const source = { kind: 'bank', reference: 'ref' } as const;
function deposited(asset: string): AccountEvent {
  return {
    type: 'FundsDeposited',
    data: { accountId: 'acc-1', depositId: `d-${asset}`, asset, amount: '1000', source },
  };
}
function withdrawal(withdrawalId: string, asset: string) {
  const destination = { kind: 'bank' } as const;
  return { accountId: 'acc-1', withdrawalId, asset, amount: '10', destination, reservedAt: now };
}
function reserved(withdrawalId: string, asset: string): AccountEvent {
  return { type: 'WithdrawalReserved', data: withdrawal(withdrawalId, asset) };
}
function dispatched(withdrawalId: string, asset: string): AccountEvent {
  return { type: 'WithdrawalDispatched', data: { ...withdrawal(withdrawalId, asset), reference: 'tx' } };
}
/** Open withdrawals of two assets, some of them dispatched. */
function busyAccount(): AccountState {
  return after(initialAccountState(), [
    ...[opened, deposited('EUR'), deposited('BTC'), deposited('CHF')],
    ...[reserved('w-9', 'BTC'), reserved('w-2', 'EUR'), reserved('w-3', 'BTC'), reserved('w-1', 'BTC')],
    ...[reserved('w-4', 'EUR'), dispatched('w-3', 'BTC'), dispatched('w-4', 'EUR')],
  ]);
}

const everything: Scope = { direction: 'debit', assets: 'all' };
const bitcoin: Scope = { direction: 'debit', assets: ['BTC'] };

function settle(changed: Partial<FreezeSettlement> = {}): ReturnType<typeof settleFreeze> {
  return settleFreeze({
    authorisation: authorised(everything),
    basis,
    state: busyAccount(),
    opening: false,
    keyStands: false,
    basisEnded: false,
    lostBy: () => undefined,
    by: 'handler',
    now,
    ...changed,
  });
}
function eventsOf(settled: ReturnType<typeof settleFreeze>): readonly AccountEvent[] {
  return typeof settled === 'string' ? [] : settled.events;
}
function stopped(withdrawalId: string, asset: string): AccountEvent {
  const data = { accountId: 'acc-1', withdrawalId, asset, amount: '10', freezeId: specEventId(2) };
  return { type: 'WithdrawalStopped', data };
}

describe('the events of a freeze', () => {
  const frozen = {
    accountId: 'acc-1',
    freezeId: specEventId(2),
    basis,
    citation: specPointer(order, 2),
    scope: everything,
    claimGroup: 'legal-order/ord-1',
    placedBy: 'ops-1',
    blockedFrom: now,
    balancesAtFreeze: [
      { asset: 'BTC', available: '970', reserved: '30', held: '0' },
      { asset: 'CHF', available: '1000', reserved: '0', held: '0' },
      { asset: 'EUR', available: '980', reserved: '20', held: '0' },
    ],
    stopped: ['w-9', 'w-2', 'w-1'],
    inFlight: ['w-3', 'w-4'],
  };

  it('stop, in the order of reservation, all that is not dispatched (invariant 4)', () => {
    const stops = [stopped('w-9', 'BTC'), stopped('w-2', 'EUR'), stopped('w-1', 'BTC')];
    expect(settle()).toEqual({ events: [{ type: 'AccountFrozen', data: frozen }, ...stops], withKey: true });
  });

  it('leave alone what is out of scope', () => {
    const data = { ...frozen, scope: bitcoin, stopped: ['w-9', 'w-1'], inFlight: ['w-3'] };
    const events = [{ type: 'AccountFrozen', data }, stopped('w-9', 'BTC'), stopped('w-1', 'BTC')];
    expect(settle({ authorisation: authorised(bitcoin) })).toEqual({ events, withKey: true });
  });

  it('keep the legal time that was asked for', () => {
    const blockedFrom = '2022-04-05T00:00:00.000Z';
    const [event] = eventsOf(settle({ authorisation: authorised(everything, { blockedFrom }) }));
    expect(event).toEqual({ type: 'AccountFrozen', data: { ...frozen, blockedFrom } });
  });

  it('are legal one after the other, and leave only what is in flight', () => {
    const state = after(busyAccount(), eventsOf(settle()));
    expect([...state.openWithdrawals.keys()]).toEqual(['w-3', 'w-4']);
    expect(state.balances.get('BTC')).toEqual({ available: 990n, reserved: 10n, held: 0n });
    expect([...state.freezes.inForce.keys()]).toEqual([specEventId(2)]);
  });
});

describe('a freeze with limits', () => {
  const keep = (BTC: string): Scope => ({ direction: 'debit', assets: ['BTC', 'EUR'], limits: { BTC, EUR: '1' } });
  const stops = (scope: Scope): readonly string[] => {
    const [frozen] = eventsOf(settle({ authorisation: authorised(scope) }));
    return frozen?.type === 'AccountFrozen' ? frozen.data.stopped : ['nothing'];
  };

  // 970 BTC are available; w-9, w-3 and w-1 have 10 each, in this order, and w-3 is dispatched.
  it.each([
    ['970', []],
    ['971', ['w-1']],
    ['980', ['w-1']],
    ['981', ['w-1', 'w-9']],
    ['5000', ['w-1', 'w-9']],
  ])('stops whole withdrawals, the latest first, until %s can stay', (limit, stopped) => {
    expect(stops(keep(limit))).toEqual(stopped);
  });

  it('stops all of an asset of its scope that it does not limit', () => {
    expect(stops({ direction: 'debit', assets: 'all', limits: { BTC: '1' } })).toEqual(['w-2']);
  });

  it('adds to what other claims keep already, and not to what its own claim does', () => {
    const first = authorised(keep('970'), { claimGroup: 'claim-1' });
    const state = after(busyAccount(), eventsOf(settle({ authorisation: first })));
    const second = { ...authorised(keep('5')), id: specEventId(77), stream: 'legalOrder-ord-2' };
    const other = { basis: { kind: 'legal-order', id: 'ord-2' }, state } as const;
    const stopped = (claimGroup: string): unknown => {
      const authorisation = { ...second, data: { ...second.data, claimGroup } };
      return eventsOf(settle({ authorisation, ...other }))[0]?.data;
    };
    expect(stopped('claim-1')).toMatchObject({ stopped: [], claimGroup: 'claim-1' });
    expect(stopped('claim-2')).toMatchObject({ stopped: ['w-1'], claimGroup: 'claim-2' });
  });

  it('stops nothing when it is for credits', () => {
    expect(eventsOf(settle({ authorisation: authorised({ direction: 'credit', assets: 'all' }) }))).toMatchObject([
      { type: 'AccountFrozen', data: { stopped: [], inFlight: [] } },
    ]);
  });
});

describe('the order of things', () => {
  const scopes = fc.array(arbitraryScope(['BTC', 'EUR'], fc.bigInt({ min: 1n, max: 1100n })), {
    minLength: 1,
    maxLength: 5,
  });
  /** Two orders of as many things. */
  const orders = scopes.chain((all) => {
    const order = fc.shuffledSubarray([...all.keys()], { minLength: all.length });
    return fc.record({ all: fc.constant(all), one: order, other: order, lifts: order, otherLifts: order });
  });

  const freezeAll = (all: readonly Scope[], order: readonly number[]): AccountState =>
    order.reduce((state, nth) => {
      const orderId = `ord-${String(nth)}`;
      const scope = all[nth] ?? everything;
      const claimGroup = nth < 2 ? { claimGroup: 'claim-1' } : {};
      const own = { ...authorised(scope, { orderId, ...claimGroup }), id: specEventId(0xf0 + nth) };
      const authorisation = { ...own, stream: `legalOrder-${orderId}` };
      return after(state, eventsOf(settle({ authorisation, basis: { kind: 'legal-order', id: orderId }, state })));
    }, busyAccount());
  const liftAll = (state: AccountState, order: readonly number[]): AccountState =>
    order.reduce((before, nth) => {
      const pointer = { stream: `legalOrder-ord-${String(nth)}`, revision: '9', eventId: specEventId(9) };
      const people = { requestedBy: 'ops-1', approvedBy: 'approver-1' };
      return after(before, liftByBasis(before, specEventId(0xf0 + nth), 'basis-ended', { pointer, ...people }));
    }, state);
  const told = ({ balances, openWithdrawals, freezes }: AccountState): unknown => ({
    balances: [...balances].sort(),
    open: [...openWithdrawals.keys()].sort(),
    inForce: [...freezes.inForce.keys()].sort(),
  });
  const arrive = (state: AccountState): AccountState => {
    const isHeld = !gate(restrictions(state.freezes), { direction: 'credit', asset: 'BTC' }).ok;
    const { data } = deposited('BTC');
    return after(state, [{ type: isHeld ? 'FundsHeld' : 'FundsDeposited', data } as AccountEvent]);
  };

  it('of freezes and lifts under several bases does not matter in the end', () => {
    fc.assert(
      fc.property(orders, ({ all, one, other, lifts, otherLifts }) => {
        const [frozen, alsoFrozen] = [arrive(freezeAll(all, one)), arrive(freezeAll(all, other))];
        expect(told(alsoFrozen)).toEqual(told(frozen));
        const half = lifts.slice(0, Math.floor(lifts.length / 2));
        const reordered = otherLifts.filter((nth) => half.includes(nth));
        expect(told(liftAll(alsoFrozen, reordered))).toEqual(told(liftAll(frozen, half)));
        const free = liftAll(arrive(freezeAll(all, one)), lifts);
        expect(told(liftAll(arrive(freezeAll(all, other)), otherLifts))).toEqual(told(free));
        expect([...free.balances.values()].every(({ held }) => held === 0n)).toBe(true);
      }),
      { numRuns: 100 },
    );
  });
});

describe('an authorisation that comes to no freeze', () => {
  const data = { accountId: 'acc-1', freezeId: specEventId(2), basis, citation: specPointer(order, 2) };
  function abandoned(reason: AbandonReason, existingFreezeId?: string): AccountEvent[] {
    const existing = existingFreezeId === undefined ? {} : { existingFreezeId };
    return [{ type: 'FreezeAbandoned', data: { ...data, reason, ...existing } }];
  }
  const byParty = (partyId: string): Recorded<FreezeAuthorised> => authorised(everything, { partyId });

  it('waits for the opening', () => {
    const state = initialAccountState();
    expect(settle({ state, opening: true })).toBe('opening-first');
    expect(settle({ state, opening: true, authorisation: byParty('p-1') })).toBe('opening-first');
  });

  it('is abandoned on the stream of an account that never opened', () => {
    const state = initialAccountState();
    const settled = settle({ state, authorisation: byParty('p-1') });
    expect(settled).toStrictEqual({ events: abandoned('account-not-open'), withKey: true });
    expect(after(state, eventsOf(settled)).freezes.resolved.get(specEventId(2))).toBe('abandoned');
  });

  it('is settled once', () => {
    expect(settle({ state: after(busyAccount(), eventsOf(settle())) })).toBe('resolved-already');
    const state = after(busyAccount(), abandoned('basis-ended'));
    expect(settle({ state })).toBe('resolved-already');
  });

  it.each<[AbandonReason, Partial<FreezeSettlement>, boolean]>([
    ['not-a-holder', { authorisation: byParty('p-2') }, true],
    ['key-used', { keyStands: true }, false],
    ['basis-ended', { basisEnded: true, by: 'supervisor' }, true],
  ])('is abandoned: %s', (reason, changed, withKey) => {
    const settled = settle(changed);
    expect(settled).toStrictEqual({ events: abandoned(reason), withKey });
    after(busyAccount(), eventsOf(settled));
  });

  it('is abandoned for the freeze that is there', () => {
    const existing = specEventId(0xf9);
    const [frozen] = eventsOf(settle());
    if (frozen?.type !== 'AccountFrozen') throw new Error('not frozen');
    const citation = { ...frozen.data.citation, eventId: existing };
    const state = after(busyAccount(), [{ ...frozen, data: { ...frozen.data, freezeId: existing, citation } }]);
    const settled = settle({ state });
    expect(settled).toStrictEqual({ events: abandoned('already-frozen', existing), withKey: true });
    after(state, eventsOf(settled));
  });

  it('freezes a holder through the party that the order names', () => {
    expect(eventsOf(settle({ authorisation: byParty('p-1') }))[0]?.type).toBe('AccountFrozen');
  });
});

describe('the lift after the end of a basis', () => {
  const ended = { pointer: specPointer(order, 5), requestedBy: 'ops-1', approvedBy: 'approver-1' };

  it('points to the ending and names those behind it', () => {
    const state = after(busyAccount(), eventsOf(settle()));
    const lift = liftByBasis(state, specEventId(2), 'basis-ended', ended);
    const people = { requestedBy: 'ops-1', approvedBy: 'approver-1' };
    const data = { accountId: 'acc-1', freezeId: specEventId(2), ground: 'basis-ended', citation: ended.pointer };
    expect(lift).toEqual([{ type: 'AccountUnfrozen', data: { ...data, ...people } }]);
    expect(after(state, lift).freezes.inForce.size).toBe(0);
  });

  it('is nothing for what is not in force', () => {
    expect(liftByBasis(busyAccount(), specEventId(2), 'basis-ended', ended)).toEqual([]);
    const state = after(busyAccount(), eventsOf(settle()));
    expect(liftByBasis(state, specEventId(3), 'basis-ended', ended)).toEqual([]);
    const over = after(state, liftByBasis(state, specEventId(2), 'basis-ended', ended));
    expect(liftByBasis(over, specEventId(2), 'basis-ended', ended)).toEqual([]);
  });
});

describe('the largest freeze', () => {
  const longest = (prefix: string, length: number): string => prefix.padEnd(length, 'x');
  const accountId = longest('acc', 64);
  const asset = (nth: number): string => longest(`A${String(nth)}`, 16).toUpperCase();
  /** More than a freeze can list. */
  const MANY_ASSETS = 2_000;
  const MAX_SCOPE_ASSETS = 100;
  const actor: Actor = { id: longest('actor', 128), roles: ['service', 'ops', 'approver', 'auditor'] };
  const people = { requestedBy: actor.id, approvedBy: actor.id };
  const longBasis: Basis = { kind: 'legal-order', id: longest('ord', 64) };
  const longOrder = longest('legalOrder-', 75);
  const credit: Scope = { direction: 'credit', assets: 'all' };
  const debit: Scope = {
    direction: 'debit',
    assets: Array.from({ length: MAX_SCOPE_ASSETS }, (_, nth) => asset(nth)),
  };
  const about = { orderId: longBasis.id, accountId, requestedBy: actor.id, blockedFrom: now };
  const amountUnits = 10n ** 37n;

  /** 1,000 withdrawals, every field as long as it may be. */
  function largestAccount(): AccountState {
    const state = initialAccountState();
    state.opened = true;
    state.accountId = accountId;
    for (let nth = 0; nth < MANY_ASSETS; nth++) {
      // What it has something of comes last.
      const units = nth < MANY_ASSETS / 2 ? 0n : amountUnits;
      state.balances.set(asset(nth), { available: units, reserved: units, held: 0n });
    }
    for (let nth = 0; nth < MAX_OPEN_WITHDRAWALS; nth++) {
      state.openWithdrawals.set(longest(`w${String(nth)}`, 64), {
        asset: asset(nth % MAX_SCOPE_ASSETS),
        amountUnits,
        destination: { kind: 'bank' },
        reservedAt: now,
        status: 'reserved',
      });
    }
    return state;
  }

  /** Under a freeze of credits, with as much as may come in under it. */
  function largestHolding(state = largestAccount()): AccountState {
    const authorisation = { ...authorised(credit, about), stream: longOrder };
    const frozen = eventsOf(settle({ authorisation, basis: longBasis, state }));
    const holding = after(state, frozen, accountId);
    for (let nth = 0; nth < MAX_HELD_ASSETS; nth++) {
      holding.balances.set(asset(nth), { available: 0n, reserved: 0n, held: amountUnits });
    }
    return holding;
  }

  /** An authorisation after that of the freeze of credits. */
  function later(changed: Partial<FreezeAuthorised['data']> = {}): Recorded<FreezeAuthorised> {
    const placed = { id: specEventId(5), stream: longOrder, revision: 5 };
    return { ...authorised(debit, { ...about, ...changed }), ...placed };
  }

  function sealAll(events: readonly AccountEvent[]): SealedEvent[] {
    const stream = `account-${accountId}`;
    const key = { caller: actor.id, homeStream: stream, value: longest('key', 255) };
    let previousHash = 'f'.repeat(64);
    return events.map((event, revision) => {
      const keyed = revision === 0 ? { key, commandHash: 'f'.repeat(64) } : { key: null, commandHash: null };
      // As the lane seals: what follows from the first event is the service's own doing.
      const by = revision === 0 ? actor : SUPERVISOR;
      const common = { actor: by, correlationId: longest('c', 128), causationId: specEventId(revision), ...keyed };
      const open = { ...common, recordedAt: now, previousHash };
      const unsealed = { id: specEventId(revision), ...event, schemaVersion: 1 };
      const hash = eventHash(stream, revision, { ...unsealed, metadata: open });
      previousHash = hash;
      return { ...unsealed, metadata: { ...open, hash } };
    });
  }

  function expectOneAppend(events: readonly AccountEvent[], types: Readonly<Record<string, number>>): void {
    const counts = Object.entries(Object.groupBy(events, ({ type }) => type)).map(([type, all]) => [type, all.length]);
    expect(Object.fromEntries(counts)).toEqual(types);
    expect(events.length).toBeLessThanOrEqual(MAX_APPEND_EVENTS);
    const sizes = sealAll(events).map((event) => Buffer.byteLength(JSON.stringify(event)));
    expect(sizes.reduce((sum, sizeBytes) => sum + sizeBytes)).toBeLessThanOrEqual(MAX_APPEND_BYTES);
  }

  it('fits one append, and lists the balances of which there is something', () => {
    const authorisation = { ...authorised(debit, about), stream: longOrder };
    const events = eventsOf(settle({ authorisation, basis: longBasis, state: largestAccount() }));
    expectOneAppend(events, { AccountFrozen: 1, WithdrawalStopped: MAX_OPEN_WITHDRAWALS });
    const listed = events[0]?.type === 'AccountFrozen' ? events[0].data.balancesAtFreeze : [];
    expect(listed.length).toBeGreaterThan(400);
    expect(new Set(listed.map(({ available }) => available))).toEqual(new Set([String(amountUnits)]));
    expect(listed).toEqual(listed.toSorted((one, other) => (one.asset < other.asset ? -1 : 1)));
  });

  it('can be lifted in one append, whatever came in under it', () => {
    const end = { pointer: { ...specPointer(order, 5), stream: longOrder }, ...people };
    const events = liftByBasis(largestHolding(), specEventId(2), 'basis-ended', end);
    expectOneAppend(events, { AccountUnfrozen: 1, HeldFundsReleased: MAX_HELD_ASSETS });
  });

  it('can be varied from credits to debits in one append, whatever came in under it', () => {
    const replaces = { ...specPointer(order, 2), stream: longOrder };
    const events = eventsOf(
      settle({ authorisation: later({ replaces }), basis: longBasis, state: largestHolding(), by: 'supervisor' }),
    );
    const stopped = { WithdrawalStopped: MAX_OPEN_WITHDRAWALS };
    expectOneAppend(events, { FreezeVaried: 1, ...stopped, HeldFundsReleased: MAX_HELD_ASSETS });
  });

  it('can give way to another in one append, whatever came in under it', () => {
    const lost = { pointer: { ...specPointer(order, 4), stream: longOrder }, endedAt: now, ...people };
    const settled = settle({
      authorisation: later(),
      basis: longBasis,
      state: largestHolding(),
      lostBy: ({ revision }) => (revision === '2' ? lost : undefined),
    });
    const ahead = typeof settled !== 'string' && 'ahead' in settled ? (settled.ahead ?? []) : [];
    const stopped = { WithdrawalStopped: MAX_OPEN_WITHDRAWALS };
    const types = { AccountUnfrozen: 1, AccountFrozen: 1, ...stopped, HeldFundsReleased: MAX_HELD_ASSETS };
    expectOneAppend([...ahead, ...eventsOf(settled)], types);
  });
});
