import { EventStoreDbEventStore } from '#event-store/eventstoredb';
import type { Position, RecordedEvent, SealedEvent } from '#kernel';
import { allEvents, eventStoreDbUnderTest, newStreamPrefix, openTunnel, randomIntegers, type Tunnel } from '#testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import { sealedEvent, sealedEvents } from './contract-events.ts';
import { type Appended, type EventStore, type ExpectedRevision, isStoreError } from './port.ts';

/** A bound, not a measure: a real server may be far, or busy. */
const CALL_TIMEOUT_MS = 30_000;
/** Of a store that gives up soon. */
const SHORT_TIMEOUT_MS = 1_000;
const CONDITION_LIMIT_MS = 60_000;
const POLL_MS = 5;
const MOST_TRIES = 50;
const WRITERS = 8;
const CUTS = 6;
const APPENDS_BETWEEN = 25;
/** More than one connection has calls at once. */
const AT_ONCE = 300;
/** More than a connection and the server's buffers hold on the way to one who takes nothing. */
const FLOOD_EVENTS = 3_000;
const FLOOD_APPEND = 250;
const FLOOD_TEXT = 'x'.repeat(1_000);

/** Which server it is does not matter: nothing is asked of it, and what goes wrong goes wrong on the way to it. */
let server: Awaited<ReturnType<typeof eventStoreDbUnderTest>>;
let tunnel: Tunnel;
let streamPrefix: string;
/** Goes to the server itself: what it sees is stored. */
let observer: EventStoreDbEventStore;
const opened: EventStore[] = [];
const draw = randomIntegers(7);

beforeAll(async () => {
  [server, tunnel] = await Promise.all([eventStoreDbUnderTest(), openTunnel()]);
});
afterAll(async () => {
  await tunnel.close();
  await server.stop();
});

beforeEach(async () => {
  streamPrefix = newStreamPrefix();
  observer = await open(CALL_TIMEOUT_MS);
  Object.assign(process.env, tunnel.environment);
});
afterEach(async () => {
  tunnel.accept();
  tunnel.resume();
  await Promise.all(opened.splice(0).map((store) => store.close()));
  for (const name of Object.keys(tunnel.environment)) Reflect.deleteProperty(process.env, name);
});

/** Through the tunnel, when the environment says so. */
async function open(callTimeoutMs: number): Promise<EventStoreDbEventStore> {
  const store = await EventStoreDbEventStore.open({ ...server.settings, streamPrefix, callTimeoutMs });
  opened.push(store);
  return store;
}

async function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  const limitMs = performance.now() + CONDITION_LIMIT_MS;
  while (!(await isSo())) {
    if (performance.now() > limitMs) throw new Error(`${what}: not in time`);
    await delay(POLL_MS);
  }
}

const idsOf = (events: readonly { readonly id: string }[]): string[] => events.map(({ id }) => id);

/** As everybody has to who is told that an outcome is unknown: the same bytes again. @returns how often it was asked */
async function appendUntilKnown(
  store: EventStore,
  stream: string,
  expected: ExpectedRevision,
  events: readonly SealedEvent[],
): Promise<{ readonly appended: Appended; readonly tries: number }> {
  for (let tries = 1; ; tries += 1) {
    try {
      return { appended: await store.append(stream, expected, events), tries };
    } catch (error) {
      const mayGoWell = isStoreError(error) && ['outcome-unknown', 'store-unavailable'].includes(error.code);
      if (!mayGoWell || tries >= MOST_TRIES) throw error;
    }
  }
}

interface Written {
  readonly ids: string[];
  readonly positions: Position[];
}

/** Writers, each on a stream of its own, from one append to the next, until they are told to stop. */
class Writers {
  readonly byStream = new Map<string, Written>();
  readonly #all: Promise<unknown>;
  #isOver = false;
  #failure: unknown;
  appends = 0;
  repeats = 0;

  constructor(store: EventStore, count = WRITERS) {
    this.#all = Promise.all(Array.from({ length: count }, (_, writer) => this.#write(store, `account-${writer}`)));
    this.#all.catch((error: unknown) => (this.#failure = error));
  }

  async #write(store: EventStore, stream: string): Promise<void> {
    const written: Written = { ids: [], positions: [] };
    this.byStream.set(stream, written);
    for (let n = 0; !this.#isOver; n += 1) {
      const events = sealedEvents(1 + (n % 3));
      const head = written.ids.length - 1;
      const expected = head < 0 ? 'no-stream' : head;
      const { appended, tries } = await appendUntilKnown(store, stream, expected, events);
      expect([appended.firstRevision, appended.lastRevision]).toEqual([head + 1, head + events.length]);
      written.ids.push(...idsOf(events));
      written.positions.push(...appended.positions);
      this.appends += 1;
      this.repeats += tries - 1;
    }
  }

  async more(appends: number): Promise<void> {
    const enough = this.appends + appends;
    await until('appends', () => this.appends >= enough || this.#failure !== undefined);
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#all;
  }

  /** What they were told is what is stored: each event once, where they were told. */
  async demandStored(): Promise<void> {
    let events = 0;
    for (const [stream, { ids, positions }] of this.byStream) {
      const stored = await observer.read(stream);
      expect(idsOf(stored)).toEqual(ids);
      expect(stored.map(({ position }) => position)).toEqual(positions);
      events += ids.length;
    }
    expect(await allEvents(observer)).toHaveLength(events);
  }
}

