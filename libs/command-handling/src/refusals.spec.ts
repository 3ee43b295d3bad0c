import { StoreError, type Appended } from '#event-store';
import { MemoryEventStore } from '#event-store/memory';
import type { Outcome } from '#command-handling';
import { LedgerWorld, TestClock } from '#testing';
import { describe, expect, it } from '@jest/globals';

const LIMIT = 5;

/** A store that turns down appends while it is told to. */
class FailingStore extends MemoryEventStore {
  failing = false;

  override append(...call: Parameters<MemoryEventStore['append']>): Promise<Appended> {
    if (this.failing) return Promise.reject(new StoreError('store-unavailable', 'the disk is away'));
    return super.append(...call);
  }
}

interface Frozen {
  readonly world: LedgerWorld;
  readonly store: FailingStore;
  readonly clock: TestClock;
}

/** An account on which every withdrawal is refused on record. */
async function frozen(): Promise<Frozen> {
  const [store, clock] = [new FailingStore(), new TestClock()];
  const world = new LedgerWorld({ store, clock, limits: { refusalsPerMinute: LIMIT } });
  await world.openAccount();
  await world.putOrder();
  await world.accept({ type: 'FreezeAccount', accountId: 'acc-1', basis: { kind: 'legal-order', id: 'ord-1' } });
  return { world, store, clock };
}

/** Sends so many withdrawals at once: all but the first wait together, and are decided together. @returns their codes */
async function withdrawals(world: LedgerWorld, count: number): Promise<readonly string[]> {
  const outcomes = await Promise.all(
    Array.from({ length: count }, (_, n) =>
      world.ask({
        type: 'ReserveWithdrawal',
        accountId: 'acc-1',
        withdrawalId: `w-${String(n)}`,
        asset: 'BTC',
        amount: '1',
        destination: { kind: 'bank', reference: 'r' },
      }),
    ),
  );
  return outcomes.map(codeOf);
}

function codeOf(outcome: Outcome): string {
  return outcome.status === 'rejected' ? outcome.rejection.code : outcome.status;
}

async function recordedIn(store: MemoryEventStore): Promise<number> {
  return (await store.read('account-acc-1')).filter(({ type }) => type === 'CommandRefused').length;
}

function times(count: number, code: string): readonly string[] {
  return Array<string>(count).fill(code);
}

describe('the limit of recorded refusals', () => {
  it('counts those that are decided together', async () => {
    const { world, store } = await frozen();
    const codes = await withdrawals(world, 40);
    expect(codes).toEqual([...times(LIMIT, 'account-frozen'), ...times(40 - LIMIT, 'rate-limited')]);
    expect(await recordedIn(store)).toBe(LIMIT);
  });

  it('says when there is room again', async () => {
    const { world, clock } = await frozen();
    await withdrawals(world, LIMIT);
    clock.advance(20_000);
    const late = { type: 'ReserveWithdrawal', accountId: 'acc-1', withdrawalId: 'w-late', asset: 'BTC' } as const;
    const command = { ...late, amount: '1', destination: { kind: 'bank', reference: 'r' } } as const;
    expect(await world.ask(command)).toMatchObject({
      rejection: { code: 'rate-limited', extra: { retryAfterSeconds: 40 } },
    });
    clock.advance(40_000);
    expect(await world.ask(command)).toMatchObject({ rejection: { code: 'account-frozen' } });
  });

  it('does not count those that could not be stored', async () => {
    const { world, store } = await frozen();
    store.failing = true;
    expect(await withdrawals(world, LIMIT)).toEqual(times(LIMIT, 'store-unavailable'));
    store.failing = false;
    expect(await withdrawals(world, LIMIT)).toEqual(times(LIMIT, 'account-frozen'));
    expect(await recordedIn(store)).toBe(LIMIT);
  });
});
