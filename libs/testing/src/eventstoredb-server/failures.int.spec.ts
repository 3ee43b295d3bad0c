import { EventStoreDBClient, NO_STREAM, START } from '@eventstore/db-client';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { statSync, truncateSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type EventStoreDbServer, startEventStoreDbServer } from './index.ts';
import {
  collect,
  describeError,
  event,
  events,
  numbersOf,
  type Thrown,
  thrownBy,
  until,
  untilItSucceeds,
} from './spec-support.ts';

const PINNED_NODE = fileURLToPath(new URL('../../../../node_modules/node/bin/node', import.meta.url));
/** Shorter than the client's own 10 s and 10 s, which make a test long. */
const KEEPALIVE = { keepAliveInterval: '700', keepAliveTimeout: '1500' };
const PLAIN = { credentials: { username: 'anybody', password: 'any' } };

let server: EventStoreDbServer;
let client: EventStoreDBClient;
const others: EventStoreDbServer[] = [];

beforeAll(async () => {
  server = await startEventStoreDbServer();
  client = EventStoreDBClient.connectionString(server.connectionString);
});

afterEach(async () => {
  for (const other of others.splice(0)) await other.stop();
});

afterAll(async () => {
  await client.dispose();
  await server.stop();
});

/** A server of one test alone. */
async function startAnother(): Promise<EventStoreDbServer> {
  const another = await startEventStoreDbServer({ inMemory: true });
  others.push(another);
  return another;
}

async function streamOf(count: number): Promise<string> {
  const stream = `account-${randomUUID()}`;
  // After a failure the first calls may meet the connection that failed.
  if (count > 0)
    await untilItSucceeds(() => client.appendToStream(stream, events(count), { expectedRevision: NO_STREAM }));
  return stream;
}

/** What a service does with an outcome that it does not know: the same bytes again, until it is told. */
async function appendUntilAnswered(stream: string, sent: ReturnType<typeof events>): Promise<bigint> {
  const answer = await untilItSucceeds(() => client.appendToStream(stream, sent, { expectedRevision: NO_STREAM }));
  return answer.nextExpectedRevision;
}

describe('a server that is killed', () => {
  it('throws a plain error without a type from an append that begins while it is down', async () => {
    await streamOf(1);
    await server.kill();

    // The first call may still meet the connection that was cut.
    await thrownBy(client.appendToStream('account-1', event(0)));
    const thrown = await thrownBy(client.appendToStream('account-1', event(0)));

    expect(thrown).toMatchObject({ name: 'Error', type: undefined, code: 14 });
    expect(thrown.message).toContain('ECONNREFUSED');
    await server.restart();
  });

  it('fails the appends that are in flight; each is stored once when it is sent again', async () => {
    await streamOf(1);
    const writers = Array.from({ length: 40 }, () => ({ stream: `account-${randomUUID()}`, sent: events(3) }));
    await server.inject({ kind: 'no-answer', commit: true, times: 20 });
    await server.inject({ kind: 'no-answer', commit: false, times: 20 });
    const thrown = writers.map(({ stream, sent }) =>
      thrownBy(client.appendToStream(stream, sent, { expectedRevision: NO_STREAM })),
    );
    await untilItSucceeds(async () => expect((await server.counts()).appends).toBeGreaterThanOrEqual(40));
    await server.kill();
    for (const error of await Promise.all(thrown)) {
      expect(error).toMatchObject({ name: 'UnavailableError', type: 'unavailable', code: 14 });
    }
    await server.restart();

    for (const { stream, sent } of writers) expect(await appendUntilAnswered(stream, sent)).toBe(2n);
    for (const { stream } of writers) expect(await numbersOf(client, stream)).toEqual([0, 1, 2]);
    // Those that were stored before the kill were known again by their ids.
    expect(await server.counts()).toMatchObject({ storedAppends: 20, replayedAppends: 20 });
  });

  it('keeps what it acknowledged, with its metadata, ends and positions', async () => {
    const [kept, ended] = [await streamOf(3), await streamOf(1)];
    await client.setStreamMetadata(kept, { maxCount: 2 });
    await client.tombstoneStream(ended);
    const before = await collect(client.readAll());

    await server.restart();
    const after = await untilItSucceeds(() => collect(client.readAll()));

    expect(after).toEqual(before);
    expect(await numbersOf(client, kept)).toEqual([1, 2]);
    expect(await thrownBy(collect(client.readStream(ended)))).toMatchObject({ name: 'StreamDeletedError' });
  });

  it('has all of an append of several events, or nothing, when the end of its file was not written', async () => {
    const [whole, torn] = [await streamOf(2), await streamOf(4)];
    await server.kill();
    const file = join(server.dataDir ?? '', 'eventstoredb-test.log');
    truncateSync(file, statSync(file).size - 3);
    await server.restart();

    expect(await untilItSucceeds(() => numbersOf(client, whole))).toEqual([0, 1]);
    expect(await thrownBy(collect(client.readStream(torn)))).toMatchObject({ name: 'StreamNotFoundError' });
    expect(await appendUntilAnswered(torn, events(4))).toBe(3n);
  });

  it('fails a subscription, which the client does not take up again', async () => {
    await streamOf(1);
    const subscription = client.subscribeToAll({ fromPosition: START });
    const thrown: Thrown[] = [];
    subscription.on('error', (error) => thrown.push(describeError(error)));
    await new Promise((resolve) => subscription.on('data', () => undefined).once('caughtUp', resolve));
    await server.restart();
    await until(() => thrown.length > 0);

    expect(thrown).toMatchObject([{ name: 'UnavailableError', code: 14 }]);
    expect((await server.counts()).subscriptions).toBe(0);
  });
});

