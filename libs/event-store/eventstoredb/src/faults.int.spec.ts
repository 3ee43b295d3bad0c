import type { EventStore, ExpectedRevision } from '#event-store';
import { type SealedEvent, sealEvent, uuidv7 } from '#kernel';
import { type EventStoreDbFault, type EventStoreDbServer, startEventStoreDbServer } from '#testing';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { EventStoreDBClient, jsonEvent } from '@eventstore/db-client';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { EventStoreDbEventStore } from './index.ts';

const CALL_TIMEOUT_MS = 3_000;
const PATIENCE_MS = 60_000;

function event(data: unknown = {}): SealedEvent {
  const id = uuidv7();
  const metadata = {
    actor: { id: 'test', roles: [] },
    correlationId: 'c',
    causationId: null,
    key: null,
    commandHash: null,
    recordedAt: '2022-02-15T12:00:00.000Z',
    previousHash: null,
  };
  const { hash } = sealEvent('account-1', 0, { id, type: 'FundsDeposited', schemaVersion: 1, data, metadata });
  return { id, type: 'FundsDeposited', schemaVersion: 1, data, metadata: { ...metadata, hash } };
}

/** Sends the same again until it is stored: a busy machine may need longer than a store that waits for half a second. */
async function storedInTheEnd(store: EventStore, expected: ExpectedRevision, next = event()): Promise<void> {
  const endMs = performance.now() + PATIENCE_MS;
  for (;;) {
    try {
      await store.append('account-1', expected, [next]);
      return;
    } catch (error) {
      if (performance.now() > endMs) throw error;
    }
  }
}

const idsIn = async (store: EventStore, stream: string): Promise<string[]> =>
  (await store.read(stream)).map(({ id }) => id);

interface Way {
  readonly port: number;
  /** Lets nothing through on the connections that there are; new ones are good. */
  readonly block: () => void;
  readonly close: () => void;
}

/** A way to a server that can lose its connections without either side hearing of it, as a network does. */
async function openWay(port: number): Promise<Way> {
  const sockets: Socket[] = [];
  const listener = createServer((near) => {
    const far = connect(port, '127.0.0.1');
    near.pipe(far);
    far.pipe(near);
    for (const socket of [near, far]) socket.on('error', () => undefined);
    sockets.push(near, far);
  }).listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const address = listener.address();
  if (typeof address !== 'object' || address === null) throw new Error('no port');
  const block = (): void => {
    for (const socket of sockets) socket.unpipe().pause();
  };
  const close = (): void => {
    listener.close();
    for (const socket of sockets) socket.destroy();
  };
  return { port: address.port, block, close };
}

let server: EventStoreDbServer;
const opened: EventStoreDbEventStore[] = [];
let prefixes = 0;

async function open(
  connectionString = server.connectionString,
  callTimeoutMs = CALL_TIMEOUT_MS,
): Promise<EventStoreDbEventStore> {
  prefixes += 1;
  const store = await EventStoreDbEventStore.open({ connectionString, streamPrefix: `p${prefixes}-`, callTimeoutMs });
  opened.push(store);
  return store;
}

afterEach(async () => {
  await Promise.all(opened.splice(0).map((store) => store.close()));
});

