import { MemoryEventStore } from '#event-store/memory';
import { sha256Hex } from '#kernel';
import { identification, LedgerWorld, sampleAddress, service } from '#testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Queries, SubjectMatchView } from './queries-api.ts';
import { startProjections, type Projections } from './start.ts';

const { chain, address } = sampleAddress;
const onAddress = { kind: 'address', chain, address } as const;
const external = (partyId: string): { kind: 'external'; sha256: string } => ({
  kind: 'external',
  sha256: sha256Hex(`ref-${partyId}`),
});

let projections: Projections;
let queries: Queries;
let world: LedgerWorld;

async function register(partyId: string): Promise<void> {
  await world.accept({ type: 'RegisterParty', partyId, kind: 'person', externalRef: `ref-${partyId}` });
  await world.accept(identification(partyId));
}
async function link(
  partyId: string,
  role: 'holder-controlled' | 'deposit-address' = 'holder-controlled',
): Promise<void> {
  await world.accept({ type: 'LinkAddress', partyId, chain, address, role }, { actor: service });
}

/** p-1 is known, and controls the address, before the orders; p-2 comes later, and p-3 matches nothing. */
beforeAll(async () => {
  const store = new MemoryEventStore();
  world = new LedgerWorld({ store });
  await register('p-1');
  await link('p-1');
  world.clock.advance(60_000);
  await world.putOrder({ orderId: 'ord-1', subjects: [external('p-1'), external('p-2'), onAddress] });
  await world.putOrder({ orderId: 'ord-2', subjects: [external('p-2')] }, false);
  world.clock.advance(60_000);
  await register('p-2');
  await register('p-3');
  await link('p-3', 'deposit-address');
  world.clock.advance(60_000);
  await link('p-2');
  await world.ledger.supervisor.pass();
  projections = startProjections({ kind: 'in-process', reader: store, readModelFile: ':memory:' });
  ({ queries } = projections);
  expect(await projections.caughtUp(20_000)).toBe(true);
});
afterAll(() => projections.close());

const at = (minutes: number): string =>
  new Date(Date.parse('2022-02-15T12:00:00.000Z') + minutes * 60_000).toISOString();
function told(filter: Parameters<Queries['subjectMatches']>[0] = {}): readonly unknown[] {
  return queries
    .subjectMatches(filter, { limit: 500 })
    .items.map((match) => [match.orderId, match.subject.kind, match.partyId, match.since, match.isLater]);
}

describe('parties that subjects of orders match', () => {
  const known = [
    ['ord-1', 'external', 'p-1', at(1), false],
    ['ord-1', 'address', 'p-1', at(1), false],
  ];

  it('are found whether the party or the order came first, with the time since when', () => {
    expect(told()).toHaveLength(5);
    expect(told()).toEqual(
      expect.arrayContaining([
        ...known,
        ['ord-1', 'external', 'p-2', at(2), true],
        ['ord-2', 'external', 'p-2', at(2), true],
        ['ord-1', 'address', 'p-2', at(3), true],
      ]),
    );
    expect(told()[0]).toEqual(['ord-1', 'address', 'p-2', at(3), true]);
  });

  it('are found by order, party, kind and state of the order', () => {
    expect(told({ orderId: 'ord-2' })).toEqual([['ord-2', 'external', 'p-2', at(2), true]]);
    expect(told({ partyId: 'p-1' })).toEqual(expect.arrayContaining(known));
    expect(told({ partyId: 'p-1' })).toHaveLength(2);
    expect(told({ partyId: 'p-3' })).toEqual([]);
    expect(told({ kind: 'address', partyId: 'p-1' })).toEqual([known[1]]);
    expect(told({ orderState: 'registered' })).toHaveLength(1);
    expect(told({ orderState: 'verified' })).toHaveLength(4);
  });

  it('come with the subject as the order names it', () => {
    const { items } = queries.subjectMatches({ orderId: 'ord-1', partyId: 'p-2' }, { limit: 500 });
    expect(items.map(({ subject }) => subject)).toEqual([onAddress, external('p-2')]);
  });

  it('are the same whatever the size of a page', () => {
    const items: SubjectMatchView[] = [];
    let cursor: string | undefined;
    do {
      const page = queries.subjectMatches({}, { limit: 1, cursor });
      items.push(...page.items);
      cursor = page.nextCursor ?? undefined;
    } while (cursor !== undefined);
    expect(items).toEqual(queries.subjectMatches({}, { limit: 500 }).items);
  });

  it('are named where they control the address, and nowhere else', () => {
    expect(queries.party('p-2')?.view.namedBy).toEqual([{ kind: 'legal-order', id: 'ord-1' }]);
    expect(queries.party('p-3')?.view.namedBy).toEqual([]);
    expect(queries.legalOrders({ partyId: 'p-2' }, { limit: 500 }).items.map(({ orderId }) => orderId)).toEqual([
      'ord-1',
    ]);
  });
});
