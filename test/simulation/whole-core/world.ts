import { MemoryEventStore } from '#event-store/memory';
import type { Position, RecordedEvent } from '#kernel';
import { LedgerWorld, randomIntegers, testId, TestClock } from '#testing';
import { Subject } from 'rxjs';
import { HOLDERS } from '../naive-model/accounts.ts';
import { accountName } from '../naive-model/command.ts';
import { openAccounts } from '../scripts.ts';
import { Callers } from './callers.ts';
import { Disk } from './disk.ts';
import type { SharedStore } from './faulty-store.ts';
import { Instance } from './instance.ts';
import { Looks } from './looks.ts';
import type { DiskFault, Plan } from './plan.ts';
import { SimulatedTime } from './time.ts';
import { Weather } from './weather.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** How long the callers of one run may take: far more than they do. */
const LONGEST_MS = 2 * HOUR_MS;
/** The longest that anything waits before it is tried again, and what was sent late may be under way. */
const LONGEST_RETRY_MS = 31_000;
/** A handler's step is left to it for a second, and then taken up at the next look or the one after. */
const GRACE_MS = 1_600;
/** The supervisor looks four times a second. */
const TWO_LOOKS_MS = 650;
/** Above the ids of the log that a run starts from. */
const FIRST_ID = 100_000;
const CLOCK_FARTHEST_MS = 620_000;

/** The logs that runs start from, made once: the accounts are open, and for a storm in funds. */
const beginnings = new Map<boolean, Promise<readonly RecordedEvent[]>>();

function beginningOf({ mode }: Plan): Promise<readonly RecordedEvent[]> {
  const inFunds = mode === 'storm';
  const known = beginnings.get(inFunds) ?? makeBeginning(inFunds);
  beginnings.set(inFunds, known);
  return known;
}

async function makeBeginning(inFunds: boolean): Promise<readonly RecordedEvent[]> {
  let ids = 0;
  const world = new LedgerWorld({ clock: new TestClock(), newId: () => testId((ids += 1)) });
  await openAccounts(world);
  for (const index of inFunds ? HOLDERS.keys() : []) {
    const source = { kind: 'bank', reference: 'r' } as const;
    const accountId = accountName(index);
    await world.accept(
      { type: 'Deposit', accountId, depositId: 'd-0', asset: 'BTC', amount: '9', source },
      { key: `d-${index}` },
    );
  }
  return world.log();
}

/** Two instances of the whole core over one store, and whoever calls them. */
export class World {
  readonly plan: Plan;
  readonly time: SimulatedTime;
  readonly store: MemoryEventStore;
  readonly callers: Callers;
  /** How far the log had come when authorisations were settled. */
  readonly looks: Looks;
  /** What became of snapshots. */
  readonly snapshots = new Set<string>();
  readonly failures: Error[] = [];
  /** What happened, a line each. */
  readonly story: string[] = [];
  readonly #weather: Weather;
  readonly #shared: SharedStore;
  readonly #draw: (below: number) => number;
  readonly #instances: [Instance | undefined, Instance | undefined] = [undefined, undefined];
  readonly #disks: readonly [Disk, Disk];
  readonly #startMs: number;
  #ids = FIRST_ID;
  #log: RecordedEvent[] = [];
  #troubles = 0;

