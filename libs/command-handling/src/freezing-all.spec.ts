import { StoreError, type EventStore } from '#event-store';
import { MemoryEventStore } from '#event-store/memory';
import { DamagedStreamError } from '#replay';
import { LedgerWorld, logWithGap, storeWith, varyOrder } from '#testing';
import { beforeEach, describe, expect, it } from '@jest/globals';
import type { Instrument } from '#legal-orders';
import type { OutcomeOfAll } from './ledger-api.ts';

/** A store in which something happens once, before a stream is read. */
function meanwhile(inner: EventStore, stream: string, happens: () => Promise<void>): EventStore {
  let isDue = true;
  return storeWith(inner, {
    read: async (...call) => {
      const isNow = isDue && call[0] === stream;
      if (isNow) isDue = false;
      if (isNow) await happens();
      return inner.read(...call);
    },
  });
}

describe('a freeze of all that an order names, while the order is varied', () => {
  it('freezes with the scope that the order has by then, and is not refused for the one that it had', async () => {
    const store = new MemoryEventStore();
    const other = new LedgerWorld({ store });
    await other.openAccount();
    await other.putOrder();
    const vary = (): Promise<void> => varyOrder(other, { scope: { direction: 'credit', assets: 'all' } });
    const world = new LedgerWorld({ store: meanwhile(store, 'account-acc-1', vary) });
    const outcome = await world.freezeAll({ basis: { kind: 'legal-order', id: 'ord-1' } });
    expect(outcome).toMatchObject({ status: 'answered', parts: [{ outcome: { status: 'accepted' } }] });
    expect((await store.read('account-acc-1')).at(-1)).toMatchObject({
      type: 'AccountFrozen',
      data: { scope: { direction: 'credit', assets: 'all' } },
    });
    expect((await store.read('legalOrder-ord-1')).map(({ type }) => type)).not.toContain('CommandRefused');
  });
});

type LegalScope = Instrument['scope'];

const BASIS = { kind: 'legal-order', id: 'ord-1' } as const;
const party = (partyId: string) => ({ kind: 'party', partyId }) as const;

/** Why an append fails; undefined when it does not. */
type ErrorOf = (stream: string, types: readonly string[]) => Error | undefined;

/** A store whose appends to some streams fail, as long as something is thrown for them. */
function refusing(inner: EventStore, errorOf: ErrorOf): EventStore {
  return storeWith(inner, {
    append: (...call) => {
      const types = call[2].map(({ type }) => type);
      const error = errorOf(call[0], types);
      return error === undefined ? inner.append(...call) : Promise.reject(error);
    },
  });
}

/** Each account with what became of it. */
function told(answer: OutcomeOfAll): readonly (readonly [string, string])[] | string {
  if (answer.status === 'rejected') return answer.rejection.code;
  return answer.parts.map(({ accountId, outcome }) => {
    if (outcome.status === 'accepted') return [accountId, outcome.replayed ? 'again' : 'frozen'];
    return [accountId, outcome.status === 'rejected' ? outcome.rejection.code : String(outcome.error)];
  });
}

