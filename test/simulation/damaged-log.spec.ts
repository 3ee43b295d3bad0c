import { MemoryEventStore } from '#event-store/memory';
import type { RecordedEvent } from '#kernel';
import { DamagedStreamError, Judge } from '#replay';
import {
  checker,
  emptyIndex,
  endingProposal,
  inTheMiddle,
  LedgerWorld,
  logWithChange,
  logWithGap,
  releaseNaming,
  service,
  tellStory,
  TestClock,
} from '#testing';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { isDeepStrictEqual } from 'node:util';
import { JudgedIndex } from './judged-index.ts';

const bank = { kind: 'bank', reference: 'r' } as const;

describe('a log that is not what was recorded', () => {
  let log: readonly RecordedEvent[];
  let now: string;
  /** By the streams of accounts, their last revisions. */
  let accounts: ReadonlyMap<string, number>;

  beforeAll(async () => {
    const world = new LedgerWorld();
    await tellStory(world);
    await releaseInDoubt(world);
    log = await world.log();
    now = log.reduce((latest, { metadata }) => (metadata.recordedAt > latest ? metadata.recordedAt : latest), '');
    const ofAccounts = log.filter(({ stream }) => stream.startsWith('account-'));
    accounts = new Map(ofAccounts.map(({ stream, revision }) => [stream, revision]));
  });

  /** A lift is asked for on the ground of an order of release, on whose stream more comes after that. */
  async function releaseInDoubt(world: LedgerWorld): Promise<void> {
    const orderId = 'ord-doubtful';
    await world.openAccount('acc-doubtful', 'p-doubtful');
    await world.putOrder({ orderId: 'ord-freezing', subjects: [{ kind: 'account', accountId: 'acc-doubtful' }] });
    const basis = { kind: 'legal-order', id: 'ord-freezing' } as const;
    const [frozen] = await world.accept({ type: 'FreezeAccount', accountId: 'acc-doubtful', basis });
    const instrument = releaseNaming({ accountIds: ['acc-doubtful'] }, orderId);
    await world.accept({ type: 'RegisterLegalOrder', orderId, instrument });
    await world.accept({ type: 'VerifyLegalOrder', orderId, method: 'call-back' }, { actor: checker });
    const { freezeId } = frozen?.data as { freezeId: string };
    await world.accept({ type: 'RequestLift', freezeId, requestId: 'r-1', ground: 'release-ordered', orderId });
    await world.accept(endingProposal(orderId, 'chg-1'));
  }

  /** Whoever starts on the log without that event, and with the index that a judge makes of what is left, if with one. */
  async function startedWithout(removed: Pick<RecordedEvent, 'id'>, isIndexed: boolean): Promise<LedgerWorld> {
    const store = logWithGap(log, removed);
    const index = new JudgedIndex(store);
    if (isIndexed) await index.takeIn();
    return new LedgerWorld({ store, clock: new TestClock(now), index: isIndexed ? index : emptyIndex });
  }

  /** Whoever starts on the log with that event changed, and with the index that was made before. */
  async function startedAfterChange(changed: Pick<RecordedEvent, 'id'>): Promise<LedgerWorld> {
    const index = new JudgedIndex(new MemoryEventStore({ log }));
    await index.takeIn();
    return new LedgerWorld({ store: logWithChange(log, changed), clock: new TestClock(now), index });
  }

  /** What each account is found to be, or that it is not known. */
  async function states(world: LedgerWorld): Promise<ReadonlyMap<string, unknown>> {
    const found = new Map<string, unknown>();
    for (const [stream, revision] of accounts) {
      const state = world.ledger.stateAsOf('account', stream, revision).catch((error: unknown) => {
        if (error instanceof DamagedStreamError) return 'unknown';
        throw error;
      });
      found.set(stream, await state);
    }
    return found;
  }

  /** What becomes of a withdrawal from each account. */
  async function withdrawals(world: LedgerWorld): Promise<ReadonlyMap<string, string>> {
    const came = new Map<string, string>();
    for (const stream of accounts.keys()) {
      const accountId = stream.slice('account-'.length);
      const withdrawal = {
        accountId,
        withdrawalId: 'w-new',
        asset: 'BTC',
        amount: '0.001',
        destination: bank,
      } as const;
      const outcome = await world.ask({ type: 'ReserveWithdrawal', ...withdrawal }, { actor: service });
      came.set(stream, outcome.status === 'rejected' ? outcome.rejection.code : outcome.status);
    }
    return came;
  }

  it.each([
    ['', false],
    [', with an index of what is left', true],
  ])('tells commands what the whole log tells, or nothing, whichever it was%s', async (_with, isIndexed) => {
    const whole = await states(await startedWithout({ id: '' }, isIndexed));
    const otherwise: string[] = [];
    let unknown = 0;
    for (const removed of inTheMiddle(log)) {
      const found = await states(await startedWithout(removed, isIndexed));
      for (const [stream, state] of found) {
        if (state === 'unknown') unknown += 1;
        else if (stream === removed.stream || !isDeepStrictEqual(state, whole.get(stream)))
          otherwise.push(`${stream} without ${removed.type} of ${removed.stream}@${String(removed.revision)}`);
      }
    }
    expect(otherwise).toEqual([]);
    expect(unknown).toBeGreaterThan(50);
  });

  it('lets nothing out of an account that would have stayed', async () => {
    const whole = await withdrawals(await startedWithout({ id: '' }, false));
    expect([...whole.values()]).toEqual(expect.arrayContaining(['accepted', 'account-frozen']));
    for (const removed of inTheMiddle(log)) {
      for (const [stream, code] of await withdrawals(await startedWithout(removed, false))) {
        expect([whole.get(stream), 'store-unavailable']).toContain(code);
        if (stream === removed.stream) expect(code).toBe('store-unavailable');
      }
    }
  });

  it('lets nothing out of an account that would have stayed, whatever was changed in it', async () => {
    const whole = await withdrawals(await startedAfterChange({ id: '' }));
    expect([...whole.values()]).toEqual(expect.arrayContaining(['accepted', 'account-frozen']));
    for (const changed of log) {
      for (const [stream, code] of await withdrawals(await startedAfterChange(changed))) {
        expect([whole.get(stream), 'store-unavailable']).toContain(code);
        if (stream === changed.stream) expect(code).toBe('store-unavailable');
      }
    }
  });

  it('is told of, with the stream and the first revision that is missing', async () => {
    const [stream = ''] = accounts.keys();
    const removed = inTheMiddle(log).find((event) => event.stream === stream);
    if (removed === undefined) throw new Error('no such event');
    const told: unknown[] = [];
    const clock = new TestClock(now);
    const world = new LedgerWorld({ store: logWithGap(log, removed), clock, onDamaged: (error) => told.push(error) });
    const deposit = { accountId: stream.slice('account-'.length), depositId: 'd-new', asset: 'BTC', amount: '1' };
    expect(await world.ask({ type: 'Deposit', ...deposit, source: bank }, { actor: service })).toMatchObject({
      status: 'rejected',
      rejection: { code: 'store-unavailable' },
    });
    expect(told).toEqual([new DamagedStreamError(stream, removed.revision, 'missing')]);
  });

  it('is judged as far as it goes: what comes after the gap is a violation, and nothing stops', async () => {
    for (const removed of inTheMiddle(log)) {
      const store = logWithGap(log, removed);
      const judge = new Judge(store);
      const found: (readonly [string, number, string])[] = [];
      for (const event of (await store.readAll({ limit: 10_000 })).events) {
        const { violation } = await judge.judge(event);
        if (violation !== undefined) found.push([event.stream, event.revision, violation.code]);
      }
      expect(found).toContainEqual([removed.stream, removed.revision + 1, 'hash-mismatch']);
    }
  });
});
