import type { EventReader } from '#event-store';
import { LedgerWorld } from '#testing';
import { expect, it } from '@jest/globals';
import { PartCheck } from './part-check.ts';

it('judges what cites an event of another part without reading that event, and asks the other part of it', async () => {
  const world = new LedgerWorld();
  await world.openAccount('acc-1', 'p-1');
  await world.openAccount('acc-2', 'p-2');
  const source = { kind: 'bank', reference: 'r' } as const;
  await world.accept({ type: 'Deposit', accountId: 'acc-1', depositId: 'd', asset: 'BTC', amount: '2', source });
  const transfer = { transferId: 't', asset: 'BTC', amount: '1', reference: 'r' };
  await world.accept({ type: 'SendTransfer', accountId: 'acc-1', to: 'acc-2', ...transfer });
  const events = await world.log();
  const sent = events.find(({ type }) => type === 'TransferSent');
  const received = events.filter(({ stream }) => stream === 'account-acc-2');
  if (sent === undefined) throw new Error('nothing was sent');
  const reads: string[] = [];
  const reader: Pick<EventReader, 'read'> = {
    read: (stream, options) => {
      reads.push(stream);
      return world.store.read(stream, options);
    },
  };
  // The last characters of the streams tell their parts: 2 is even.
  const even = new PartCheck(reader as EventReader, { index: 0, of: 2 });
  const odd = new PartCheck(world.store, { index: 1, of: 2 });

  // The account that is sent to was opened before.
  await even.take([...received.slice(0, 1), sent, ...received.slice(1)]);
  await odd.take(events.filter(({ stream }) => stream === 'account-acc-1'));

  const { events: judged, findings, questions } = even.result();
  expect({ judged, findings, reads }).toEqual({ judged: received.length, findings: [], reads: [] });
  expect(questions).toEqual([expect.objectContaining({ kind: 'outgoing', name: 't' })]);
  expect(odd.countUnmet(questions)).toBe(0);
  expect(new PartCheck(world.store, { index: 1, of: 2 }).countUnmet(questions)).toBe(1);
});

it('takes whatever stands in an event of another part that does not say who may cite it', async () => {
  const world = new LedgerWorld();
  await world.openAccount('acc-1', 'p-1');
  const [event] = (await world.log()).filter(({ stream }) => stream === 'account-acc-1');
  if (event === undefined) throw new Error('no account was opened');
  const part = new PartCheck(world.store, { index: 0, of: 2 });
  for (const data of [null, 'text', {}, { to: { toString: null } }]) {
    for (const type of ['TransferSent', 'TransferRefused']) await part.take([{ ...event, type, data }]);
  }
  expect(part.result()).toMatchObject({ events: 0, findings: [] });
});
