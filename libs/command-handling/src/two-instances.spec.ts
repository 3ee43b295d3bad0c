import { StoreError, type EventStore } from '#event-store';
import { MemoryEventStore } from '#event-store/memory';
import { reject, RejectionError, SUPERVISOR, toTimestamp, type RecordedEvent, type RequestedScope } from '#kernel';
import type { HomeStreamIndex, IndexEntry } from '#replay';
import { checker, checkLog, emptyIndex, LedgerWorld, orderNaming } from '#testing';
import { beforeEach, describe, expect, it } from '@jest/globals';
import type { Draft, Origin, Task } from './plan.ts';
import { DEFAULT_LIMITS, realMachine } from './ports.ts';
import { stateOf, Streams } from './streams.ts';

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

/** What one instance asks of the store that it shares. */
interface Counted {
  readonly store: EventStore;
  /** Appends, and reads of any kind, since it was last set to nothing. */
  appends: number;
  reads: number;
}

/** The store as one instance reaches it: counted, and all of it shared. */
function counted(shared: MemoryEventStore): Counted {
  const count: Counted = { store: undefined as unknown as EventStore, appends: 0, reads: 0 };
  const store = new Proxy(shared, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      return (...call: unknown[]): unknown => {
        if (name === 'append') count.appends += 1;
        else if (name === 'read' || name === 'readAll') count.reads += 1;
        return Reflect.apply(value, target, call);
      };
    },
  });
  return Object.assign(count, { store, appends: 0, reads: 0 });
}

let shared: MemoryEventStore;
let here: LedgerWorld;
let there: LedgerWorld;
let asked: Counted;

beforeEach(async () => {
  shared = new MemoryEventStore();
  asked = counted(shared);
  here = new LedgerWorld({ store: asked.store });
  there = new LedgerWorld({ store: shared, clock: here.clock });
  await there.openAccount();
  // From here on this instance has the account in memory: without funds, without a freeze.
  expect(await here.ask(withdrawal)).toMatchObject({ rejection: { code: 'insufficient-funds' } });
});

/** The keys of a world are its own: what one asks is no repeat of what the other did. */
function ask(
  world: LedgerWorld,
  command: Parameters<LedgerWorld['ask']>[0],
  key: string,
): ReturnType<LedgerWorld['ask']> {
  return world.ask(command, { key });
}

describe('a command on one stream', () => {
  it('costs one append and no read while no other instance writes to the stream', async () => {
    await ask(here, { ...deposit, depositId: 'd-0' }, 'k-0');
    Object.assign(asked, { appends: 0, reads: 0 });
    for (let n = 1; n <= 50; n += 1) await ask(here, { ...deposit, depositId: `d-${String(n)}` }, `k-${String(n)}`);
    expect([asked.appends, asked.reads]).toEqual([50, 0]);
  });

  it('costs one read when it is turned down without a trace', async () => {
    Object.assign(asked, { appends: 0, reads: 0 });
    expect(await here.ask({ ...withdrawal, amount: '9' })).toMatchObject({ rejection: { code: 'insufficient-funds' } });
    expect([asked.appends, asked.reads]).toEqual([0, 1]);
  });

  it('finds out that another instance writes to the stream, and reads first for a while: few appends come too late', async () => {
    Object.assign(asked, { appends: 0, reads: 0 });
    for (let n = 0; n < 20; n += 1) {
      await ask(there, { ...deposit, depositId: `t-${String(n)}` }, `there-${String(n)}`);
      await ask(here, { ...deposit, depositId: `h-${String(n)}` }, `here-${String(n)}`);
    }
    expect(asked.appends).toBe(21);
    expect(asked.reads).toBeLessThan(25);
    // When the other one has gone, so has the price.
    here.clock.advance(10_001);
    await ask(here, { ...deposit, depositId: 'h-last' }, 'here-last');
    Object.assign(asked, { appends: 0, reads: 0 });
    await ask(here, { ...deposit, depositId: 'h-after' }, 'here-after');
    expect([asked.appends, asked.reads]).toEqual([1, 0]);
  });
});

