import { StoreError, type EventStore } from '#event-store';
import { MemoryEventStore } from '#event-store/memory';
import { pointerTo, toTimestamp, type EventPointer } from '#kernel';
import {
  checker,
  emptyIndex,
  endingProposal,
  failingAt,
  forceIn,
  LedgerWorld,
  service,
  storeWith,
  TestClock,
  varyOrder,
} from '#testing';
import { describe, expect, it } from '@jest/globals';

const freeze = { type: 'FreezeAccount', accountId: 'acc-1', basis: { kind: 'legal-order', id: 'ord-1' } } as const;
const HOUR_MS = 3_600_000;

async function typesOf(store: EventStore, stream: string): Promise<string[]> {
  return (await store.read(stream)).map((event) => event.type);
}

describe('on start', () => {
  it('freezes what was authorised and not yet frozen, under the key of the one who asked', async () => {
    const store = new MemoryEventStore();
    const dying = new LedgerWorld({ store: failingAt('AccountFrozen', store) });
    await dying.openAccount();
    await dying.putOrder();
    expect(await dying.ask(freeze, { key: 'f' })).toMatchObject({ rejection: { code: 'store-unavailable' } });
    const world = new LedgerWorld({ store });
    await world.ledger.supervisor.pass();
    expect(await typesOf(store, 'account-acc-1')).toEqual(['AccountOpened', 'AccountFrozen']);
    const [, frozen] = await store.read('account-acc-1');
    expect(frozen).toMatchObject({
      data: { placedBy: 'maker' },
      metadata: { actor: { id: 'system:supervisor' }, key: { caller: 'maker', value: 'f' } },
    });
    expect(await world.ask(freeze, { key: 'f' })).toMatchObject({ status: 'accepted', replayed: true });
  });

  it('names a party no earlier than the order is effective, though the clock went back since', async () => {
    const store = new MemoryEventStore();
    const clock = new TestClock('2022-02-15T11:59:50.000Z');
    const dying = new LedgerWorld({ store: failingAt('PartyNamed', store), clock });
    await dying.openAccount();
    clock.advance(10_000);
    const effectiveAt = '2022-02-15T12:00:00.000Z';
    await dying.putOrder({ subjects: [{ kind: 'party', partyId: 'p-1' }], effectiveAt });
    const world = new LedgerWorld({ store, clock: new TestClock('2022-02-15T11:59:58.000Z') });
    await world.ledger.supervisor.pass();
    expect(world.failures).toEqual([]);
    const named = (await store.read('party-p-1')).at(-1);
    expect(named).toMatchObject({ type: 'PartyNamed', metadata: { recordedAt: effectiveAt } });
  });

  it('gives up what was authorised under an order that has ended since, and leaves the key its answer', async () => {
    const store = new MemoryEventStore();
    const dying = new LedgerWorld({ store: failingAt('AccountFrozen', store) });
    await dying.openAccount();
    await dying.putOrder();
    await dying.ask(freeze, { key: 'f' });
    await dying.accept(endingProposal());
    await dying.accept({ type: 'VerifyChange', orderId: 'ord-1', changeId: 'chg-1', method: 'm' }, { actor: checker });
    const world = new LedgerWorld({ store });
    await world.ledger.supervisor.pass();
    expect(await typesOf(store, 'account-acc-1')).toEqual(['AccountOpened', 'FreezeAbandoned']);
    expect(await world.ask(freeze, { key: 'f' })).toMatchObject({
      replayed: true,
      rejection: { code: 'basis-not-in-force' },
    });
  });

  it('lifts what a variation dropped, though of the same order another account can not be frozen', async () => {
    const world = new LedgerWorld();
    await world.openAccount('acc-1', 'p-1');
    await world.openAccount('acc-2', 'p-2');
    const party = (partyId: string) => ({ kind: 'party', partyId }) as const;
    await world.putOrder({ subjects: [party('p-1'), party('p-2')] });
    await world.accept({ ...freeze, accountId: 'acc-2' });
    // The party's own registration ties no account to it: only the streams of both can tell.
    const [registered] = await world.store.read('party-p-1');
    if (registered === undefined) throw new Error('p-1 is not registered');
    const forged = { orderId: 'ord-1', accountId: 'acc-1', partyId: 'p-1', requestedBy: 'maker' };
    const data = { ...forged, scope: { direction: 'debit', assets: 'all' }, namedBy: pointerTo(registered) };
    const { store, clock } = world;
    const recordedAt = toTimestamp(clock.now());
    await forceIn(store, 'legalOrder-ord-1', { type: 'FreezeAuthorised', data }, { recordedAt });
    const restarted = new LedgerWorld({ store, clock });
    await varyOrder(restarted, { subjects: [party('p-1')] });
    expect(await typesOf(store, 'account-acc-1')).toEqual(['AccountOpened']);
    expect(await typesOf(store, 'account-acc-2')).toEqual(['AccountOpened', 'AccountFrozen', 'AccountUnfrozen']);
    const failure = { message: expect.stringContaining('would be a violation') };
    expect(restarted.failures).toEqual(restarted.failures.map(() => expect.objectContaining(failure)));
    expect(restarted.failures).not.toEqual([]);
  });

  it('opens an account whose holders are attached, and detaches those of an opening that came to nothing', async () => {
    const store = new MemoryEventStore();
    const dying = new LedgerWorld({ store: failingAt('AccountOpened', store) });
    await dying.ask({ type: 'RegisterParty', partyId: 'p-1', kind: 'person', externalRef: 'r' });
    await dying.ask({
      type: 'IdentifyParty',
      partyId: 'p-1',
      method: 'm',
      evidenceSha256: 'a'.repeat(64),
      identifiedAt: '2022-01-01T00:00:00.000Z',
    });
    const open = { type: 'OpenAccount', accountId: 'acc-1', holders: [{ partyId: 'p-1', capacity: 'owner' }] } as const;
    expect(await dying.ask(open, { key: 'o' })).toMatchObject({ rejection: { code: 'store-unavailable' } });
    const world = new LedgerWorld({ store });
    await world.ledger.supervisor.pass();
    expect(await typesOf(store, 'account-acc-1')).toEqual(['AccountOpened']);
    expect(await world.ask(open, { key: 'o' })).toMatchObject({ status: 'accepted', replayed: true });

    const late = new LedgerWorld({ store: failingAt('AccountOpeningAbandoned', store) });
    const second = { ...open, accountId: 'acc-2' };
    const dead = new LedgerWorld({ store: failingAt('AccountOpened', store) });
    await dead.ask(second, { key: 'mine' });
    await late.ask(second, { key: 'theirs' });
    await new LedgerWorld({ store }).ledger.supervisor.pass();
    expect(await typesOf(store, 'account-acc-2')).toContain('AccountOpened');
    const party = await typesOf(store, 'party-p-1');
    expect(party.filter((type) => type === 'AccountAttached')).toHaveLength(
      2 + party.filter((type) => type === 'AccountDetached').length,
    );
  });

  it('expires an order whose time ran out while nothing was running, and lifts what rests on it', async () => {
    const store = new MemoryEventStore();
    const clock = new TestClock();
    const before = new LedgerWorld({ store, clock });
    await before.openAccount();
    await before.putOrder({
      subjects: [{ kind: 'party', partyId: 'p-1' }],
      expiresAt: '2022-02-15T13:00:00.000Z',
    });
    await before.accept(freeze);
    clock.advance(2 * HOUR_MS);
    const world = new LedgerWorld({ store, clock });
    await world.ledger.supervisor.pass();
    expect(await typesOf(store, 'account-acc-1')).toEqual(['AccountOpened', 'AccountFrozen', 'AccountUnfrozen']);
    expect(await typesOf(store, 'party-p-1')).toContain('PartyNoLongerNamed');
    const [unfrozen] = await store.read('account-acc-1', { from: 2 });
    expect(unfrozen?.data).toMatchObject({
      ground: 'basis-ended',
      requestedBy: 'system:supervisor',
      approvedBy: 'system:supervisor',
      citation: { stream: 'legalOrder-ord-1' },
    });
  });

  it('does nothing when nothing is open, however often it looks', async () => {
    const world = new LedgerWorld();
    await world.openAccount();
    await world.putOrder();
    await world.accept(freeze);
    const before = await world.log();
    await world.ledger.supervisor.pass();
    await world.ledger.supervisor.pass();
    expect(await world.log()).toEqual(before);
  });
});

