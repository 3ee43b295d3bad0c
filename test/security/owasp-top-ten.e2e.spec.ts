import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { ConfigError, readConfig } from '../../apps/ledger/src/config/config.ts';
import { startTestService, type TestService } from '../../apps/ledger/src/testing/service.ts';
import type { Answer } from '../e2e/support/http.ts';
import { textAt, valueAt } from '../e2e/support/json.ts';
import {
  APPROVER,
  AUDITOR,
  depositOf,
  endingOf,
  freezeOf,
  Ledger,
  liftRequestOf,
  OPS,
  orderOf,
  SERVICE,
  wellDone,
  type Person,
  type Role,
} from '../e2e/support/ledger.ts';
import { root } from '../e2e/support/pages.ts';
import { expectFieldRefused, expectProblem } from '../e2e/support/problems.ts';
import { startInVain } from '../e2e/support/service.ts';
import { ApiDocument, type Operation, type Schema } from './support/document.ts';

/**
 * The OWASP API Security Top 10 of 2023, row by row: https://owasp.org/API-Security/editions/2023/en/0x11-t10/. Key sets, which
 * is all that the service fetches, are in `hostile-key-set.int.spec.ts`.
 */
const ROLES: readonly Role[] = ['service', 'ops', 'approver', 'auditor'];
const ONE_OF: Readonly<Record<Role, Person>> = { service: SERVICE, ops: OPS, approver: APPROVER, auditor: AUDITOR };
const ALL: Person = { sub: 'root', roles: ROLES };

/** A machine that is busy with other things starts a service slowly. */
const START_LIMIT_MS = 120_000;

let ledger: Ledger;
let document: ApiDocument;
beforeAll(async () => {
  ledger = await Ledger.start();
  document = new ApiDocument((await ledger.ask({ path: '/openapi.json' })).body as Schema);
}, START_LIMIT_MS);
afterAll(() => ledger.end());

const isRead = ({ method, template }: Operation): boolean => method === 'GET' && template.startsWith('/v1');
const isCommand = ({ method }: Operation): boolean => method === 'POST';
/** A route's path with some ids in it. */
const pathOf = ({ template }: Operation, ids: Readonly<Record<string, string>> = {}): string =>
  template.replaceAll(/\{(\w+)\}/g, (_, name: string) => ids[name] ?? 'x');

