import { MemoryEventStore } from '#event-store/memory';
import type { FreezeView } from '#freezes';
import { canonicalJson, type Scope } from '#kernel';
import { replayFreezes } from '#replay';
import { LedgerWorld, service, varyOrder } from '#testing';
import { expect, it } from '@jest/globals';
import { startProjections } from './start.ts';

const TIMEOUT_MS = 20_000;
const debitOf = (assets: Scope['assets']): Scope => ({ direction: 'debit', assets });
const basis = { kind: 'legal-order', id: 'ord-1' } as const;

async function reserve(world: LedgerWorld, withdrawalId: string, asset: string): Promise<void> {
  const destination = { kind: 'bank', reference: 'r' } as const;
  const reservation = { type: 'ReserveWithdrawal', accountId: 'acc-1', withdrawalId, asset, destination } as const;
  await world.accept({ ...reservation, amount: '1' }, { actor: service });
}

it('a freeze shows what it stopped and found in flight as it began and was varied, and a replay shows the same', async () => {
  const store = new MemoryEventStore();
  const world = new LedgerWorld({ store });
  const projections = startProjections({ kind: 'in-process', reader: store, readModelFile: ':memory:' });
  try {
    await world.openAccount();
    await world.accept({ type: 'RegisterAsset', code: 'EUR', scale: 2, kind: 'fiat' });
    for (const asset of ['BTC', 'EUR']) {
      const deposit = { type: 'Deposit', accountId: 'acc-1', depositId: `d-${asset}`, asset, amount: '9' } as const;
      await world.accept({ ...deposit, source: { kind: 'bank', reference: 'r' } }, { actor: service });
    }
    await reserve(world, 'w-euros', 'EUR');
    await reserve(world, 'w-sent', 'BTC');
    await reserve(world, 'w-waits', 'BTC');
    const dispatch = { type: 'DispatchWithdrawal', accountId: 'acc-1', withdrawalId: 'w-sent' } as const;
    await world.accept({ ...dispatch, reference: 'tx-1' }, { actor: service });
    await world.putOrder({ scope: debitOf(['EUR']) });
    await world.accept({ type: 'FreezeAccount', accountId: 'acc-1', basis });

    const listed = async (): Promise<readonly FreezeView[]> => {
      const position = (await world.log()).at(-1)?.position ?? '';
      expect(await projections.queries.waitFor(position, TIMEOUT_MS)).toBe(true);
      return projections.queries.freezes({}, { limit: 2 }).items;
    };
    /** The one freeze, of the read models. */
    const shown = async (): Promise<unknown> => {
      const freezes = await listed();
      const { items } = await replayFreezes(store, undefined, { limit: 2 });
      const told = ({ freezeId, stopped, inFlight, scope, updatedAt }: FreezeView): string =>
        canonicalJson({ freezeId, stopped, inFlight, scope, updatedAt });
      expect(items.map(told)).toEqual(freezes.map(told));
      expect(projections.queries.freeze(freezes[0]?.freezeId ?? '')?.view).toEqual(freezes[0]);
      return freezes[0];
    };
    expect(await shown()).toMatchObject({ stopped: ['w-euros'], inFlight: [] });
    await varyOrder(world, { scope: debitOf('all') }, 'chg-1');
    expect(await shown()).toMatchObject({ stopped: ['w-euros', 'w-waits'], inFlight: ['w-sent'] });
    await varyOrder(world, { scope: debitOf(['EUR']) }, 'chg-2');
    await reserve(world, 'w-late', 'BTC');
    await varyOrder(world, { scope: debitOf(['BTC']) }, 'chg-3');
    expect(await shown()).toMatchObject({ stopped: ['w-euros', 'w-waits', 'w-late'], inFlight: ['w-sent'] });
    await world.endOrder('ord-1', 'chg-4');
    expect(await listed()).toMatchObject([
      { state: 'lifted', stopped: ['w-euros', 'w-waits', 'w-late'], inFlight: ['w-sent'] },
    ]);
  } finally {
    await projections.close();
  }
});