describe('EventStoreDbEventStore, with one node', () => {
  beforeAll(async () => {
    server = await startEventStoreDbServer();
  });
  afterAll(() => server.stop());

  it.each<[string, EventStoreDbFault]>([
    ['the connection is cut before the append is stored', { kind: 'drop-before-commit' }],
    ['the acknowledgement is lost with the connection', { kind: 'drop-after-commit' }],
    ['the acknowledgement never comes', { kind: 'no-answer', commit: true }],
    ['the append never arrives', { kind: 'no-answer', commit: false }],
    ['the answer comes after it was sent again', { kind: 'delay', delayMs: (CALL_TIMEOUT_MS * 2) / 3 }],
    ['it is answered twice', { kind: 'answer-twice' }],
    ['the server ends the call, having stored', { kind: 'end-call', commit: true }],
    ['the server ends the call, having stored nothing', { kind: 'end-call', commit: false }],
    ['the node says that it is not the leader', { kind: 'not-leader' }],
    ['the server is not ready', { kind: 'not-ready', times: 3 }],
  ])('stores once, and answers so, when %s', async (_, fault) => {
    const store = await open();
    const before = await store.append('account-1', 'no-stream', [event()]);
    for (const count of [1, 3]) {
      const events = Array.from({ length: count }, () => event());
      const expected = (await store.read('account-1')).length - 1;
      const { clear } = await server.inject(fault);
      const appended = await store.append('account-1', expected, events);
      expect(await clear()).toBe(fault.times ?? 1);
      const stored = await store.read('account-1', { from: expected + 1 });
      expect(stored.map(({ id }) => id)).toEqual(events.map(({ id }) => id));
      expect(appended).toEqual({
        firstRevision: expected + 1,
        lastRevision: expected + count,
        positions: stored.map(({ position }) => position),
      });
    }
    expect((await store.read('account-1'))[0]?.position).toBe(before.positions[0]);
  });

  it('lets go of calls that the server ended, when it is closed', async () => {
    const store = await open(server.connectionString, 60_000);
    await server.inject({ kind: 'end-call', commit: true });
    await store.append('account-1', 'no-stream', [event()]);
    const startedAt = performance.now();
    await store.close();
    // Else it would wait for the time of a call.
    expect(performance.now() - startedAt).toBeLessThan(30_000);
  });

  it('ends the reads that are under way when it is closed', async () => {
    const store = await open(server.connectionString, 60_000);
    const fault = await server.inject({ kind: 'no-answer', commit: false, calls: ['read'] });
    await server.resetCounts();
    const reading = store.read('account-1');
    const refused = expect(reading).rejects.toMatchObject({ name: 'StoreError', code: 'store-unavailable' });
    while ((await server.counts()).reads < 1) await new Promise(setImmediate);
    await store.close();
    await refused;
    await fault.clear();
  });

  it('says that an outcome is unknown, and answers the repetition as the first time', async () => {
    const store = await open(server.connectionString, 600);
    const fault = await server.inject({ kind: 'no-answer', commit: true, times: 'until-cleared' });
    const events = [event()];
    const unknown = { name: 'StoreError', code: 'outcome-unknown' };
    await expect(store.append('account-1', 'no-stream', events)).rejects.toMatchObject(unknown);
    await fault.clear();
    const again = await store.append('account-1', 'no-stream', events);
    expect(again.positions).toEqual((await store.read('account-1')).map(({ position }) => position));
    expect(await idsIn(store, 'account-1')).toEqual([events[0]?.id]);
  });

  it('answers the repetition of an append behind which others were stored', async () => {
    const store = await open();
    const first = [event()];
    const appended = await store.append('account-1', 'no-stream', first);
    await store.append('account-1', 0, [event(), event()]);
    const other = await open();
    expect(await store.append('account-1', 'no-stream', first)).toEqual(appended);
    await other.close();
  });

  it('never takes what stands there for its own when only the id is the same', async () => {
    const store = await open();
    const taken = event({ amount: '1' });
    await store.append('account-1', 'no-stream', [taken]);
    const append = store.append('account-1', 'no-stream', [{ ...taken, data: { amount: '2' } }]);
    await expect(append).rejects.toMatchObject({ name: 'StoreError', code: 'duplicate-event-id' });
    expect((await store.read('account-1'))[0]?.data).toEqual({ amount: '1' });
  });

  it('asks for no more than it needs: nothing beside an append of one event, one read beside that of more', async () => {
    const store = await open();
    await server.resetCounts();
    await store.append('account-1', 'no-stream', [event()]);
    expect(await server.counts()).toMatchObject({ appends: 1, plainAppends: 0, reads: 0 });
    await store.append('account-1', 0, [event(), event()]);
    expect(await server.counts()).toMatchObject({ appends: 2, reads: 1 });
  });

  it('asks for no time that is over, when the process stood still while it waited to try again', async () => {
    const store = await open(server.connectionString, 300);
    const fault = await server.inject({ kind: 'not-ready', times: 'until-cleared' });
    const timers = jest.spyOn(globalThis, 'setTimeout');
    // Most of the time they wait: most of them do, whenever the process stands still.
    const appends = Array.from({ length: 40 }, (_, index) => store.append(`account-${index}`, 'no-stream', [event()]));
    const standStill = setTimeout(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500), 100);
    const outcomes = await Promise.allSettled(appends);
    clearTimeout(standStill);
    await fault.clear();
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toEqual([]);
    const asked = timers.mock.calls.map(([, timeMs]) => timeMs ?? 0);
    timers.mockRestore();
    expect(asked.length).toBeGreaterThan(appends.length);
    expect(asked.filter((timeMs) => timeMs < 0)).toEqual([]);
  });

  it('turns appends away when too many wait, and stores all that it took', async () => {
    const store = await open(server.connectionString, 60_000);
    const fault = await server.inject({ kind: 'delay', delayMs: 2_000 });
    const most = store.bounds.find(({ what }) => what === 'appends-waiting')?.most ?? 0;
    const taken = Array.from({ length: most }, (_, index) => store.append(`account-${index}`, 'no-stream', [event()]));
    const tooMany = store.append('account-x', 'no-stream', [event()]);
    await expect(tooMany).rejects.toMatchObject({ name: 'StoreError', code: 'store-unavailable' });
    expect((await Promise.all(taken)).every(({ lastRevision }) => lastRevision === 0)).toBe(true);
    expect(store.bounds.map(({ inUse }) => inUse())).toEqual([0, 0, 0]);
    await fault.clear();
  });

  it('says that nothing was stored when access is denied, or the stream was deleted for good', async () => {
    const store = await open();
    const denied = await server.inject({ kind: 'deny' });
    const unavailable = { name: 'StoreError', code: 'store-unavailable' };
    await expect(store.append('account-1', 'no-stream', [event()])).rejects.toMatchObject({
      ...unavailable,
      message: expect.stringContaining('denies access'),
    });
    await denied.clear();
    await store.append('account-1', 'no-stream', [event()]);
    const client = EventStoreDBClient.connectionString(server.connectionString);
    await client.tombstoneStream(`p${prefixes}-account-1`);
    await client.dispose();
    const deleted = { ...unavailable, message: expect.stringContaining('deleted') };
    await expect(store.append('account-1', 0, [event()])).rejects.toMatchObject(deleted);
  });

  it('shows of a stream that was deleted for good the mark behind it, so that nobody takes it for one without events', async () => {
    const store = await open();
    await store.append('account-1', 'no-stream', [event(), event()]);
    const client = EventStoreDBClient.connectionString(server.connectionString);
    await client.tombstoneStream(`p${prefixes}-account-1`);
    await client.dispose();
    const mark = { stream: 'account-1', type: '$streamDeleted', revision: Number.MAX_SAFE_INTEGER };
    expect((await store.readAll({ limit: 9 })).events.at(-1)).toMatchObject(mark);
    const last = { direction: 'backwards', limit: 1 } as const;
    for (const options of [{}, { from: 2 }, last]) {
      expect(await store.read('account-1', options)).toEqual([expect.objectContaining(mark)]);
    }
    for (const options of [{ to: 1 }, { from: 1, to: 1 }, { direction: 'backwards', from: 1 } as const]) {
      expect(await store.read('account-1', options)).toEqual([]);
    }
  });

  it('stores nothing at another revision when a stream was cut by other means', async () => {
    const store = await open();
    await store.append('account-1', 'no-stream', [event(), event()]);
    const client = EventStoreDBClient.connectionString(server.connectionString);
    await client.deleteStream(`p${prefixes}-account-1`);
    await client.dispose();
    await expect(store.append('account-1', 'no-stream', [event()])).rejects.toThrow('was cut or deleted');
  });

  it('lets a hanging server keep nobody longer than the time of a call', async () => {
    const store = await open(server.connectionString, 1_000);
    await store.append('account-1', 'no-stream', [event()]);
    server.pause();
    try {
      const unknown = { name: 'StoreError', code: 'outcome-unknown' };
      const unavailable = { name: 'StoreError', code: 'store-unavailable' };
      const hanging = event();
      await Promise.all([
        expect(store.append('account-1', 0, [hanging])).rejects.toMatchObject(unknown),
        expect(store.read('account-1')).rejects.toMatchObject(unavailable),
        expect(store.readAll({ limit: 1 })).rejects.toMatchObject(unavailable),
        expect(store.head()).rejects.toMatchObject(unavailable),
      ]);
      server.resume();
      await store.append('account-1', 0, [hanging]);
      expect(await store.read('account-1')).toHaveLength(2);
    } finally {
      server.resume();
    }
  });

  it('waits for a search in which the server says nothing for longer than a call, and disturbs no append', async () => {
    const store = await open(server.connectionString, 2_000);
    await store.append('account-1', 'no-stream', [event()]);
    const silence = await server.inject({ kind: 'delay', delayMs: 2_500, times: 'until-cleared', calls: ['search'] });
    const head = store.head();
    const matching = store.readAll({ limit: 1, filter: { types: ['FundsDeposited'] } });
    await server.resetCounts();
    for (let revision = 0; revision < 20; revision += 1) await store.append('account-1', revision, [event()]);
    expect(await server.counts()).toMatchObject({ appends: 20, replayedAppends: 0 });
    const [position, { events }] = [await head, await matching];
    await silence.clear();
    const all = (await store.readAll({ limit: 99 })).events;
    expect([position, events]).toEqual([all.at(-1)?.position, all.slice(0, 1)]);
  });

  it('overlooks nothing of its own among what others store, though it does not look through that twice', async () => {
    const store = await open();
    const others = EventStoreDBClient.connectionString(server.connectionString);
    const slow = await server.inject({ kind: 'delay', delayMs: 120, times: 'until-cleared', calls: ['search'] });
    const stored: string[] = [];
    const followed: string[] = [];
    let after: string | undefined;
    for (const who of ['others', 'us', 'others', 'us', 'us', 'others', 'others', 'us']) {
      if (who === 'others') await others.appendToStream('stranger', jsonEvent({ type: 'Strange', data: {} }));
      else {
        const expected = stored.length === 0 ? 'no-stream' : stored.length - 1;
        stored.push(...(await store.append('account-1', expected, [event()])).positions);
      }
      expect(await store.head()).toBe(stored.at(-1));
      const page = await store.readAll({ limit: 9, ...(after !== undefined && { after }) });
      followed.push(...page.events.map(({ position }) => position));
      after = page.scannedTo;
      expect(followed).toEqual(stored);
    }
    expect((await store.readAll({ limit: 9 })).events.map(({ position }) => position)).toEqual(stored);
    await slow.clear();
    await others.dispose();
  });

  it('leaves a connection that nothing comes through any more', async () => {
    const way = await openWay(server.ports[0] ?? 0);
    try {
      const store = await open(`esdb://127.0.0.1:${way.port}?tls=false`, 2_000);
      await store.append('account-1', 'no-stream', [event()]);
      way.block();
      const lost = event();
      await store.append('account-1', 0, [lost]);
      expect(await idsIn(store, 'account-1')).toHaveLength(2);
      way.block();
      expect((await store.read('account-1'))[1]?.id).toBe(lost.id);
    } finally {
      way.close();
    }
  });

  it('says that nothing was stored while nobody answers, and goes on when the server is back', async () => {
    const store = await open(server.connectionString, 500);
    await storedInTheEnd(store, 'no-stream');
    await server.kill();
    const unavailable = { name: 'StoreError', code: 'store-unavailable' };
    // The connection may be taken for open once.
    await store.append('account-1', 0, [event()]).catch(() => undefined);
    await expect(store.append('account-1', 0, [event()])).rejects.toMatchObject(unavailable);
    await expect(store.read('account-1')).rejects.toMatchObject(unavailable);
    await server.restart();
    await storedInTheEnd(store, 0);
    expect(await store.read('account-1')).toHaveLength(2);
  });

  it('has writers notice nothing of a restart but the time', async () => {
    const store = await open(server.connectionString, 30_000);
    const ids = new Map<string, string[]>();
    let isOver = false;
    let stored = 0;
    const writers = Array.from({ length: 20 }, async (_, writer) => {
      const stream = `account-${writer}`;
      const written: string[] = [];
      ids.set(stream, written);
      for (let revision = -1; !isOver; revision += 1) {
        const next = event();
        await store.append(stream, revision < 0 ? 'no-stream' : revision, [next]);
        written.push(next.id);
        stored += 1;
      }
    });
    for (let restarts = 0; restarts < 3; restarts += 1) {
      const enough = stored + 100;
      while (stored < enough) await new Promise((resolve) => setTimeout(resolve, 5));
      await server.restart();
    }
    isOver = true;
    await Promise.all(writers);
    for (const [stream, written] of ids) {
      expect(written.length).toBeGreaterThan(0);
      expect(await idsIn(store, stream)).toEqual(written);
    }
  });

  it('shares nothing with another store of the process: the end of its server fails no append here', async () => {
    const second = await startEventStoreDbServer({ inMemory: true });
    try {
      const [here, there] = [await open(), await open(second.connectionString, 500)];
      const appending = event();
      await here.append('account-1', 'no-stream', [event()]);
      await server.resetCounts();
      const delayed = await server.inject({ kind: 'delay', delayMs: 1_000 });
      const append = here.append('account-1', 0, [appending]);
      const unanswered = await second.inject({ kind: 'no-answer', commit: true });
      const lost = there.append('account-1', 'no-stream', [event()]).catch((error: unknown) => error);
      while ((await second.counts()).appends < 2) await new Promise(setImmediate);
      await second.kill();
      expect(await lost).toMatchObject({ code: 'outcome-unknown' });
      expect(await append).toMatchObject({ lastRevision: 1 });
      expect(await server.counts()).toMatchObject({ appends: 1, storedAppends: 1, replayedAppends: 0 });
      await delayed.clear();
      await unanswered.clear().catch(() => undefined);
    } finally {
      await second.stop();
    }
  });

  it('is the only reason for calls of its own: the client alone takes one connection for another', async () => {
    const second = await startEventStoreDbServer({ inMemory: true });
    const [here, there] = [server, second].map(({ connectionString }) =>
      EventStoreDBClient.connectionString(connectionString),
    );
    try {
      await here?.appendToStream('x', jsonEvent({ type: 'T', data: {} }));
      await there?.appendToStream('x', jsonEvent({ type: 'T', data: {} }));
      await server.resetCounts();
      const unanswered = await server.inject({ kind: 'no-answer', commit: true });
      const append = here?.appendToStream('y', jsonEvent({ type: 'T', data: {} })).catch((error: unknown) => error);
      while ((await server.counts()).storedAppends < 1) await new Promise(setImmediate);
      await second.kill();
      expect(await append).toMatchObject({ type: 'unavailable' });
      await unanswered.clear();
    } finally {
      await Promise.all([here?.dispose(), there?.dispose()]);
      await second.stop();
    }
  });

  it('tells an append that is too large before it is sent, and when the server says so', async () => {
    const small = await startEventStoreDbServer({ inMemory: true, maxAppendSizeBytes: 10_000 });
    try {
      const store = await open(small.connectionString);
      const tooLarge = { name: 'StoreError', code: 'append-too-large' };
      const large = event('x'.repeat(10_001));
      await expect(store.append('account-1', 'no-stream', [large])).rejects.toMatchObject(tooLarge);
      await small.resetCounts();
      // The types of so many events count twice with the server, and once with the bound of the port.
      const longType = { ...event(), type: 'T'.repeat(600) };
      const many = Array.from({ length: 950 }, () => ({ ...longType, id: uuidv7() }));
      await expect(store.append('account-1', 'no-stream', many)).rejects.toMatchObject(tooLarge);
      expect((await small.counts()).appends).toBe(0);
    } finally {
      await small.stop();
    }
  });
});