describe('API1:2023 Broken Object Level Authorization', () => {
  it('a service learns nothing of orders, hits, freezes, letters or the log, not even that they are there', async () => {
    const accountId = await ledger.makeAccount({ btc: '1' });
    const orderId = await ledger.makeVerifiedOrder({ accounts: [accountId] });
    const ids = {
      accountId,
      orderId,
      freezeId: await ledger.freeze(accountId, orderId),
      hitId: await ledger.makeHit(await ledger.makeParty()),
      requestId: await ledger.makeAuthorityRequest(),
      stream: `legalOrder-${orderId}`,
    };
    const closed = document.operations.filter((each) => isRead(each) && !each.roles.includes('service'));
    expect(closed.length).toBeGreaterThan(15);
    const told = ({ body }: Answer): unknown => [
      valueAt(body, 'code'),
      valueAt(body, 'detail'),
      valueAt(body, 'title'),
    ];
    for (const operation of closed) {
      const [real, made] = [pathOf(operation, ids), pathOf(operation)];
      const [answer, other] = [await ledger.get(SERVICE, real), await ledger.get(SERVICE, made)];
      expectProblem(answer, 403, 'forbidden');
      expect(told(answer)).toEqual(told(other));
    }
  });

  it('what a secret order says comes by no route, no filter and no id to whom it must not be told', async () => {
    const secret = 'PLANTED-CASE-4711';
    const holder = await ledger.makeParty();
    const accountId = await ledger.makeAccount({ btc: '1', holder });
    const more = { nonDisclosureUntil: '2099-01-01T00:00:00Z', caseReference: secret, statute: `statute ${secret}` };
    const orderId = await ledger.makeVerifiedOrder({ accounts: [accountId], parties: [holder], more });
    const freezeId = await ledger.freeze(accountId, orderId);
    const lift = { ...liftRequestOf('lift-1'), note: secret };
    wellDone(await ledger.post(OPS, `/v1/admin/freezes/${freezeId}/lift-requests`, lift), 'a lift request');
    wellDone(await ledger.post(OPS, `/v1/admin/legal-orders/${orderId}/changes`, endingOf('chg-1')), 'a change');
    const ids = {
      accountId,
      orderId,
      freezeId,
      partyId: holder,
      requestId: 'lift-1',
      changeId: 'chg-1',
      stream: `legalOrder-${orderId}`,
    };
    const filters = [
      '',
      `?accountId=${accountId}`,
      `?basisId=${orderId}`,
      `?partyId=${holder}`,
      `?stream=legalOrder-${orderId}`,
    ];
    let seen = 0;
    for (const operation of document.operations.filter(isRead)) {
      for (const role of operation.roles as readonly Role[]) {
        for (const filter of filters) {
          const { status, text } = await ledger.get(ONE_OF[role], `${pathOf(operation, ids)}${filter}`);
          expect([operation.template, role, filter, text.includes(secret)]).toEqual([
            operation.template,
            role,
            filter,
            false,
          ]);
          if (status === 200) seen += 1;
        }
      }
    }
    expect(seen).toBeGreaterThan(60);
    const told: Person = { sub: 'auditor-2', roles: ['auditor'], scope: 'confidential' };
    expect((await ledger.get(told, `/v1/admin/legal-orders/${orderId}`)).text).toContain(secret);
  });

  it('what belongs to one thing is not reached by way of another', async () => {
    const [mine, other] = [await ledger.makeAccount({ btc: '5' }), await ledger.makeAccount({ btc: '5' })];
    wellDone(await ledger.post(SERVICE, `/v1/accounts/${mine}/deposits`, depositOf('mine', '1')), 'a deposit');
    const withdrawalId = await ledger.makeWithdrawal(mine, '1');
    const [orderId, otherOrder] = [
      await ledger.makeVerifiedOrder({ accounts: [mine, other] }),
      await ledger.makeVerifiedOrder({ accounts: [mine, other] }),
    ];
    const [freezeId, otherFreeze] = [await ledger.freeze(mine, orderId), await ledger.freeze(other, otherOrder)];
    const changeId = await ledger.proposeEnding(orderId);
    const requestId = await ledger.requestLift(freezeId);
    const stolen: readonly (readonly [as: Person, path: string, body: object, code: string])[] = [
      [SERVICE, `/v1/accounts/${other}/deposits/mine/reversal`, { cause: 'mistake', reason: 'r' }, 'deposit-not-found'],
      [
        SERVICE,
        `/v1/accounts/${other}/withdrawals/${withdrawalId}/dispatch`,
        { reference: 'r' },
        'withdrawal-not-found',
      ],
      [
        SERVICE,
        `/v1/accounts/${other}/withdrawals/${withdrawalId}/cancellation`,
        { reason: 'r' },
        'withdrawal-not-found',
      ],
      [
        APPROVER,
        `/v1/admin/legal-orders/${otherOrder}/changes/${changeId}/verification`,
        { method: 'm' },
        'change-not-found',
      ],
      [APPROVER, `/v1/admin/freezes/${otherFreeze}/lift-requests/${requestId}/approval`, {}, 'lift-request-not-found'],
    ];
    for (const [as, path, body, code] of stolen) expectProblem(await ledger.post(as, path, body), 404, code);
    await ledger.read(AUDITOR, `/v1/accounts/${mine}/deposits/mine`);
    const reads: readonly (readonly [path: string, code: string])[] = [
      [`/v1/accounts/${other}/deposits/mine`, 'deposit-not-found'],
      [`/v1/accounts/${other}/withdrawals/${withdrawalId}`, 'withdrawal-not-found'],
      [`/v1/admin/legal-orders/${otherOrder}/changes/${changeId}`, 'change-not-found'],
      [`/v1/admin/freezes/${otherFreeze}/lift-requests/${requestId}`, 'lift-request-not-found'],
    ];
    for (const [path, code] of reads) expectProblem(await ledger.get(AUDITOR, path), 404, code);
  });
});