describe('nobody is told of what rests on a state that others have overtaken', () => {
  it('a withdrawal passes after the deposit that another instance acknowledged', async () => {
    await there.accept(deposit);
    expect(await ask(here, withdrawal, 'w')).toMatchObject({ status: 'accepted' });
  });

  it('a withdrawal is turned down after the one that another instance acknowledged', async () => {
    await there.accept(deposit);
    expect(await ask(here, { ...withdrawal, withdrawalId: 'w-0' }, 'w-0')).toMatchObject({ status: 'accepted' });
    await ask(there, { ...deposit, depositId: 'd-2' }, 'd-2');
    await ask(there, { ...withdrawal, withdrawalId: 'w-2' }, 'w-2');
    expect(await ask(here, { ...withdrawal, withdrawalId: 'w-3' }, 'w-3')).toMatchObject({
      rejection: { code: 'insufficient-funds' },
    });
  });

  it('a debit is refused after the freeze that another instance acknowledged', async () => {
    await here.accept({ ...deposit, amount: '5' });
    await there.putOrder();
    const basis = { kind: 'legal-order', id: 'ord-1' } as const;
    expect(await ask(there, { type: 'FreezeAccount', accountId: 'acc-1', basis }, 'f')).toMatchObject({
      status: 'accepted',
    });
    expect(await ask(here, withdrawal, 'w')).toMatchObject({ rejection: { code: 'account-frozen' } });
  });

  it('a refusal is not put on record after the lift that another instance acknowledged', async () => {
    await there.accept({ ...deposit, amount: '5' });
    await there.putOrder();
    const basis = { kind: 'legal-order', id: 'ord-1' } as const;
    await ask(there, { type: 'FreezeAccount', accountId: 'acc-1', basis }, 'f');
    expect(await ask(here, withdrawal, 'w')).toMatchObject({ rejection: { code: 'account-frozen' } });
    await there.endOrder();
    expect(await ask(here, withdrawal, 'w-again')).toMatchObject({ status: 'accepted' });
  });

  it('a repeat gets the answer that another instance gave, and other content under its key an error', async () => {
    const first = await ask(there, deposit, 'k');
    expect(await ask(here, deposit, 'k')).toEqual({ ...first, replayed: true });
    expect(await ask(here, { ...deposit, amount: '2' }, 'k')).toMatchObject({
      rejection: { code: 'idempotency-key-reused' },
    });
  });

  it('If-Match is held against what another instance appended', async () => {
    await there.accept(deposit);
    expect(await here.ask(withdrawal, { key: 'old', ifMatch: 0 })).toMatchObject({
      rejection: { code: 'revision-mismatch', extra: { streamRevision: '1' } },
    });
    await there.accept({ ...deposit, depositId: 'd-2' });
    expect(await here.ask(withdrawal, { key: 'new', ifMatch: 2 })).toMatchObject({ status: 'accepted' });
  });

  it('a freeze rests on the order as another instance verified it, and as another ended it', async () => {
    await there.putOrder({}, false);
    const basis = { kind: 'legal-order', id: 'ord-1' } as const;
    const freeze = { type: 'FreezeAccount', accountId: 'acc-1', basis } as const;
    expect(await ask(here, freeze, 'early')).toMatchObject({ rejection: { code: 'basis-not-in-force' } });
    await ask(there, { type: 'VerifyLegalOrder', orderId: 'ord-1', method: 'call-back' }, 'wrong-person');
    await there.accept(
      { type: 'VerifyLegalOrder', orderId: 'ord-1', method: 'call-back' },
      { actor: checker, key: 'verified' },
    );
    expect(await ask(here, freeze, 'in-time')).toMatchObject({ status: 'accepted' });
    await there.endOrder();
    expect(await ask(here, freeze, 'late')).toMatchObject({ rejection: { code: 'basis-not-in-force' } });
    const breaches = checkLog(await here.log(), { quiescent: true, now: toTimestamp(here.clock.now() + 1) });
    expect(breaches).toEqual([]);
  });

  it('freezes that had ended are stated once each, however often their accounts are looked at', async () => {
    const keeping = (BTC: string): RequestedScope => ({ direction: 'debit', assets: ['BTC'], limits: { BTC } });
    const accounts = ['acc-1', 'acc-2', 'acc-3'];
    await here.openAccount('acc-2', 'p-2');
    await here.openAccount('acc-3', 'p-3');
    const subjects = accounts.map((accountId) => ({ kind: 'account', accountId }) as const);
    await here.accept({
      type: 'RegisterLegalOrder',
      orderId: 'ord-1',
      instrument: { ...orderNaming({ subjects }), scope: keeping('10') },
    });
    const verify = { type: 'VerifyLegalOrder', orderId: 'ord-1', method: 'call-back' } as const;
    await here.accept(verify, { actor: checker });
    const freeze = async (accountId: string, units: string): Promise<readonly RecordedEvent[]> => {
      const basis = { kind: 'legal-order', id: 'ord-1' } as const;
      return here.accept({ type: 'FreezeAccount', accountId, basis, scope: keeping(units) });
    };
    const ended: string[] = [];
    for (const [accountId, units] of [
      ['acc-1', '6'],
      ['acc-2', '4'],
    ] as const) {
      const frozen = (await freeze(accountId, units)).find(({ type }) => type === 'AccountFrozen');
      const { freezeId } = frozen?.data as { freezeId: string };
      const lift = { freezeId, accountId, requestId: 'r-1' };
      await here.accept({ type: 'RequestLift', ...lift, ground: 'placed-in-error', note: 'the wrong account' });
      await here.accept({ type: 'ApproveLift', ...lift }, { actor: checker });
      ended.push(freezeId);
    }
    // What this instance knows of the first is not the latest: it looks once more.
    await there.accept(deposit, { key: 'from-there' });
    await freeze('acc-3', '10');
    const authorised = (await here.log()).filter(({ type }) => type === 'FreezeAuthorised').at(-1);
    const { endedFreezes } = authorised?.data as { endedFreezes: readonly { freezeId: string }[] };
    expect(endedFreezes.map(({ freezeId }) => freezeId)).toEqual(ended);
  });

  it('a name in the index that is beyond what is in memory is no reason to say what is not so any more', async () => {
    let indexed = -1;
    const found = new Map<string, IndexEntry>();
    const index: HomeStreamIndex = {
      ...emptyIndex,
      indexedRevision: () => indexed,
      lookup: (_stream, kind, id) => found.get(`${kind} ${id}`),
    };
    const small = new LedgerWorld({ store: asked.store, index, limits: { cachedEntries: 2 } });
    await ask(small, { ...deposit, depositId: 'd-a' }, 'a');
    indexed = 1;
    await ask(small, { ...deposit, depositId: 'd-b' }, 'b');
    await ask(there, { ...deposit, depositId: 'd-1' }, 'c');
    // The read models of this instance have taken in what its lane has not seen.
    found.set('deposit d-1', { revision: 3, value: 'deposited' });
    expect(await ask(small, { ...deposit, depositId: 'd-1' }, 'd')).toMatchObject({
      rejection: { code: 'already-exists' },
    });
    expect(await ask(small, { ...withdrawal, amount: '3' }, 'all')).toMatchObject({ status: 'accepted' });
  });
});