describe('the envelope of what it appends', () => {
  it('does not say which order it follows: of one that is secret, envelopes are shown', async () => {
    const clock = new TestClock('2022-02-15T12:00:00.000Z');
    const world = new LedgerWorld({ clock });
    await world.openAccount();
    const orderId = 'ord-secret';
    await world.putOrder({
      orderId,
      subjects: [{ kind: 'party', partyId: 'p-1' }],
      expiresAt: '2022-02-15T13:00:00.000Z',
    });
    await world.accept({ type: 'FreezeAccount', accountId: 'acc-1', basis: { kind: 'legal-order', id: orderId } });
    clock.advance(HOUR_MS);
    await world.ledger.supervisor.pass();
    const own = (await world.log()).filter(({ metadata }) => metadata.actor.id === 'system:supervisor');
    expect(own.map(({ type }) => type)).toEqual([
      'PartyNamed',
      'LegalOrderExpired',
      'AccountUnfrozen',
      'PartyNoLongerNamed',
    ]);
    for (const { metadata } of own) expect(JSON.stringify(metadata)).not.toContain(orderId);
    for (const { metadata, data } of own.filter(({ type }) => type.startsWith('Party'))) {
      const { eventId } = (data as { readonly citation: EventPointer }).citation;
      expect(metadata).toMatchObject({ correlationId: eventId, causationId: eventId });
    }
  });
});

