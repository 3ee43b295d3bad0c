import { MemoryEventStore } from '#event-store/memory';
import { LedgerWorld } from '#testing';
import { expect, it } from '@jest/globals';
import { checkLogOnServer } from './server-check.ts';

const source = { kind: 'bank', reference: 'r' } as const;

/** A log of more than one page. */
async function log(deposits: number): Promise<LedgerWorld> {
  const world = new LedgerWorld();
  await world.openAccount();
  for (let n = 0; n < deposits; n += 1) {
    await world.accept({ type: 'Deposit', accountId: 'acc-1', depositId: `d-${n}`, asset: 'BTC', amount: '1', source });
  }
  return world;
}

it('finds nothing wrong with a log that is right, of more than one page, nor with an empty one', async () => {
  const world = await log(1_200);
  const events = await world.log();
  const told: string[] = [];
  expect(await checkLogOnServer(world.store, (done) => told.push(done))).toEqual({
    events: events.length,
    head: events.at(-1)?.position,
    findings: [],
    moreFindings: 0,
    unfinished: { transfers: 0, authorisations: 0, openings: 0 },
  });
  expect(told).toHaveLength(2);
  expect(await checkLogOnServer(new MemoryEventStore())).toMatchObject({ events: 0, head: undefined, findings: [] });
});

it('finds an event that was changed, and an id that stands twice', async () => {
  const events = (await (await log(3)).log()).map((event) =>
    event.type === 'FundsDeposited' && event.revision === 2
      ? { ...event, data: { ...(event.data as object), amount: '9' } }
      : event,
  );
  const last = events.at(-1);
  const first = events[0];
  if (last === undefined || first === undefined) throw new Error('the log is empty');
  const changed = new MemoryEventStore({ log: [...events.slice(0, -1), { ...last, id: first.id }] });
  const { findings } = await checkLogOnServer(changed);
  expect(findings.map(({ code }) => code)).toEqual(expect.arrayContaining(['hash-mismatch', 'repeated-id']));
});