describe('a lane', () => {
  const stream = 'account-acc-1';
  const origin: Origin = { actor: SUPERVISOR, correlationId: 'c', key: null, commandHash: null, causationId: null };
  const refused: Draft = {
    type: 'CommandRefused',
    data: {
      command: 'CloseAccount',
      code: 'account-frozen',
      detail: 'frozen',
      extra: {},
      request: {},
      decidedOn: null,
    },
  };
  let streams: Streams;

  function streamsOn(store: EventStore): Streams {
    const machine = { ...realMachine, clock: here.clock };
    return new Streams({ store, machine, limits: DEFAULT_LIMITS, index: emptyIndex });
  }

  beforeEach(async () => {
    streams = streamsOn(shared);
    await streams.inspect(stream, () => undefined);
  });

  it('tells nobody that a task threw before it is proven on what', async () => {
    const task: Task<string> = (view) => {
      if (stateOf(view, 'account').openWithdrawals.size === 0) {
        throw new RejectionError(reject('withdrawal-not-found', 'there is none'));
      }
      return { result: 'found' };
    };
    await expect(streams.decide(stream, task)).rejects.toThrow('there is none');
    await there.accept(deposit);
    await ask(there, withdrawal, 'w');
    await expect(streams.decide(stream, task)).resolves.toBe('found');
  });

  it('decides all that was decided together again when the append comes too late, those that threw among them', async () => {
    await there.accept(deposit);
    const seen: number[] = [];
    const outcomes = await Promise.allSettled([
      streams.decide(stream, (view) => {
        seen.push(view.revision);
        throw new Error(`decided at ${String(view.revision)}`);
      }),
      streams.decide(stream, (view) => ({ append: [refused], origin, nowMs: view.time(), answer: () => 'recorded' })),
    ]);
    expect(outcomes).toMatchObject([
      { status: 'rejected', reason: new Error('decided at 1') },
      { status: 'fulfilled', value: 'recorded' },
    ]);
    expect(seen).toEqual([0, 1]);
  });

  it('takes what it can not fold for a fault only where it is one at the end of the stream', async () => {
    const illegal: Draft = {
      type: 'WithdrawalSettled',
      data: { accountId: 'acc-1', withdrawalId: 'w-9', settlement: {} },
    };
    const append = (view: { time(): number }): Awaited<ReturnType<Task<string>>> => ({
      append: [illegal],
      origin,
      nowMs: view.time(),
      answer: () => 'never',
    });
    await there.accept(deposit);
    const decided = streams.decide<string>(stream, (view) => (view.revision === 0 ? append(view) : { result: 'seen' }));
    await expect(decided).resolves.toBe('seen');
    await expect(streams.decide<string>(stream, append)).rejects.toThrow('would be a violation');
  });

  /** @param late how many appends come too late, as those of an instance beside one that never rests */
  function streamsThatComeTooLate(late: number): { readonly tries: () => number } {
    let tries = 0;
    const store = new Proxy(shared, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value !== 'function') return value;
        return (...call: unknown[]): unknown => {
          if (name !== 'append' || (tries += 1) > late) return Reflect.apply(value, target, call);
          return Promise.reject(new StoreError('wrong-expected-revision', 'others came first', tries));
        };
      },
    });
    streams = streamsOn(store);
    return { tries: () => tries };
  }

  const record = (): Promise<string> =>
    streams.decide(
      stream,
      (view) => ({ append: [refused], origin, nowMs: view.time(), answer: () => 'recorded' }),
      'in-line',
    );

  it('looks without what waits in line where others write too: a freeze is not held up by appends that come too late', async () => {
    const { tries } = streamsThatComeTooLate(50);
    const recorded = record();
    await expect(streams.inspect(stream, () => tries())).resolves.toBe(1);
    await expect(recorded).resolves.toBe('recorded');
  });

  it('leaves out what waits in line no two times in a row', async () => {
    const { tries } = streamsThatComeTooLate(1);
    let looks = 0;
    const look = (): void => {
      looks += 1;
      if (looks < 50) void streams.inspect(stream, look);
    };
    const recorded = record();
    void streams.inspect(stream, look);
    await expect(recorded).resolves.toBe('recorded');
    expect([tries(), looks]).toEqual([2, 2]);
  });

  it('leaves those that wait for another turn alone when the append of this one fails', async () => {
    let isDown = true;
    const store = new Proxy(shared, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value !== 'function') return value;
        return (...call: unknown[]): unknown =>
          name === 'append' && isDown
            ? Promise.reject(new StoreError('store-unavailable', 'the store is down'))
            : Reflect.apply(value, target, call);
      },
    });
    streams = streamsOn(store);
    const many: Task<string> = (view) => ({
      append: Array.from({ length: 900 }, () => refused),
      origin,
      nowMs: view.time(),
      answer: () => 'recorded',
    });
    const [first, second] = [streams.inspect(stream, () => 'first'), streams.decide(stream, many)];
    const third = streams.inspect(stream, () => {
      isDown = false;
      return 'third';
    });
    await expect(first).resolves.toBe('first');
    await expect(second).rejects.toThrow('the event store can not be written');
    await expect(third).resolves.toBe('third');
  });
});
