import {
  followLog,
  StoreError,
  type Appended,
  type EventFilter,
  type EventStore,
  type EventToAppend,
  type ExpectedRevision,
  type ReadAllOptions,
  type ReadAllPage,
  type ReadStreamOptions,
} from '#event-store';
import type { MemoryEventStore } from '#event-store/memory';
import type { Position, RecordedEvent } from '#kernel';
import { Observable, type Subject } from 'rxjs';
import type { Looks } from './looks.ts';
import type { AppendFate } from './plan.ts';
import type { SimulatedTime } from './time.ts';
import type { Weather } from './weather.ts';

/** One store for all instances: the only thing that a crash leaves. */
export interface SharedStore {
  readonly memory: MemoryEventStore;
  readonly time: SimulatedTime;
  readonly weather: Weather;
  /** Those who follow the log are told of each commit. */
  readonly commits: Subject<Position>;
  readonly looks: Looks;
}

/** Events read at a time by who is about to decide on a stream; nobody else asks for as many. */
const PAGE_OF_A_LANE = 500;

/** What every failure that is made here says, so that others are told apart from it. */
export const SIMULATED = 'simulated:';

export interface FaultyStoreOptions {
  readonly instance: 0 | 1;
  /** False from the crash of the instance on: it learns nothing any more. */
  readonly isAlive: () => boolean;
  readonly crash: (downMs: number) => void;
}

/** The store as one instance reaches it: every call takes time, and comes to what the weather makes of it. */
export class FaultyStore implements EventStore {
  readonly singleWriter = false;
  readonly #shared: SharedStore;
  readonly #options: FaultyStoreOptions;
  /** Ends of calls under way, to be told when nobody is there any more. */
  readonly #abandoned = new Set<(error: Error) => void>();
  /** By stream, the end of the log when all of the stream was asked for last. */
  readonly #asked = new Map<string, Position>();
  #isReleased = false;

  constructor(shared: SharedStore, options: FaultyStoreOptions) {
    this.#shared = shared;
    this.#options = options;
  }

  append(stream: string, expected: ExpectedRevision, events: readonly EventToAppend[]): Promise<Appended> {
    const { memory, weather, commits, looks } = this.#shared;
    const store = async (): Promise<Appended> => {
      const appended = await memory.append(stream, expected, events);
      commits.next(appended.positions.at(-1) ?? '');
      return appended;
    };
    const fate = weather.fateOfAppend(this.#options.instance, events);
    looks.sent(events, this.#asked.get(stream));
    return fate === undefined ? this.#call(store) : this.#append(store, fate);
  }

  read(stream: string, options?: ReadStreamOptions): Promise<readonly RecordedEvent[]> {
    if (options?.limit === PAGE_OF_A_LANE && stream.startsWith('account-')) {
      this.#asked.set(stream, this.#shared.looks.end);
    }
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
    const { commits, time, weather } = this.#shared;
    const { instance, isAlive } = this.#options;
    const heard = new Observable<Position>((subscriber) =>
      commits.subscribe((position) => {
        const tell = (): void => {
          if (!isAlive()) return;
          // Told late, and told: a connection that was lost is made again.
          if (weather.isDeaf(instance)) time.after(500, tell);
          else subscriber.next(position);
        };
        time.after(weather.delayMs(instance), tell);
      }),
    );
    const log = { readAll: (page: ReadAllOptions) => this.readAll(page), commits: heard };
    return new Observable((subscriber) => followLog(log, options, subscriber));
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  /** Ends all calls under way, and those to come: for what is to be closed after a crash. */
  release(): void {
    this.#isReleased = true;
    for (const fail of this.#abandoned) fail(new StoreError('store-unavailable', `${SIMULATED} the instance is gone`));
    this.#abandoned.clear();
  }

  /** There and back, each in its own time. */
  #call<Result>(work: () => Promise<Result>): Promise<Result> {
    const { weather } = this.#shared;
    return this.#answer((answer) => {
      this.#travel(() => {
        if (weather.isUnavailable(this.#options.instance)) answer(unavailable());
        else this.#arrive(work, answer);
      });
    });
  }

  /** Does the work now, or when the store answers again. */
  #arrive<Result>(work: () => Promise<Result>, answer: (result: Promise<Result>) => void): void {
    const { time, weather } = this.#shared;
    const hangsForMs = weather.hangsForMs();
    if (hangsForMs > 0) time.after(hangsForMs, () => this.#arrive(work, answer));
    else answer(work());
  }

  #append(
    store: () => Promise<Appended>,
    { what, forMs }: { readonly what: AppendFate; readonly forMs: number },
  ): Promise<Appended> {
    const { time } = this.#shared;
    const { crash } = this.#options;
    const unknown = (): Promise<never> => failing('outcome-unknown', 'nobody knows what became of it');
    return this.#answer((answer) => {
      switch (what) {
        case 'request-lost':
          answer(unknown());
          return;
        case 'unavailable':
          answer(unavailable());
          return;
        case 'full':
          answer(failing('store-full', 'the disk is full'));
          return;
        case 'conflict':
          answer(failing('wrong-expected-revision', 'another writer came first'));
          return;
        case 'crash-before':
          crash(forMs);
          return;
        case 'crash-after':
          this.#travel(() =>
            this.#arrive(store, (stored) => void stored.then(ignore, ignore).then(() => crash(forMs))),
          );
          return;
        case 'ack-lost':
          this.#travel(() =>
            this.#arrive(store, (stored) => void stored.then(ignore, ignore).then(() => answer(unknown()))),
          );
          return;
        case 'late':
          answer(unknown());
          time.after(forMs, () => void store().then(ignore, ignore));
          return;
        case 'twice':
          this.#travel(() => this.#arrive(store, answer));
          time.after(forMs, () => void store().then(ignore, ignore));
      }
    });
  }

  /** What is sent arrives, whatever becomes of the sender. */
  #travel(arrive: () => void): void {
    const { time, weather } = this.#shared;
    time.after(weather.delayMs(this.#options.instance), arrive);
  }

  /** A result that takes its time to come back, and comes to nobody after a crash. */
  #answer<Result>(ask: (answer: (result: Promise<Result>) => void) => void): Promise<Result> {
    if (this.#isReleased) return unavailable();
    if (!this.#options.isAlive()) return new Promise(ignore);
    return new Promise((resolve, reject) => {
      this.#abandoned.add(reject);
      ask((result) => {
        result.catch(ignore);
        this.#travel(() => {
          if (!this.#options.isAlive()) return;
          this.#abandoned.delete(reject);
          resolve(result);
        });
      });
    });
  }
}

function ignore(): void {
  // Whoever asked learns it by other means, or not at all.
}

function unavailable(): Promise<never> {
  return failing('store-unavailable', 'the store is unavailable');
}

function failing(code: ConstructorParameters<typeof StoreError>[0], message: string): Promise<never> {
  return Promise.reject(new StoreError(code, `${SIMULATED} ${message}`));
}
