import { checkLog } from '#testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { connect } from 'node:net';
import { HttpClient, type Answer } from '../e2e/support/http.ts';
import { AUDITOR, Ledger, until } from '../e2e/support/ledger.ts';
import { wholeLog } from '../e2e/support/whole-log.ts';
import { ApiDocument, type Operation, type Schema } from './support/document.ts';
import { CALLERS, requestsFor, type Caller, type MadeUp } from './support/requests.ts';
import { SEED } from './support/seed.ts';
import type { Known } from './support/values.ts';

const isNightly = process.env['WRIT_EFFORT'] === 'nightly';
const REQUESTS = isNightly ? 200_000 : 10_000;
const LIMIT_MS = isNightly ? 3 * 3_600_000 : 600_000;
/** Far more than any request takes on a machine that is busy with other things. */
const HANG_MS = 15_000;
const RAW_REQUESTS = 200;
const RAW_LIMIT_MS = 10_000;

let ledger: Ledger;
let client: HttpClient;
let document: ApiDocument;
let known: Known;
/** How often each route was asked, and answered with success. */
const asked = new Map<string, { requests: number; successes: number }>();
const statuses = new Map<number, number>();

beforeAll(async () => {
  ledger = await Ledger.start();
  client = new HttpClient(ledger.service.url);
  document = new ApiDocument((await ledger.ask({ path: '/openapi.json' })).body as Schema);
  known = await settle();
}, LIMIT_MS);
afterAll(async () => {
  client.close();
  await ledger.end();
});

/** A few of everything, so that requests find something. @returns their ids, and some that nothing has yet */
async function settle(): Promise<Known> {
  const accounts: string[] = [];
  const freezes: string[] = [];
  const parties = [await ledger.makeParty(), await ledger.makeParty(), await ledger.makeParty()];
  for (let n = 0; n < 6; n += 1) accounts.push(await ledger.makeAccount({ btc: '100', holder: parties[n % 3] ?? '' }));
  const named = accounts.slice(0, 4);
  const orders = [
    await ledger.makeOrder({ accounts: named }),
    await ledger.makeVerifiedOrder({ accounts: named, parties: parties.slice(0, 1) }),
    await ledger.makeVerifiedOrder({ accounts: named, more: { nonDisclosureUntil: '2099-01-01T00:00:00Z' } }),
  ];
  const hits = [await ledger.makeHit(parties[0] ?? ''), await ledger.makeConfirmedHit(parties[1] ?? '')];
  for (const orderId of orders.slice(1)) freezes.push(await ledger.freeze(accounts[0] ?? '', orderId));
  const requests = [await ledger.makeAuthorityRequest(), await ledger.requestLift(freezes[0] ?? '')];
  const positions = (await ledger.log()).map(({ position }) => position);
  const streams = (await ledger.log()).map(({ type: _, stream }) => stream);
  /** So many ids of each that is there, and a few that nothing has yet. */
  const withNew = (prefix: string, ids: readonly string[], fresh = 6): readonly string[] => [
    ...Array.from({ length: 4 }, () => ids).flat(),
    ...Array.from({ length: fresh }, (_, n) => `${prefix}-new-${String(n)}`),
  ];
  return {
    accountId: withNew('acc', accounts),
    to: accounts,
    partyId: withNew('p', parties),
    orderId: withNew('ord', orders, 30),
    changeId: withNew('chg', []),
    hitId: withNew('hit', hits, 30),
    clearanceId: withNew('clr', []),
    requestId: withNew('req', requests, 12),
    depositId: withNew('dep', [], 20),
    withdrawalId: withNew('wd', []),
    transferId: withNew('tr', []),
    freezeId: freezes,
    basisId: [...orders, ...hits],
    id: [...orders, ...hits],
    asset: ['BTC', 'BTC', 'EUR', 'XYZ'],
    code: ['BTC', 'EUR', 'ETH', 'XMR', 'DOGE'],
    claimGroup: ['claim-1', 'claim-2'],
    atLeast: positions.slice(0, 5),
    after: positions.slice(0, 5),
    at: [...positions.slice(-5), '2022-02-15T00:00:00Z', '2099-01-01T00:00:00Z'],
    stream: streams,
    types: ['AccountFrozen', 'FundsDeposited,AccountOpened', 'Nothing'],
    cursor: ['x', 'eyJ9', ...positions.slice(0, 2)],
  };
}

