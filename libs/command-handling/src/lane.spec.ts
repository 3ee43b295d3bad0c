import type { Limits, Outcome } from '#command-handling';
import type { Appended, EventStore, ExpectedRevision } from '#event-store';
import { StoreError } from '#event-store';
import { MemoryEventStore } from '#event-store/memory';
import { reject, RejectionError, toTimestamp, type SealedEvent } from '#kernel';
import type { HomeStreamIndex } from '#replay';
import { emptyIndex, LedgerWorld, service, TestClock } from '#testing';
import { describe, expect, it } from '@jest/globals';
import { NAMES_KEPT } from './home-stream.ts';

const deposit = {
  type: 'Deposit',
  accountId: 'acc-1',
  depositId: 'd-1',
  asset: 'BTC',
  amount: '1',
  source: { kind: 'bank', reference: 'r' },
} as const;
const withdrawal = {
  type: 'ReserveWithdrawal',
  accountId: 'acc-1',
  withdrawalId: 'w-1',
  asset: 'BTC',
  amount: '1',
  destination: { kind: 'bank', reference: 'r' },
} as const;

type Append = EventStore['append'];

/** A store whose appends go through `intercept`. */
function storeWith(intercept: (append: Append, ...call: Parameters<Append>) => Promise<Appended>): EventStore {
  const inner = new MemoryEventStore();
  const append = inner.append.bind(inner);
  return new Proxy(inner, {
    get(target, name) {
      if (name === 'append') return (...call: Parameters<Append>) => intercept(append, ...call);
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}

/** A store that keeps the appends of one account waiting while it is told to. */
class HeldStore extends MemoryEventStore {
  #release: (() => void) | undefined;
  #held: Promise<void> | undefined;
  #heldOne: () => void = () => undefined;
  #one: Promise<void> = Promise.resolve();

  hold(): void {
    this.#held = new Promise((resolve) => (this.#release = resolve));
    this.#one = new Promise((resolve) => (this.#heldOne = resolve));
  }

  /** Resolves when an append of the account waits. */
  heldOne(): Promise<void> {
    return this.#one;
  }

  release(): void {
    this.#release?.();
    this.#held = undefined;
  }

  override async append(...call: Parameters<Append>): Promise<Appended> {
    if (this.#held !== undefined && call[0] === 'account-acc-1') {
      this.#heldOne();
      await this.#held;
    }
    return super.append(...call);
  }
}

async function heldWorld(limits: Partial<Limits>): Promise<{ world: LedgerWorld; store: HeldStore }> {
  const store = new HeldStore();
  const world = new LedgerWorld({ store, limits });
  await world.openAccount();
  // From here on the asset is known: deposits wait for the account alone.
  await world.accept({ ...deposit, depositId: 'd-first' });
  return { world, store };
}

function depositsOf(world: LedgerWorld, count: number): Promise<Outcome>[] {
  return Array.from({ length: count }, (_, n) => world.ask({ ...deposit, depositId: `d-${String(n)}` }));
}

describe('appending', () => {
  it('sends the same bytes again when the outcome is unknown, and stores them once', async () => {
    const sent: (readonly SealedEvent[])[] = [];
    let lost = 0;
    const store = storeWith(async (append, stream, expected, events) => {
      if (!events.some((event) => event.type === 'FundsDeposited')) return append(stream, expected, events);
      sent.push(events);
      const before = lost === 0;
      lost += 1;
      if (!before) await append(stream, expected, events);
      if (lost <= 2) throw new StoreError('outcome-unknown', 'the acknowledgement was lost');
      return append(stream, expected, events);
    });
    const world = new LedgerWorld({ store });
    await world.openAccount();
    expect(await world.ask(deposit)).toMatchObject({ status: 'accepted', replayed: false });
    expect(sent).toHaveLength(3);
    expect(new Set(sent.map((events) => JSON.stringify(events))).size).toBe(1);
    expect((await store.read('account-acc-1')).map((event) => event.type)).toEqual(['AccountOpened', 'FundsDeposited']);
  });

  it('answers 503 when the outcome stays unknown, and a retry finds out what happened', async () => {
    const clock = new TestClock();
    let failing = true;
    const store = storeWith(async (append, stream, expected, events) => {
      const appended = await append(stream, expected, events);
      if (!failing || !events.some((event) => event.type === 'FundsDeposited')) return appended;
      clock.advance(10_000);
      throw new StoreError('outcome-unknown', 'the acknowledgement was lost');
    });
    const world = new LedgerWorld({ store, clock });
    await world.openAccount();
    expect(await world.ask(deposit, { key: 'k' })).toMatchObject({ rejection: { code: 'store-unavailable' } });
    failing = false;
    expect(await world.ask(deposit, { key: 'k' })).toMatchObject({ status: 'accepted', replayed: true });
  });

  it('decides again when another writer came first', async () => {
    const inner = new MemoryEventStore();
    const first = new LedgerWorld({ store: inner });
    const second = new LedgerWorld({ store: inner });
    await first.openAccount();
    await first.accept(deposit);
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        (index % 2 === 0 ? first : second).ask(
          { ...withdrawal, withdrawalId: `w-${String(index)}` },
          { key: `race-${String(index)}`, actor: service },
        ),
      ),
    );
    const accepted = outcomes.filter((outcome) => outcome.status === 'accepted');
    const codes = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.rejection.code] : []));
    expect(accepted).toHaveLength(1);
    expect(new Set(codes)).toEqual(new Set(['insufficient-funds']));
  });

  it('has one append of a stream under way: what comes meanwhile waits for its answer', async () => {
    const underWay = new Map<string, number>();
    let most = 0;
    const store = storeWith(async (append, stream, expected, events) => {
      const now = (underWay.get(stream) ?? 0) + 1;
      underWay.set(stream, now);
      most = Math.max(most, now);
      try {
        await new Promise((resolve) => setImmediate(resolve));
        return await append(stream, expected, events);
      } finally {
        underWay.set(stream, now - 1);
      }
    });
    const world = new LedgerWorld({ store, limits: { batch: 1 } });
    await world.openAccount();
    const deposits = Array.from({ length: 10 }, (_, index) => ({ ...deposit, depositId: `d-${String(index)}` }));
    const outcomes = await Promise.all(deposits.map((each) => world.ask(each, { key: each.depositId })));
    expect(new Set(outcomes.map(({ status }) => status))).toEqual(new Set(['accepted']));
    expect(most).toBe(1);
  });

  it('gives events that are decided again other ids: the same id would pass for the same event', async () => {
    const tried: string[] = [];
    const store = storeWith((append, stream, expected, events) => {
      const deposited = events.find((event) => event.type === 'FundsDeposited');
      if (deposited === undefined) return append(stream, expected, events);
      tried.push(deposited.id);
      if (tried.length === 1) throw new StoreError('wrong-expected-revision', '', 0);
      return append(stream, expected, events);
    });
    const world = new LedgerWorld({ store });
    await world.openAccount();
    await world.accept(deposit, { key: 'k' });
    expect(new Set(tried).size).toBe(2);
  });

  it('gives up with 409 when others never stop writing', async () => {
    const clock = new TestClock();
    const store = storeWith((append, stream, expected: ExpectedRevision, events) => {
      if (!events.some((event) => event.type === 'FundsDeposited')) return append(stream, expected, events);
      clock.advance(1_000);
      throw new StoreError('wrong-expected-revision', '', 99);
    });
    const world = new LedgerWorld({ store, clock });
    await world.openAccount();
    expect(await world.ask(deposit)).toMatchObject({ rejection: { code: 'revision-conflict' } });
  });

  it('counts the time for that from the first conflict of a command, not from when it began to wait', async () => {
    const clock = new TestClock();
    let isFirstHeld = true;
    let conflicts = 0;
    const held = Promise.withResolvers<undefined>();
    const underWay = Promise.withResolvers<undefined>();
    const store = storeWith(async (append, stream, expected, events) => {
      if (!events.some((event) => event.type === 'FundsDeposited')) return append(stream, expected, events);
      if (isFirstHeld) {
        isFirstHeld = false;
        underWay.resolve(undefined);
        await held.promise;
        return append(stream, expected, events);
      }
      conflicts += 1;
      if (conflicts === 1) throw new StoreError('wrong-expected-revision', '', 0);
      return append(stream, expected, events);
    });
    const world = new LedgerWorld({ store, clock, limits: { retryMs: 5_000, waitMs: 15_000 } });
    await world.openAccount();
    const first = world.ask(deposit);
    await underWay.promise;
    const second = world.ask({ ...deposit, depositId: 'd-2' });
    clock.advance(6_000);
    held.resolve(undefined);
    expect(await Promise.all([first, second])).toMatchObject([{ status: 'accepted' }, { status: 'accepted' }]);
    expect(conflicts).toBe(2);
  });

  it('decides those that wait together, each on what those before it did, and answers each for itself', async () => {
    const world = new LedgerWorld();
    await world.openAccount();
    const outcomes = await Promise.all([
      world.ask(deposit, { key: 'same' }),
      world.ask(deposit, { key: 'same' }),
      world.ask(deposit, { key: 'other' }),
      world.ask(withdrawal, { key: 'w-1' }),
      world.ask({ ...withdrawal, withdrawalId: 'w-2' }, { key: 'w-2' }),
    ]);
    expect(
      outcomes.map((outcome) => (outcome.status === 'accepted' ? outcome.replayed : outcome.rejection.code)),
    ).toEqual([false, true, 'already-exists', false, 'insufficient-funds']);
  });

  it('takes freezes, lifts and the steps of orders ahead of the deposits that wait, and some of these with each', async () => {
    const { world, store } = await heldWorld({ batch: 8 });
    await world.putOrder();
    store.hold();
    const deposits = depositsOf(world, 200);
    await store.heldOne();
    const freeze = world.ask({
      type: 'FreezeAccount',
      accountId: 'acc-1',
      basis: { kind: 'legal-order', id: 'ord-1' },
    });
    store.release();
    expect(await freeze).toMatchObject({ status: 'accepted' });
    expect((await Promise.all(deposits)).filter(({ status }) => status === 'accepted')).toHaveLength(200);
    const types = (await store.read('account-acc-1')).map(({ type }) => type);
    // A few batches go on meanwhile: a freeze looks at the order between its turns here.
    expect(types.indexOf('AccountFrozen')).toBeLessThan(100);
    expect(types.slice(0, types.indexOf('AccountFrozen')).length).toBeGreaterThan(8);
  });

  it('has room for a freeze when no deposit finds any', async () => {
    const { world, store } = await heldWorld({ queuedPerStream: 5, queuedInAll: 6 });
    await world.putOrder();
    store.hold();
    const deposits = depositsOf(world, 20);
    await store.heldOne();
    const freeze = world.ask({
      type: 'FreezeAccount',
      accountId: 'acc-1',
      basis: { kind: 'legal-order', id: 'ord-1' },
    });
    store.release();
    const outcomes = await Promise.all(deposits);
    expect(outcomes.some((each) => each.status === 'rejected' && each.rejection.code === 'overloaded')).toBe(true);
    expect(await freeze).toMatchObject({ status: 'accepted' });
  });

  it('takes the commands of others in the next group, whatever waits for one account', async () => {
    const { world, store } = await heldWorld({ batch: 8 });
    await world.openAccount('acc-2', 'p-2');
    store.hold();
    const deposits = depositsOf(world, 100);
    await store.heldOne();
    const other = await world.ask({ ...deposit, accountId: 'acc-2' });
    expect(other).toMatchObject({ status: 'accepted' });
    expect((await store.read('account-acc-1')).map(({ type }) => type)).toEqual(['AccountOpened', 'FundsDeposited']);
    store.release();
    await Promise.all(deposits);
  });

  it('does not carry out a movement whose sender has given up waiting; a freeze it does', async () => {
    const { world, store } = await heldWorld({ batch: 1, waitMs: 1_000 });
    await world.putOrder();
    store.hold();
    const deposits = depositsOf(world, 3);
    await store.heldOne();
    const freeze = world.ask({
      type: 'FreezeAccount',
      accountId: 'acc-1',
      basis: { kind: 'legal-order', id: 'ord-1' },
    });
    world.clock.advance(1_001);
    store.release();
    const outcomes = await Promise.all(deposits);
    expect(outcomes.map((each) => (each.status === 'rejected' ? each.rejection.code : each.status))).toEqual([
      'accepted',
      'overloaded',
      'overloaded',
    ]);
    expect(await freeze).toMatchObject({ status: 'accepted' });
  });

  it('turns away what its bounded queue has no room for', async () => {
    const { world, store } = await heldWorld({ queuedPerStream: 3 });
    store.hold();
    const deposits = depositsOf(world, 10);
    await store.heldOne();
    store.release();
    const overloaded = (await Promise.all(deposits)).filter((outcome) => outcome.status === 'rejected');
    expect(overloaded).toHaveLength(6);
    expect(overloaded[0]).toMatchObject({ rejection: { code: 'overloaded' } });
  });
});

