import { MemoryEventStore } from '#event-store/memory';
import { pointerTo, type RecordedEvent } from '#kernel';
import { Judge, replayAccount } from '#replay';
import { checkLog, forceIn, LedgerWorld, service, TestClock } from '#testing';
import { beforeEach, describe, expect, it } from '@jest/globals';

const source = { kind: 'bank', reference: 'r' } as const;
const send = {
  type: 'SendTransfer',
  accountId: 'acc-1',
  transferId: 't-1',
  to: 'acc-2',
  asset: 'BTC',
  amount: '2',
} as const;
const LATER = '2022-03-02T00:00:00.000Z';
const full = { available: 300_000_000n, arrived: 0n };

let store: MemoryEventStore;
let world: LedgerWorld;
beforeEach(async () => {
  store = new MemoryEventStore();
  world = new LedgerWorld({ store });
  await world.openAccount('acc-1', 'p-1');
  await world.openAccount('acc-2', 'p-2');
  await world.accept({ type: 'Deposit', accountId: 'acc-1', depositId: 'd-1', asset: 'BTC', amount: '3', source });
});

async function typesOn(accountId: string): Promise<string[]> {
  return (await store.read(`account-${accountId}`)).map(({ type }) => type);
}

async function balances(): Promise<{ available: bigint | undefined; arrived: bigint }> {
  const of = async (accountId: string): Promise<bigint | undefined> =>
    (await replayAccount(store, accountId, undefined))?.state.balances.get('BTC')?.available;
  return { available: await of('acc-1'), arrived: (await of('acc-2')) ?? 0n };
}

/** What an auditor finds wrong, in the order of the log. */
async function violations(): Promise<string[]> {
  const judge = new Judge(store);
  const found: string[] = [];
  for (const event of (await store.readAll({ limit: 10_000 })).events) {
    const { violation } = await judge.judge(event);
    if (violation !== undefined) found.push(`${event.type}: ${violation.code}: ${violation.detail}`);
  }
  return found;
}

async function sound(quiescent = true): Promise<void> {
  expect(world.failures).toEqual([]);
  expect(await violations()).toEqual([]);
  expect(checkLog(await world.log(), { quiescent })).toEqual([]);
}

const close = (accountId: string): Promise<unknown> =>
  world.accept({ type: 'CloseAccount', accountId, reason: 'asked' }, { actor: service });

