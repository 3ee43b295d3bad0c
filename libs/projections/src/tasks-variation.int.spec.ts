import { MemoryEventStore } from '#event-store/memory';
import { sha256Hex } from '#kernel';
import type { Subject } from '#legal-orders';
import { LedgerWorld, service, varyOrder } from '#testing';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { startProjections, type Projections } from './start.ts';
import type { TaskView } from './tasks.ts';

const NOW = '2022-06-01T00:00:00.000Z';
const TIMEOUT_MS = 20_000;
const address = (name: string): Subject => ({ kind: 'address', chain: 'bitcoin', address: name });
const party: Subject = { kind: 'party', partyId: 'p-1' };
const reference = (partyId: string): Subject => ({ kind: 'external', sha256: sha256Hex(`ref-${partyId}`) });

let world: LedgerWorld;
let projections: Projections;
let changes = 0;
/** acc-1 of p-1, who controls `a`, and acc-2 of p-2. */
beforeEach(async () => {
  const store = new MemoryEventStore();
  world = new LedgerWorld({ store });
  projections = startProjections({ kind: 'in-process', reader: store, readModelFile: ':memory:' });
  for (const nth of ['1', '2']) await world.openAccount(`acc-${nth}`, `p-${nth}`);
  const link = {
    type: 'LinkAddress',
    partyId: 'p-1',
    chain: 'bitcoin',
    address: 'a',
    role: 'holder-controlled',
  } as const;
  await world.accept(link, { actor: service });
});
afterEach(() => projections.close());

async function tasks(): Promise<readonly TaskView[]> {
  const position = (await world.log()).at(-1)?.position ?? '';
  expect(await projections.queries.waitFor(position, TIMEOUT_MS)).toBe(true);
  return projections.queries.tasks({}, NOW, { limit: 500 }).items;
}
const waiting = async (): Promise<readonly string[]> =>
  (await tasks()).map(({ kind, accountId, partyId }) => [kind, accountId ?? partyId].join(' ')).sort();
async function varyTo(...subjects: readonly Subject[]): Promise<readonly string[]> {
  changes += 1;
  await varyOrder(world, { subjects }, `chg-${String(changes)}`);
  return waiting();
}
const freeze = { type: 'FreezeAccount', accountId: 'acc-1', basis: { kind: 'legal-order', id: 'ord-1' } } as const;

it('an account that is dropped with an address waits for nobody, and for a person once it is named again', async () => {
  await world.putOrder({ subjects: [address('a')] });
  expect(await waiting()).toEqual(['freeze-account acc-1']);
  await world.accept(freeze);
  expect(await waiting()).toEqual([]);
  expect(await varyTo(address('b'))).toEqual([]);
  expect(await varyTo(address('a'))).toEqual(['freeze-account acc-1']);
  await world.accept(freeze);
  expect(await waiting()).toEqual([]);
});

it('a party that is dropped goes on being named by its address, and is named anew by itself, without a task', async () => {
  await world.putOrder({ subjects: [party] });
  for (const named of [[address('a')], [party], [address('b')], [party, address('b')], [address('a'), address('b')]]) {
    const isNamed = !named.every((subject) => subject.kind === 'address' && subject.address === 'b');
    expect(await varyTo(...named)).toEqual(isNamed ? ['freeze-account acc-1'] : []);
  }
  await world.endOrder('ord-1', 'chg-end');
  expect(await waiting()).toEqual([]);
});

it('a party that is dropped goes on being named by its address in another spelling', async () => {
  const role = 'holder-controlled';
  const link = { type: 'LinkAddress', partyId: 'p-1', chain: 'Bitcoin', address: 'BC1QSPE77ED', role } as const;
  await world.accept(link, { actor: service });
  await world.putOrder({ subjects: [party] });
  expect(await varyTo(address('bc1qspe77ed'))).toEqual(['freeze-account acc-1']);
});

it('references that a variation brings in are looked at, no longer those that it drops, and as before those that stay', async () => {
  await world.putOrder({ subjects: [address('b'), reference('p-1')] });
  const before = await tasks();
  expect(before).toMatchObject([{ kind: 'review-reference-match', partyId: 'p-1' }]);
  // Shown to all who see tasks: the id of an order under non-disclosure is not to be read from it.
  expect(before[0]?.taskId).not.toContain('ord-1');
  expect(await varyTo(address('c'), reference('p-1'), reference('p-2'))).toEqual([
    'review-reference-match p-1',
    'review-reference-match p-2',
  ]);
  expect(await tasks()).toContainEqual(before[0]);
  expect(await varyTo(reference('p-2'))).toEqual(['review-reference-match p-2']);
  expect(await varyTo(address('c'))).toEqual([]);
});

it('orders are found by the party that controls an address which they name as varied', async () => {
  await world.putOrder({ subjects: [address('a')] });
  const found = async (partyId: string): Promise<number> => {
    await tasks();
    return projections.queries.legalOrders({ partyId }, { limit: 10 }).items.length;
  };
  expect(await found('p-1')).toBe(1);
  await varyTo(address('b'));
  expect(await found('p-1')).toBe(0);
  await varyTo(address('b'), address('a'));
  expect(await found('p-1')).toBe(1);
});