describe('time', () => {
  it('never falls within a stream: a clock up to five seconds behind is absorbed, more is refused', async () => {
    const world = new LedgerWorld();
    await world.openAccount();
    const before = world.clock.now();
    world.clock.advance(-5_000);
    const [event] = await world.accept(deposit);
    expect(event?.metadata.recordedAt).toBe(toTimestamp(before));
    world.clock.advance(-1);
    expect(await world.ask({ ...deposit, depositId: 'd-2' })).toMatchObject({
      rejection: { code: 'clock-unreliable' },
    });
  });
});

describe('names beyond what memory holds', () => {
  it('are found in the index, and what the index has not taken in yet stays in memory', async () => {
    const store = new MemoryEventStore();
    const asked: string[] = [];
    let indexed = -1;
    const index: HomeStreamIndex = {
      ...emptyIndex,
      indexedRevision: () => indexed,
      lookup: (_stream, kind, id) => {
        asked.push(`${kind} ${id}`);
        return id === 'd-0' ? { revision: 1, value: 'deposited' } : undefined;
      },
    };
    const world = new LedgerWorld({ store, index, limits: { cachedEntries: 10 } });
    await world.openAccount();
    for (let n = 0; n < 8; n += 1) await world.accept({ ...deposit, depositId: `d-${String(n)}` });
    expect(asked).toEqual([]);
    indexed = 5;
    await world.accept({ ...deposit, depositId: 'd-8' });
    expect(await world.ask({ ...deposit, depositId: 'd-0' })).toMatchObject({ rejection: { code: 'already-exists' } });
    expect(asked).toContain('deposit d-0');
    expect(await world.ask({ ...deposit, depositId: 'd-7' })).toMatchObject({ rejection: { code: 'already-exists' } });
  });

  it('are fewer of each stream, the more streams there are: memory has a bound in all', async () => {
    let indexed = -1;
    const index: HomeStreamIndex = { ...emptyIndex, indexedRevision: () => indexed };
    const world = new LedgerWorld({ index, limits: { cachedEntriesInAll: 64 } });
    await world.openAccount();
    for (let n = 0; n < 60; n += 1) {
      await world.accept({ ...deposit, depositId: `d-${String(n)}` });
      indexed = n;
    }
    const names = world.ledger.bounds.find(({ what }) => what === 'names-in-memory');
    // Two of each deposit, of which so many at most were kept before the index took them over.
    expect(names?.inUse()).toBeLessThanOrEqual(64);
  });

  it('are left to the index when a long stream is loaded, as far as it has taken them in', async () => {
    const store = new MemoryEventStore();
    const before = new LedgerWorld({ store });
    await before.openAccount();
    for (let n = 0; n < NAMES_KEPT; n += 1) await before.accept({ ...deposit, depositId: `d-${String(n)}` });
    const asked: string[] = [];
    const index: HomeStreamIndex = {
      ...emptyIndex,
      // All but the last two deposits.
      indexedRevision: (stream) => (stream === 'account-acc-1' ? NAMES_KEPT - 2 : -1),
      lookup: (_stream, kind, id) => {
        asked.push(`${kind} ${id}`);
        return id === 'd-0' ? { revision: 1, value: 'deposited' } : undefined;
      },
    };
    const world = new LedgerWorld({ store, index });
    for (const known of [0, NAMES_KEPT - 1]) {
      const again = { ...deposit, depositId: `d-${String(known)}` };
      expect(await world.ask(again)).toMatchObject({ rejection: { code: 'already-exists' } });
    }
    expect(asked).toContain('deposit d-0');
    const names = world.ledger.bounds.find(({ what }) => what === 'names-in-memory');
    // A key and an id of each of the two, the key of the asset, and nothing of those before.
    expect(names?.inUse()).toBe(5);
    const few = new LedgerWorld({ store, index: { ...index, indexedRevision: () => -1 } });
    await few.ask({ ...deposit, depositId: 'd-0' });
    expect(few.ledger.bounds.find(({ what }) => what === 'names-in-memory')?.inUse()).toBeGreaterThan(NAMES_KEPT);
  });

  it('are read from the stream again when the index can not be asked any more', async () => {
    let building = false;
    const index: HomeStreamIndex = {
      ...emptyIndex,
      indexedRevision: (stream) => (building || stream !== 'account-acc-1' ? -1 : NAMES_KEPT),
      lookup: () => {
        if (building) throw new RejectionError(reject('read-model-behind', 'the read models are being built'));
        return undefined;
      },
    };
    const store = new MemoryEventStore();
    const before = new LedgerWorld({ store });
    await before.openAccount();
    for (let n = 0; n < NAMES_KEPT; n += 1) await before.accept({ ...deposit, depositId: `d-${String(n)}` });
    const world = new LedgerWorld({ store, index });
    await world.accept({ ...deposit, depositId: 'd-a' }, { key: 'a' });
    building = true;
    const next = { ...deposit, depositId: 'd-b' };
    expect(await world.ask(next, { key: 'b' })).toMatchObject({ rejection: { code: 'read-model-behind' } });
    expect(await world.ask(next, { key: 'b' })).toMatchObject({ status: 'accepted' });
    const again = await world.ask({ ...deposit, depositId: 'd-0' }, { key: 'c' });
    expect(again).toMatchObject({ rejection: { code: 'already-exists' } });
  });
});
