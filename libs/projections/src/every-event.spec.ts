import type { LedgerCommand } from '#command-handling';
import type { EventStore } from '#event-store';
import { MemoryEventStore } from '#event-store/memory';
import type { Change } from '#kernel';
import { Judge, kindOfStream, registry, type JudgedEvent } from '#replay';
import {
  checker,
  checkLog,
  letterRegistration,
  LedgerWorld,
  orderNaming,
  putHit,
  raising,
  TestClock,
  tellStory,
  varyOrder,
} from '#testing';
import { describe, expect, it } from '@jest/globals';
import { projectors } from './projectors.ts';

const LONG_ENOUGH_MS = 60_000;
const basis = { kind: 'legal-order', id: 'ord-1' } as const;
const freeze = { type: 'FreezeAccount', accountId: 'acc-1', basis } as const;

/** Every type of event, with the kind of its stream. */
const TYPES = Object.entries(registry).flatMap(([kind, types]) => [...types.keys()].map((type) => `${kind} ${type}`));

/** A stream of a party may hold refusals; today no command about a party is refused for a reason that is recorded. */
const UNWRITTEN = ['party CommandRefused'];

/** These keep account of every event there is, whatever it says; and of a violation there is none. */
const projecting = projectors.filter(({ name }) => !['names', 'streams', 'violations'].includes(name));

/** What people propose and others turn down, and what is too late, expires, is varied or comes to nothing. */
async function playRest(world: LedgerWorld): Promise<void> {
  await world.openAccount('acc-1', 'p-1');
  await world.openAccount('acc-2', 'p-2');
  await openTooLate(world);
  await turnDownOnOrder(world);
  await turnDownOnHit(world);
  await world.accept(letterRegistration());
  const refuse = { type: 'AnswerAuthorityRequest', requestId: 'req-1', outcome: 'refused', reason: 'r' } as const;
  await world.ask(refuse);
  // Both are authorised before either freezes.
  await Promise.all([world.ask(freeze), world.ask(freeze)]);
  await varyOrder(world, { scope: { direction: 'debit', assets: ['BTC'] } }, 'chg-vary');
  world.clock.advance(LONG_ENOUGH_MS);
  await world.ledger.supervisor.pass();
}

/** A joint account, the second holder of which comes to be named when it is attached to the first. */
async function openTooLate(world: LedgerWorld): Promise<void> {
  const nameSecond = (): Promise<void> =>
    world.putOrder({ orderId: 'ord-2', subjects: [{ kind: 'party', partyId: 'p-2' }] });
  const other = new LedgerWorld({ store: afterAttaching('p-1', world.store, nameSecond), clock: world.clock });
  const holders = ['p-1', 'p-2'].map((partyId) => ({ partyId, capacity: 'joint' as const }));
  await other.ask({ type: 'OpenAccount', accountId: 'acc-3', holders }, { key: 'open-3' });
}

/** The store, with something that happens as soon as an account was attached to a party. */
function afterAttaching(partyId: string, store: EventStore, happens: () => Promise<void>): EventStore {
  const append: EventStore['append'] = async (stream, expected, events) => {
    const appended = await store.append(stream, expected, events);
    if (stream === `party-${partyId}` && events.some(({ type }) => type === 'AccountAttached')) await happens();
    return appended;
  };
  const read: EventStore['read'] = (...call) => store.read(...call);
  const readAll: EventStore['readAll'] = (...call) => store.readAll(...call);
  const subscribeAll: EventStore['subscribeAll'] = (...call) => store.subscribeAll(...call);
  const close = (): Promise<void> => store.close();
  return { append, read, readAll, subscribeAll, close, head: () => store.head(), singleWriter: false };
}

/** An order that is extended, but not as first proposed, and refuses its maker; and one that expires. */
async function turnDownOnOrder(world: LedgerWorld): Promise<void> {
  const until = (ms: number): string => new Date(world.clock.now() + ms).toISOString();
  const instrument = { ...orderNaming({ expiresAt: until(LONG_ENOUGH_MS) }) };
  await world.accept({ type: 'RegisterLegalOrder', orderId: 'ord-1', instrument });
  const verify = { type: 'VerifyLegalOrder', orderId: 'ord-1', method: 'm' } as const;
  await world.ask(verify);
  await world.accept(verify, { actor: checker });
  const document = { documentSha256: 'd'.repeat(64), issuedAt: '2022-02-15T10:00:00.000Z', reference: 'r' };
  const extend = (changeId: string, ms: number): LedgerCommand =>
    ({ type: 'ProposeExtension', orderId: 'ord-1', changeId, expiresAt: until(ms), ...document }) as const;
  await world.accept(extend('chg-1', 2 * LONG_ENOUGH_MS));
  const turnDown = { type: 'RejectChange', orderId: 'ord-1', changeId: 'chg-1', reason: 'no seal' } as const;
  await world.accept(turnDown, { actor: checker });
  await world.accept(extend('chg-2', 3 * LONG_ENOUGH_MS));
  const extension = { type: 'VerifyChange', orderId: 'ord-1', changeId: 'chg-2', method: 'm' } as const;
  await world.accept(extension, { actor: checker });
  await world.putOrder({ orderId: 'ord-3', expiresAt: until(LONG_ENOUGH_MS) });
}

async function turnDownOnHit(world: LedgerWorld): Promise<void> {
  await putHit(world);
  const clearance = { hitId: 'hit-1', clearanceId: 'clr-1' } as const;
  const authority = { kind: 'report', reference: 'r' } as const;
  await world.accept({ type: 'ProposeClearance', ...clearance, cause: 'mistaken-identity', authority });
  const turnDown = { type: 'RejectClearance', ...clearance, reason: 'no proof' } as const;
  await world.ask(turnDown);
  await world.accept(turnDown, { actor: checker });
  await world.accept(raising({ hitId: 'hit-2', subject: { kind: 'party', partyId: 'p-2' } }));
  await world.accept({ type: 'DismissSanctionsHit', hitId: 'hit-2', reason: 'another' }, { actor: checker });
}

async function play(tell: (world: LedgerWorld) => Promise<unknown>): Promise<readonly JudgedEvent[]> {
  const store = new MemoryEventStore();
  const world = new LedgerWorld({ store, clock: new TestClock() });
  await tell(world);
  expect(world.failures).toEqual([]);
  const log = await world.log();
  expect(checkLog(log)).toEqual([]);
  const judge = new Judge(store);
  const judged: JudgedEvent[] = [];
  for (const event of log) judged.push(await judge.judge(event));
  return judged;
}

function nameOf({ recorded: { stream, type } }: JudgedEvent): string {
  return `${String(kindOfStream(stream))} ${type}`;
}

describe('every type of event', () => {
  it('is written by some command, and changes a row of some read model', async () => {
    const judged = [...(await play(tellStory)), ...(await play(playRest))];
    const changes = Map.groupBy(judged, nameOf);
    const seenAt = '2022-05-01T00:00:00.000Z';
    const changesOf = (type: string): readonly Change[] =>
      (changes.get(type) ?? []).flatMap((event) => projecting.flatMap(({ project }) => project(event, seenAt)));
    expect(TYPES.filter((type) => !changes.has(type))).toEqual(UNWRITTEN);
    expect(TYPES.filter((type) => changesOf(type).length === 0)).toEqual(UNWRITTEN);
  });
});