describe('a server that is stopped in order', () => {
  it('resets what is open: an unknown error with code 13', async () => {
    const stopped = await startAnother();
    const another = EventStoreDBClient.connectionString(stopped.connectionString);
    await another.appendToStream('account-1', event(0));
    const subscription = another.subscribeToAll();
    const thrown: Thrown[] = [];
    subscription.on('error', (error) => thrown.push(describeError(error)));
    await new Promise((resolve) => subscription.on('data', () => undefined).once('caughtUp', resolve));
    await stopped.stop();
    await until(() => thrown.length > 0);

    expect(thrown).toMatchObject([{ name: 'UnknownError', type: 'unknown', code: 13 }]);
    expect(thrown[0]?.message).toContain('RST_STREAM');
    await another.dispose();
  });
});

describe('a server that hangs', () => {
  let impatient: EventStoreDBClient;

  beforeAll(() => {
    // The client says of itself that such keepalives are short.
    jest.spyOn(console, 'warn').mockImplementation(() => undefined);
    impatient = EventStoreDBClient.connectionString(server.connectionStringFor({ parameters: KEEPALIVE }));
  });

  afterAll(async () => {
    await impatient.dispose();
  });

  it('is noticed by its unanswered pings alone, whatever the deadline; then what was sent is stored', async () => {
    const stream = await streamOf(1);
    await untilItSucceeds(() => impatient.appendToStream('warm-up', event(0)));
    server.pause();
    const deadline = 50;
    const begun = Date.now();
    const [append, read] = await Promise.all([
      thrownBy(impatient.appendToStream(stream, event(1), { expectedRevision: 0n, deadline })),
      thrownBy(collect(impatient.readStream(stream, { deadline }))),
    ]);
    const tookMs = Date.now() - begun;
    server.resume();

    for (const thrown of [append, read]) {
      expect(thrown).toMatchObject({ name: 'UnavailableError', type: 'unavailable', code: 14 });
      expect(thrown.message).toMatch(/Connection dropped|Keepalive/u);
    }
    expect(tookMs).toBeGreaterThan(deadline);
    await untilItSucceeds(async () => expect(await numbersOf(impatient, stream)).toEqual([0, 1]));
  });

  it('lets the deadline of a plain Append pass', async () => {
    const stream = await streamOf(1);
    await untilItSucceeds(() => impatient.appendToStream('warm-up', event(0)));
    server.pause();
    const thrown = await thrownBy(impatient.appendToStream(stream, event(1), { ...PLAIN, deadline: 200 }));
    server.resume();

    expect(thrown).toMatchObject({ name: 'DeadlineExceededError', type: 'deadline-exceeded', code: 4 });
  });

  it('answers pings while it does not answer a call, which then never ends by itself', async () => {
    const stream = await streamOf(1);
    const fault = await server.inject({ kind: 'no-answer', commit: false, streamPrefix: stream });
    const append = impatient.appendToStream(stream, event(1), { expectedRevision: 0n, deadline: 50 }).then(
      () => 'answered',
      () => 'failed',
    );
    // Several times what takes a connection down that answers no pings.
    const result = await Promise.race([append, delay(3_500).then(() => 'pending')]);

    expect(result).toBe('pending');
    expect(await fault.clear()).toBe(1);
    expect(await numbersOf(impatient, stream)).toEqual([0]);
    await server.dropConnections();
    expect(await append).toBe('failed');
  });
});