describe('while it runs', () => {
  it('names the parties of an order when it becomes effective, and un-names them when it expires', async () => {
    const clock = new TestClock();
    const world = new LedgerWorld({ clock });
    await world.openAccount();
    await world.putOrder({
      subjects: [{ kind: 'party', partyId: 'p-1' }],
      effectiveAt: '2022-02-15T13:00:00.000Z',
      expiresAt: '2022-02-15T14:00:00.000Z',
    });
    await world.ledger.supervisor.pass();
    expect(await typesOf(world.store, 'party-p-1')).not.toContain('PartyNamed');
    clock.advance(HOUR_MS);
    await world.ledger.supervisor.pass();
    expect(await typesOf(world.store, 'party-p-1')).toContain('PartyNamed');
    clock.advance(HOUR_MS - 1);
    await world.ledger.supervisor.pass();
    expect(await typesOf(world.store, 'legalOrder-ord-1')).not.toContain('LegalOrderExpired');
    clock.advance(1);
    await world.ledger.supervisor.pass();
    expect(await typesOf(world.store, 'party-p-1')).toContain('PartyNoLongerNamed');
  });

  describe('an order whose extension is proposed', () => {
    const extension = { type: 'ProposeExtension', orderId: 'ord-1', changeId: 'ext-1' } as const;
    const document = { documentSha256: 'e'.repeat(64), issuedAt: '2022-02-15T10:00:00.000Z', reference: 'application' };
    const frozen = ['AccountOpened', 'AccountFrozen'];

    async function ranOutWhileProposed(): Promise<{ world: LedgerWorld; clock: TestClock }> {
      const clock = new TestClock();
      const world = new LedgerWorld({ clock });
      await world.openAccount();
      await world.putOrder({ expiresAt: '2022-02-15T13:00:00.000Z' });
      await world.accept(freeze);
      await world.accept({ ...extension, ...document, expiresAt: '2022-03-09T13:00:00.000Z' });
      clock.advance(2 * HOUR_MS);
      await world.ledger.supervisor.pass();
      expect(await typesOf(world.store, 'account-acc-1')).toEqual(frozen);
      return { world, clock };
    }

    it('keeps its freezes until the extension is decided, and longer when it is verified', async () => {
      const { world, clock } = await ranOutWhileProposed();
      await world.accept(
        { type: 'VerifyChange', orderId: 'ord-1', changeId: 'ext-1', method: 'm' },
        { actor: checker },
      );
      clock.advance(100 * HOUR_MS);
      await world.ledger.supervisor.pass();
      expect(await typesOf(world.store, 'account-acc-1')).toEqual(frozen);
      clock.advance(500 * HOUR_MS);
      await world.ledger.supervisor.pass();
      expect(await typesOf(world.store, 'account-acc-1')).toEqual([...frozen, 'AccountUnfrozen']);
    });

    it('loses them with the answer that turns the extension down', async () => {
      const { world } = await ranOutWhileProposed();
      await world.accept(
        { type: 'RejectChange', orderId: 'ord-1', changeId: 'ext-1', reason: 'r' },
        { actor: checker },
      );
      expect(await typesOf(world.store, 'account-acc-1')).toEqual([...frozen, 'AccountUnfrozen']);
    });

    it('loses them after 72 hours in which nobody decided', async () => {
      const { world, clock } = await ranOutWhileProposed();
      clock.advance(71 * HOUR_MS - 1);
      await world.ledger.supervisor.pass();
      expect(await typesOf(world.store, 'account-acc-1')).toEqual(frozen);
      clock.advance(1);
      await world.ledger.supervisor.pass();
      expect(await typesOf(world.store, 'account-acc-1')).toEqual([...frozen, 'AccountUnfrozen']);
    });
  });

  it('tries a step again that failed, and says so', async () => {
    const inner = new MemoryEventStore();
    const clock = new TestClock();
    const world = new LedgerWorld({ store: failingAt('PartyNamed', inner), clock });
    await world.openAccount();
    await world.putOrder({ subjects: [{ kind: 'party', partyId: 'p-1' }] });
    expect(world.failures).toHaveLength(1);
    const healthy = new LedgerWorld({ store: inner, clock });
    await healthy.ledger.supervisor.pass();
    expect(await typesOf(inner, 'party-p-1')).toContain('PartyNamed');
  });
});

