import { MemoryEventStore } from '#event-store/memory';
import { seal, testId } from '#testing';
import { expect, it } from '@jest/globals';
import { recordedOutcome } from './outcome.ts';

/** More than a freeze of 1,000 withdrawals has, and no more bytes than an append may have. */
const EVENTS = 1_500;

it('a repeat finds all that a large append holds, and nothing of what came after it', async () => {
  const store = new MemoryEventStore();
  const stream = 'account-acc-1';
  const released = {
    type: 'HeldFundsReleased',
    data: { accountId: 'acc-1', asset: 'BTC', amount: '1', freezeId: testId(1) },
  };
  const citation = { stream, revision: '0', eventId: testId(1) };
  const about = { accountId: 'acc-1', freezeId: testId(1), requestId: 'r' };
  const lift = { type: 'LiftRejected', data: { ...about, citation, reason: 'no', rejectedBy: 'checker' } };
  const key = { caller: 'checker', value: 'k' };
  const [first] = seal(stream, undefined, [lift], { key });
  if (first === undefined) throw new Error('nothing was sealed');
  const end = { revision: 0, hash: first.metadata.hash };
  const rest = Array.from({ length: EVENTS - 1 }, () => released);
  const caused = seal(stream, end, rest, { causationId: first.id });
  await store.append(stream, 'no-stream', [first, ...caused]);
  const last = { revision: EVENTS - 1, hash: caused.at(-1)?.metadata.hash ?? '' };
  await store.append(stream, last.revision, seal(stream, last, [released]));
  const outcome = await recordedOutcome(store, stream, 0, true);
  expect(outcome).toMatchObject({ status: 'accepted', replayed: true, revision: EVENTS - 1 });
  expect(outcome.status === 'accepted' && outcome.events.length).toBe(EVENTS);
});