describe('a client', () => {
  it('has no trouble with many appends at once, once it has made one', async () => {
    const fresh = EventStoreDBClient.connectionString(server.connectionString);
    await fresh.appendToStream(await streamOf(0), event(0));
    const answers = await Promise.all(
      events(1_000).map((sent) =>
        fresh.appendToStream(`account-${randomUUID()}`, sent, { expectedRevision: NO_STREAM }),
      ),
    );

    expect(new Set(answers.map(({ position }) => position?.commit)).size).toBe(1_000);
    await fresh.dispose();
  });

  it('that is told not to throw answers a revision that is not the stream’s', async () => {
    const lenient = EventStoreDBClient.connectionString(
      server.connectionStringFor({ parameters: { throwOnAppendFailure: 'false' } }),
    );
    const stream = await streamOf(5);

    const answer = await lenient.appendToStream(stream, event(9), { expectedRevision: NO_STREAM });

    expect(answer).toMatchObject({ success: false, nextExpectedRevision: 1n });
    await lenient.dispose();
  });
});

describe('a fault that was asked for', () => {
  it.each([
    ['drop-before-commit', 0],
    ['drop-after-commit', 1],
  ] as const)('%s cuts the connection; the same append again is stored once', async (kind, replayed) => {
    await streamOf(1);
    const [stream, sent] = [await streamOf(0), events(2)];
    await server.resetCounts();
    await server.inject({ kind });

    const thrown = await thrownBy(client.appendToStream(stream, sent, { expectedRevision: NO_STREAM }));

    expect(thrown).toMatchObject({ name: 'UnavailableError', type: 'unavailable', code: 14 });
    expect((await server.counts()).storedAppends).toBe(replayed);
    expect(await appendUntilAnswered(stream, sent)).toBe(1n);
    expect(await numbersOf(client, stream)).toEqual([0, 1]);
    expect((await server.counts()).replayedAppends).toBe(replayed);
  });

  it('stores what it held late, in the order in which it came, also when nobody waits for it any more', async () => {
    const [stream, gone] = [await streamOf(0), EventStoreDBClient.connectionString(server.connectionString)];
    const hold = await server.inject({ kind: 'hold', times: 'until-cleared', streamPrefix: stream });
    const before = (await server.counts()).appends;
    const held: Promise<unknown>[] = [];
    for (const [at, each] of events(2).entries()) {
      const expectedRevision = at === 0 ? NO_STREAM : BigInt(at - 1);
      held.push(thrownBy(gone.appendToStream(stream, each, { expectedRevision })));
      await untilItSucceeds(async () => expect((await server.counts()).appends).toBe(before + at + 1));
    }
    await server.dropConnections();
    await Promise.all(held);
    await gone.dispose();
    await streamOf(1);
    expect(await thrownBy(collect(client.readStream(stream)))).toMatchObject({ name: 'StreamNotFoundError' });

    expect(await hold.clear()).toBe(2);
    expect(await numbersOf(client, stream)).toEqual([0, 1]);
  });

  it('delay answers later, and the append is stored although its deadline has passed', async () => {
    const stream = await streamOf(0);
    await server.inject({ kind: 'delay', delayMs: 1_500 });

    const thrown = await thrownBy(client.appendToStream(stream, event(0), { ...PLAIN, deadline: 1_000 }));
    expect(thrown).toMatchObject({ name: 'DeadlineExceededError', code: 4 });
    expect(await numbersOf(client, stream)).toEqual([0]);

    await server.inject({ kind: 'delay', delayMs: 300 });
    const begun = Date.now();
    await client.appendToStream(stream, event(1), { expectedRevision: 0n });
    // A timer may be a little early.
    expect(Date.now() - begun).toBeGreaterThanOrEqual(290);
  });

  it.each([
    ['deny', {}, { name: 'AccessDeniedError', type: 'access-denied', code: undefined }],
    ['deny', PLAIN, { name: 'AccessDeniedError', type: 'access-denied', code: 7 }],
    ['not-ready', {}, { name: 'UnknownError', message: 'Could not recognize Server Is Not Ready' }],
    ['not-ready', PLAIN, { name: 'UnavailableError', code: 14, message: '14 UNAVAILABLE: Server Is Not Ready' }],
  ] as const)('%s refuses an append, and then no more', async (kind, options, expected) => {
    const stream = await streamOf(1);
    await server.inject({ kind, streamPrefix: stream });

    expect(await thrownBy(client.appendToStream(stream, event(1), { expectedRevision: 0n, ...options }))).toMatchObject(
      expected,
    );
    await appendUntilNextIsStored(stream);
  });

  async function appendUntilNextIsStored(stream: string): Promise<void> {
    const sent = event(1);
    await untilItSucceeds(() => client.appendToStream(stream, sent, { expectedRevision: 0n }));
    expect(await numbersOf(client, stream)).toEqual([0, 1]);
  }

  it.each([
    ['deny', { name: 'AccessDeniedError', code: 7 }],
    ['not-ready', { name: 'UnavailableError', code: 14 }],
    ['drop-before-commit', { name: 'UnavailableError', code: 14 }],
  ] as const)('%s can hit reads, until it is taken back', async (kind, expected) => {
    const stream = await streamOf(1);
    const fault = await server.inject({ kind, calls: ['read'], streamPrefix: stream, times: 'until-cleared' });

    for (let turn = 0; turn < 2; turn += 1) {
      expect(await thrownBy(collect(client.readStream(stream)))).toMatchObject(expected);
    }
    expect(await fault.clear()).toBe(2);
    expect(await untilItSucceeds(() => numbersOf(client, stream))).toEqual([0]);
  });

  it('can hit deletes and subscriptions', async () => {
    const stream = await streamOf(1);
    await server.inject({ kind: 'deny', calls: ['delete', 'subscribe'], times: 2 });

    expect(await thrownBy(client.tombstoneStream(stream))).toMatchObject({ name: 'AccessDeniedError', code: 7 });
    expect(await thrownBy(collect(client.subscribeToStream(stream)))).toMatchObject({ name: 'AccessDeniedError' });
    expect(await numbersOf(client, stream)).toEqual([0]);
  });

  it.each([true, false])(
    'end-call fails all that is pending in the BatchAppend call (committed: %s)',
    async (commit) => {
      const [stream, other] = [await streamOf(0), `other-${await streamOf(1)}`];
      await server.inject({ kind: 'no-answer', commit: true, streamPrefix: other });
      await server.inject({ kind: 'end-call', commit, as: 'cancelled', streamPrefix: stream });
      const sent = new Map([other, stream].map((name) => [name, events(2)]));
      await server.resetCounts();

      const thrown = await Promise.all(
        [...sent].map(([name, proposed]) =>
          thrownBy(client.appendToStream(name, proposed, { expectedRevision: NO_STREAM })),
        ),
      );

      for (const error of thrown) expect(error).toMatchObject({ name: 'CancelledError', type: 'cancelled', code: 1 });
      expect((await server.counts()).storedAppends).toBe(commit ? 2 : 1);
      for (const [name, proposed] of sent) expect(await appendUntilAnswered(name, proposed)).toBe(1n);
      expect(await numbersOf(client, stream)).toEqual([0, 1]);
    },
  );
});

