import { MemoryEventStore } from '#event-store/memory';
import { type Subject } from '#legal-orders';
import { LedgerWorld, putHit, service, varyOrder } from '#testing';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { startProjections, type Projections } from './start.ts';

const TIMEOUT_MS = 20_000;
const account: Subject = { kind: 'account', accountId: 'acc-1' };
const party = (partyId: string): Subject => ({ kind: 'party', partyId });
const address = (name: string): Subject => ({ kind: 'address', chain: 'bitcoin', address: name });

let world: LedgerWorld;
let projections: Projections;
/** acc-1 of p-1, who controls `a` and has `b` for deposits, and acc-2 of p-2, who controls `c`. */
beforeEach(async () => {
  const store = new MemoryEventStore();
  world = new LedgerWorld({ store });
  projections = startProjections({ kind: 'in-process', reader: store, readModelFile: ':memory:' });
  for (const nth of ['1', '2']) await world.openAccount(`acc-${nth}`, `p-${nth}`);
  const link = { type: 'LinkAddress', chain: 'bitcoin' } as const;
  const controlled = { ...link, role: 'holder-controlled' } as const;
  await world.accept({ ...controlled, partyId: 'p-1', address: 'a' }, { actor: service });
  await world.accept({ ...link, partyId: 'p-1', address: 'b', role: 'deposit-address' }, { actor: service });
  await world.accept({ ...controlled, partyId: 'p-2', address: 'c' }, { actor: service });
});
afterEach(() => projections.close());

/** The orders that the filter finds, a page for each. */
async function ordersOf(accountId: string): Promise<string[]> {
  const position = (await world.log()).at(-1)?.position ?? '';
  expect(await projections.queries.waitFor(position, TIMEOUT_MS)).toBe(true);
  const found: string[] = [];
  let cursor: string | undefined;
  do {
    const page = projections.queries.legalOrders({ accountId }, { limit: 1, cursor });
    found.push(...page.items.map(({ orderId }) => orderId));
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined);
  return found;
}

it('are those that name it, who holds it, or an address of theirs, each once', async () => {
  await world.putOrder({ orderId: 'ord-itself', subjects: [account] });
  await world.putOrder({ orderId: 'ord-holder', subjects: [party('p-1')] });
  await world.putOrder({ orderId: 'ord-address', subjects: [address('a')] });
  await world.putOrder({ orderId: 'ord-all', subjects: [account, party('p-1'), address('a'), party('p-2')] });
  await world.putOrder({ orderId: 'ord-deposit-address', subjects: [address('b')] });
  expect(await ordersOf('acc-1')).toEqual(['ord-all', 'ord-address', 'ord-holder', 'ord-itself']);
  expect(await ordersOf('acc-2')).toEqual(['ord-all']);
  expect(await ordersOf('acc-3')).toEqual([]);
});

it('are those of each of its holders, and of an address that is linked after the order', async () => {
  const holders = ['p-1', 'p-2'].map((partyId) => ({ partyId, capacity: 'joint' as const }));
  await world.accept({ type: 'OpenAccount', accountId: 'acc-3', holders });
  await world.putOrder({ orderId: 'ord-1', subjects: [party('p-1')] });
  await world.putOrder({ orderId: 'ord-2', subjects: [address('c')] });
  await world.putOrder({ orderId: 'ord-3', subjects: [address('d')] });
  expect(await ordersOf('acc-3')).toEqual(['ord-2', 'ord-1']);
  const link = {
    type: 'LinkAddress',
    partyId: 'p-2',
    chain: 'bitcoin',
    address: 'd',
    role: 'holder-controlled',
  } as const;
  await world.accept(link, { actor: service });
  expect(await ordersOf('acc-3')).toEqual(['ord-3', 'ord-2', 'ord-1']);
  expect(await ordersOf('acc-2')).toEqual(['ord-3', 'ord-2']);
});

it('are those that name an address of theirs in another spelling, until a variation names another', async () => {
  await world.putOrder({ subjects: [{ kind: 'address', chain: 'Bitcoin', address: 'a' }] });
  expect(await ordersOf('acc-1')).toEqual(['ord-1']);
  await varyOrder(world, { subjects: [address('a')] }, 'chg-1');
  expect(await ordersOf('acc-1')).toEqual(['ord-1']);
  await varyOrder(world, { subjects: [{ kind: 'address', chain: 'BITCOIN', address: 'c' }] }, 'chg-2');
  expect(await ordersOf('acc-1')).toEqual([]);
  expect(await ordersOf('acc-2')).toEqual(['ord-1']);
});

it('are those that name an address which was linked in another spelling, as hits on it are', async () => {
  const role = 'holder-controlled';
  const link = { type: 'LinkAddress', partyId: 'p-1', chain: 'Bitcoin', address: 'BC1QSPE77ED', role } as const;
  await world.accept(link, { actor: service });
  await world.putOrder({ subjects: [address('bc1qspe77ed')] });
  await putHit(world, { subject: { kind: 'address', chain: 'bitcoin', address: 'bc1qspe77ed' } });
  expect(await ordersOf('acc-1')).toEqual(['ord-1']);
  for (const filter of [{ accountId: 'acc-1' }, { partyId: 'p-1' }]) {
    expect(projections.queries.sanctionsHits(filter, { limit: 10 }).items).toMatchObject([{ hitId: 'hit-1' }]);
  }
});

it('are none whose variation dropped the holder', async () => {
  await world.putOrder({ subjects: [party('p-1'), party('p-2')] });
  await varyOrder(world, { subjects: [party('p-2')] }, 'chg-1');
  expect(await ordersOf('acc-1')).toEqual([]);
  expect(await ordersOf('acc-2')).toEqual(['ord-1']);
});
