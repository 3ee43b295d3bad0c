import { createLedger, type Ledger, type LedgerCommand, type Outcome } from '#command-handling';
import {
  followLog,
  type Appended,
  type EventFilter,
  type EventStore,
  type EventToAppend,
  type ExpectedRevision,
  type ReadAllOptions,
  type ReadAllPage,
  type ReadStreamOptions,
} from '#event-store';
import { MemoryEventStore } from '#event-store/memory';
import { uuidv7, type Position, type RecordedEvent } from '#kernel';
import { emptyIndex, LedgerWorld, maker, requestFor, service, TestClock } from '#testing';
import { expect, it } from '@jest/globals';
import { Observable, Subject } from 'rxjs';
import { SimulatedTime } from './whole-core/time.ts';

/** What two instances share. */
interface Shared {
  readonly time: SimulatedTime;
  readonly memory: MemoryEventStore;
  readonly commits: Subject<Position>;
}

/** A store that is so far away: each call takes that long to it, and as long back. */
class DistantStore implements EventStore {
  readonly singleWriter = false;
  readonly #shared: Shared;
  readonly #awayMs: number;
  /** From when it has had a freeze authorised, nothing reaches it and nothing comes back. */
  diesAuthorising = false;
  #isCutOff = false;

  constructor(shared: Shared, awayMs: number) {
    this.#shared = shared;
    this.#awayMs = awayMs;
  }

  append(stream: string, expected: ExpectedRevision, events: readonly EventToAppend[]): Promise<Appended> {
    return this.#call(async () => {
      const appended = await this.#shared.memory.append(stream, expected, events);
      this.#shared.commits.next(appended.positions.at(-1) ?? '');
      this.#isCutOff = this.diesAuthorising && events.some(({ type }) => type === 'FreezeAuthorised');
      return appended;
    });
  }

  read(stream: string, options?: ReadStreamOptions): Promise<readonly RecordedEvent[]> {
    return this.#call(() => this.#shared.memory.read(stream, options));
  }

  readAll(options: ReadAllOptions): Promise<ReadAllPage> {
    return this.#call(() => this.#shared.memory.readAll(options));
  }

  head(): Promise<Position | undefined> {
    return this.#call(() => this.#shared.memory.head());
  }

  subscribeAll(options: {
    readonly after?: Position | undefined;
    readonly filter?: EventFilter;
  }): Observable<RecordedEvent> {
    const log = { readAll: (page: ReadAllOptions) => this.readAll(page), commits: this.#shared.commits };
    return new Observable((subscriber) => followLog(log, options, subscriber));
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  async #call<Result>(work: () => Promise<Result>): Promise<Result> {
    await this.#shared.time.sleep(this.#awayMs);
    const [result] = await Promise.allSettled([work()]);
    await this.#shared.time.sleep(this.#awayMs);
    if (this.#isCutOff) return new Promise(() => undefined);
    if (result.status === 'rejected') throw result.reason;
    return result.value;
  }
}

const ACCOUNT = 'account-acc-1';
const CALLERS = 3;
const freeze = { type: 'FreezeAccount', accountId: 'acc-1', basis: { kind: 'legal-order', id: 'ord-1' } } as const;

class Scene {
  readonly shared: Shared;
  readonly near: Ledger;
  readonly far: Ledger;
  readonly farStore: DistantStore;
  readonly failures: unknown[] = [];
  /** Authorisations that an instance made way for. */
  madeWay = 0;
  #isOver = false;
  #serial = 0;

  private constructor(shared: Shared) {
    this.shared = shared;
    // Whoever is nearer has appended again before the other one's append arrives.
    this.near = this.#instance(new DistantStore(shared, 1));
    this.farStore = new DistantStore(shared, 4);
    this.far = this.#instance(this.farStore);
  }

  /** An account, and an order in force that names it. */
  static async set(): Promise<Scene> {
    const memory = new MemoryEventStore();
    const clock = new TestClock();
    const world = new LedgerWorld({ store: memory, clock });
    await world.openAccount();
    await world.putOrder();
    return new Scene({ memory, time: new SimulatedTime(clock.now()), commits: new Subject<Position>() });
  }

  #instance(store: DistantStore): Ledger {
    const { time } = this.shared;
    return createLedger({
      store,
      index: emptyIndex,
      machine: { clock: time, newId: uuidv7, sleep: (ms) => time.sleep(ms) },
      metrics: { appended: () => undefined, conflicted: () => undefined, madeWay: () => (this.madeWay += 1) },
      watch: { failed: (_item, error) => this.failures.push(error) },
    });
  }

  ask(ledger: Ledger, command: LedgerCommand, actor = maker): Promise<Outcome> {
    return ledger.execute(requestFor(command, { actor, key: `k-${String((this.#serial += 1))}` }));
  }

  /** So many callers deposit to the account through one instance, one deposit after another, until the end. */
  hammer(ledger: Ledger): void {
    const deposit = async (): Promise<void> => {
      while (!this.#isOver) {
        const depositId = `d-${String((this.#serial += 1))}`;
        const source = { kind: 'bank', reference: 'r' } as const;
        const outcome = await this.ask(
          ledger,
          { type: 'Deposit', accountId: 'acc-1', depositId, asset: 'BTC', amount: '1', source },
          service,
        );
        if (outcome.status === 'rejected') this.failures.push(outcome.rejection);
      }
    };
    for (let caller = 0; caller < CALLERS; caller += 1) {
      deposit().catch((error: unknown) => this.failures.push(error));
    }
  }

  /** Lets time go on until something is over, for so long at most. @returns how long it took */
  async during(work: Promise<unknown>, atMostMs: number): Promise<number> {
    const startMs = this.shared.time.now();
    let isOver = false;
    void work.then(() => (isOver = true));
    await this.shared.time.run(startMs + atMostMs, () => isOver);
    return this.shared.time.now() - startMs;
  }

  async pass(ms: number): Promise<void> {
    await this.shared.time.run(this.shared.time.now() + ms);
  }

  async end(): Promise<void> {
    this.#isOver = true;
    const stopped = Promise.all([this.near.supervisor.stop(), this.far.supervisor.stop()]);
    await this.during(stopped, 60_000);
    await stopped;
  }

  /** The longest that nothing but the freeze was appended to the account, in milliseconds. */
  async longestSilenceMs(): Promise<number> {
    const times = (await this.shared.memory.read(ACCOUNT))
      .filter(({ type }) => type === 'FundsDeposited')
      .map(({ metadata }) => Date.parse(metadata.recordedAt));
    return Math.max(...times.slice(1).map((time, index) => time - (times[index] ?? time)));
  }
}