describe('what fails', () => {
  it('counts until it is done, by whomever', async () => {
    const store = new MemoryEventStore();
    const append = store.append.bind(store);
    let refused: readonly string[] = ['PartyNamed', 'TransferReceived'];
    store.append = (stream, expected, events) => {
      const isRefused = events.some(({ type }) => refused.includes(type));
      return isRefused
        ? Promise.reject(new StoreError('store-unavailable', 'no room'))
        : append(stream, expected, events);
    };
    const clock = new TestClock();
    const dying = new LedgerWorld({ store, clock });
    const { supervisor } = dying.ledger;
    await dying.openAccount();
    await dying.openAccount('acc-2', 'p-2');
    const source = { kind: 'bank', reference: 'r' } as const;
    await dying.accept({ type: 'Deposit', accountId: 'acc-2', depositId: 'd-1', asset: 'BTC', amount: '3', source });
    const transfer = { type: 'SendTransfer', accountId: 'acc-2', transferId: 't-1', to: 'acc-1' } as const;
    await dying.accept({ ...transfer, asset: 'BTC', amount: '2' });
    await dying.putOrder({ subjects: [{ kind: 'party', partyId: 'p-1' }] });
    await supervisor.pass();
    expect(supervisor.failing).toBe(2);
    refused = ['TransferReceived'];
    await supervisor.pass();
    expect(supervisor.failing).toBe(1);
    // Another process does what is left.
    refused = [];
    await new LedgerWorld({ store, clock }).ledger.supervisor.pass();
    await supervisor.pass();
    expect(supervisor.failing).toBe(0);
  });
});

describe('once started', () => {
  it('looks at the clock and the log again and again, until it is stopped', async () => {
    const wakers: (() => void)[] = [];
    const clock = new TestClock();
    const sleep = (): Promise<void> => new Promise((resolve) => wakers.push(resolve));
    const world = new LedgerWorld({ clock, sleep });
    await world.openAccount();
    await world.putOrder({ expiresAt: toTimestamp(clock.now() + HOUR_MS) });
    await world.ledger.supervisor.start();
    const look = async (): Promise<void> => {
      for (const wake of wakers.splice(0)) wake();
      await new Promise((resolve) => setImmediate(resolve));
    };
    await look();
    expect(await typesOf(world.store, 'legalOrder-ord-1')).not.toContain('LegalOrderExpired');
    clock.advance(HOUR_MS);
    await look();
    expect(await typesOf(world.store, 'legalOrder-ord-1')).toContain('LegalOrderExpired');
    await world.putOrder({ orderId: 'ord-2', expiresAt: toTimestamp(clock.now() + HOUR_MS) });
    await look();
    await world.ledger.supervisor.stop();
    clock.advance(HOUR_MS);
    await look();
    await look();
    expect(await typesOf(world.store, 'legalOrder-ord-2')).not.toContain('LegalOrderExpired');
    expect(wakers).toEqual([]);
  });
});