  private constructor(plan: Plan, beginning: readonly RecordedEvent[]) {
    this.plan = plan;
    this.store = new MemoryEventStore({ log: beginning });
    this.looks = new Looks(beginning.at(-1)?.position ?? '');
    const { store } = this;
    // Days of the model begin an hour before: no clock is off by that much.
    this.#startMs = new TestClock().now() + HOUR_MS;
    this.time = new SimulatedTime(this.#startMs);
    this.#draw = randomIntegers(~plan.seed);
    const note = (line: string): void => this.#note(line);
    this.#weather = new Weather({
      time: this.time,
      plan,
      draw: this.#draw,
      note: (line) => {
        this.#troubles += 1;
        note(line);
      },
      spoil: (fault, { instance, forMs }) =>
        void this.#spoil(fault, instance, forMs).catch((error: unknown) => this.#fail(error)),
    });
    const { time } = this;
    this.#disks = [new Disk(time), new Disk(time)];
    const commits = new Subject<Position>();
    commits.subscribe((position) => this.looks.committed(position));
    this.#shared = { memory: store, time, weather: this.#weather, commits, looks: this.looks };
    this.callers = new Callers({
      time: this.time,
      mode: plan.mode,
      draw: this.#draw,
      reach: () => this.#reach(),
      log: () => this.#log,
      note,
      leave: (key, what) => this.#weather.leave(key, what),
      untilQuiet: () => this.#untilQuiet(),
      failed: (error) => this.#fail(error),
    });
  }

  static async of(plan: Plan): Promise<World> {
    const world = new World(plan, await beginningOf(plan));
    await world.#readLog();
    world.#shared.commits.subscribe(() => void world.#readLog());
    return world;
  }

  /** All events, as far as they were stored when it was looked at last. */
  get log(): readonly RecordedEvent[] {
    return this.#log;
  }

  get instances(): readonly Instance[] {
    return this.#instances.filter((instance) => instance !== undefined);
  }

  /** What has gone wrong, by its name. */
  get mishaps(): ReadonlySet<string> {
    return this.#weather.begun;
  }

  /** Both instances start, and every caller asks for all that is planned. */
  async play(): Promise<void> {
    this.#start(0);
    this.#start(1);
    const own = Map.groupBy(this.plan.actions.entries(), ([, { caller }]) => caller);
    let playing = own.size;
    for (const [caller, actions] of own) {
      void this.callers
        .play(caller, actions)
        .catch((error: unknown) => this.#fail(error))
        .finally(() => (playing -= 1));
    }
    const limitMs = (): number => this.#startMs + LONGEST_MS + this.#leaptMs;
    while (playing > 0 && this.failures.length === 0) {
      if (this.time.now() > limitMs()) throw new Error('the callers wait for something that never comes');
      await this.time.run(this.time.now() + HOUR_MS / 4, () => playing === 0 || this.failures.length > 0);
    }
  }

  /** The faults stop, and time goes on until nothing is under way. */
  async calmDown(): Promise<void> {
    this.#weather.end();
    // Who recorded by a clock that was ahead is believed: the others wait for it.
    await this.#pass(CLOCK_FARTHEST_MS, 5 * GRACE_MS);
    for (const number of [0, 1] as const) if (this.#instances[number] === undefined) this.#start(number);
    await this.#pass(LONGEST_RETRY_MS, GRACE_MS);
    await this.#pass(LONGEST_RETRY_MS, GRACE_MS);
    await this.#readLog();
  }

  /** Time goes on to where no date that anybody gave is ahead. */
  async outliveAllDates(): Promise<void> {
    await this.#pass(800 * DAY_MS, GRACE_MS);
    await this.#pass(LONGEST_RETRY_MS, GRACE_MS);
    await this.#readLog();
  }

  async end(): Promise<void> {
    await Promise.all(this.instances.map((instance) => instance.end()));
  }

  get #leaptMs(): number {
    return this.plan.actions.length * 10 * DAY_MS;
  }

  async #pass(ms: number, thenMs: number): Promise<void> {
    this.time.leap(ms);
    await this.time.run(this.time.now() + thenMs);
  }

  /**
   * Until what was asked has had all its consequences: they come before the answer, or at the next look at the clock. Where
   * something went wrong since the last time, whatever was left is tried again first.
   */
  async #untilQuiet(): Promise<void> {
    await this.time.sleep(TWO_LOOKS_MS);
    while (this.#troubles > 0 || this.#weather.isRough || this.instances.length < 2) {
      this.#troubles = 0;
      this.time.leap(LONGEST_RETRY_MS);
      await this.time.sleep(GRACE_MS);
    }
  }

  #start(number: 0 | 1): void {
    this.#instances[number] = new Instance(number, {
      shared: this.#shared,
      // They rise with time, whichever instance makes them, as real ones do: the naive model tells by them what came first.
      newId: () => testId((this.#ids += 1)),
      refusalsPerMinute: this.plan.mode === 'storm' ? 60 : 0,
      disk: this.#disks[number],
      snapshot: (outcome) => this.snapshots.add(outcome),
      crash: (instance, downMs) => this.#crash(instance, downMs),
      failed: (error) => this.#fail(error),
      troubled: () => (this.#troubles += 1),
    });
  }

  #crash(instance: Instance, downMs: number): void {
    if (!instance.isAlive) return;
    this.#troubles += 1;
    this.#note(`instance ${instance.number} crashes, and is down for ${downMs} ms`);
    this.#instances[instance.number] = undefined;
    instance.end().catch((error: unknown) => this.#fail(error));
    this.time.after(downMs, () => {
      if (this.#instances[instance.number] === undefined) this.#start(instance.number);
    });
  }

  /** While it is down, what is kept of an instance becomes something else. */
  async #spoil(fault: DiskFault, number: 0 | 1, forMs: number): Promise<void> {
    const instance = this.#instances[number];
    if (instance !== undefined) this.#crash(instance, forMs);
    await this.#disks[number].spoil(fault, this.store);
  }

  #reach(): Instance | undefined {
    const { instances } = this;
    return instances[this.#draw(instances.length)];
  }

  async #readLog(): Promise<void> {
    const after = this.#log.at(-1)?.position;
    const page = await this.store.readAll({ limit: 100_000, ...(after !== undefined && { after }) });
    const known = this.#log.at(-1)?.position ?? '';
    this.#log.push(...page.events.filter(({ position }) => position > known));
  }

  #fail(error: unknown): void {
    this.#note(`FAILED: ${String(error)}`);
    this.failures.push(error instanceof Error ? error : new Error(String(error)));
  }

  #note(line: string): void {
    const seconds = ((this.time.now() - this.#startMs) / 1_000).toFixed(3);
    this.story.push(`${seconds.padStart(12)} ${line}`);
  }
}
