import type { SnapshotOutcome, SnapshotStore } from '#command-handling';
import type { EventStore } from '#event-store';
import { MemoryEventStore } from '#event-store/memory';
import { toTimestamp, type DomainEvent, type RecordedEvent } from '#kernel';
import {
  CitationResolver,
  decodeSnapshot,
  encodeSnapshot,
  indexEntries,
  misfitOf,
  replayAccount,
  StreamFold,
  StreamNames,
  type JudgedEvent,
  type NamedEntry,
  type NamesIndex,
} from '#replay';
import { checkLog, danglingFreeze, forceIn, LedgerWorld, tellStory, TestClock } from '#testing';
import { describe, expect, it } from '@jest/globals';
import { LIMIT_MS, runs } from './effort.ts';
import fc from 'fast-check';
import { JudgedIndex } from './judged-index.ts';
import { HOLDERS } from './naive-model/accounts.ts';
import { NaiveModel } from './naive-model/model.ts';
import type { Step } from './naive-model/step.ts';
import { script, take, worldOfScripts } from './scripts.ts';

const RULES = 'these rules';
const ALL_NAMES = 1_000_000;

/** What could be forced into an account's stream; some of it is legal, and uses a name a second time. */
const FORGED: readonly ((accountId: string) => DomainEvent)[] = [
  danglingFreeze,
  (accountId) => ({
    type: 'FundsDeposited',
    data: { accountId, depositId: 'd-1', asset: 'BTC', amount: '100000000', source: { kind: 'bank', reference: 'r' } },
  }),
  (accountId) => ({ type: 'WithdrawalSettled', data: { accountId, withdrawalId: 'w-9', reference: 'r' } }),
  () => ({ type: 'FundsDeposited', data: { nothing: 'of the kind' } }),
];

const ACCOUNTS = HOLDERS.length;

/** A log of whatever comes of a script, and of what others force in between. */
async function logOf(steps: readonly (Step | number)[]): Promise<EventStore> {
  const store = new MemoryEventStore();
  const world = await worldOfScripts(store);
  const model = new NaiveModel();
  for (const [at, each] of steps.entries()) {
    if (typeof each === 'number') {
      const accountId = `acc-${String(each % ACCOUNTS)}`;
      const forged = FORGED[each % FORGED.length];
      if (forged !== undefined) await forceIn(store, `account-${accountId}`, forged(accountId));
      continue;
    }
    const asked = model.command(each);
    if (asked === undefined) continue;
    const { freezeIds } = await take(world, asked, `step-${String(at)}`);
    model.apply(each, freezeIds);
  }
  return store;
}

/** One account's stream, judged event by event with everything in memory. */
class Reference {
  readonly fold: StreamFold;
  readonly judged: JudgedEvent[] = [];
  readonly events: readonly RecordedEvent[];
  readonly #store: EventStore;

  private constructor(store: EventStore, stream: string, events: readonly RecordedEvent[]) {
    this.#store = store;
    this.events = events;
    this.fold = new StreamFold(stream, new CitationResolver(store));
  }

  static async of(store: EventStore, stream: string): Promise<Reference> {
    const reference = new Reference(store, stream, await store.read(stream));
    for (const event of reference.events) reference.judged.push(await reference.fold.apply(event));
    return reference;
  }

  get names(): readonly NamedEntry[] {
    return this.judged.flatMap(({ event }) => (event === undefined ? [] : indexEntries(event)));
  }

  /** The index as it was when it had taken in so many of the events. */
  indexOf(count: number): NamesIndex {
    const names = new StreamNames(this.fold.stream);
    for (const { event } of this.judged.slice(0, count)) if (event !== undefined) names.note(event);
    return { indexedRevision: () => count - 1, lookup: (_stream, kind, id) => names.lookup(kind, id) };
  }