describe('an order that runs out while it is looked at', () => {
  /** Each look at the clock takes a millisecond, while it ticks. */
  class TickingClock extends TestClock {
    ticking = false;
    override now(): number {
      if (this.ticking) this.advance(1);
      return super.now();
    }
  }

  it.each(Array.from({ length: 12 }, (_, n) => n + 1))('expires, %i ms before it does', async (beforeMs) => {
    const expiresAt = '2022-03-01T00:00:00.000Z';
    const clock = new TickingClock();
    const world = new LedgerWorld({ store: new MemoryEventStore(), clock });
    const { supervisor } = world.ledger;
    await world.openAccount();
    await world.putOrder({ expiresAt });
    await world.accept(freeze);
    await supervisor.pass();
    clock.advance(Date.parse(expiresAt) - clock.now() - beforeMs);
    await world.accept(endingProposal());
    clock.ticking = true;
    await supervisor.pass();
    clock.ticking = false;
    clock.advance(HOUR_MS);
    // As it goes by itself: nothing but what is due is looked at.
    await supervisor.pass();
    expect(world.failures).toEqual([]);
    expect(await typesOf(world.store, 'legalOrder-ord-1')).toContain('LegalOrderExpired');
    expect((await typesOf(world.store, 'account-acc-1')).at(-1)).toBe('AccountUnfrozen');
  });
});

/** A store of which a test sees every append and every read of a stream, before they are done. */
function seenBy(
  inner: EventStore,
  see: {
    readonly append?: (stream: string, types: readonly string[]) => void;
    readonly read?: (stream: string) => void;
  },
): EventStore {
  return storeWith(inner, {
    append: (...call) => {
      const types = call[2].map(({ type }) => type);
      see.append?.(call[0], types);
      return inner.append(...call);
    },
    read: (...call) => {
      see.read?.(call[0]);
      return inner.read(...call);
    },
  });
}

const openingOf = (accountId: string, ...parties: readonly string[]) => {
  const holders = parties.map((partyId) => ({ partyId, capacity: 'joint' }) as const);
  return { type: 'OpenAccount', accountId, holders } as const;
};

describe('openings', () => {
  /** Whose read models have come as far as the log. */
  const index = { ...emptyIndex, isLegal: () => true };

  it('that were finished are looked at no more, however many the parties have', async () => {
    const store = new MemoryEventStore();
    const before = new LedgerWorld({ store });
    await before.openAccount('acc-1', 'p-1');
    await before.openAccount('acc-2', 'p-2');
    for (const id of ['acc-3', 'acc-4', 'acc-5']) await before.accept(openingOf(id, 'p-1', 'p-2'));
    const looked: string[] = [];
    const read = (stream: string): void => {
      if (stream.startsWith('account-')) looked.push(stream);
    };
    const world = new LedgerWorld({ store: seenBy(store, { read }), index });
    await world.ledger.supervisor.pass();
    const dying = new LedgerWorld({ store: failingAt('AccountOpened', store) });
    await dying.ask(openingOf('acc-6', 'p-1', 'p-2'));
    await world.ledger.supervisor.pass();
    expect([...new Set(looked)]).toEqual(['account-acc-6']);
    expect(await typesOf(store, 'account-acc-6')).toEqual(['AccountOpened']);
    expect(world.ledger.supervisor.pending).toBe(0);
  });

  it('are undone that came to nothing, though the account was opened by another', async () => {
    const store = new MemoryEventStore();
    const clock = new TestClock();
    await new LedgerWorld({ store, clock }).openAccount('acc-1', 'p-1');
    const dying = new LedgerWorld({ store: failingAt('AccountOpened', store), clock });
    await dying.ask(openingOf('acc-2', 'p-1'), { key: 'mine' });
    await new LedgerWorld({ store, clock }).accept(openingOf('acc-2', 'p-1'), { key: 'theirs', actor: service });
    await new LedgerWorld({ store, clock, index }).ledger.supervisor.pass();
    expect(await typesOf(store, 'account-acc-2')).toEqual(['AccountOpened', 'AccountOpeningAbandoned']);
    expect((await typesOf(store, 'party-p-1')).at(-1)).toBe('AccountDetached');
  });

  it('that fail are told of by the party: the key is the one of their caller', async () => {
    const store = new MemoryEventStore();
    await new LedgerWorld({ store }).openAccount('acc-1', 'p-1');
    const failing = failingAt('AccountOpened', store);
    await new LedgerWorld({ store: failing }).ask(openingOf('acc-2', 'p-1'), { key: 'a-key' });
    const items: unknown[] = [];
    const { supervisor } = new LedgerWorld({ store: failing, onFailedItem: (item) => items.push(item) }).ledger;
    await supervisor.pass();
    expect(items).toEqual([{ kind: 'party', id: 'p-1' }]);
    expect([supervisor.failing, supervisor.pending]).toEqual([1, 1]);
  });
});

