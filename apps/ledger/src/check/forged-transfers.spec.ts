import { MemoryEventStore } from '#event-store/memory';
import { pointerTo, type EventPointer, type RecordedEvent } from '#kernel';
import { CitationResolver, Judge, StreamFold } from '#replay';
import { forceIn, LedgerWorld } from '#testing';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { PartCheck } from './part-check.ts';
import { checkLogOnServer } from './server-check.ts';

const FROM = 'account-acc-1';
const TO = 'account-acc-2';
const source = { kind: 'bank', reference: 'r' } as const;

/** Whoever judges it, and whatever they know already: the service, the read models, and the threads of a check. */
describe('the arrival of a transfer that was forced into the store', () => {
  let store: MemoryEventStore;
  let world: LedgerWorld;
  let deposit: RecordedEvent;
  let sent: RecordedEvent;

  const send = (amount: string, transferId = 't-1'): Promise<RecordedEvent> =>
    forceIn(store, FROM, {
      type: 'TransferSent',
      data: { accountId: 'acc-1', to: 'acc-2', transferId, asset: 'BTC', amount },
    });

  const receive = (citation: EventPointer, amount = '100000000', transferId = 't-1'): Promise<RecordedEvent> =>
    forceIn(store, TO, {
      type: 'TransferReceived',
      data: { accountId: 'acc-2', from: 'acc-1', transferId, asset: 'BTC', amount, citation },
    });

  beforeEach(async () => {
    store = new MemoryEventStore();
    world = new LedgerWorld({ store });
    await world.openAccount('acc-1', 'p-1');
    await world.openAccount('acc-2', 'p-2');
    const put = { type: 'Deposit', accountId: 'acc-1', depositId: 'd-1', asset: 'BTC', amount: '2', source } as const;
    [deposit] = (await world.accept(put)) as [RecordedEvent];
    sent = await send('100000000');
  });

  /** What is wrong with an event, as whoever follows the whole log sees it. */
  async function inTheLog({ id }: RecordedEvent): Promise<string | undefined> {
    const judge = new Judge(store);
    for (const event of (await store.readAll({ limit: 1_000 })).events) {
      const { violation } = await judge.judge(event);
      if (event.id === id) return violation?.code;
    }
    throw new Error('the event is not in the log');
  }

  /** As whoever looks at its stream alone sees it. */
  async function onItsStream({ id, stream }: RecordedEvent): Promise<string | undefined> {
    const fold = new StreamFold(stream, new CitationResolver(store));
    for (const event of await store.read(stream)) {
      const { violation } = await fold.apply(event);
      if (event.id === id) return violation?.code;
    }
    throw new Error('the event is not on its stream');
  }

  /** Whether threads that share the streams find nothing at all: they say no more than that. */
  async function isCleanInParts(): Promise<boolean> {
    const { events } = await store.readAll({ limit: 1_000 });
    const parts = [0, 1].map((index) => new PartCheck(store, { index, of: 2 }));
    for (const part of parts) await part.take(events);
    const results = parts.map((part) => part.result());
    const questions = results.flatMap((result) => result.questions);
    const unmet = parts.reduce((sum, part) => sum + part.countUnmet(questions), 0);
    return unmet === 0 && results.every(({ findings }) => findings.length === 0);
  }

  it('counts where it cites what was sent', async () => {
    const received = await receive(pointerTo(sent));
    expect([await inTheLog(received), await onItsStream(received), await isCleanInParts()]).toEqual([
      undefined,
      undefined,
      true,
    ]);
  });

  it.each<readonly [string, () => EventPointer]>([
    ['another event by its id', () => ({ ...pointerTo(sent), eventId: deposit.id })],
    ['another event by its place', () => ({ ...pointerTo(sent), revision: pointerTo(deposit).revision })],
    ['another stream', () => ({ ...pointerTo(sent), stream: TO })],
    ['what is to come', () => ({ ...pointerTo(sent), revision: '99' })],
    ['what is no transfer', () => pointerTo(deposit)],
  ])('is a violation where it cites %s', async (_what, citation) => {
    const received = await receive(citation());
    expect([await inTheLog(received), await onItsStream(received), await isCleanInParts()]).toEqual([
      'citation-unresolved',
      'citation-unresolved',
      false,
    ]);
  });

  it.each<readonly [string, string, string]>([
    ['is more than there was', '900000000', 't-2'],
    ['has the id of another', '50000000', 't-1'],
  ])('is a violation where what was sent %s, and is one itself', async (_what, amount, transferId) => {
    const forged = await send(amount, transferId);
    const received = await receive(pointerTo(forged), amount, transferId);
    expect([await inTheLog(forged), await inTheLog(received), await onItsStream(received)]).toEqual([
      'illegal-event',
      'citation-unresolved',
      'citation-unresolved',
    ]);
    // The sender's thread finds the forged transfer; the receiver's has to ask of it, and is told that it does not stand.
    const receiver = new PartCheck(store, { index: 0, of: 2 });
    const sender = new PartCheck(store, { index: 1, of: 2 });
    const { events } = await store.readAll({ limit: 1_000 });
    await receiver.take(events);
    await sender.take(events);
    expect(sender.countUnmet(receiver.result().questions)).toBe(1);
  });

  it('is a violation the second time', async () => {
    await receive(pointerTo(sent));
    const again = await receive(pointerTo(sent));
    expect([await inTheLog(again), await onItsStream(again), await isCleanInParts()]).toEqual([
      'illegal-event',
      'illegal-event',
      false,
    ]);
  });

  it.each<[string, string]>([
    ['of the same part', 'acc-3'],
    ['of another part', 'acc-4'],
  ])('never comes where it was sent to no account, %s', async (_what, to) => {
    const data = { accountId: 'acc-1', to, transferId: 't-9', asset: 'BTC', amount: '50000000' };
    const forged = await forceIn(store, FROM, { type: 'TransferSent', data });
    const found = expect.objectContaining({ code: 'no-destination', stream: FROM, revision: forged.revision });
    expect(await checkLogOnServer(store)).toMatchObject({ findings: [found], unfinished: { transfers: 1 } });
    expect(await isCleanInParts()).toBe(false);
    // Nor is it right for whoever opens that account afterwards.
    await world.openAccount(to, 'p-9');
    expect((await checkLogOnServer(store)).findings).toEqual([found]);
  });
});