describe('API2:2023 Broken Authentication', () => {
  it('every route under /v1 asks for a token, and takes it from its one header alone', async () => {
    const token = await ledger.token(ALL);
    for (const operation of document.operations.filter(({ template }) => template.startsWith('/v1'))) {
      const ask = (query: string, headers: Record<string, string>): Promise<Answer> =>
        ledger.ask({ method: operation.method, path: `${pathOf(operation)}${query}`, headers });
      expectProblem(await ask('', {}), 401, 'unauthenticated');
      expectProblem(await ask(`?access_token=${token}`, {}), 401, 'unauthenticated');
      expectProblem(await ask('', { cookie: `token=${token}`, 'x-access-token': token }), 401, 'unauthenticated');
    }
  });

  it('who is refused does not learn what else is right or wrong', async () => {
    const details = new Set<string>();
    for (const header of [
      'Bearer x',
      'Bearer a.b.c',
      `Bearer ${'e'.repeat(2_000)}`,
      `Bearer ${(await ledger.token(OPS)).slice(0, -4)}AAAA`,
    ]) {
      const answer = await ledger.ask({ path: '/v1/accounts/nobody', headers: { authorization: header } });
      expectProblem(answer, 401, 'unauthenticated');
      details.add(textAt(answer.body, 'detail'));
    }
    expect([...details]).toEqual(['The token is not signed by a key that is known here.']);
  });
});

describe('API3:2023 Broken Object Property Level Authorization', () => {
  const NOT_FOR_CALLERS = [
    'state',
    'frozen',
    'balances',
    'freezes',
    'verifiedBy',
    'registeredBy',
    'approvedBy',
    'actor',
    'createdAt',
    'streamRevision',
    'citation',
    'roles',
  ];

  it('no command takes a field that is not its own', async () => {
    for (const operation of document.operations.filter(isCommand)) {
      const [role] = operation.roles as readonly Role[];
      for (const name of NOT_FOR_CALLERS) {
        const answer = await ledger.post(ONE_OF[role ?? 'ops'], pathOf(operation, { freezeId: FREEZE }), {
          [name]: 'x',
        });
        // One that comes in several kinds asks for the kind first.
        if (valueAt(answer.body, 'detail') === 'kind: is missing') continue;
        expectFieldRefused(answer, name);
      }
    }
  });

  it('a service sees of a freeze that it is there, and neither why nor for how much', async () => {
    const holder = await ledger.makeParty();
    const accountId = await ledger.makeAccount({ btc: '10', holder });
    const scope = { direction: 'debit', assets: ['BTC'], limits: { BTC: '7.77' } };
    const orderId = await ledger.makeVerifiedOrder({ accounts: [accountId], parties: [holder], more: { scope } });
    const freezeId = await ledger.freeze(accountId, orderId);
    const [account, list, party] = [
      await ledger.read(SERVICE, `/v1/accounts/${accountId}`),
      await ledger.read(SERVICE, '/v1/accounts?frozen=true'),
      await ledger.read(SERVICE, `/v1/parties/${holder}`),
    ];
    expect(valueAt(account, 'freezes')).toEqual([{ freezeId, direction: 'debit', assets: ['BTC'] }]);
    for (const seen of [account, list, party]) {
      const text = JSON.stringify(seen);
      for (const hidden of [orderId, '7.77', '"limits"', '"basis"', '"bases"', '"citation"', 'legal-order']) {
        expect([hidden, text.includes(hidden)]).toEqual([hidden, false]);
      }
    }
    expect(JSON.stringify(await ledger.read(OPS, `/v1/accounts/${accountId}`))).toContain('7.77');
  });
});

const FREEZE = '01900000-0000-7000-8000-000000000000';