async function authorizationOf(caller: Caller): Promise<Record<string, string>> {
  if (caller === undefined) return {};
  if (typeof caller === 'object') return { authorization: caller.header };
  return { authorization: `Bearer ${await ledger.token(CALLERS[caller])}` };
}

async function send({ caller, headers, ...request }: MadeUp): Promise<Answer> {
  return client.send({ ...request, headers: { ...(await authorizationOf(caller)), ...headers } });
}

function note(operation: Operation | undefined, status: number): void {
  statuses.set(status, (statuses.get(status) ?? 0) + 1);
  const name = operation === undefined ? 'no route' : `${operation.method} ${operation.template}`;
  const counts = asked.get(name) ?? { requests: 0, successes: 0 };
  counts.requests += 1;
  if (status < 300) counts.successes += 1;
  asked.set(name, counts);
}

/** @throws Error that says what was sent, what came, and what is wrong with it */
async function expectPromiseKept(request: MadeUp): Promise<void> {
  const startedMs = performance.now();
  const answer = await send(request);
  const operation = document.operationOf(request.method, request.path);
  note(operation, answer.status);
  const objections = [
    ...document.objections(operation, request.method, answer),
    ...(answer.status >= 500 && answer.status !== 503 ? ['it is a failure of the service'] : []),
    ...(performance.now() - startedMs > HANG_MS ? ['it took too long'] : []),
    ...objectionsToTaking(operation, request, answer),
  ];
  if (objections.length === 0) return;
  const sent = JSON.stringify({ ...request, content: String(request.content ?? '').slice(0, 2_000) });
  throw new Error(
    `${objections.join('; ')}\nsent ${sent}\ngot ${String(answer.status)} ${answer.text.slice(0, 2_000)}`,
  );
}

/** What the document says to be wrong must not be taken. */
function objectionsToTaking(
  operation: Operation | undefined,
  request: MadeUp,
  { status, headers }: Answer,
): readonly string[] {
  if (operation === undefined || status >= 300 || request.body === undefined) return [];
  if (headers['idempotent-replayed'] === 'true' || document.takes(operation, request.body)) return [];
  return ['it was taken, although the document does not allow such a body'];
}

describe('whatever is sent', () => {
  it(
    `is answered as the OpenAPI document says: ${String(REQUESTS)} requests to every route`,
    async () => {
      process.stdout.write(`fuzz: WRIT_SEED=${String(SEED)}\n`);
      const startedMs = performance.now();
      await fc.assert(fc.asyncProperty(requestsFor(document, known), expectPromiseKept), {
        numRuns: REQUESTS,
        seed: SEED,
        endOnFailure: true,
      });
      report(performance.now() - startedMs);
      const names = document.operations.map(({ method, template }) => `${method} ${template}`);
      expect(names.filter((name) => !asked.has(name))).toEqual([]);
    },
    LIMIT_MS,
  );

  it(
    `is answered, or its connection is closed, when it is not even HTTP: ${String(RAW_REQUESTS)} times`,
    async () => {
      await fc.assert(
        fc.asyncProperty(bytesLikeHttp, async (bytes) => {
          const said = await saidTo(bytes);
          expect(said).not.toMatch(/^HTTP\/1\.1 5/);
          if (said !== '') expect(said).toMatch(/^HTTP\/1\.1 [1-4]\d\d /);
        }),
        { numRuns: RAW_REQUESTS, seed: SEED, endOnFailure: true },
      );
      expect((await ledger.ask({ path: '/health/ready' })).status).toBe(200);
    },
    LIMIT_MS,
  );

  it('leaves a service that is well, and a log in which everything is as it must be', async () => {
    const flaws = async (): Promise<readonly unknown[]> =>
      checkLog(await wholeLog(ledger.dataDir), { quiescent: true, now: new Date().toISOString() });
    await until('the supervisor to come to rest', async () => ((await flaws()).length === 0 ? true : undefined)).catch(
      async () => expect(await flaws()).toEqual([]),
    );
    expect((await ledger.ask({ path: '/health/ready' })).status).toBe(200);
    expect(await ledger.read(AUDITOR, '/v1/audit/violations')).toMatchObject({ items: [] });
    const log = ledger.service.logs();
    // The first lines are for the person who starts it.
    const lines = log.split('\n').filter((line) => line.startsWith('{'));
    expect(
      lines.filter((line) => /eyJ|Bearer \S|\\n +at |[cm]?[jt]s:\d+:\d+/.test(line) || line.includes(ledger.dataDir)),
    ).toEqual([]);
    const serious = log.split('\n').filter((line) => /"level":(50|60)/.test(line));
    expect(serious).toEqual([]);
  });
});

