import { EventStoreDbEventStore } from '#event-store/eventstoredb';
import {
  allEvents,
  newStreamPrefix,
  openTunnel,
  randomIntegers,
  startEventStoreDbServer,
  type EventStoreDbServer,
  type NamedEventStoreDb,
  type Tunnel,
} from '#testing';
import type { RecordedEvent } from '#kernel';
import { registry } from '#replay';
import { setTimeout as delay } from 'node:timers/promises';
import type { Answer } from '../e2e/support/http.ts';
import { valueAt } from '../e2e/support/json.ts';
import { Ledger, type Asked, type Person } from '../e2e/support/ledger.ts';
import { serverOfServices } from '../e2e/support/store.ts';

const PAUSE_MS = 100;
/** Who still has no answer by then never gets one. */
const PATIENCE_MS = 90_000;
/** Of so many requests one is sent to two instances at the same time. */
const ONE_IN_TWICE = 4;

/** The store of several services, and who to ask for what may befall it. */
export type SharedStore = {
  readonly settings: NamedEventStoreDb['settings'] & { readonly streamPrefix: string };
  readonly environment: Readonly<Record<string, string>>;
  readonly stop: () => Promise<void>;
} & (
  | { readonly kind: 'of-the-tests'; readonly server: EventStoreDbServer }
  /** Somebody's server, of which nothing can be asked: what goes wrong goes wrong on the way there. */
  | { readonly kind: 'named'; readonly tunnel: Tunnel }
);

/** A cluster of the tests' own, or the server that is named, and a way to that. */
export async function sharedStore(): Promise<SharedStore> {
  const streamPrefix = newStreamPrefix();
  const prefix = { WRIT_EVENTSTOREDB_PREFIX: streamPrefix };
  if (serverOfServices !== undefined) {
    const tunnel = await openTunnel();
    const { settings, environment } = serverOfServices;
    return {
      kind: 'named',
      tunnel,
      settings: { ...settings, streamPrefix },
      environment: { ...environment, ...prefix, ...tunnel.environment },
      stop: () => tunnel.close(),
    };
  }
  const server = await startEventStoreDbServer({ nodeCount: 3 });
  const { connectionString } = server;
  return {
    kind: 'of-the-tests',
    server,
    settings: { connectionString, streamPrefix },
    environment: { WRIT_STORE: 'eventstoredb', WRIT_EVENTSTOREDB_URL: connectionString, ...prefix },
    stop: () => server.stop(),
  };
}

/** Services on one store, each a process with a data folder of its own, and the store. */
export class Instances {
  readonly store: SharedStore;
  readonly all: readonly Ledger[];
  /** Requests whose two answers said two things. */
  readonly disagreements: string[] = [];
  readonly #draw: (below: number) => number;
  readonly #coming: Promise<void>[] = [];
  /** Repeats after no answer, or one that says to ask again. */
  repeats = 0;
  /** Requests that two instances had at the same time, and both did. */
  twice = 0;

  private constructor(store: SharedStore, all: readonly Ledger[], seed: number) {
    this.store = store;
    this.all = all;
    this.#draw = randomIntegers(seed);
  }

  static async start(count: number, environment: Readonly<Record<string, string>>, seed: number): Promise<Instances> {
    const store = await sharedStore();
    const env = { ...store.environment, ...environment };
    try {
      const first = await Ledger.start(env);
      const others = await Promise.all(Array.from({ length: count - 1 }, () => Ledger.join(env)));
      return new Instances(store, [first, ...others], seed);
    } catch (error) {
      await store.stop();
      throw error;
    }
  }

  /** How the names of the accounts' streams begin on the server. */
  get accounts(): string {
    return `${this.store.settings.streamPrefix}account-`;
  }

  async end(): Promise<void> {
    await Promise.all(this.all.map((ledger) => ledger.end()));
    await this.store.stop();
  }

  /** Kills an instance, and starts it again at once: it comes back when it comes back. */
  async kill(number: number): Promise<void> {
    const ledger = this.at(number);
    await ledger.service.kill();
    const back = ledger.startAgain();
    back.catch(() => undefined);
    this.#coming.push(back);
  }

  /** Resolves when all that were killed are ready again. */
  async allBack(): Promise<void> {
    await Promise.all(this.#coming.splice(0));
  }

  /** One instance, or any. */
  at(number = this.#draw(this.all.length)): Ledger {
    const ledger = this.all[number];
    if (ledger === undefined) throw new Error(`there is no instance ${number}`);
    return ledger;
  }

  /**
   * Sends to any instance, and now and then to two at once. Who is not answered, or told to ask again, asks any of them again,
   * with the same key.
   */
  async post(as: Person, path: string, body: unknown, more: Pick<Asked, 'headers' | 'key'> = {}): Promise<Answer> {
    if (this.#draw(ONE_IN_TWICE) > 0) return this.#postOnce(as, path, body, more);
    const answers = await Promise.all([0, 1].map(() => this.#postOnce(as, path, body, more)));
    const [one, other] = answers;
    if (one === undefined || other === undefined) throw new Error('two were asked');
    const done = answers.filter(({ status }) => status < 300);
    if (done.length === 2) this.twice += 1;
    // What one has done under the key can't be in the way of the other: that one finds the key.
    const isInTheWay = done.length === 1 && answers.some(({ body }) => valueAt(body, 'code') === 'already-exists');
    if (isInTheWay || (done.length === 2 && one.text !== other.text)) {
      this.disagreements.push(`${path} ${String(more.key)}: ${one.text}\n${other.text}`);
    }
    return done[0] ?? one;
  }

  async #postOnce(as: Person, path: string, body: unknown, more: Pick<Asked, 'headers' | 'key'>): Promise<Answer> {
    const deadlineMs = performance.now() + PATIENCE_MS;
    for (;;) {
      const answer = await this.at()
        .post(as, path, body, more)
        .catch((error: unknown) => (isGone(error) ? undefined : Promise.reject(error as Error)));
      if (answer !== undefined && !isPassing(answer)) return answer;
      if (performance.now() > deadlineMs)
        throw new Error(`no instance answers ${path}: ${answer?.text ?? 'none is there'}`);
      this.repeats += 1;
      await delay(PAUSE_MS);
    }
  }

  /** The whole log, as the server has it. */
  async log(): Promise<readonly RecordedEvent[]> {
    const streamKinds = Object.keys(registry).map((kind) => `${kind}-`);
    const store = await EventStoreDbEventStore.open({ ...this.store.settings, streamKinds });
    try {
      return await allEvents(store);
    } finally {
      await store.close();
    }
  }
}

/**
 * What an instance says that has no store, or lost its stream to others, perhaps of one account among several: nothing was
 * done, or nobody knows.
 */
function isPassing({ status, body }: Answer): boolean {
  const outcomes = (valueAt(body, 'outcomes') ?? []) as readonly Readonly<Record<string, unknown>>[];
  return [{ status, code: valueAt(body, 'code') }, ...outcomes].some(
    (each) => each.status === 503 || (each.status === 409 && each['code'] === 'revision-conflict'),
  );
}

/** The instance was killed, or hung up on. */
function isGone(error: unknown): boolean {
  const { code, message } = error as { readonly code?: unknown; readonly message?: unknown };
  const isCut = ['ECONNRESET', 'ECONNREFUSED', 'EPIPE'].includes(String(code));
  return isCut || /was not answered in time|socket hang up/.test(String(message));
}