describe('a transfer', () => {
  it('is received by an account that is open', async () => {
    const [sent, ...more] = await world.accept(send, { actor: service });
    expect([sent?.type, more]).toEqual(['TransferSent', []]);
    await world.ledger.supervisor.pass();
    const received = (await store.read('account-acc-2')).at(-1);
    expect(received).toMatchObject({ type: 'TransferReceived', metadata: { causationId: sent?.id, key: null } });
    expect(await balances()).toEqual({ available: 100_000_000n, arrived: 200_000_000n });
    await sound();
  });

  it('comes back from one that is closed, also to an account that was closed meanwhile', async () => {
    await close('acc-2');
    await world.accept({ ...send, amount: '3' }, { actor: service });
    await world.ledger.supervisor.pass();
    expect(await typesOn('acc-2')).toEqual(['AccountOpened', 'AccountClosed', 'TransferRefused']);
    expect((await typesOn('acc-1')).slice(-2)).toEqual(['TransferSent', 'TransferReturned']);
    expect(await balances()).toEqual(full);
    await sound();
  });

  it('lands on its return, whatever came in meanwhile, and the account can be frozen', async () => {
    const most = `9${'0'.repeat(29)}`;
    const deposit = { type: 'Deposit', accountId: 'acc-1', asset: 'BTC', amount: most, source } as const;
    await world.accept({ ...deposit, depositId: 'd-2' });
    await close('acc-2');
    const append = store.append.bind(store);
    store.append = async (stream, expected, events) => {
      // Before the other account has sent it back.
      if (events[0]?.type === 'TransferRefused') await world.accept({ ...deposit, depositId: 'd-3' });
      return append(stream, expected, events);
    };
    await world.accept({ ...send, amount: most }, { actor: service });
    await world.ledger.supervisor.pass();
    const all = 18n * 10n ** 37n + 300_000_000n;
    expect((await balances()).available).toBe(all);
    await world.putOrder();
    const basis = { kind: 'legal-order', id: 'ord-1' } as const;
    const [frozen] = await world.accept({ type: 'FreezeAccount', accountId: 'acc-1', basis });
    expect(frozen?.data).toMatchObject({ balancesAtFreeze: [{ asset: 'BTC', available: String(all) }] });
    const refused = await world.ask({ ...send, transferId: 't-2' }, { actor: service });
    expect(refused).toMatchObject({ status: 'rejected', rejection: { code: 'account-frozen' } });
    await sound();
  });

  it('answers a repeat as it answered first, however it went on, and sends once', async () => {
    await close('acc-2');
    const first = await world.ask(send, { actor: service, key: 'k' });
    await world.ledger.supervisor.pass();
    const again = await world.ask(send, { actor: service, key: 'k' });
    expect(again).toEqual({ ...first, replayed: true });
    expect(await new LedgerWorld({ store }).ask(send, { actor: service, key: 'k' })).toEqual(again);
    expect((await typesOn('acc-1')).filter((type) => type === 'TransferSent')).toHaveLength(1);
  });

  it.each<readonly [string, object, object]>([
    ['to itself', { to: 'acc-1' }, { code: 'malformed-request', extra: { errors: [{ field: 'to' }] } }],
    ['to nobody', { to: 'acc-9' }, { code: 'account-not-found', extra: { accountId: 'acc-9' } }],
    ['of nobody', { accountId: 'acc-9' }, { code: 'account-not-found' }],
    ['of no asset', { asset: 'DOGE' }, { code: 'asset-not-found' }],
    ['of too small a part', { amount: '0.000000001' }, { code: 'malformed-request' }],
    ['of more than there is', { amount: '4' }, { code: 'insufficient-funds' }],
  ])('is not sent %s', async (_name, changed, rejection) => {
    expect(await world.ask({ ...send, ...changed }, { actor: service })).toMatchObject({ rejection });
    expect(await balances()).toEqual(full);
  });

  it('is a debit: refused by a freeze, by a closed account, and under an id that is taken', async () => {
    await world.accept(send, { actor: service });
    expect(await world.ask(send, { actor: service })).toMatchObject({ rejection: { code: 'already-exists' } });
    await world.putOrder();
    await world.accept({ type: 'FreezeAccount', accountId: 'acc-1', basis: { kind: 'legal-order', id: 'ord-1' } });
    const next = { ...send, transferId: 't-2' };
    expect(await world.ask(next, { actor: service })).toMatchObject({ rejection: { code: 'account-frozen' } });
    expect(
      await world.ask({ ...next, accountId: 'acc-2', to: 'acc-1', amount: '1' }, { actor: service }),
    ).toMatchObject({ status: 'accepted' });
    await world.openAccount('acc-3', 'p-3');
    await close('acc-3');
    const fromClosed = { ...send, accountId: 'acc-3' };
    expect(await world.ask(fromClosed, { actor: service })).toMatchObject({ rejection: { code: 'account-closed' } });
    await world.ledger.supervisor.pass();
    await sound();
  });

  it('returns whatever is frozen meanwhile', async () => {
    await close('acc-2');
    await forceSent();
    await world.putOrder();
    const later = new LedgerWorld({ store, clock: new TestClock(LATER) });
    await later.accept({ type: 'FreezeAccount', accountId: 'acc-1', basis: { kind: 'legal-order', id: 'ord-1' } });
    await later.ledger.supervisor.pass();
    expect((await typesOn('acc-1')).at(-1)).toBe('TransferReturned');
    expect(await balances()).toEqual(full);
  });

  it('is finished by the supervisor of another process, and by nobody twice', async () => {
    await forceSent();
    for (let n = 0; n < 2; n += 1) {
      const next = new LedgerWorld({ store, clock: new TestClock(LATER) });
      await next.ledger.supervisor.pass();
      expect(next.failures).toEqual([]);
      expect((await typesOn('acc-2')).slice(1)).toEqual(['TransferReceived']);
    }
    expect(await balances()).toEqual({ available: 100_000_000n, arrived: 200_000_000n });
  });
});