const LINES: readonly string[] = [
  'GET /v1/assets HTTP/1.1',
  'GET /v1/assets HTTP/9.9',
  'GET  /v1/assets  HTTP/1.1',
  'GET /v1/\u00ff HTTP/1.1',
  'HEAD /v1/\u00ff HTTP/1.1',
  'POST /v1/assets HTTP/1.1',
  'POST /v1/assets HTTP/1.0',
  'CONNECT 127.0.0.1:80 HTTP/1.1',
  'OPTIONS * HTTP/1.1',
  'PRI * HTTP/2.0',
  'Host: x',
  'Host: x\r\nHost: y',
  'Content-Length: 5',
  'Content-Length: -1',
  'Content-Length: 99999999999999999999',
  'Transfer-Encoding: chunked',
  'Transfer-Encoding: chunked, identity',
  'Transfer-Encoding : chunked',
  'Expect: 100-continue',
  'Expect: something',
  'Upgrade: h2c\r\nConnection: Upgrade',
  'Upgrade: websocket\r\nConnection: Upgrade',
  'Content-Type: application/json',
  'Content-Encoding: gzip',
  ': empty',
  ' folded',
  'A\u0000B: c',
  '',
  '0\r\n\r\n',
  'ffffffffffffffff\r\n',
  '5\r\n{"a":',
  '\u0016\u0003\u0001\u0002\u0000',
];

/** Lines of requests in any order, and whatever bytes between them. */
const bytesLikeHttp: fc.Arbitrary<Buffer> = fc
  .tuple(
    fc.array(fc.constantFrom(...LINES), { minLength: 1, maxLength: 8 }),
    fc.uint8Array({ maxLength: 30 }),
    fc.constantFrom('\r\n', '\r\n', '\n', '\r'),
  )
  .map(([lines, noise, end]) => Buffer.concat([Buffer.from(`${lines.join(end)}${end}${end}`, 'latin1'), noise]));

/** What the service says to bytes, until it closes the connection or this side has sent all that it has. */
function saidTo(bytes: Buffer): Promise<string> {
  const { hostname, port } = new URL(ledger.service.url);
  return new Promise((resolve, reject) => {
    let said = '';
    const timer = setTimeout(() => {
      socket.destroy();
      reject(new Error(`neither answered nor closed: ${JSON.stringify(bytes.toString('latin1'))}`));
    }, RAW_LIMIT_MS);
    const over = (): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(said);
    };
    const socket = connect(Number(port), hostname);
    socket.setEncoding('latin1').on('data', (chunk: string) => (said += chunk));
    socket.on('close', over).on('end', over).on('error', over);
    socket.end(bytes);
  });
}

function report(tookMs: number): void {
  const byStatus = [...statuses]
    .sort(([one], [other]) => one - other)
    .map(([status, count]) => `${String(status)}: ${String(count)}`);
  const silent = [...asked].filter(([, { successes }]) => successes === 0).map(([name]) => name);
  process.stdout.write(
    `fuzz: ${String(REQUESTS)} requests in ${(tookMs / 1000).toFixed(1)} s; ${byStatus.join(', ')}\n` +
      `fuzz: routes without a success: ${silent.length === 0 ? 'none' : silent.join(', ')}\n`,
  );
}