describe('API4:2023 Unrestricted Resource Consumption', () => {
  const nested = (depth: number): string => '{"a":'.repeat(depth) + '1' + '}'.repeat(depth);
  const party = (content: string): Promise<Answer> =>
    ledger.ask({ as: SERVICE, method: 'POST', path: '/v1/parties', content });

  it('a body is read up to its limit, and judged without much ado', async () => {
    expectProblem(await party(`"${'x'.repeat(1_100_000)}"`), 413, 'payload-too-large');
    for (const content of [nested(100_000), '['.repeat(500_000), `{"partyId":"${'x'.repeat(1_000_000)}"}`]) {
      const answer = await party(content);
      expectProblem(answer, 400, 'malformed-request');
      expect(answer.text.length).toBeLessThan(20_000);
    }
    const manyKeys = await party(
      JSON.stringify(Object.fromEntries(Array.from({ length: 50_000 }, (_, n) => [`key-${String(n)}`, n]))),
    );
    expectProblem(manyKeys, 400, 'malformed-request');
    expect(valueAt(manyKeys.body, 'errors')).toHaveLength(50);
    const longName = await party(JSON.stringify({ ['n'.repeat(900_000)]: 1 }));
    expectProblem(longName, 400, 'malformed-request');
    expect(longName.text.length).toBeLessThan(2_000);
  });

  it('a list has its most, and a query its length', async () => {
    const lists = document.operations.filter(({ parameters }) => parameters.some(({ name }) => name === 'limit'));
    expect(lists.length).toBeGreaterThan(10);
    for (const operation of lists) {
      const maximum = Number(operation.parameters.find(({ name }) => name === 'limit')?.schema['maximum']);
      const limit = operation.template.endsWith('/events') ? maximum : 500;
      expect([operation.template, maximum]).toEqual([operation.template, limit]);
      const answer = await ledger.get(ALL, `${pathOf(operation)}?limit=${String(maximum + 1)}`);
      expectFieldRefused(answer, 'limit');
    }
    expectFieldRefused(await ledger.get(ALL, `/v1/accounts?cursor=${'x'.repeat(5_000)}`), 'cursor');
  });

  it(
    'a caller has its share, and the service its most at once',
    async () => {
      const small = await Ledger.start({ WRIT_RATE_LIMIT: '4', WRIT_CONCURRENCY_LIMIT: '5' });
      try {
        const hasty = await Promise.all(
          Array.from({ length: 100 }, () => small.get({ sub: 'hasty', roles: ['service'] }, '/v1/assets')),
        );
        expect(hasty.map(({ body }) => valueAt(body, 'code'))).toContain('rate-limited');
        const waiting = Array.from({ length: 8 }, (_, n) =>
          small.get({ sub: `waiting-${String(n)}`, roles: ['service'] }, `/v1/assets?atLeast=${'f'.repeat(16)}`),
        );
        const codes = (await Promise.all(waiting)).map(({ body }) => textAt(body, 'code'));
        expect(codes.sort()).toEqual([
          ...Array<string>(3).fill('overloaded'),
          ...Array<string>(5).fill('read-model-behind'),
        ]);
        expect((await small.get({ sub: 'patient', roles: ['service'] }, '/v1/assets')).status).toBe(200);
      } finally {
        await small.end();
      }
    },
    START_LIMIT_MS,
  );

  it('a head has its most, and those who send theirs slowly keep nobody else waiting', async () => {
    const { hostname, port } = new URL(ledger.service.url);
    const sockets: Socket[] = [];
    try {
      for (let n = 0; n < 300; n += 1) {
        const socket = connect(Number(port), hostname).on('error', () => undefined);
        socket.write('GET /v1/assets HTTP/1.1\r\nHost: x\r\nX-Slow: ');
        sockets.push(socket);
      }
      for (let n = 0; n < 50; n += 1) {
        for (const socket of sockets.slice(0, 20)) socket.write('a');
        expect((await ledger.get(OPS, '/v1/assets')).status).toBe(200);
      }
      const long = await ledger.ask({ path: '/v1/assets', headers: { 'x-long': 'x'.repeat(20_000) } });
      expectProblem(long, 400, 'malformed-request');
    } finally {
      for (const socket of sockets) socket.destroy();
    }
  });
});

