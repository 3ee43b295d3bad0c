import { MemoryEventStore } from '#event-store/memory';
import { systemClock } from '#kernel';
import { EXPECTED_VIOLATION, FORGERY_NAMES, forgeAll, LedgerWorld, type ForgeryName, type TestClock } from '#testing';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { Judge } from './judge.ts';
import type { JudgedEvent } from './judged.ts';
import { replayAccount } from './replay-account.ts';

const accounts = Object.fromEntries(FORGERY_NAMES.map((name) => [name, `acc-${name}`])) as Record<ForgeryName, string>;
/** What restricts an account in spite of the forgery. */
const RESTRICTED: readonly ForgeryName[] = ['liftedWithoutApproval', 'abandonedUntruly'];
const parties = { named: 'p-named', noLongerNamed: 'p-noLongerNamed' };
const withdrawal = { type: 'ReserveWithdrawal', withdrawalId: 'w-1', asset: 'BTC', amount: '1' } as const;
const destination = { kind: 'bank', reference: 'r' } as const;

describe('what was forced into the store by other means', () => {
  const store = new MemoryEventStore();
  const judged = new Map<string, JudgedEvent[]>();
  /** Started after the forging: nothing of it is in memory. */
  const world = new LedgerWorld({ store, clock: systemClock as TestClock });

  beforeAll(async () => {
    const before = new LedgerWorld({ store, clock: systemClock as TestClock });
    for (const [name, accountId] of Object.entries({ ...accounts, real: 'acc-real' })) {
      await before.openAccount(accountId, `p-${name}`);
      const source = { kind: 'bank', reference: 'r' } as const;
      await before.accept({ type: 'Deposit', accountId, depositId: 'd-1', asset: 'BTC', amount: '2', source });
    }
    await before.openAccount('acc-of-named', parties.named);
    await before.openAccount('acc-of-noLongerNamed', parties.noLongerNamed);
    const named = [accounts.liftedWithoutApproval, 'acc-real'];
    const subjects = [...named, accounts.abandonedUntruly].map(
      (accountId) => ({ kind: 'account', accountId }) as const,
    );
    await before.putOrder({ subjects: [...subjects, { kind: 'party', partyId: parties.noLongerNamed }] });
    await before.putOrder({ orderId: 'ord-2', subjects: [{ kind: 'account', accountId: accounts.forgedPair }] }, false);
    for (const accountId of named) {
      await before.accept({ type: 'FreezeAccount', accountId, basis: { kind: 'legal-order', id: 'ord-1' } });
    }
    await forgeAll(
      {
        read: (stream) => store.read(stream),
        write: async (stream, expected, events) => {
          await store.append(stream, expected, events);
        },
      },
      { accounts, verifiedOrder: 'ord-1', unverifiedOrder: 'ord-2', parties },
    );
    const judge = new Judge(store);
    for (const event of (await store.readAll({ limit: 10_000 })).events) {
      const verdict = await judge.judge(event);
      judged.set(event.stream, [...(judged.get(event.stream) ?? []), verdict]);
    }
  });

  it.each(FORGERY_NAMES)('%s: is kept and reported as what it is', (name) => {
    const violations = (judged.get(`account-${accounts[name]}`) ?? []).flatMap(
      ({ violation }) => violation?.code ?? [],
    );
    expect(violations).toEqual([EXPECTED_VIOLATION[name]]);
  });

  it.each(Object.values(parties))('%s: a forged naming, or end of one, is reported', (partyId) => {
    const violations = (judged.get(`party-${partyId}`) ?? []).flatMap(({ violation }) => violation?.code ?? []);
    expect(violations).toEqual(['citation-unresolved']);
  });

  it.each([
    [parties.named, 'accepted'],
    [parties.noLongerNamed, 'rejected'],
  ])('%s: an account for it is %s', async (partyId, status) => {
    const accountId = `acc-new-of-${partyId}`;
    const outcome = await world.ask({ type: 'OpenAccount', accountId, holders: [{ partyId, capacity: 'owner' }] });
    expect(outcome.status).toBe(status);
  });

  it.each(FORGERY_NAMES.filter((name) => !RESTRICTED.includes(name)))('%s: restricts nothing', async (name) => {
    const outcome = await world.ask({ ...withdrawal, accountId: accounts[name], destination });
    expect(outcome).toMatchObject({ status: 'accepted' });
  });

  it.each(['liftedWithoutApproval', 'real'] as const)('%s: a real freeze holds beside them', async (name) => {
    const accountId = name === 'real' ? 'acc-real' : accounts[name];
    const outcome = await world.ask({ ...withdrawal, accountId, destination });
    expect(outcome).toMatchObject({ rejection: { code: 'account-frozen' } });
  });

  it('reports the forged authorisation on the order that was never verified', () => {
    const violations = (judged.get('legalOrder-ord-2') ?? []).map(({ violation }) => violation?.code);
    expect(violations).toEqual([undefined, 'illegal-event']);
  });

  it('credits nothing for a deposit that is not linked to the chain', async () => {
    const replayed = await replayAccount(store, accounts.brokenChain, undefined);
    expect(replayed?.state.balances.get('BTC')?.available).toBe(100_000_000n);
  });

  it('has no part in what the supervisor does', async () => {
    await world.ledger.supervisor.pass();
    expect(world.failures).toEqual([]);
    const replayed = await replayAccount(store, accounts.forgedPair, undefined);
    expect(replayed?.state.freezes.inForce.size).toBe(0);
  });

  it('keeps no real authorisation from becoming a freeze', async () => {
    await world.ledger.supervisor.pass();
    const replayed = await replayAccount(store, accounts.abandonedUntruly, undefined);
    expect(replayed?.state.freezes.inForce.size).toBe(1);
  });

  it('keeps no freeze from ending with its order', async () => {
    await world.endOrder('ord-1');
    const started = new LedgerWorld({ store, clock: systemClock as TestClock });
    await started.ledger.supervisor.pass();
    expect(started.failures).toEqual([]);
    const replayed = await replayAccount(store, accounts.liftedWithoutApproval, undefined);
    expect(replayed?.state.freezes.inForce.size).toBe(0);
  });
});