describe('appends, on a way to the server that fails', () => {
  it('are stored once, and answered, when connections are cut with many of them in flight', async () => {
    const store = await open(CALL_TIMEOUT_MS);
    const writers = new Writers(store);
    for (let cuts = 0; cuts < CUTS; cuts += 1) {
      await writers.more(APPENDS_BETWEEN);
      // At once, or in the middle of what is sent, or of what is answered.
      if (cuts % 3 === 0) expect(tunnel.cut()).toBeGreaterThan(0);
      else await tunnel.cutAfter(cuts % 3 === 1 ? 'to-server' : 'from-server', draw(4_000));
    }
    await writers.more(APPENDS_BETWEEN);
    await writers.stop();
    // That they were cut cost time alone: nobody was told that an outcome is unknown.
    expect(writers.repeats).toBe(0);
    await writers.demandStored();
  });

  it('are stored once, and answered, when their acknowledgements are lost', async () => {
    const store = await open(CALL_TIMEOUT_MS);
    await store.append('account-0', 'no-stream', [sealedEvent()]);
    const sent = [1, 3, 1, 2].map((count, index) => ({
      stream: `account-${index}`,
      expected: index === 0 ? 0 : ('no-stream' as const),
      events: sealedEvents(count),
    }));
    tunnel.stall('from-server');
    const appends = sent.map(({ stream, expected, events }) => store.append(stream, expected, events));
    // They are stored, and no answer has come through.
    for (const { stream, events } of sent) {
      await until('the append', async () => idsOf(await observer.read(stream)).includes(events.at(-1)?.id ?? ''));
    }
    tunnel.cut();
    tunnel.resume();
    for (const [index, { stream, expected, events }] of sent.entries()) {
      const first = expected === 'no-stream' ? 0 : expected + 1;
      const stored = await observer.read(stream, { from: first });
      expect(await appends[index]).toEqual({
        firstRevision: first,
        lastRevision: first + events.length - 1,
        positions: stored.map(({ position }) => position),
      });
      expect(idsOf(stored)).toEqual(idsOf(events));
    }
  });

  it('have an unknown outcome when nothing comes through for longer than a call, and the same bytes settle it', async () => {
    const store = await open(SHORT_TIMEOUT_MS);
    const [reached, lost] = [sealedEvents(2), sealedEvents(2)];
    await store.append('account-1', 'no-stream', [sealedEvent()]);
    await store.append('account-2', 'no-stream', [sealedEvent()]);
    const unknown = { name: 'StoreError', code: 'outcome-unknown' };
    // One is stored, of which nobody hears; the other never arrives.
    tunnel.stall('from-server');
    const hanging = store.append('account-1', 0, reached);
    await until('the append', async () => (await observer.read('account-1')).length === 3);
    tunnel.stall();
    await expect(hanging).rejects.toMatchObject(unknown);
    tunnel.cut();
    tunnel.resume();
    await store.head();
    tunnel.stall();
    await expect(store.append('account-2', 0, lost)).rejects.toMatchObject(unknown);
    tunnel.cut();
    tunnel.resume();
    for (const [stream, events] of [
      ['account-1', reached],
      ['account-2', lost],
    ] as const) {
      const { appended } = await appendUntilKnown(store, stream, 0, events);
      const stored = await observer.read(stream, { from: 1 });
      expect(idsOf(stored)).toEqual(idsOf(events));
      expect(appended.positions).toEqual(stored.map(({ position }) => position));
    }
  });

  it('are stored once when what was held up arrives after the same bytes came by another way', async () => {
    const store = await open(SHORT_TIMEOUT_MS);
    await store.append('account-1', 'no-stream', [sealedEvent()]);
    const events = sealedEvents(2);
    tunnel.stall();
    await expect(store.append('account-1', 0, events)).rejects.toMatchObject({ code: 'outcome-unknown' });
    const { positions } = await observer.append('account-1', 0, events);
    await observer.append('account-1', 2, [sealedEvent()]);
    // Now what was held up comes, behind all that.
    tunnel.resume();
    expect((await appendUntilKnown(store, 'account-1', 0, events)).appended.positions).toEqual(positions);
    expect(await observer.read('account-1')).toHaveLength(4);
  });

  it('store nothing, and say so, while no connection comes about; then they go on', async () => {
    const store = await open(SHORT_TIMEOUT_MS);
    await store.append('account-1', 'no-stream', [sealedEvent()]);
    tunnel.refuse();
    tunnel.cut();
    const doubtful = [sealedEvent()];
    const unavailable = { name: 'StoreError', code: 'store-unavailable' };
    // Each connection may be taken for open before it is found to be refused: then nobody knows what became of the append.
    await until('an append that was not sent', async () => {
      const failure: unknown = await store.append('account-1', 0, doubtful).catch((error: unknown) => error);
      if (isStoreError(failure) && failure.code === 'outcome-unknown') return false;
      expect(failure).toMatchObject(unavailable);
      return true;
    });
    await expect(store.read('account-1')).rejects.toMatchObject(unavailable);
    expect(await observer.read('account-1')).toHaveLength(1);
    tunnel.accept();
    await appendUntilKnown(store, 'account-1', 0, doubtful);
    expect(idsOf(await observer.read('account-1', { from: 1 }))).toEqual(idsOf(doubtful));
  });
});

