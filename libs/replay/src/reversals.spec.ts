import { MemoryEventStore } from '#event-store/memory';
import { pointerTo, type RecordedEvent } from '#kernel';
import { checkLog, forceIn, LedgerWorld, service, TestClock } from '#testing';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { Judge } from './judge.ts';
import { replayAccount } from './replay-account.ts';

const stream = 'account-acc-1';
const source = { kind: 'bank', reference: 'r' } as const;

describe('a reversal that was forced into the store', () => {
  let store: MemoryEventStore;
  let deposit: RecordedEvent;
  let other: RecordedEvent;

  beforeEach(async () => {
    store = new MemoryEventStore();
    const world = new LedgerWorld({ store });
    await world.openAccount();
    const ofAccount = { type: 'Deposit', accountId: 'acc-1', asset: 'BTC', source } as const;
    [deposit] = (await world.accept({ ...ofAccount, depositId: 'd-1', amount: '2' })) as [RecordedEvent];
    [other] = (await world.accept({ ...ofAccount, depositId: 'd-2', amount: '3' })) as [RecordedEvent];
  });

  /** All that a reversal of the first deposit has to say, and what a forger changes of it. */
  const force = (changed: object = {}): Promise<RecordedEvent> => {
    const data = {
      ...{ accountId: 'acc-1', depositId: 'd-1', asset: 'BTC', amount: '200000000', source },
      depositedAt: deposit.metadata.recordedAt,
      citation: pointerTo(deposit),
      ...{ cause: 'bank-recall', reason: 'forged', taken: '200000000', takenFromHeld: '0', shortfall: '0' },
    };
    return forceIn(store, stream, { type: 'DepositReversed', data: { ...data, ...changed } });
  };

  const violations = async (): Promise<(string | undefined)[]> => {
    const judge = new Judge(store);
    const found: (string | undefined)[] = [];
    for (const event of await store.read(stream)) {
      const { violation } = await judge.judge(event);
      if (violation !== undefined) found.push(`${violation.code}: ${violation.detail}`);
    }
    return found;
  };

  /** As commands see it, in a process that knows nothing yet; the auditor's replay agrees. */
  const available = async (): Promise<bigint | undefined> => {
    const replayed = await replayAccount(store, 'acc-1', undefined);
    const units = replayed?.state.balances.get('BTC')?.available;
    const world = new LedgerWorld({ store, clock: new TestClock('2022-03-02T00:00:00.000Z') });
    const reserve = { type: 'ReserveWithdrawal', accountId: 'acc-1', asset: 'BTC' } as const;
    const spend = { ...reserve, amount: String((units ?? 0n) / 100_000_000n), destination: source };
    const more = { ...spend, amount: `${spend.amount}.00000001`, withdrawalId: 'w-1' };
    expect(await world.ask(more)).toMatchObject({ rejection: { code: 'insufficient-funds' } });
    expect(await world.ask({ ...spend, withdrawalId: 'w-1' })).toMatchObject({ status: 'accepted' });
    return units;
  };

  it('and is right but for who wrote it, counts: what it says is checked, not its author', async () => {
    await force();
    expect(await violations()).toEqual([]);
    expect(await available()).toBe(300_000_000n);
  });

  it.each<readonly [string, () => object, string]>([
    ['of another amount', () => ({ amount: '100000000', taken: '100000000' }), 'says otherwise'],
    ['of another asset', () => ({ asset: 'EUR', taken: '0', shortfall: '200000000' }), 'says otherwise'],
    ['of a deposit that is not there', () => ({ depositId: 'd-9' }), 'cites no deposit of this id'],
    [
      'that cites another event by its id',
      () => ({ citation: { ...pointerTo(deposit), eventId: other.id } }),
      'cites no deposit of this id',
    ],
    ['that cites another deposit', () => ({ citation: pointerTo(other) }), 'cites no deposit of this id'],
    [
      'that cites what is to come',
      () => ({ citation: { ...pointerTo(deposit), revision: '99' } }),
      'cites no deposit of this id',
    ],
    [
      'that cites another stream',
      () => ({ citation: { ...pointerTo(deposit), stream: 'account-acc-2' } }),
      'no deposit',
    ],
  ])('%s takes nothing and is reported', async (_name, changed, why) => {
    await force(changed());
    expect(await violations()).toEqual([expect.stringMatching(`citation-unresolved: .*${why}`)]);
    expect(await available()).toBe(500_000_000n);
  });

  describe('of a deposit that was held', () => {
    beforeEach(async () => {
      const world = new LedgerWorld({ store });
      const scope = { direction: 'credit', assets: 'all' } as const;
      await world.putOrder({ scope });
      await world.accept({ type: 'FreezeAccount', accountId: 'acc-1', basis: { kind: 'legal-order', id: 'ord-1' } });
      const held = {
        type: 'Deposit',
        accountId: 'acc-1',
        depositId: 'd-3',
        asset: 'BTC',
        amount: '2',
        source,
      } as const;
      [deposit] = (await world.accept(held, { key: 'held' })) as [RecordedEvent];
    });
    const ofHeld = (takenFromHeld: string): object => ({ depositId: 'd-3', takenFromHeld });

    it('takes from what is held', async () => {
      await force(ofHeld('200000000'));
      expect(await violations()).toEqual([]);
      expect(await available()).toBe(500_000_000n);
    });

    it.each(['0', '199999999'])(
      'and takes %s of what is held, takes nothing and is reported',
      async (takenFromHeld) => {
        await force(ofHeld(takenFromHeld));
        expect(await violations()).toEqual([expect.stringMatching('takes other than what is (held|there)')]);
        const replayed = await replayAccount(store, 'acc-1', undefined);
        expect(replayed?.state.balances.get('BTC')).toEqual({
          available: 500_000_000n,
          reserved: 0n,
          held: 200_000_000n,
        });
      },
    );
  });

  it('a second time takes nothing and is reported', async () => {
    const world = new LedgerWorld({ store });
    const why = { cause: 'mistake', reason: 'twice' } as const;
    await world.accept({ type: 'ReverseDeposit', accountId: 'acc-1', depositId: 'd-1', ...why }, { actor: service });
    expect(checkLog((await store.readAll({ limit: 1_000 })).events)).toEqual([]);
    await force();
    expect(await violations()).toEqual(['illegal-event: reverses a deposit a second time']);
    expect(await available()).toBe(300_000_000n);
  });

  it('does not stand in the way of the real one', async () => {
    await force({ amount: '1', taken: '1' });
    const world = new LedgerWorld({ store });
    const why = { cause: 'reorganisation', reason: 'orphaned' } as const;
    const reverse = { type: 'ReverseDeposit', accountId: 'acc-1', depositId: 'd-1', ...why } as const;
    const [reversed] = await world.accept(reverse, { actor: service });
    expect(reversed?.data).toMatchObject({ taken: '200000000', shortfall: '0', citation: pointerTo(deposit) });
    const again = await world.ask(reverse, { actor: service });
    expect(again).toMatchObject({ rejection: { code: 'invalid-transition', extra: { state: 'reversed' } } });
    expect(await available()).toBe(300_000_000n);
  });
});