describe('API5:2023 Broken Function Level Authorization', () => {
  it('each route is for the roles that the document names, and for no other', async () => {
    for (const operation of document.operations.filter(({ template }) => template.startsWith('/v1'))) {
      expect(operation.roles.length).toBeGreaterThan(0);
      for (const role of ROLES) {
        const { status } = await ledger.ask({
          as: ONE_OF[role],
          method: operation.method,
          path: pathOf(operation),
          content: operation.method === 'POST' ? '{' : '',
        });
        expect([operation.template, role, status === 403]).toEqual([
          operation.template,
          role,
          !operation.roles.includes(role),
        ]);
        if (operation.method === 'POST') continue;
        const head = await ledger.ask({ as: ONE_OF[role], method: 'HEAD', path: pathOf(operation) });
        expect([operation.template, role, head.status]).toEqual([operation.template, role, status]);
      }
    }
  });

  it('another way to write a request opens no other door', async () => {
    const as = SERVICE;
    for (const path of [
      '/v1/admin/freezes',
      '/v1/Admin/freezes',
      '/v1//admin/freezes',
      '/v1/./admin/freezes',
      '/v1/accounts/../admin/freezes',
      '/v1/accounts/%2e%2e/admin/freezes',
      '/v1/%61dmin/freezes',
      '/v1/admin/freezes/',
      '/v1/admin/freezes;a=b',
      '/v1/admin%2ffreezes',
    ]) {
      const answer = await ledger.get(as, path);
      expect([path, [400, 403, 404].includes(answer.status)]).toEqual([path, true]);
    }
    const disguises: readonly Record<string, string>[] = [
      { 'x-http-method-override': 'POST', 'x-method-override': 'POST' },
      { 'x-original-url': '/v1/admin/freezes', 'x-rewrite-url': '/v1/admin/freezes' },
      { 'x-forwarded-for': '127.0.0.1', 'x-forwarded-user': 'root', 'x-roles': 'ops' },
    ];
    for (const headers of disguises) {
      const answer = await ledger.ask({ as, path: '/v1/assets', headers });
      expect([answer.status, valueAt(answer.body, 'items')]).toEqual([200, expect.any(Array)]);
      expectProblem(await ledger.ask({ as, path: '/v1/admin/freezes', headers }), 403, 'forbidden');
    }
  });
});

describe('API6:2023 Unrestricted Access to Sensitive Business Flows', () => {
  it('nobody freezes or frees by a basis that they alone vouch for, whatever roles they have', async () => {
    const accountId = await ledger.makeAccount({ btc: '1' });
    const orderId = ledger.id('ord');
    wellDone(await ledger.post(ALL, '/v1/admin/legal-orders', orderOf(orderId, { accounts: [accountId] })), 'an order');
    const order = `/v1/admin/legal-orders/${orderId}`;
    expectProblem(await ledger.post(ALL, `${order}/verification`, { method: 'm' }), 422, 'maker-is-checker');
    const freezes = `/v1/admin/accounts/${accountId}/freezes`;
    expectProblem(await ledger.post(ALL, freezes, freezeOf(orderId)), 422, 'basis-not-in-force');
    await ledger.verify(orderId);
    const freezeId = textAt(
      wellDone(await ledger.post(ALL, freezes, freezeOf(orderId)), 'a freeze').body,
      'freeze.freezeId',
    );
    wellDone(await ledger.post(ALL, `${order}/changes`, endingOf('chg-1')), 'a change');
    expectProblem(
      await ledger.post(ALL, `${order}/changes/chg-1/verification`, { method: 'm' }),
      422,
      'maker-is-checker',
    );
    const lifts = `/v1/admin/freezes/${freezeId}/lift-requests`;
    wellDone(await ledger.post(ALL, lifts, liftRequestOf('lift-1')), 'a lift request');
    expectProblem(await ledger.post(ALL, `${lifts}/lift-1/approval`, {}), 422, 'maker-is-checker');
    expect(await ledger.replayed(accountId)).toMatchObject({ freezes: [{ freezeId }] });
  });

  it(
    'a flow that is run again and again by one key happens once, and refusals fill no log',
    async () => {
      const small = await Ledger.start({ WRIT_REFUSAL_LIMIT: '3' });
      try {
        const accountId = await small.makeAccount({ btc: '1' });
        const deposit = (): Promise<Answer> =>
          small.post(SERVICE, `/v1/accounts/${accountId}/deposits`, depositOf('dep', '1'), { key: 'one' });
        await Promise.all(Array.from({ length: 30 }, deposit));
        expect(await small.replayed(accountId)).toMatchObject({ balances: [{ available: '2.00000000' }] });
        const wrong = (): Promise<Answer> =>
          small.post(OPS, `/v1/admin/accounts/${accountId}/freezes`, freezeOf('no-order'));
        const statuses: number[] = [];
        for (let n = 0; n < 10; n += 1) statuses.push((await wrong()).status);
        expect(statuses).toEqual([422, 422, 422, ...Array<number>(7).fill(429)]);
      } finally {
        await small.end();
      }
    },
    START_LIMIT_MS,
  );
});

