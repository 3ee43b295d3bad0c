import { postings, type AccountEvent } from '#accounts';
import type { Appended } from '#event-store';
import { MemoryEventStore } from '#event-store/memory';
import { toTimestamp, type RecordedEvent } from '#kernel';
import { decodeEvent, Judge, replayAccount } from '#replay';
import { checkLog, describeBreaches, LedgerWorld, storeOf, TestClock } from '#testing';
import { describe, expect, it } from '@jest/globals';
import { LIMIT_MS, runs } from './effort.ts';
import fc from 'fast-check';
import { scopeOf } from './naive-model/scope.ts';
import { ORDER_SCOPES, type OrderScope } from './naive-model/step.ts';
import { playInto, script } from './scripts.ts';

/** What is known of a log after its first events: a verdict on each, and the state of each stream. */
interface Known {
  readonly verdicts: readonly (string | undefined)[];
  readonly states: ReadonlyMap<string, unknown>;
}

/** Judges the first `count` events, in a store that may hold more. */
async function judged(store: MemoryEventStore, count: number): Promise<Known> {
  const judge = new Judge(store);
  const verdicts: (string | undefined)[] = [];
  const states = new Map<string, unknown>();
  const { events } = await store.readAll({ limit: 100_000 });
  for (const event of events.slice(0, count)) {
    const { violation, after } = await judge.judge(event);
    verdicts.push(violation?.code);
    states.set(event.stream, structuredClone(after));
  }
  return { verdicts, states };
}

/** Knows how many events there were after each append: an append is there as a whole, or not at all. */
class MarkingStore extends MemoryEventStore {
  readonly ends = [0];

  override async append(...[stream, expected, events]: Parameters<MemoryEventStore['append']>): Promise<Appended> {
    const appended = await super.append(stream, expected, events);
    this.ends.push((this.ends.at(-1) ?? 0) + events.length);
    return appended;
  }
}

/** The time of the next start: a while after the last event that is left, so that nothing is left to a handler any more. */
function clockAfter(last: RecordedEvent | undefined): TestClock {
  const clock = new TestClock(last?.metadata.recordedAt);
  clock.advance(10_000);
  return clock;
}

/** The sum over all ledger accounts, by asset. */
function sums(events: readonly RecordedEvent[]): ReadonlyMap<string, bigint> {
  const sumOf = new Map<string, bigint>();
  for (const recorded of events) {
    const decoded = decodeEvent(recorded);
    if (!decoded.ok || !recorded.stream.startsWith('account-')) continue;
    for (const { asset, units } of postings(decoded.event as AccountEvent)) {
      sumOf.set(asset, (sumOf.get(asset) ?? 0n) + units);
    }
  }
  return sumOf;
}

describe('a log that is cut anywhere', () => {
  const cutLog = fc.tuple(script, fc.double({ min: 0, max: 1, noNaN: true }));

  it(
    'says the same of what is left as it did of that before (invariant 11)',
    async () => {
      await fc.assert(
        fc.asyncProperty(cutLog, async ([steps, at]) => {
          const whole = new MemoryEventStore();
          await playInto(whole, steps);
          const log = (await whole.readAll({ limit: 100_000 })).events;
          const count = Math.round(at * log.length);
          const left = await storeOf(log.slice(0, count));
          expect(await judged(left, count)).toEqual(await judged(whole, count));
        }),
        { numRuns: runs(60) },
      );
    },
    LIMIT_MS,
  );

  it(
    'has books that sum to zero (invariant 6)',
    async () => {
      await fc.assert(
        fc.asyncProperty(script, async (steps) => {
          const store = new MemoryEventStore();
          await playInto(store, steps);
          const log = (await store.readAll({ limit: 100_000 })).events;
          for (let count = 0; count <= log.length; count += 1) {
            for (const [asset, sum] of sums(log.slice(0, count)))
              expect([count, asset, sum]).toEqual([count, asset, 0n]);
          }
        }),
        { numRuns: runs(30) },
      );
    },
    LIMIT_MS,
  );

  it(
    'is brought to an end by the next start, after whichever append it is cut (invariants 12 and 13)',
    async () => {
      await fc.assert(
        // Of each script every fourth cut: more scripts tell more than more cuts.
        fc.asyncProperty(script, fc.nat(3), async (steps, from) => {
          const whole = new MarkingStore();
          await playInto(whole, steps);
          const log = (await whole.readAll({ limit: 100_000 })).events;
          for (const count of whole.ends.filter((_, at) => at % 4 === from)) {
            const clock = clockAfter(log[count - 1]);
            const world = new LedgerWorld({ store: await storeOf(log.slice(0, count)), clock });
            await world.ledger.supervisor.pass();
            expect(world.failures).toEqual([]);
            const ended = await world.log();
            const breaches = checkLog(ended, { quiescent: true, now: toTimestamp(clock.now()) });
            expect(describeBreaches(breaches, ended)).toBe('');
          }
        }),
        { numRuns: runs(50) },
      );
    },
    LIMIT_MS,
  );
});

