import type { LedgerCommands } from '#command-handling';
import { afterEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { RawClient, requestText } from '../testing/raw-client.ts';
import { startTestService, type TestService, type TestServiceOptions } from '../testing/service.ts';
import { Door } from './door.ts';

const SERVICE = ['payments', 'service'] as const;
const OPS = ['ops-1', 'ops'] as const;
const AUDITOR = ['auditor-1', 'auditor'] as const;
type Who = readonly [string, ...string[]];

/** The commands that have begun, and how those that wait go on. */
interface Commands {
  readonly waiting: (() => void)[];
  begun: number;
}

/** A service that listens, whose commands wait until they are let go. */
class Busy {
  readonly service: TestService;
  readonly url: string;
  readonly #clients: RawClient[] = [];
  readonly #commands: Commands;
  readonly #tokens = new Map<string, string>();
  #keys = 0;
  #isClosed = false;

  private constructor(service: TestService, url: string, commands: Commands) {
    this.service = service;
    this.url = url;
    this.#commands = commands;
  }

  static async start(options: TestServiceOptions): Promise<Busy> {
    const commands: Commands = { waiting: [], begun: 0 };
    const wrap = (ledger: LedgerCommands): LedgerCommands => ({
      ...ledger,
      asset: (code) => ledger.asset(code),
      stateAsOf: (kind, stream, revision) => ledger.stateAsOf(kind, stream, revision),
      eventAt: (pointer) => ledger.eventAt(pointer),
      freezeAllNamed: (request) => ledger.freezeAllNamed(request),
      execute: async (request) => {
        commands.begun += 1;
        await new Promise<void>((resolve) => commands.waiting.push(resolve));
        return ledger.execute(request);
      },
    });
    const service = await startTestService({ wrap, ...options });
    return new Busy(service, await service.listen(), commands);
  }

  async client(): Promise<RawClient> {
    const client = await RawClient.connect(this.url);
    this.#clients.push(client);
    return client;
  }

  async headers([sub, ...roles]: Who): Promise<Readonly<Record<string, string>>> {
    // One that was verified before is known at once: what comes after one another stays in that order.
    const token = this.#tokens.get(sub) ?? (await this.service.token(sub, ...roles));
    this.#tokens.set(sub, token);
    return { Authorization: `Bearer ${token}`, 'Idempotency-Key': `k-${String((this.#keys += 1))}` };
  }

  async get(who: Who, path: string): Promise<string> {
    const client = await this.client();
    client.send(requestText('GET', path, await this.headers(who)));
    return client.answer();
  }

  /** Sends a command on a connection of its own, and does not wait for its answer. */
  async post(who: Who, path: string, body: object = {}): Promise<RawClient> {
    const client = await this.client();
    client.send(requestText('POST', path, await this.headers(who), body));
    return client;
  }

  deposit(account: string, who: Who = SERVICE): Promise<RawClient> {
    const body = { depositId: 'd-1', asset: 'BTC', amount: '1', source: { kind: 'bank', reference: 'r' } };
    return this.post(who, `/v1/accounts/${account}/deposits`, body);
  }

  /** Resolves when so many commands wait. */
  until(count: number): Promise<void> {
    return this.#comes(() => this.#commands.waiting.length >= count);
  }

  /** Resolves when so many places are taken. */
  untilInUse(what: string, count: number): Promise<void> {
    return this.#comes(() => this.inUse(what) === count);
  }

  async #comes(isSo: () => boolean): Promise<void> {
    while (!isSo()) {
      if (this.#isClosed) throw new Error('it never came to that');
      await new Promise(setImmediate);
    }
  }

  /** How many commands have come as far as the core. */
  get begun(): number {
    return this.#commands.begun;
  }

  letGo(): void {
    for (const go of this.#commands.waiting.splice(0)) go();
  }

  inUse(what: string): number | undefined {
    return inUseAt(this.service.door, what);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.letGo();
    for (const client of this.#clients) client.end();
    await this.service.close();
  }
}

let busy: Busy | undefined;
afterEach(async () => {
  await busy?.close();
  busy = undefined;
});

/** Lets a command in at a door whose sender hangs up at once. @returns what is left of it when its place is given back */
async function hungUp(door: Door, path: string): Promise<IncomingMessage> {
  const closed = Promise.withResolvers<IncomingMessage>();
  const server = createServer((request, response) => {
    door.enter(request, response);
    response.once('close', () => {
      closed.resolve(request);
    });
    client.end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const client = await RawClient.connect(`http://127.0.0.1:${String(port)}`);
  client.send(requestText('POST', path, {}));
  const request = await closed.promise;
  server.close();
  return request;
}

function inUseAt(door: Door, what: string): number | undefined {
  return door.bounds.find((bound) => bound.what === what)?.inUse();
}

function expectRefusal(answer: string, code: string, retryAfterS: number): void {
  const [head = '', body = ''] = answer.split('\r\n\r\n');
  expect(head).toMatch(/^HTTP\/1\.1 503 Service Unavailable\r\n/);
  expect(head).toMatch(/\r\ncontent-type: application\/problem\+json\r\n/i);
  expect(head).toMatch(new RegExp(`\\r\\nretry-after: ${String(retryAfterS)}\\r\\n`, 'i'));
  const correlationId = /\r\nx-correlation-id: (\S+)/i.exec(head)?.[1];
  expect(JSON.parse(body)).toMatchObject({ type: `urn:writ:problem:${code}`, status: 503, code, correlationId });
}

describe('when too many requests are under way', () => {
  it('more are turned away at once, and let in again when there is room', async () => {
    busy = await Busy.start({ concurrencyLimit: 2 });
    const first = [await busy.deposit('a'), await busy.deposit('b')];
    await busy.until(2);
    expectRefusal(await (await busy.deposit('c')).answer(), 'overloaded', 1);
    expect(busy.inUse('requests')).toBe(2);
    busy.letGo();
    for (const client of first) expect(await client.answer()).toMatch(/^HTTP\/1\.1 404/);
    expect(await busy.get(SERVICE, '/v1/assets')).toMatch(/^HTTP\/1\.1 200/);
    expect(busy.inUse('requests')).toBe(0);
  });

  it('a token is not even looked at: who has none is turned away like all', async () => {
    busy = await Busy.start({ concurrencyLimit: 1 });
    await busy.deposit('a');
    await busy.until(1);
    const client = await busy.client();
    client.send(requestText('GET', '/v1/assets', { 'X-Correlation-Id': 'mine' }));
    const answer = await client.answer();
    expectRefusal(answer, 'overloaded', 1);
    expect(answer).toContain('"correlationId":"mine"');
  });

  it('those who freeze, audit and watch still have their places', async () => {
    busy = await Busy.start({ concurrencyLimit: 1 });
    await busy.deposit('a');
    await busy.until(1);
    expect(await busy.get(OPS, '/v1/admin/tasks')).toMatch(/^HTTP\/1\.1 200/);
    expect(await busy.get(AUDITOR, '/v1/audit/events')).toMatch(/^HTTP\/1\.1 200/);
    expect(await busy.get(OPS, '/health/live')).toMatch(/^HTTP\/1\.1 200/);
    expect(await busy.get(OPS, '/health/ready')).toMatch(/^HTTP\/1\.1 200/);
    const metrics = await busy.client();
    metrics.send(requestText('GET', '/metrics', {}));
    expect(await metrics.answer()).toMatch(/^HTTP\/1\.1 200/);
    const order = await busy.post(OPS, '/v1/admin/accounts/a/freezes', { basis: { kind: 'legal-order', id: 'o-1' } });
    await busy.until(2);
    busy.letGo();
    expect(await order.answer()).toMatch(/^HTTP\/1\.1 404/);
  });

  it('what services send to where oversight works takes a place among services', async () => {
    busy = await Busy.start({ concurrencyLimit: 1 });
    await busy.deposit('a');
    await busy.until(1);
    const hit = await busy.post(SERVICE, '/v1/admin/sanctions-hits', {});
    expectRefusal(await hit.answer(), 'overloaded', 1);
    const byOps = await busy.post(OPS, '/v1/admin/sanctions-hits', {});
    expect(await byOps.answer()).toMatch(/^HTTP\/1\.1 400/);
  });

  it('the places apart have a bound as well', async () => {
    busy = await Busy.start({ concurrencyLimit: 1 });
    const freezes = [];
    for (let n = 0; n < 17; n += 1) {
      const body = { basis: { kind: 'legal-order', id: 'o-1' } };
      const who = [`ops-${String(n % 3)}`, 'ops'] as const;
      freezes.push(await busy.post(who, `/v1/admin/accounts/a-${String(n)}/freezes`, body));
      if (n < 16) await busy.until(n + 1);
    }
    const last = freezes.at(-1);
    if (last === undefined) throw new Error('none was sent');
    expectRefusal(await last.answer(), 'overloaded', 1);
    expect(await busy.get(SERVICE, '/v1/assets')).toMatch(/^HTTP\/1\.1 200/);
  });

  it('one account takes half of the places, and leaves the others the rest', async () => {
    busy = await Busy.start({ concurrencyLimit: 4 });
    for (let n = 0; n < 2; n += 1) await busy.deposit('hot');
    await busy.until(2);
    expectRefusal(await (await busy.deposit('hot')).answer(), 'overloaded', 1);
    expect(await busy.get(SERVICE, '/v1/accounts/cold')).toMatch(/^HTTP\/1\.1 404/);
    expect(busy.inUse('requests-of-one-account')).toBe(2);
  });

  it('those that come on a connection which was in use are turned away before they are parsed, alike', async () => {
    busy = await Busy.start({ concurrencyLimit: 1 });
    const client = await busy.client();
    const request = requestText('GET', '/v1/assets', await busy.headers(SERVICE));
    client.send(request);
    expect(await client.answer()).toMatch(/^HTTP\/1\.1 200/);
    await busy.deposit('a');
    await busy.until(1);
    const parsed: string[] = [];
    busy.service.app.getHttpServer().on('request', () => parsed.push('one'));
    for (let n = 0; n < 3; n += 1) {
      client.send(request.replace('\r\n', '\r\nX-Correlation-Id: mine\r\n'));
      const answer = await client.answer();
      expectRefusal(answer, 'overloaded', 1);
      expect(answer).toContain('"instance":"/v1/assets","correlationId":"mine"');
    }
    expect(parsed).toEqual([]);
    busy.letGo();
    await busy.untilInUse('requests', 0);
    client.send(request);
    expect(await client.answer()).toMatch(/^HTTP\/1\.1 200/);
    expect(parsed).toEqual(['one']);
  });

  it('those that come in pieces, or before the last was answered, are left to the parser', async () => {
    busy = await Busy.start({ concurrencyLimit: 1 });
    const request = requestText('GET', '/v1/assets', await busy.headers(SERVICE));
    const [inPieces, pipelined] = [await busy.client(), await busy.client()];
    for (const client of [inPieces, pipelined]) {
      client.send(request);
      expect(await client.answer()).toMatch(/^HTTP\/1\.1 200/);
    }
    await busy.deposit('a');
    await busy.until(1);
    inPieces.send(request.slice(0, 10));
    pipelined.send(request + request);
    expectRefusal(await pipelined.answer(), 'overloaded', 1);
    expectRefusal(await pipelined.answer(), 'overloaded', 1);
    inPieces.send(request.slice(10));
    expectRefusal(await inPieces.answer(), 'overloaded', 1);
    inPieces.send(request);
    expectRefusal(await inPieces.answer(), 'overloaded', 1);
  });

  it('what the parser has begun to read it reads to the end, though the rest looks like a request', async () => {
    busy = await Busy.start({ concurrencyLimit: 1 });
    const client = await busy.deposit('a');
    await busy.until(1);
    client.send('GET /v1/assets HTTP/1.1\r\nHost: a\r\nX-Value: ');
    // The server has read it by the time that it answers what was sent later.
    expect(await busy.get(OPS, '/health/live')).toMatch(/^HTTP\/1\.1 200/);
    busy.letGo();
    expect(await client.answer()).toMatch(/^HTTP\/1\.1 404/);
    await busy.deposit('b');
    await busy.until(1);
    const values: unknown[] = [];
    busy.service.app.getHttpServer().on('request', ({ headers }: IncomingMessage) => values.push(headers['x-value']));
    client.send('GET /v1/assets HTTP/1.1\r\nHost: b\r\n\r\n');
    expectRefusal(await client.answer(), 'overloaded', 1);
    expect(values).toEqual(['GET /v1/assets HTTP/1.1']);
  });

  it('a client that goes away gives up its place', async () => {
    busy = await Busy.start({ concurrencyLimit: 1 });
    const gone = await busy.deposit('a');
    await busy.until(1);
    gone.end();
    await busy.untilInUse('requests', 0);
    expect(await busy.get(SERVICE, '/v1/assets')).toMatch(/^HTTP\/1\.1 200/);
    expect(busy.inUse('requests-of-one-account')).toBe(0);
  });
});

describe('when more commands are let in than are worked on', () => {
  const limits = { concurrencyLimit: 8, mostAtWork: 2 };
  const freeze = { basis: { kind: 'legal-order', id: 'o-1' } };

  it('they wait for their turn, in which they came, and who freezes or looks on waits for none of them', async () => {
    busy = await Busy.start(limits);
    const sent = [];
    for (const account of ['a', 'b', 'c', 'd', 'e']) {
      sent.push(await busy.deposit(account));
      await busy.until(Math.min(sent.length, 2));
    }
    await busy.untilInUse('requests', 5);
    await busy.post(OPS, '/v1/admin/accounts/a/freezes', freeze);
    await busy.until(3);
    expect(await busy.get(AUDITOR, '/v1/audit/events')).toMatch(/^HTTP\/1\.1 200/);
    expect(busy.inUse('commands-at-work')).toBe(2);
    for (const begun of [2, 2, 1]) {
      await busy.until(begun);
      busy.letGo();
      for (const client of sent.splice(0, 2)) expect(await client.answer()).toMatch(/^HTTP\/1\.1 404/);
    }
    expect(busy.inUse('commands-at-work')).toBe(0);
  });

  it('half of those that are worked on may be about one account, and the others go past those that wait', async () => {
    busy = await Busy.start({ concurrencyLimit: 8, mostAtWork: 4 });
    for (let n = 0; n < 4; n += 1) await busy.deposit('hot');
    await busy.until(2);
    await busy.untilInUse('requests', 4);
    await busy.deposit('cold');
    await busy.until(3);
    expect(busy.inUse('commands-at-work')).toBe(3);
    busy.letGo();
    await busy.until(2);
  });

  it('one whose sender goes away before its turn is never worked on', async () => {
    busy = await Busy.start({ concurrencyLimit: 8, mostAtWork: 1 });
    const first = await busy.deposit('a');
    await busy.until(1);
    const gone = await busy.deposit('b');
    const last = await busy.deposit('c');
    await busy.untilInUse('requests', 3);
    gone.end();
    await busy.untilInUse('requests', 2);
    busy.letGo();
    await first.answer();
    await busy.until(1);
    busy.letGo();
    expect(await last.answer()).toMatch(/^HTTP\/1\.1 404/);
    await new Promise(setImmediate);
    expect(busy.begun).toBe(2);
  });

  it('one that waited for too long is turned away undecided, and its place is free', async () => {
    busy = await Busy.start({ concurrencyLimit: 8, mostAtWork: 1, longestWaitMs: -1 });
    const first = await busy.deposit('a');
    expectRefusal(await first.answer(), 'overloaded', 1);
    expect(busy.begun).toBe(0);
    expect(busy.inUse('commands-at-work')).toBe(0);
    await busy.untilInUse('requests', 0);
  });

  it('answers that are made keep nobody waiting, though they are not sent yet', async () => {
    busy = await Busy.start(limits);
    const client = await busy.deposit('a');
    await busy.until(1);
    // Their answers can't be sent before that of the deposit.
    client.send(requestText('POST', '/v1/accounts/b/deposits', await busy.headers(SERVICE), {}).repeat(3));
    await busy.untilInUse('requests', 4);
    await busy.deposit('c');
    await busy.until(2);
    busy.letGo();
    expect(await client.answer()).toMatch(/^HTTP\/1\.1 404/);
    for (let n = 0; n < 3; n += 1) expect(await client.answer()).toMatch(/^HTTP\/1\.1 400/);
  });

  it('one that comes to the line when its sender has gone does not join it', async () => {
    const door = new Door({ concurrencyLimit: 8, mostAtWork: 1, isStopping: () => false });
    const gone = await hungUp(door, '/v1/transfers');
    let begun = 0;
    door.inTurn(gone, () => (begun += 1));
    expect([begun, inUseAt(door, 'commands-at-work')]).toEqual([0, 0]);
  });

  it('a body that is still on its way keeps nobody waiting', async () => {
    busy = await Busy.start({ concurrencyLimit: 8, mostAtWork: 1 });
    const slow = await busy.client();
    const headers = { ...(await busy.headers(SERVICE)), 'Content-Type': 'application/json', 'Content-Length': '1000' };
    slow.send(requestText('POST', '/v1/accounts/slow/deposits', headers));
    await busy.untilInUse('requests', 1);
    await busy.deposit('a');
    await busy.until(1);
  });

  it('who only reads waits for none of them', async () => {
    busy = await Busy.start({ concurrencyLimit: 8, mostAtWork: 1 });
    await busy.deposit('a');
    await busy.until(1);
    expect(await busy.get(SERVICE, '/v1/assets')).toMatch(/^HTTP\/1\.1 200/);
    expect(busy.inUse('commands-at-work')).toBe(1);
  });
});

describe('a place', () => {
  const unread = requestText('GET', '/docs/swagger-ui-bundle.js', {});

  /** Resolves when so many requests were read, and those that came with them were looked at. */
  async function read(service: Busy, count: number, send: () => Promise<void>): Promise<void> {
    let requests = 0;
    service.service.app.getHttpServer().on('request', () => (requests += 1));
    await send();
    while (requests < count) await new Promise(setImmediate);
    expect(await service.get(OPS, '/health/live')).toMatch(/^HTTP\/1\.1 200/);
  }

  it.each(['/v1/accounts/a/deposits', '/%76%31/accounts/a/deposits', 'http://x/v1/accounts/%61/deposits'])(
    'is one of the route, however its path is written: %s',
    async (path) => {
      busy = await Busy.start({ concurrencyLimit: 8 });
      await busy.deposit('a');
      const body = { depositId: 'd-2', asset: 'BTC', amount: '1', source: { kind: 'bank', reference: 'r' } };
      await busy.post(SERVICE, path, body);
      await busy.until(2);
      const what = ['requests', 'requests-of-one-account', 'open-requests'];
      expect(what.map((each) => busy?.inUse(each))).toEqual([2, 2, 0]);
    },
  );

  it('is not kept by who is turned down, though the answer is not taken', async () => {
    const crowd = (busy = await Busy.start({ concurrencyLimit: 8 }));
    await read(crowd, 6 * 8, async () => {
      for (let n = 0; n < 6; n += 1) {
        const client = await crowd.client();
        client.stopReading();
        const withoutToken = requestText('GET', '/v1/admin/tasks', {}) + requestText('GET', '/v1/accounts/a', {});
        client.send(unread.repeat(2) + withoutToken.repeat(3));
      }
    });
    expect(crowd.inUse('open-requests')).toBeGreaterThan(0);
    const what = ['requests', 'requests-of-one-account', 'oversight-requests'];
    expect(what.map((each) => crowd.inUse(each))).toEqual([0, 0, 0]);
  });

  it('of oversight is there for others when one caller has half of them', async () => {
    busy = await Busy.start({ concurrencyLimit: 1 });
    const freeze = (who: Who, n: number): Promise<RawClient> | undefined =>
      busy?.post(who, `/v1/admin/accounts/a-${String(n)}/freezes`, { basis: { kind: 'legal-order', id: 'o-1' } });
    for (let n = 0; n < 8; n += 1) await freeze(OPS, n);
    await busy.until(8);
    expectRefusal((await (await freeze(OPS, 8))?.answer()) ?? '', 'overloaded', 1);
    await freeze(['ops-2', 'ops'], 8);
    await busy.until(9);
    expect(await busy.get(OPS, '/v1/admin/tasks')).toMatch(/^HTTP\/1\.1 200/);
    busy.letGo();
    await busy.untilInUse('oversight-commands', 0);
    await freeze(OPS, 9);
    await busy.until(1);
  });

  it.each([
    ['oversight', true],
    ['a service', false],
  ])('is not taken again for %s that hung up before its token was verified', async (_, isOversight) => {
    const door = new Door({ concurrencyLimit: 1, isStopping: () => false });
    // More often than one caller, or all services together, have places.
    for (let n = 0; n < 9; n += 1) {
      const gone = await hungUp(door, '/v1/admin/sanctions-hits');
      expect(door.mayStay(gone, 'ops-1', isOversight)).toBe(true);
      door.inTurn(gone, () => {
        throw new Error('nobody waits for it');
      });
    }
    expect([inUseAt(door, 'requests'), inUseAt(door, 'oversight-commands')]).toEqual([0, 0]);
  });

  it('of health is there though nobody takes the pages of the documentation', async () => {
    const crowd = (busy = await Busy.start({ concurrencyLimit: 8 }));
    await read(crowd, 20, async () => {
      for (let n = 0; n < 20; n += 1) {
        const client = await crowd.client();
        client.stopReading();
        client.send(unread);
      }
    });
    expect(crowd.inUse('open-requests')).toBe(16);
  });

  it('is not for hundreds in line on one connection', async () => {
    busy = await Busy.start({});
    const client = await busy.client();
    client.send(requestText('GET', '/v1/assets', {}).repeat(300));
    await client.closed();
    expect(client.received.match(/HTTP\/1\.1 401/g)?.length ?? 0).toBeLessThanOrEqual(64);
    await busy.untilInUse('requests', 0);
  });
});

describe('a service that stops', () => {
  it('turns away all but questions of its health, and says that the connection ends', async () => {
    busy = await Busy.start({});
    const kept = await busy.client();
    kept.send(requestText('GET', '/v1/assets', await busy.headers(SERVICE)));
    expect(await kept.answer()).toMatch(/\r\nconnection: keep-alive\r\n/i);
    const taken = await busy.deposit('a');
    await busy.until(1);
    busy.service.state.stopping = true;
    // Longer than the test may take: it ends because nothing is under way any more.
    const drained = busy.service.door.drained({ quietMs: 50, limitMs: 150_000 });
    kept.send(requestText('GET', '/v1/assets', await busy.headers(SERVICE)));
    const answer = await kept.answer();
    expectRefusal(answer, 'shutting-down', 5);
    expect(answer).toMatch(/\r\nconnection: close\r\n/i);
    await kept.closed();
    expect(await busy.get(SERVICE, '/health/live')).toMatch(/^HTTP\/1\.1 200/);
    busy.letGo();
    expect(await taken.answer()).toMatch(/^HTTP\/1\.1 404[\s\S]*\r\nconnection: close\r\n/i);
    await drained;
    busy.service.state.stopping = false;
  });
});

describe('slow clients', () => {
  const patience = { headMs: 300, arrivalMs: 600, stallMs: 600, keepAliveMs: 1_000, checkEveryMs: 50 };

  it.each([
    ['no request at all', ''],
    ['half a head', 'GET /v1/assets HTTP/1.1\r\nHost: a\r\n'],
    [
      'half a body',
      'POST /v1/assets HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{"a"',
    ],
  ])('that send %s are hung up on', async (_, text) => {
    busy = await Busy.start({ patience });
    const client = await busy.client();
    const authorization = `Authorization: ${(await busy.headers(OPS))['Authorization'] ?? ''}\r\nIdempotency-Key: k\r\n`;
    client.send(text.replace('Host: a\r\n', `Host: a\r\n${text.startsWith('POST') ? authorization : ''}`));
    await client.closed();
    expect(client.received).not.toMatch(/^HTTP\/1\.1 [25]/);
    await busy.untilInUse('requests', 0);
  });

  it('that send a byte from time to time are hung up on all the same', async () => {
    busy = await Busy.start({ patience });
    const client = await busy.client();
    client.send('GET /v1/assets HTTP/1.1\r\n');
    const drip = setInterval(() => client.send('X-A: b\r\n'), 50);
    await client.closed();
    clearInterval(drip);
  });

  it('that only keep a connection are hung up on, and those that are too many at once', async () => {
    busy = await Busy.start({ patience: { ...patience, headMs: 20_000, arrivalMs: 20_000 }, mostConnections: 3 });
    const idle = await busy.client();
    idle.send(requestText('GET', '/v1/assets', await busy.headers(SERVICE)));
    expect(await idle.answer()).toMatch(/^HTTP\/1\.1 200/);
    const others = [await busy.client(), await busy.client()];
    // Near the bound, the one that only waits gives way; those that have not said anything yet stay.
    await idle.closed();
    expect(others.map(({ isClosed }) => isClosed)).toEqual([false, false]);
    const third = await busy.client();
    const fourth = await busy.client();
    await fourth.closed();
    expect(third.isClosed).toBe(false);
    expect(busy.inUse('connections')).toBe(3);
  });

  it('that take no answer are hung up on, and hold no place for ever', async () => {
    busy = await Busy.start({ patience: { ...patience, arrivalMs: 20_000 } });
    const client = await busy.client();
    client.stopReading();
    // More than the system takes on its way: what is left waits here.
    const headers = await busy.headers(OPS);
    for (let n = 0; n < 400; n += 1) client.send(requestText('GET', '/openapi.json', headers));
    while (busy.inUse('connections') !== 0) await new Promise((resolve) => setTimeout(resolve, 20));
    expect(busy.inUse('open-requests')).toBe(0);
  });
});