describe('a freeze of all that an order names, where something fails', () => {
  const others = Array.from({ length: 20 }, (_, n) => `b-${String(n).padStart(2, '0')}`);
  const all = ['a-1', ...others];
  let log: MemoryEventStore;
  let errorOf: ErrorOf;
  let world: LedgerWorld;

  beforeEach(async () => {
    log = new MemoryEventStore();
    errorOf = () => undefined;
    world = new LedgerWorld({ store: refusing(log, (...call) => errorOf(...call)) });
    await world.openAccount('a-1', 'p-1');
    for (const accountId of others) {
      await world.accept({ type: 'OpenAccount', accountId, holders: [{ partyId: 'p-1', capacity: 'owner' }] });
    }
    await world.openAccount('c-1', 'p-2');
  });

  async function frozen(store: EventStore = log): Promise<readonly string[]> {
    const { events } = await store.readAll({ limit: 1_000 });
    return events
      .flatMap(({ type, stream }) => (type === 'AccountFrozen' ? [stream.slice('account-'.length)] : []))
      .sort();
  }

  const tooLarge = new StoreError('append-too-large', 'an append has at most so many bytes');
  const away = new StoreError('store-unavailable', 'no room');

  it('freezes the others, says which one failed and of what, and tries that one again', async () => {
    await world.putOrder({ subjects: [party('p-1')] });
    errorOf = (stream) => (stream === 'account-a-1' ? tooLarge : undefined);
    const first = await world.freezeAll({ basis: BASIS }, 'all');
    expect(first).toMatchObject({ replayed: false });
    expect(told(first)).toEqual([['a-1', String(tooLarge)], ...others.map((id) => [id, 'frozen'])]);
    const again = await world.freezeAll({ basis: BASIS }, 'all');
    expect(again).toMatchObject({ replayed: false });
    expect(told(again)).toEqual([['a-1', String(tooLarge)], ...others.map((id) => [id, 'again'])]);
    errorOf = () => undefined;
    const last = await world.freezeAll({ basis: BASIS }, 'all');
    expect(told(last)).toEqual([['a-1', 'frozen'], ...others.map((id) => [id, 'again'])]);
    expect(await frozen()).toEqual(all);
  });

  it('says that the store could not write one, and that this is no repeat', async () => {
    await world.putOrder({ subjects: [party('p-1')] });
    errorOf = (stream) => (stream === 'account-a-1' ? away : undefined);
    for (const came of ['frozen', 'again']) {
      const answer = await world.freezeAll({ basis: BASIS }, 'all');
      expect(answer).toMatchObject({ replayed: false });
      expect(told(answer)).toEqual([['a-1', 'store-unavailable'], ...others.map((id) => [id, came])]);
    }
  });

  it.each([
    ['whom the order names itself', [party('p-1'), { kind: 'account', accountId: 'c-1' } as const]],
    ['of a party', [party('p-1'), party('p-2')]],
  ])('freezes the others where events are missing of an account %s', async (_, subjects) => {
    for (const amount of ['1', '2', '3']) {
      const source = { kind: 'bank', reference: 'r' } as const;
      const deposit = { accountId: 'c-1', depositId: `d-${amount}`, asset: 'BTC', amount, source };
      await world.accept({ type: 'Deposit', ...deposit });
    }
    await world.putOrder({ subjects });
    const events = await world.log();
    const missing: unknown[] = [];
    const store = logWithGap(events, eventOf(events, 'account-c-1', 2));
    const after = new LedgerWorld({ store, clock: world.clock, onDamaged: (error) => missing.push(error) });
    const answer = await after.freezeAll({ basis: BASIS });
    expect(told(answer)).toEqual([...all.map((id) => [id, 'frozen']), ['c-1', 'store-unavailable']]);
    expect(missing).toContainEqual(new DamagedStreamError('account-c-1', 2, 'missing'));
    expect(await frozen(store)).toEqual(all);
  });

  it('freezes the others where the accounts of a party can not be found, and says that this is not all', async () => {
    await world.putOrder({ subjects: [party('p-1'), party('p-2')] });
    const events = await world.log();
    const store = logWithGap(events, eventOf(events, 'party-p-2', 1));
    const after = new LedgerWorld({ store, clock: world.clock });
    for (const key of ['all', 'all']) {
      const answer = await after.freezeAll({ basis: BASIS }, key);
      const rejection = { code: 'store-unavailable', detail: expect.stringContaining('not all accounts') };
      expect(answer).toMatchObject({ status: 'rejected', replayed: false, rejection });
      expect(await frozen(store)).toEqual(all);
    }
  });

  it('freezes what the order names itself, though of another opening of it nobody knows what came', async () => {
    errorOf = (_, types) => (types.includes('AccountOpened') ? away : undefined);
    await world.ask({ type: 'OpenAccount', accountId: 'd-1', holders: [{ partyId: 'p-1', capacity: 'owner' }] });
    errorOf = (_, types) => (types.includes('AccountOpeningAbandoned') ? away : undefined);
    await world.openAccount('d-1', 'p-3');
    await world.putOrder({ subjects: [party('p-1'), { kind: 'account', accountId: 'd-1' }] });
    expect(told(await world.freezeAll({ basis: BASIS }))).toEqual([...all, 'd-1'].map((id) => [id, 'frozen']));
  });

  it('takes a share of an account that such a party may hold', async () => {
    const scope: LegalScope = { direction: 'debit', assets: ['BTC'], limits: { BTC: '3' } };
    await world.putOrder({ subjects: [{ kind: 'account', accountId: 'a-1' }, party('p-2')], scope });
    const events = await world.log();
    const store = logWithGap(events, eventOf(events, 'party-p-2', 1));
    const after = new LedgerWorld({ store, clock: world.clock });
    const answer = await after.freezeAll({ basis: BASIS, shares: { 'a-1': { BTC: '1' }, 'c-1': { BTC: '2' } } });
    expect(told(answer)).toBe('store-unavailable');
    expect(await frozen(store)).toEqual(['a-1']);
    const [data] = (await store.read('account-a-1')).filter(({ type }) => type === 'AccountFrozen');
    expect(data).toMatchObject({ data: { scope: { limits: { BTC: '100000000' } } } });
  });

  it('freezes what a party holds that can not be named yet, and says that this is not all until it is', async () => {
    errorOf = (stream, types) => (stream === 'party-p-2' && types.includes('PartyNamed') ? away : undefined);
    await world.putOrder({ subjects: [party('p-1'), party('p-2')] });
    expect(told(await world.freezeAll({ basis: BASIS }, 'all'))).toBe('store-unavailable');
    expect(await frozen()).toEqual([...all, 'c-1']);
    errorOf = () => undefined;
    const answer = await world.freezeAll({ basis: BASIS }, 'all');
    expect(answer).toMatchObject({ status: 'answered', replayed: true });
    expect(await frozen()).toEqual([...all, 'c-1']);
  });

  it('is answered as a whole where nothing could be decided of any account', async () => {
    await world.putOrder({ subjects: [party('p-1')] });
    errorOf = (_, types) => (types.includes('FreezeAuthorised') ? away : undefined);
    const answer = await world.freezeAll({ basis: BASIS }, 'all');
    expect(answer).toMatchObject({ status: 'rejected', rejection: { code: 'store-unavailable' } });
    errorOf = (_, types) => (types.includes('AccountFrozen') ? tooLarge : undefined);
    await expect(world.freezeAll({ basis: BASIS }, 'all')).rejects.toBe(tooLarge);
    errorOf = () => undefined;
    expect(told(await world.freezeAll({ basis: BASIS }, 'all'))).toEqual(all.map((id) => [id, 'frozen']));
    expect(await frozen()).toEqual(all);
  });
});

function eventOf(
  log: Awaited<ReturnType<LedgerWorld['log']>>,
  stream: string,
  revision: number,
): { readonly id: string } {
  const found = log.find((event) => event.stream === stream && event.revision === revision);
  if (found === undefined) throw new Error(`no event at ${stream}@${String(revision)}`);
  return found;
}
