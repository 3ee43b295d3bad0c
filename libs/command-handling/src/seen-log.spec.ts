import { StoreError } from '#event-store';
import { MemoryEventStore } from '#event-store/memory';
import type { EventMetadata } from '#kernel';
import { LedgerWorld } from '#testing';
import { expect, it } from '@jest/globals';
import { SeenLog } from './seen-log.ts';

it('knows the last event that was appended or read through it, in whatever order', async () => {
  const store = new MemoryEventStore();
  const world = new LedgerWorld({ store });
  await world.openAccount();
  const log = await world.log();
  const account = await store.read('account-acc-1');
  const seen = new SeenLog(store);
  expect(seen.last).toBeUndefined();
  const pageSize = log.length - 2;
  await seen.readAll({ limit: pageSize });
  expect(seen.last).toEqual(log[pageSize - 1]);
  await seen.read('party-p-1', { direction: 'backwards' });
  expect(seen.last).toEqual(log.findLast(({ stream }) => stream === 'party-p-1'));
  await seen.read('account-acc-1');
  await seen.read('party-p-1', { limit: 1 });
  expect(seen.last).toEqual(account.at(-1));
  const event = { id: 'id-1', type: 'T', schemaVersion: 1, data: {}, metadata: account[0]?.metadata as EventMetadata };
  await expect(seen.append('account-acc-2', 5, [event])).rejects.toBeInstanceOf(StoreError);
  expect(seen.last).toEqual(account.at(-1));
  const { positions } = await seen.append('account-acc-2', 'no-stream', [event, { ...event, id: 'id-2' }]);
  expect(seen.last).toMatchObject({ id: 'id-2', stream: 'account-acc-2', revision: 1, position: positions[1] });
});