describe('an order that expires while there is much else to do', () => {
  const EXPIRES = '2022-03-01T00:00:00.000Z';
  const many = Array.from({ length: 120 }, (_, n) => `sub-${String(n).padStart(3, '0')}`);
  let store: MemoryEventStore;
  let clock: TestClock;

  /** `acc-1` is frozen under an order that expires; p-2 holds many accounts. */
  async function prepare(): Promise<void> {
    store = new MemoryEventStore();
    clock = new TestClock();
    const world = new LedgerWorld({ store, clock });
    await world.openAccount('acc-1', 'p-1');
    await world.putOrder({ expiresAt: EXPIRES });
    await world.accept(freeze);
    await world.openAccount('sub', 'p-2');
    for (const accountId of many) await world.accept(openingOf(accountId, 'p-2'));
  }

  /** All of them are frozen, under an order whose end was recorded by whoever crashed then. */
  async function leaveFreezes(): Promise<void> {
    const dying = new LedgerWorld({ store: failingAt('AccountUnfrozen', store), clock });
    await dying.putOrder({ orderId: 'ord-2', subjects: [{ kind: 'party', partyId: 'p-2' }] });
    await dying.freezeAll({ basis: { kind: 'legal-order', id: 'ord-2' } });
    await dying.endOrder('ord-2');
  }

  const expire = (): void => {
    const leftMs = Date.parse(EXPIRES) - clock.now();
    if (leftMs > 0) clock.advance(leftMs);
  };

  it('waits for a few lifts of another order, and not for all', async () => {
    await prepare();
    await leaveFreezes();
    const lifted: string[] = [];
    const append = (stream: string, types: readonly string[]): void => {
      if (!types.includes('AccountUnfrozen')) return;
      lifted.push(stream);
      if (lifted.length === 20) expire();
    };
    const world = new LedgerWorld({ store: seenBy(store, { append }), clock });
    await world.ledger.supervisor.pass();
    expect(world.failures).toEqual([]);
    expect(lifted).toHaveLength(many.length + 2);
    // Two batches of 16, in the second of which it expired.
    expect(lifted.indexOf('account-acc-1')).toBe(32);
  });

  it('waits for some of the openings that are looked at, and not for all', async () => {
    await prepare();
    const looked = new Set<string>();
    let lookedBefore: number | undefined;
    const read = (stream: string): void => {
      if (!stream.startsWith('account-sub')) return;
      looked.add(stream);
      if (looked.size === 10) expire();
    };
    const append = (_: string, types: readonly string[]): void => {
      if (types.includes('AccountUnfrozen')) lookedBefore ??= looked.size;
    };
    const world = new LedgerWorld({ store: seenBy(store, { append, read }), clock });
    await world.ledger.supervisor.pass();
    expect(world.failures).toEqual([]);
    expect(looked.size).toBe(many.length + 1);
    // A hundred things to do, one of which is the opening of `acc-1`, and one the naming of p-1.
    expect(lookedBefore).toBeGreaterThanOrEqual(90);
    expect(lookedBefore).toBeLessThanOrEqual(100);
  });

  it('does not wait for retries of what fails: those come when the others are through', async () => {
    await prepare();
    const dying = new LedgerWorld({ store: failingAt('AccountUnfrozen', store), clock });
    await dying.openAccount('acc-3', 'p-3');
    await dying.putOrder({ orderId: 'ord-3', subjects: [{ kind: 'account', accountId: 'acc-3' }] });
    await dying.freezeAll({ basis: { kind: 'legal-order', id: 'ord-3' } });
    await dying.endOrder('ord-3');
    await leaveFreezes();
    let tries = 0;
    const lifted: string[] = [];
    const append = (stream: string, types: readonly string[]): void => {
      if (!types.includes('AccountUnfrozen')) return;
      // By the next round it is due again, however often it failed.
      clock.advance(60_000);
      lifted.push(stream);
      if (lifted.length === 20) expire();
      if (stream === 'account-acc-3') {
        tries += 1;
        throw new StoreError('store-unavailable', 'no room');
      }
    };
    const world = new LedgerWorld({ store: seenBy(store, { append }), clock });
    await world.ledger.supervisor.pass();
    expect([tries, world.ledger.supervisor.failing]).toEqual([1, 1]);
    expect(lifted).toHaveLength(many.length + 3);
    expect(lifted.indexOf('account-acc-1')).toBeLessThan(40);
  });
});