describe('freezes under several orders', () => {
  /** As much of the account as a holder, or a court, would look at. */
  const endOf = async (store: MemoryEventStore): Promise<unknown> => {
    const replayed = await replayAccount(store, 'acc-1', undefined);
    const { balances, openWithdrawals, freezes } = replayed?.state ?? {};
    const bases = [...(freezes?.inForce.values() ?? [])].map(({ basis }) => basis.id).sort();
    return { balances, open: [...(openWithdrawals?.keys() ?? [])].sort(), bases };
  };

  interface Orders {
    readonly scopes: readonly OrderScope[];
    readonly frozen: readonly number[];
    readonly ended: readonly number[];
  }

  /** An account with money in it and on its way out; then orders freeze it, a deposit comes, and some of the orders end. */
  async function played({ scopes, frozen, ended }: Orders): Promise<unknown> {
    const store = new MemoryEventStore();
    const world = new LedgerWorld({ store });
    await world.openAccount();
    const bank = { kind: 'bank', reference: 'r' } as const;
    const deposit = { type: 'Deposit', accountId: 'acc-1', asset: 'BTC', source: bank } as const;
    await world.accept({ ...deposit, depositId: 'd-1', amount: '10' });
    for (const [index, amount] of ['1', '3', '2', '1.5'].entries()) {
      const withdrawalId = `w-${String(index)}`;
      const reserve = { type: 'ReserveWithdrawal', accountId: 'acc-1', withdrawalId, asset: 'BTC' } as const;
      await world.accept({ ...reserve, amount, destination: bank });
    }
    for (const [index, scope] of scopes.entries()) {
      const claim = scope === 'claimed' ? { claimGroup: 'claim-1' } : {};
      const asked = { scope: scopeOf({ scope, amount: index + 2 }) } as object;
      await world.putOrder({ orderId: `ord-${String(index)}`, ...claim, ...asked });
    }
    for (const index of frozen) {
      const basis = { kind: 'legal-order', id: `ord-${String(index)}` } as const;
      await world.accept({ type: 'FreezeAccount', accountId: 'acc-1', basis });
    }
    await world.accept({ ...deposit, depositId: 'd-2', amount: '4' });
    for (const index of ended) await world.endOrder(`ord-${String(index)}`, `chg-${String(index)}`);
    expect(checkLog(await world.log(), { quiescent: true })).toEqual([]);
    return endOf(store);
  }

  it(
    'come to the same end in whatever order they are placed and end',
    async () => {
      const orders = fc.array(fc.constantFrom(...ORDER_SCOPES), { minLength: 2, maxLength: 5 }).chain((scopes) => {
        const all = scopes.map((_, index) => index);
        const shuffled = fc.shuffledSubarray(all, { minLength: all.length });
        return fc.tuple(fc.constant(scopes), shuffled, shuffled, fc.subarray(all)).chain(([, one, other, ended]) =>
          fc.record({
            scopes: fc.constant(scopes),
            frozen: fc.constant([one, other] as const),
            ended: fc.tuple(
              fc.shuffledSubarray(ended, { minLength: ended.length }),
              fc.shuffledSubarray(ended, { minLength: ended.length }),
            ),
          }),
        );
      });
      await fc.assert(
        fc.asyncProperty(orders, async ({ scopes, frozen, ended }) => {
          const one = await played({ scopes, frozen: frozen[0], ended: ended[0] });
          expect(await played({ scopes, frozen: frozen[1], ended: ended[1] })).toEqual(one);
        }),
        { numRuns: runs(60) },
      );
    },
    LIMIT_MS,
  );
});