it('a freeze is acknowledged at once, however another instance hammers the account', async () => {
  const scene = await Scene.set();
  await scene.during(Promise.all([scene.near.supervisor.start(), scene.far.supervisor.start()]), 10_000);
  scene.hammer(scene.near);
  await scene.pass(1_000);
  const frozen = scene.ask(scene.far, freeze);
  const tookMs = await scene.during(frozen, 10_000);
  expect(await frozen).toMatchObject({ status: 'accepted' });
  // The other one's supervisor would place it too, after a second and a quarter: it need not.
  expect(tookMs).toBeLessThan(500);
  // Both instances see the authorisation.
  expect(scene.madeWay).toBe(2);
  // Placed, it keeps nobody waiting any longer.
  await scene.pass(1_000);
  expect(await scene.longestSilenceMs()).toBeLessThan(1_000);
  expect(scene.failures).toEqual([]);
  await scene.end();
}, 120_000);

it('where nobody makes way, it comes too late again and again', async () => {
  const scene = await Scene.set();
  // Neither follows the log.
  scene.hammer(scene.near);
  await scene.pass(1_000);
  const tookMs = await scene.during(scene.ask(scene.far, freeze), 2_500);
  expect(tookMs).toBe(2_500);
  const types = (await scene.shared.memory.read(ACCOUNT)).map(({ type }) => type);
  expect(types).not.toContain('AccountFrozen');
  await scene.end();
}, 120_000);

it('whoever had it authorised is gone: another instance places it, and movements go on', async () => {
  const scene = await Scene.set();
  await scene.during(scene.near.supervisor.start(), 10_000);
  scene.farStore.diesAuthorising = true;
  scene.hammer(scene.near);
  await scene.pass(100);
  void scene.ask(scene.far, freeze);
  await scene.pass(5_000);
  const types = (await scene.shared.memory.read(ACCOUNT)).map(({ type }) => type);
  expect(types).toContain('AccountFrozen');
  expect(types.slice(types.indexOf('AccountFrozen')).length).toBeGreaterThan(1_000);
  expect(await scene.longestSilenceMs()).toBeLessThan(2_000);
  expect(scene.madeWay).toBe(1);
  expect(scene.failures).toEqual([]);
  await scene.end();
}, 120_000);
