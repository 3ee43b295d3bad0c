import type { AuthorityRequestAnswered } from '#authority-requests';
import { MemoryEventStore } from '#event-store/memory';
import { systemClock, type DomainEvent, type RecordedEvent } from '#kernel';
import { checker, letterRegistration, LedgerWorld, nextTestId, putHit, seal, type TestClock } from '#testing';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { Judge } from './judge.ts';
import type { JudgedEvent } from './judged.ts';
import { replayAccount } from './replay-account.ts';

const basis = { kind: 'legal-order', id: 'ord-1' } as const;
const stream = 'authorityRequest-req-1';

let store: MemoryEventStore;
let world: LedgerWorld;
beforeEach(async () => {
  store = new MemoryEventStore();
  world = new LedgerWorld({ store, clock: systemClock as TestClock });
  await world.openAccount();
  await world.putOrder();
  await world.accept(letterRegistration());
});

/** Appends an event past the service, well sealed. */
async function force(to: string, event: DomainEvent, recordedAt = new Date().toISOString()): Promise<void> {
  const [last] = await store.read(to, { direction: 'backwards', limit: 1 });
  const end = last === undefined ? undefined : { revision: last.revision, hash: last.metadata.hash };
  const events = seal(to, end, [event], { actor: checker, recordedAt, newId: () => nextTestId() });
  await store.append(to, end?.revision ?? 'no-stream', events);
}

async function judgeLast(of = stream): Promise<JudgedEvent | undefined> {
  const judge = new Judge(store);
  let judged: JudgedEvent | undefined;
  for (const event of (await store.readAll({ limit: 1_000 })).events) {
    const verdict = await judge.judge(event);
    if (event.stream === of) judged = verdict;
  }
  return judged;
}

function granted(revision: string, on = 'legalOrder-ord-1'): AuthorityRequestAnswered {
  const inForceAt = { stream: on, revision };
  const data = {
    requestId: 'req-1',
    outcome: 'granted',
    reason: 'forced',
    basis,
    inForceAt,
    answeredBy: 'checker',
  } as const;
  return { type: 'AuthorityRequestAnswered', data };
}

describe('an answer that was forced into the store', () => {
  it('is judged by what the basis was where it says so', async () => {
    await force(stream, granted('1'));
    expect(await judgeLast()).toMatchObject({
      violation: undefined,
      after: { state: { answer: { outcome: 'granted' } } },
    });
  });

  it.each([
    ['before the order was verified', granted('0'), 'citation-unresolved', /not verified/],
    ['at a revision that is not there', granted('2'), 'citation-unresolved', /had not come so far/],
    ['far beyond the end', granted('9'.repeat(15)), 'citation-unresolved', /had not come so far/],
    ['beyond all revisions', granted('9'.repeat(16)), 'malformed-event', /inForceAt\.revision/],
    ['on the stream of something else', granted('0', stream), 'illegal-event', /of another/],
  ])('changes nothing %s', async (_, event, code, detail) => {
    await force(stream, event);
    const judged = await judgeLast();
    expect(judged?.violation).toMatchObject({ code, detail: expect.stringMatching(detail) });
    expect(judged?.after).toMatchObject({ state: { answer: null } });
    const refusal = { type: 'AnswerAuthorityRequest', requestId: 'req-1', outcome: 'refused', reason: 'r' } as const;
    const after = new LedgerWorld({ store, clock: systemClock as TestClock });
    expect(await after.ask(refusal, { actor: checker })).toMatchObject({ status: 'accepted' });
  });

  it.each([
    ['1', undefined],
    ['0', { code: 'citation-unresolved', detail: 'the sanctions hit is not confirmed yet' }],
  ])('is judged by what a hit was as of revision %s', async (revision, violation) => {
    await putHit(world);
    const other = granted(revision, 'sanctionsHit-hit-1');
    await force(stream, { ...other, data: { ...other.data, basis: { kind: 'sanctions-hit', id: 'hit-1' } } });
    expect((await judgeLast())?.violation).toEqual(violation);
  });

  it('changes nothing when the order has ended as of then', async () => {
    await world.endOrder();
    await force(stream, granted('3'));
    expect((await judgeLast())?.violation).toMatchObject({ code: 'citation-unresolved' });
  });

  it('changes nothing for a time at which the order was not effective', async () => {
    await world.putOrder({ orderId: 'ord-2', effectiveAt: '2100-01-01T00:00:00.000Z' });
    const other = granted('1', 'legalOrder-ord-2');
    await force(stream, { ...other, data: { ...other.data, basis: { ...basis, id: 'ord-2' } } });
    expect((await judgeLast())?.violation).toMatchObject({ detail: 'the legal order is not effective yet' });
  });

  it('changes nothing when what it cites has a later time', async () => {
    await force(stream, granted('1'), '2022-02-14T09:00:00.000Z');
    expect((await judgeLast())?.violation).toMatchObject({ detail: expect.stringMatching(/had not come so far/) });
  });

  it('changes nothing when what it cites comes later in the log, now and on every reading', async () => {
    await force(stream, granted('2'));
    await world.accept({ type: 'FreezeAccount', accountId: 'acc-1', basis });
    expect(await store.read('legalOrder-ord-1')).toHaveLength(3);
    expect((await judgeLast())?.violation).toMatchObject({ code: 'citation-unresolved' });
  });

  it('is judged by a basis in which what was forged changes nothing', async () => {
    const orderId = 'ord-2';
    await world.putOrder({ orderId }, false);
    // Who registered it verifies it: illegal.
    await force('legalOrder-ord-2', {
      type: 'LegalOrderVerified',
      data: { orderId, method: 'm', verifiedBy: 'maker' },
    });
    const other = granted('1', 'legalOrder-ord-2');
    await force(stream, { ...other, data: { ...other.data, basis: { kind: 'legal-order', id: orderId } } });
    expect((await judgeLast())?.violation).toMatchObject({ detail: 'the legal order is not verified yet' });
  });
});

describe('a freeze that cites a letter', () => {
  async function answer(): Promise<RecordedEvent> {
    const grant = {
      type: 'AnswerAuthorityRequest',
      requestId: 'req-1',
      outcome: 'granted',
      reason: 'r',
      basis,
    } as const;
    const [answered] = await world.accept(grant, { actor: checker });
    if (answered === undefined) throw new Error('nothing was answered');
    return answered;
  }

  function frozen({ id, stream: on, revision }: RecordedEvent, kind: string, basisId: string): DomainEvent {
    const data = {
      accountId: 'acc-1',
      freezeId: id,
      basis: { kind, id: basisId },
      citation: { stream: on, revision: String(revision), eventId: id },
      scope: { direction: 'debit', assets: 'all' },
      placedBy: 'maker',
      blockedFrom: '2022-02-15T00:00:00.000Z',
      balancesAtFreeze: [],
      stopped: [],
      inFlight: [],
    };
    return { type: 'AccountFrozen', data };
  }

  it.each([
    ['as a basis of its own kind', 'authority-request', 'req-1', 'malformed-event'],
    ['as if it were an order', 'legal-order', 'req-1', 'citation-unresolved'],
    ['for the order under which it was granted', 'legal-order', 'ord-1', 'citation-unresolved'],
  ])('restricts nothing: %s', async (_, kind, basisId, code) => {
    await force('account-acc-1', frozen(await answer(), kind, basisId));
    expect((await judgeLast('account-acc-1'))?.violation).toMatchObject({ code });
    expect((await replayAccount(store, 'acc-1', undefined))?.state.freezes.inForce.size).toBe(0);
  });
});