describe('EventStoreDbEventStore, with three nodes', () => {
  beforeAll(async () => {
    server = await startEventStoreDbServer({ nodeCount: 3 });
  });
  afterAll(() => server.stop());

  it('has writers notice nothing of a leader that changes but the time', async () => {
    const store = await open(server.connectionString, 20_000);
    const written: string[] = [];
    for (let revision = -1; revision < 60; revision += 1) {
      if (revision % 20 === 10) await server.changeLeader(revision % 3);
      const next = event();
      await store.append('account-1', revision < 0 ? 'no-stream' : revision, [next]);
      written.push(next.id);
    }
    expect(await idsIn(store, 'account-1')).toEqual(written);
  });

  it('believes that a stream has no event only when the leader says so', async () => {
    await server.changeLeader(0);
    await Promise.all([server.setLagging(1, true), server.setLagging(2, true)]);
    try {
      const following = { to: 1, parameters: { nodePreference: 'follower' } };
      const store = await open(server.connectionStringFor(following));
      const { positions } = await store.append('account-1', 'no-stream', [event()]);
      const streamPrefix = `p${prefixes}-`;
      const connectionString = server.connectionStringFor({ to: 2 });
      const other = await EventStoreDbEventStore.open({ connectionString, streamPrefix });
      opened.push(other);
      expect(await other.read('account-1')).toHaveLength(1);
      expect(await other.head()).toBe(positions[0]);
      expect((await other.readAll({ limit: 5 })).events).toHaveLength(1);
    } finally {
      await Promise.all([server.setLagging(1, false), server.setLagging(2, false)]);
    }
  });

  it.each(['all', 'discover'] as const)(
    'opens by %s when the leader that is named is gone, and another comes',
    async (to) => {
      await server.setUp(2, false);
      await server.changeLeader(2);
      try {
        await server.resetCounts();
        let failure: unknown;
        const opening = open(server.connectionStringFor({ to }), 20_000);
        opening.catch((error: unknown) => (failure = error));
        // Each goes to a node that names the one that is gone: whoever asks a second time has been there in between.
        while (failure === undefined && (await server.counts()).reads < 3) await new Promise(setImmediate);
        expect(failure).toBeUndefined();
        await server.changeLeader(1);
        const store = await opening;
        expect(await store.append('account-1', 'no-stream', [event()])).toMatchObject({ lastRevision: 0 });
      } finally {
        await server.setUp(2, true);
      }
    },
  );

  it('opens when the leader says nothing, and another comes', async () => {
    await server.changeLeader(0);
    const silence = await server.inject({
      kind: 'no-answer',
      commit: false,
      node: 0,
      calls: ['read'],
      times: 'until-cleared',
    });
    try {
      await server.resetCounts();
      const opening = open(server.connectionString, 4_000);
      while ((await server.counts()).reads === 0) await new Promise(setImmediate);
      await server.changeLeader(1);
      const store = await opening;
      expect(await store.append('account-1', 'no-stream', [event()])).toMatchObject({ lastRevision: 0 });
    } finally {
      await silence.clear();
    }
  });

  it('finds the leader by gossip and by discovery', async () => {
    await server.changeLeader(2);
    for (const to of ['all', 'discover'] as const) {
      const store = await open(server.connectionStringFor({ to }));
      expect(await store.append('account-1', 'no-stream', [event()])).toMatchObject({ lastRevision: 0 });
    }
  });

  it('survives that there is no cluster for a while', async () => {
    const parameters = { maxDiscoverAttempts: '1', discoveryInterval: '20' };
    const store = await open(server.connectionStringFor({ to: 'all', parameters }), 300);
    await storedInTheEnd(store, 'no-stream');
    const seen: string[] = [];
    const both = new Promise<void>((resolve) => {
      store.subscribeAll({}).subscribe(({ id }) => {
        if (seen.push(id) === 2) resolve();
      });
    });
    await server.kill();
    for (let tries = 0; tries < 5; tries += 1) {
      await Promise.allSettled([
        store.append('account-2', 'no-stream', [event()]),
        store.read('account-1'),
        store.head(),
      ]);
    }
    await server.restart();
    await storedInTheEnd(store, 0);
    await both;
  });

  it('outlives a node that goes down', async () => {
    await server.changeLeader(0);
    const store = await open(server.connectionString, 20_000);
    await store.append('account-1', 'no-stream', [event()]);
    await server.setUp(0, false);
    await store.append('account-1', 0, [event()]);
    expect(await store.read('account-1')).toHaveLength(2);
    await server.setUp(0, true);
  });
});