describe('what a client does not survive', () => {
  interface Ended {
    readonly code?: number;
    readonly stdout: string;
    readonly stderr: string;
  }

  /** What clients do in a process of their own: see `spec-client.ts`. */
  async function run(script: string, stream: string, ...servers: readonly EventStoreDbServer[]): Promise<Ended> {
    const main = fileURLToPath(new URL('spec-client.ts', import.meta.url));
    const connections = servers.map(({ connectionString }) => connectionString);
    const args = ['--disable-warning=ExperimentalWarning', main, script, stream, ...connections];
    const ended = promisify(execFile)(PINNED_NODE, args, { timeout: 30_000 });
    return ended.catch((error: unknown) => error as Ended);
  }

  it('another server that fails: it rejects what a healthy one has stored, and the answer ends its process', async () => {
    const doomed = await startAnother();
    const stream = `by-two-${randomUUID()}`;
    await server.inject({ kind: 'delay', delayMs: 3_000, streamPrefix: stream });
    await doomed.inject({ kind: 'end-call', as: 'cancelled', commit: false, streamPrefix: stream });

    const { code, stdout, stderr } = await run('two-clients', stream, server, doomed);

    expect(stdout).toBe('failed cancelled\n');
    expect(await untilItSucceeds(() => numbersOf(client, stream))).toEqual([0]);
    expect(code).toBe(1);
    expect(stderr).toContain('TypeError');
  });

  it('an answer that comes twice: it ends its process, though the append was answered', async () => {
    await server.inject({ kind: 'answer-twice' });

    const { code, stdout, stderr } = await run('two-appends', `twice-${randomUUID()}`, server);

    expect(code).toBe(1);
    expect(stdout).toBe('answered 0\n');
    expect(stderr).toContain('TypeError');
  });

  it('a BatchAppend call that is ended in order: it leaves what is pending, and all that follows, for ever', async () => {
    await server.inject({ kind: 'end-call', commit: true, as: 'in-order' });

    const { stdout } = await run('two-appends', `twice-${randomUUID()}`, server);

    expect(stdout).toBe('pending\npending\n');
  });
});

