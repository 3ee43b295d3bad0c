import { inTheMiddle, LedgerWorld, logWithGap, service } from '#testing';
import { describe, expect, it } from '@jest/globals';
import { startProjections } from './start.ts';

const source = { kind: 'bank', reference: 'r' } as const;

describe('read models of a log with an event removed from the middle of a stream', () => {
  it('come to its end, list the gap, and have all that does not rest on it', async () => {
    const world = new LedgerWorld();
    for (const nth of ['1', '2']) await world.openAccount(`acc-${nth}`, `p-${nth}`);
    for (const depositId of ['d-1', 'd-2', 'd-3']) {
      for (const accountId of ['acc-1', 'acc-2']) {
        const deposit = { accountId, depositId, asset: 'BTC', amount: '1', source };
        await world.accept({ type: 'Deposit', ...deposit }, { actor: service });
      }
    }
    const log = await world.log();
    const removed = inTheMiddle(log).find(({ stream, revision }) => stream === 'account-acc-1' && revision === 1);
    if (removed === undefined) throw new Error('no such event');
    const reader = logWithGap(log, removed);
    const projections = startProjections({ kind: 'in-process', reader, readModelFile: ':memory:' });
    try {
      expect(await projections.caughtUp(60_000)).toBe(true);
      const { queries } = projections;
      const { items } = queries.violations({ limit: 10 });
      const code = 'hash-mismatch';
      expect(items).toEqual([expect.objectContaining({ code, stream: 'account-acc-1', revision: 2 })]);
      const available = queries
        .accounts({}, { limit: 10 })
        .items.map(({ accountId, balances }) => [accountId, balances[0]?.available]);
      expect(new Map(available as [string, string][])).toEqual(
        new Map([
          ['acc-1', '100000000'],
          ['acc-2', '300000000'],
        ]),
      );
    } finally {
      await projections.close();
    }
  });
});