describe('API7:2023 Server Side Request Forgery', () => {
  let server: Server;
  let asked = 0;
  beforeAll(async () => {
    server = createServer((_, response) => {
      asked += 1;
      response.end('{"keys":[]}');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterAll(() => new Promise((resolve) => server.close(resolve)));

  it('no address that a request brings is ever asked', async () => {
    const url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}/x`;
    const partyId = ledger.id('p');
    wellDone(await ledger.post(SERVICE, '/v1/parties', { partyId, kind: 'person', externalRef: url }), 'a party');
    const accountId = await ledger.makeAccount();
    const source = { kind: 'onchain', reference: url, chain: 'bitcoin', address: url, memo: url };
    wellDone(
      await ledger.post(SERVICE, `/v1/accounts/${accountId}/deposits`, { ...depositOf('d', '1'), source }),
      'a deposit',
    );
    const more = { underlyingRequest: url, statute: url, caseReference: url };
    await ledger.makeVerifiedOrder({ accounts: [accountId], more });
    const header = Buffer.from(JSON.stringify({ alg: 'ES256', kid: url, jku: url, x5u: url })).toString('base64url');
    const headers = {
      authorization: `Bearer ${header}.e30.AAAA`,
      host: new URL(url).host,
      'x-forwarded-host': url,
      referer: url,
    };
    expectProblem(await ledger.ask({ path: '/v1/assets', headers }), 401, 'unauthenticated');
    await ledger.read(AUDITOR, `/v1/accounts/${accountId}`);
    expect(asked).toBe(0);
  });
});

describe('API8:2023 Security Misconfiguration', () => {
  const OF_PROVIDER = { WRIT_JWT_ISSUER: 'i', WRIT_JWT_AUDIENCE: 'a' };
  const PROTECTED = {
    'cache-control': 'no-store',
    'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
    'x-content-type-options': 'nosniff',
  };

  it('whatever is answered is not kept, not framed, not taken for anything else, and names no software', async () => {
    const answers = [
      await ledger.get(OPS, '/v1/assets'),
      await ledger.get(OPS, '/v1/assets/NONE'),
      await ledger.get(OPS, '/v1/assets/%zz'),
      await ledger.get(OPS, '/v1/nothing'),
      await ledger.get(SERVICE, '/v1/admin/freezes'),
      await ledger.ask({ path: '/v1/assets' }),
      await ledger.ask({ path: '/health/ready' }),
      await ledger.ask({ path: '/metrics' }),
      await ledger.ask({ path: '/openapi.json' }),
      await ledger.get(AUDITOR, '/v1/audit/events', { accept: 'application/x-ndjson' }),
      await ledger.post(OPS, '/v1/assets', {}),
    ];
    for (const { headers } of answers) {
      expect(headers).toMatchObject(PROTECTED);
      for (const name of ['server', 'x-powered-by', 'via']) expect(headers).not.toHaveProperty(name);
    }
    const page = await ledger.ask({ path: '/docs' });
    expect(page.headers['content-security-policy']).toMatch(/default-src 'none'; script-src 'self';/);
  });

  it('pages of other origins are let in by nothing', async () => {
    const headers = {
      origin: 'https://evil.example',
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'authorization',
    };
    const answers = [
      await ledger.ask({ as: OPS, path: '/v1/assets', headers }),
      await ledger.ask({ method: 'OPTIONS', path: '/v1/assets', headers }),
      await ledger.ask({ as: OPS, method: 'OPTIONS', path: '/v1/assets', headers }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([200, 401, 404]);
    for (const answer of answers) {
      expect(Object.keys(answer.headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
    }
  });

  it.each(['TRACE', 'PUT', 'PATCH', 'DELETE', 'PROPFIND', 'LOCK'])(
    '%s is no method of any route, and nothing is echoed',
    async (method) => {
      for (const path of ['/v1/assets', '/v1/assets/BTC', '/health/live', '/metrics']) {
        const answer = await ledger.ask({ as: ALL, method, path, headers: { 'x-planted': 'echo-me' } });
        expectProblem(answer, 404, 'not-found');
        expect(answer.text).not.toContain('echo-me');
      }
    },
  );

  it.each<[string, Record<string, string>]>([
    ['in production', { NODE_ENV: 'production' }],
    ['for other machines', { HOST: '0.0.0.0' }],
    ['for other machines, by IPv6', { HOST: '::' }],
    ['with keys of an open network', { WRIT_JWKS_URL: 'http://id.example/keys', ...OF_PROVIDER }],
    ['with keys of a file scheme', { WRIT_JWKS_URL: 'file:///etc/passwd', ...OF_PROVIDER }],
    ['with keys and nobody who issues', { WRIT_JWKS_FILE: 'keys.json', WRIT_JWT_AUDIENCE: 'a' }],
    ['with keys and for nobody', { WRIT_JWKS_FILE: 'keys.json', WRIT_JWT_ISSUER: 'i' }],
  ])('a service that makes its own keys, or trusts those of anybody, has no configuration %s', (_, environment) => {
    expect(() => readConfig(environment)).toThrow(ConfigError);
  });

  it(
    'a service that makes its own keys does not start in production',
    async () => {
      const { code, printed } = await startInVain({ NODE_ENV: 'production' });
      expect(printed).toMatch(/^WRIT_JWKS_URL .+ is not for production\n$/);
      expect(code).toBe(1);
    },
    START_LIMIT_MS,
  );
});

describe('API9:2023 Improper Inventory Management', () => {
  /** What is served and not in the document: the document, and the pages that show it. */
  const PAGES = /^\/(openapi\.json|docs)(\/|$)/;
  let service: TestService;
  beforeAll(async () => {
    service = await startTestService();
  });
  afterAll(() => service.close());

  /** Every route that Fastify has, as `GET /v1/assets/:code`. */
  function served(): readonly string[] {
    const printed: string = service.app.getHttpAdapter().getInstance().printRoutes({ commonPrefix: false });
    const path: string[] = [];
    return printed.split('\n').flatMap((line) => {
      const [, indent = '', part = '', , methods = ''] = /^([│ ]*)[├└]── (.*?)( \((.*)\))?$/u.exec(line) ?? [];
      if (part === '') return [];
      path.splice(indent.length / 4, Number.MAX_SAFE_INTEGER, part);
      return methods
        .split(', ')
        .filter((method) => method !== '' && method !== 'HEAD')
        .map((method) => `${method} ${path.join('')}`);
    });
  }

  it('every route that is served is in the document, and the document has no other', () => {
    const described = document.operations.map(
      ({ method, template }) => `${method} ${template.replaceAll(/\{(\w+)\}/g, ':$1')}`,
    );
    const routes = served().filter((route) => !PAGES.test(route.replace(/^\w+ /, '')));
    expect([...routes].sort()).toEqual([...described].sort());
    expect(routes.length).toBeGreaterThan(60);
  });

  it('the document that is committed is the one that is served', async () => {
    const committed: unknown = JSON.parse(readFileSync(`${root}docs/openapi.json`, 'utf8'));
    expect((await ledger.ask({ path: '/openapi.json' })).body).toEqual(committed);
  });

  it('there is one version, and no other host in a path', async () => {
    for (const path of [
      '/v0/assets',
      '/v2/assets',
      '/api/v1/assets',
      '/internal',
      '/debug/pprof',
      '/actuator/env',
      '/.env',
      '/.git/config',
      '/admin',
      '/graphql',
      '/server-status',
      '/docs/../../package.json',
      '/docs/%2e%2e/%2e%2e/package.json',
    ]) {
      const { status } = await ledger.ask({ as: ALL, path });
      expect([path, status === 404 || status === 400 || status === 403]).toEqual([path, true]);
    }
  });
});