  /** A fold of the first events that leaves names to the index, by way of a snapshot if there is one. */
  begin(index: NamesIndex): StreamFold {
    const names = new StreamNames(this.fold.stream, { index, most: 1 });
    return new StreamFold(this.fold.stream, new CitationResolver(this.#store), names);
  }

  /** Folds up to a cut, goes on from a snapshot made there, and must come to the same, judgement by judgement. */
  async demandSame(cut: number, indexedThen: number, indexedNow: number): Promise<void> {
    const before = this.begin(this.indexOf(indexedThen));
    for (const event of this.events.slice(0, cut)) await before.apply(event);
    const text = encodeSnapshot(before, RULES, ALL_NAMES) ?? '';
    const snapshot = decodeSnapshot(text, this.fold.stream, RULES);
    if (typeof snapshot === 'string') throw new Error(snapshot);
    const now = this.indexOf(indexedNow);
    expect(misfitOf(snapshot, this.events[cut - 1], now)).toBeUndefined();

    const after = this.begin(now);
    after.restore(snapshot.folded, snapshot.names);
    for (const [at, event] of this.events.entries()) {
      if (at < cut) continue;
      expect((await after.apply(event)).violation).toEqual(this.judged[at]?.violation);
    }
    expect(after.folded).toStrictEqual(this.fold.folded);
    expect([after.revision, after.lastHash, after.lastRecordedMs]).toEqual([
      this.fold.revision,
      this.fold.lastHash,
      this.fold.lastRecordedMs,
    ]);
    for (const { kind, id } of this.names) {
      const [found, known] = [after.names.lookup(kind, id), this.fold.names.lookup(kind, id)];
      expect(found?.value).toBe(known?.value);
      // Of a withdrawal only the state is asked for.
      if (kind !== 'withdrawal') expect(found?.revision).toBe(known?.revision);
    }
    const never = (['key', 'deposit', 'withdrawal', 'outgoing'] as const).map((kind) => after.names.lookup(kind, '?'));
    expect(never).toEqual([undefined, undefined, undefined, undefined]);
  }
}

describe('an account that goes on from a snapshot', () => {
  it(
    'comes to the same as one folded from its first event, wherever it was made, whatever was forced in',
    async () => {
      const forged = fc.record({ at: fc.nat(), what: fc.nat(ACCOUNTS * FORGED.length - 1) });
      const anything = fc.tuple(script, fc.array(forged, { maxLength: 8 })).map(([steps, forgeries]) => {
        const all: (Step | number)[] = [...steps];
        for (const { at, what } of forgeries) all.splice(at % (all.length + 1), 0, what);
        return all;
      });
      await fc.assert(
        fc.asyncProperty(
          anything,
          fc.array(fc.tuple(fc.nat(), fc.nat(), fc.nat()), { minLength: 4, maxLength: 4 }),
          async (steps, cuts) => {
            const store = await logOf(steps);
            for (let n = 0; n < ACCOUNTS; n += 1) {
              const reference = await Reference.of(store, `account-acc-${String(n)}`);
              const { length } = reference.events;
              for (const [at, then, now] of cuts) {
                const cut = 1 + (at % length);
                const indexedThen = then % (cut + 1);
                await reference.demandSame(cut, indexedThen, indexedThen + (now % (length + 1 - indexedThen)));
              }
            }
          },
        ),
        { numRuns: runs(60) },
      );
    },
    LIMIT_MS,
  );

  it('comes to the same at every cut of a story that has a bit of everything', async () => {
    const store = new MemoryEventStore();
    await tellStory(new LedgerWorld({ store }));
    for (const accountId of ['acc-1', 'acc-2', 'acc-3']) {
      const reference = await Reference.of(store, `account-${accountId}`);
      const { length } = reference.events;
      for (let cut = 1; cut <= length; cut += 1) {
        await reference.demandSame(cut, cut, length);
        await reference.demandSame(cut, 0, cut);
      }
    }
  });
});

/** Snapshots in memory: what is put is there at once. */
class MemorySnapshots implements SnapshotStore {
  readonly texts = new Map<string, string>();

  read(stream: string): Promise<string | undefined> {
    return Promise.resolve(this.texts.get(stream));
  }

  put(stream: string, text: string): void {
    this.texts.set(stream, text);
  }
}

describe('any script of commands, with starts in between', () => {
  it(
    'comes to what a naive model says, and every answer is given again',
    async () => {
      let used = 0;
      // Before which steps, over and over, the process starts anew, and how much the index takes in.
      const meanwhile = fc.array(fc.tuple(fc.boolean(), fc.nat(12)), { minLength: 7, maxLength: 7 });
      await fc.assert(
        fc.asyncProperty(script, meanwhile, async (steps, rhythm) => {
          const store = new MemoryEventStore({ singleWriter: true });
          const index = new JudgedIndex(store);
          const outcomes: SnapshotOutcome[] = [];
          const snapshots = {
            store: new MemorySnapshots(),
            everyEvents: 2,
            rules: RULES,
            watch: (outcome: SnapshotOutcome) => void outcomes.push(outcome),
          };
          const clock = new TestClock();
          const start = (): LedgerWorld =>
            new LedgerWorld({ store, clock, index, snapshots, limits: { refusalsPerMinute: 0, cachedEntries: 4 } });
          await worldOfScripts(store);
          let world = start();
          const model = new NaiveModel();
          for (const [at, step] of steps.entries()) {
            const [starts, takesIn] = rhythm[at % rhythm.length] ?? [false, 0];
            await index.takeIn(takesIn + 1);
            if (starts) world = start();
            const asked = model.command(step);
            if (asked === undefined) continue;
            const { came, freezeIds, outcome } = await take(world, asked, `step-${String(at)}`);
            expect({ at, step, came }).toEqual({ at, step, came: model.apply(step, freezeIds) });
            if (outcome?.status === 'accepted') {
              if (starts) world = start();
              expect((await take(world, asked, `step-${String(at)}`)).outcome).toEqual({ ...outcome, replayed: true });
            }
          }
          for (const [n, account] of model.state.accounts) {
            const replayed = await replayAccount(store, `acc-${String(n)}`, undefined);
            expect(replayed?.state.balances.get('BTC')?.available ?? 0n).toBe(BigInt(account.available) * 100_000_000n);
          }
          expect(checkLog(await world.log(), { quiescent: true, now: toTimestamp(clock.now()) })).toEqual([]);
          expect(outcomes.filter((outcome) => outcome !== 'used')).toEqual([]);
          used += outcomes.length;
        }),
        { numRuns: runs(60) },
      );
      expect(used).toBeGreaterThan(300);
    },
    LIMIT_MS,
  );
});