describe('appends on a connection that was just opened', () => {
  it('are all stored, once, and answered, when there are more at once than a connection has calls', async () => {
    const store = await open(CALL_TIMEOUT_MS);
    // Also the first that the connection ever carries.
    tunnel.cut();
    const sent = Array.from({ length: AT_ONCE }, (_, index) => ({
      stream: `account-${index}`,
      events: sealedEvents(1 + (index % 2)),
    }));
    const answers = await Promise.all(sent.map(({ stream, events }) => store.append(stream, 'no-stream', events)));
    const log = await allEvents(observer);
    expect(idsOf(log).sort()).toEqual(sent.flatMap(({ events }) => idsOf(events)).sort());
    expect(answers.flatMap(({ positions }) => positions).sort()).toEqual(log.map(({ position }) => position));
    const reads = await Promise.all(sent.map(({ stream }) => store.read(stream)));
    expect(reads.map(idsOf)).toEqual(sent.map(({ events }) => idsOf(events)));
  });
});

describe('an append that expects another revision', () => {
  it.each([
    // Two events behind nothing would be at revision 1.
    ['no event, of a stream that has some', 'no-stream', 2],
    ['a revision behind the last', 0, 1],
    ['a revision ahead of the last', 9, 1],
  ] as const)('is never taken for one that was stored: %s', async (_, expected, count) => {
    const store = await open(CALL_TIMEOUT_MS);
    const there = sealedEvents(5);
    await store.append('account-1', 'no-stream', there);
    const wrong = { name: 'StoreError', code: 'wrong-expected-revision', actual: 4 };
    await expect(store.append('account-1', expected, sealedEvents(count))).rejects.toMatchObject(wrong);
    const inOrder = store.appendInOrder();
    await expect(inOrder.append('account-1', expected, sealedEvents(count))).rejects.toMatchObject(wrong);
    inOrder.end();
    expect(idsOf(await observer.read('account-1'))).toEqual(idsOf(there));
  });
});

describe('a subscription, on a way to the server that fails', () => {
  it('gives every event once, in order, however often it is cut while others append', async () => {
    const store = await open(CALL_TIMEOUT_MS);
    const writers = new Writers(observer, 4);
    await writers.more(APPENDS_BETWEEN);
    const seen: RecordedEvent[] = [];
    let failure: unknown;
    const following = store.subscribeAll({}).subscribe({
      next: (event) => seen.push(event),
      error: (error: unknown) => (failure = error),
    });
    for (let cuts = 0; cuts < CUTS; cuts += 1) {
      const enough = seen.length + APPENDS_BETWEEN;
      await until('events', () => seen.length >= enough || failure !== undefined);
      if (cuts % 4 === 0) tunnel.cut();
      else if (cuts % 4 === 3) {
        tunnel.stall();
        await writers.more(APPENDS_BETWEEN);
        tunnel.resume();
      } else await tunnel.cutAfter('from-server', draw(8_000));
    }
    await writers.stop();
    const log = await allEvents(observer);
    await until('the last event', () => seen.length >= log.length || failure !== undefined);
    following.unsubscribe();
    expect(failure).toBeUndefined();
    expect(seen).toEqual(log);
  });

  it('gives every event once, in order, to one who takes nothing for a while, and more than fits comes meanwhile', async () => {
    const store = await open(CALL_TIMEOUT_MS);
    const seen: string[] = [];
    let failure: unknown;
    const following = store.subscribeAll({}).subscribe({
      next: ({ id }) => seen.push(id),
      error: (error: unknown) => (failure = error),
    });
    await observer.append('account-1', 'no-stream', [sealedEvent()]);
    await until('the first event', () => seen.length === 1);
    tunnel.stall('from-server');
    for (let head = 0; head < FLOOD_EVENTS; head += FLOOD_APPEND) {
      await observer.append('account-1', head, sealedEvents(FLOOD_APPEND, { data: FLOOD_TEXT }));
    }
    tunnel.resume();
    await until('the last event', () => seen.length > FLOOD_EVENTS || failure !== undefined);
    following.unsubscribe();
    expect(failure).toBeUndefined();
    expect(seen).toEqual(idsOf(await allEvents(observer)));
  });
});
