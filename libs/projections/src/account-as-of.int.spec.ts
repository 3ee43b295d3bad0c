import { accountView } from '#accounts';
import { MemoryEventStore } from '#event-store/memory';
import { replayAccount } from '#replay';
import { danglingFreeze, forceIn, LedgerWorld, tellStory } from '#testing';
import { expect, it } from '@jest/globals';
import { startProjections } from './start.ts';

const TIMEOUT_MS = 20_000;

it('an account by replay of the log is the one that is read, also after refusals and violations', async () => {
  const store = new MemoryEventStore();
  const world = new LedgerWorld({ store });
  await tellStory(world);
  world.clock.advance(1_000);
  const accountId = 'acc-1';
  const destination = { kind: 'bank', reference: 'r' } as const;
  await world.ask({
    type: 'ReserveWithdrawal',
    accountId,
    withdrawalId: 'w-no',
    asset: 'BTC',
    amount: '1',
    destination,
  });
  const holders = [{ partyId: 'p-1', capacity: 'owner' }];
  const abandoned = { accountId: 'acc-2', reason: 'already-exists', holders, decidedOn: null };
  await forceIn(store, 'account-acc-2', { type: 'AccountOpeningAbandoned', data: abandoned });
  await forceIn(store, 'account-acc-3', danglingFreeze('acc-3'));
  const projections = startProjections({ kind: 'in-process', reader: store, readModelFile: ':memory:' });
  try {
    expect(await projections.caughtUp(TIMEOUT_MS)).toBe(true);
    const shown = projections.queries.accounts({}, { limit: 500 }).items;
    expect(shown.length).toBeGreaterThan(2);
    for (const view of shown) {
      const replayed = await replayAccount(store, view.accountId, undefined);
      expect(replayed && accountView(replayed.state, replayed)).toEqual(view);
    }
    const types = await Promise.all(
      ['acc-1', 'acc-2', 'acc-3'].map(async (id) => (await store.read(`account-${id}`)).at(-1)?.type),
    );
    expect(types).toEqual(['CommandRefused', 'AccountOpeningAbandoned', 'AccountFrozen']);
  } finally {
    await projections.close();
  }
});