describe('the server itself', () => {
  it('says what it can not do', async () => {
    expect((await thrownBy(server.changeLeader(7))).message).toContain('there is no node 7');
  });

  it('lets a connection have 100 calls at once, and others wait in the client', async () => {
    const another = await startAnother();
    const fresh = EventStoreDBClient.connectionString(another.connectionString);
    const unanswered = await another.inject({ kind: 'no-answer', commit: false, calls: ['read'], times: 100 });
    const reads = Array.from({ length: 101 }, () => thrownBy(collect(fresh.readStream('account-1'))));
    await untilItSucceeds(async () => expect((await another.counts()).reads).toBe(100));
    // It waits for one of them to end: nothing on the way to the server hears of it.
    expect(await Promise.race([reads[100], delay(500, 'waiting')])).toBe('waiting');
    expect((await another.counts()).reads).toBe(100);
    expect(await unanswered.clear()).toBe(100);
    await another.kill();
    await Promise.all(reads);
    await fresh.dispose();
  });

  it('says why it does not start', async () => {
    const noFolder = join(fileURLToPath(import.meta.url), 'below-a-file');

    expect((await thrownBy(startEventStoreDbServer({ dataDir: noFolder }))).message).toContain('ENOTDIR');
    await expect(startEventStoreDbServer({ users: [] })).rejects.toThrow('Users need TLS');
  });

  it('ends with the process that started it', async () => {
    const script = `
      const { startEventStoreDbServer } = await import(process.argv[1]);
      const { ports } = await startEventStoreDbServer({ inMemory: true });
      process.stdout.write(String(ports[0]));
      process.kill(process.pid, 'SIGKILL');`;
    const index = new URL('index.ts', import.meta.url).href;
    const args = ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', script, index];
    const { stdout } = await promisify(execFile)(PINNED_NODE, args, { timeout: 60_000 }).catch(
      (error: unknown) => error as { readonly stdout: string },
    );

    expect(Number(stdout)).toBeGreaterThan(0);
    await untilItSucceeds(() => expectNobodyListens(Number(stdout)));
  });
});

async function expectNobodyListens(port: number): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  const answer = await Promise.race([
    once(socket, 'connect').then(() => 'connected'),
    once(socket, 'error').then(() => 'refused'),
  ]).catch(() => 'refused');
  socket.destroy();
  expect(answer).toBe('refused');
}