/** As a process leaves it that dies after the first half. */
function forceSent(changed: object = {}): Promise<RecordedEvent> {
  const { accountId, transferId, to, asset } = send;
  const data = { accountId, transferId, to, asset, amount: '200000000', ...changed };
  return forceIn(store, 'account-acc-1', { type: 'TransferSent', data });
}

describe('what was forced into the store', () => {
  const incoming = { accountId: 'acc-2', from: 'acc-1', transferId: 't-1', asset: 'BTC', amount: '200000000' };
  const outgoing = { accountId: 'acc-1', to: 'acc-2', transferId: 't-1', asset: 'BTC', amount: '200000000' };
  const receive = (cited: RecordedEvent, changed: object = {}): Promise<RecordedEvent> => {
    const data = { ...incoming, citation: pointerTo(cited), ...changed };
    return forceIn(store, 'account-acc-2', { type: 'TransferReceived', data });
  };
  const giveBack = (cited: RecordedEvent, changed: object = {}): Promise<RecordedEvent> => {
    const data = { ...outgoing, reason: 'closed', citation: pointerTo(cited), ...changed };
    return forceIn(store, 'account-acc-1', { type: 'TransferReturned', data });
  };

  /** After the forgery: one violation, no money made, and the real transfer still comes to its end. */
  async function reports(why: string, ends: 'received' | 'returned' | 'unsent' = 'received'): Promise<void> {
    expect(await violations()).toEqual([expect.stringContaining(why)]);
    const later = new LedgerWorld({ store, clock: new TestClock(LATER) });
    await later.ledger.supervisor.pass();
    expect(later.failures).toEqual([]);
    const arrived = ends === 'received' ? 200_000_000n : 0n;
    expect(await balances()).toEqual({ available: 300_000_000n - arrived, arrived });
    expect(await violations()).toHaveLength(1);
  }

  it('a receipt without a transfer', async () => {
    const [deposit] = await store.read('account-acc-1', { from: 1, to: 1 });
    if (deposit === undefined) throw new Error('no deposit');
    await receive(deposit);
    await reports('cites no transfer that was sent', 'unsent');
  });

  it.each([
    ['of another amount', { amount: '300000000' }],
    ['of another asset', { asset: 'EUR' }],
    ['of another id', { transferId: 't-2' }],
    ['from another account', { from: 'acc-3' }],
  ])('a receipt %s', async (_name, changed) => {
    await receive(await forceSent(), changed);
    await reports('TransferReceived: citation-unresolved');
  });

  it('a receipt by another account', async () => {
    const sent = await forceSent({ to: 'acc-3' });
    await receive(sent);
    expect(await violations()).toEqual([expect.stringContaining('says otherwise than the transfer that it cites')]);
    expect((await balances()).arrived).toBe(0n);
  });

  it('a receipt of a transfer that was itself no legal event', async () => {
    await receive(await forceSent({ amount: '900000000' }), { amount: '900000000' });
    expect(await violations()).toEqual([
      expect.stringContaining('sends more than is available'),
      expect.stringContaining('cites no transfer that was sent'),
    ]);
    expect(await balances()).toEqual(full);
    expect(await world.ask({ ...send, accountId: 'acc-2', to: 'acc-1', amount: '1' })).toMatchObject({
      rejection: { code: 'insufficient-funds' },
    });
  });

  it('a receipt that cites the transfer where it does not stand', async () => {
    const sent = await forceSent();
    await receive(sent, { citation: { ...pointerTo(sent), revision: '0' } });
    await reports('cites no transfer that was sent');
  });

  it('a receipt that cites what comes later in the log', async () => {
    const sent = await forceSent();
    const events = (await store.readAll({ limit: 1_000 })).events.filter(({ id }) => id !== sent.id);
    const turned = new MemoryEventStore();
    const put = async ({ stream, revision, position: _, ...event }: RecordedEvent): Promise<void> => {
      await turned.append(stream, revision === 0 ? 'no-stream' : revision - 1, [event]);
    };
    for (const event of events) await put(event);
    store = turned;
    await receive(sent);
    await put(sent);
    await reports('cites no transfer that was sent');
  });

  it('a second receipt', async () => {
    const sent = await forceSent();
    await receive(sent);
    await receive(sent);
    await reports('decides a transfer a second time');
  });

  it('a transfer under an id that is taken', async () => {
    await forceSent({ amount: '200000000' });
    await forceSent({ amount: '1' });
    await reports('sends under the id of another transfer');
  });

  it('a receipt in an account that is closed: the supervisor is not taken in, and the funds go back', async () => {
    await close('acc-2');
    await receive(await forceSent());
    await reports('takes in what it can not take in', 'returned');
  });

  it('a return that nothing refused', async () => {
    const sent = await forceSent();
    await giveBack(sent);
    await reports('cites no refusal of a transfer');
  });

  it('a return of what was received', async () => {
    const sent = await forceSent();
    await giveBack(await receive(sent));
    await reports('cites no refusal of a transfer');
  });

  it.each([
    ['a second return', {}],
    ['a return of more', { amount: '250000000' }],
    ['a return for another reason', { reason: 'credit-frozen' }],
  ])('%s', async (_name, changed) => {
    await close('acc-2');
    const sent = await forceSent();
    const refusal = { ...incoming, reason: 'closed', citation: pointerTo(sent) };
    const refused = await forceIn(store, 'account-acc-2', { type: 'TransferRefused', data: refusal });
    if (Object.keys(changed).length === 0) await giveBack(refused);
    await giveBack(refused, changed);
    const why =
      Object.keys(changed).length === 0 ? 'returns a transfer a second time' : 'says otherwise than the refusal';
    await reports(why, 'returned');
  });

  it('a refusal that is not true', async () => {
    const citation = pointerTo(await forceSent());
    const data = { ...incoming, reason: 'closed', citation };
    await forceIn(store, 'account-acc-2', { type: 'TransferRefused', data });
    await reports('refuses for a reason that is not');
  });
});

describe('transfers to and fro between two accounts', () => {
  it('are judged in a process that knows nothing, in a time that grows with their number', async () => {
    await world.accept({ type: 'Deposit', accountId: 'acc-2', depositId: 'd-1', asset: 'BTC', amount: '3', source });
    for (let n = 0; n < 60; n += 1) {
      const transferId = `t-${String(n)}`;
      await world.accept({ ...send, transferId, amount: '1' }, { actor: service });
      await world.accept({ ...send, accountId: 'acc-2', to: 'acc-1', transferId, amount: '1' }, { actor: service });
    }
    const reads: string[] = [];
    const counting = new Proxy(store, {
      get: (target, name, receiver) => {
        if (name !== 'read') return Reflect.get(target, name, target) as unknown;
        return (...asked: Parameters<MemoryEventStore['read']>) => {
          reads.push(asked[0]);
          return target.read.apply(receiver === undefined ? target : target, asked);
        };
      },
    });
    const replayed = await replayAccount(counting, 'acc-1', undefined);
    expect(replayed?.state.balances.get('BTC')?.available).toBe(300_000_000n);
    // One look at each transfer, and what it takes to fold the other account beside this one.
    expect(reads.length).toBeLessThan(1_000);
    await sound();
  });
});
