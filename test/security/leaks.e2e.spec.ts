import { StoreError, type EventStore } from '#event-store';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { LightMyRequestResponse } from 'fastify';
import { readFileSync } from 'node:fs';
import type { IncomingHttpHeaders } from 'node:http';
import { tmpdir } from 'node:os';
import { startTestService, type TestRequest, type TestService } from '../../apps/ledger/src/testing/service.ts';
import { root } from '../e2e/support/pages.ts';
import { ApiDocument, type Schema } from './support/document.ts';

/** What an error of the store says when it is least careful. */
const CARELESS =
  "SQLITE_IOERR of /srv/writ/data/events.db with Bearer eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln in SELECT data FROM events WHERE stream = 'a'";
/** For requests that wait for a store that fails, on a machine that is busy with other things. */
const LIMIT_MS = 120_000;
const AMOUNT = '4242.42424242';
const AMOUNTS = [AMOUNT, '424242424242', '99999.12345678', '9999912345678'];
const PERSONS = ['planted-person', 'crm:planted-reference', 'planted-caller'];

/** What nothing that leaves the service may hold, by what it is. */
const FORBIDDEN: Readonly<Record<string, RegExp>> = {
  'a token': /eyJ[\w-]+\.[\w-]*|Bearer \S+\./,
  'a stack': /\n\s+at |\\n\s+at |\bat \S+ \(|\.[cm]?[jt]s:\d+:\d+/,
  'a path': new RegExp(['/srv/', 'node_modules', 'file://', '/usr/', '/home/', root, tmpdir()].join('|')),
  SQL: /\b(SELECT|INSERT|UPDATE|DELETE) \w|FROM events/,
};

function foundIn(text: string): readonly string[] {
  return Object.entries(FORBIDDEN).flatMap(([what, pattern]) => (pattern.test(text) ? [what] : []));
}

type Trouble = 'none' | 'store' | 'bug' | 'foreign';

/** As a library may throw: no error at all, and with all sorts of things on it. */
const FOREIGN = { name: CARELESS, message: CARELESS, stack: CARELESS, sql: CARELESS } as Error;

/** A store that can be made to fail, whatever is asked of it. */
class TroubledStore {
  trouble: Trouble = 'none';

  over<Store extends EventStore>(store: Store): Store {
    return new Proxy(store, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value !== 'function') return value;
        return (...args: unknown[]): unknown => {
          if (name === 'append' || name === 'read' || name === 'readAll' || name === 'head') {
            const error = this.#error();
            if (error !== undefined) return Promise.reject(error);
          }
          return Reflect.apply(value, target, args) as unknown;
        };
      },
    });
  }

  #error(): Error | undefined {
    if (this.trouble === 'store') return new StoreError('store-unavailable', CARELESS);
    if (this.trouble === 'bug') return new TypeError(CARELESS, { cause: new Error(CARELESS) });
    return this.trouble === 'foreign' ? FOREIGN : undefined;
  }
}

const SERVICE = ['planted-caller', 'service'] as const;
const OPS = ['planted-caller', 'ops'] as const;
const EVERYONE = ['planted-caller', 'service', 'ops', 'approver', 'auditor'] as const;

describe('what leaves the service', () => {
  const troubled = new TroubledStore();
  let service: TestService;
  const answers: { readonly what: string; readonly request: TestRequest; readonly response: LightMyRequestResponse }[] =
    [];

  async function send(what: string, request: TestRequest): Promise<LightMyRequestResponse> {
    const response = await service.send(request);
    answers.push({ what, request, response });
    return response;
  }

  beforeAll(async () => {
    service = await startTestService({ share: (store) => troubled.over(store), limits: { retryMs: 200 } });
    await settle();
    for (const trouble of ['none', 'store', 'bug', 'foreign', 'none'] as const) {
      troubled.trouble = trouble;
      for (const [what, request] of await requests()) await send(`${trouble}: ${what}`, request);
    }
    await send('the metrics', { url: '/metrics' });
  }, LIMIT_MS);
  afterAll(async () => {
    troubled.trouble = 'none';
    await service.close();
  });

  async function settle(): Promise<void> {
    const identification = { method: 'passport', evidenceSha256: 'e'.repeat(64), identifiedAt: '2022-01-01T00:00:00Z' };
    const person = 'planted-person';
    const steps: readonly TestRequest[] = [
      { url: '/v1/assets', as: OPS, body: { code: 'BTC', scale: 8, kind: 'crypto' } },
      {
        url: '/v1/parties',
        as: SERVICE,
        body: { partyId: person, kind: 'person', externalRef: 'crm:planted-reference' },
      },
      { url: `/v1/parties/${person}/identification`, as: SERVICE, body: identification },
      {
        url: '/v1/accounts',
        as: SERVICE,
        body: { accountId: 'acc-1', holders: [{ partyId: person, capacity: 'owner' }] },
      },
      { url: '/v1/accounts/acc-1/deposits', as: SERVICE, body: deposit('dep-1', AMOUNT) },
    ];
    for (const step of steps) expect((await send('settling', step)).statusCode).toBeLessThan(300);
  }

  function deposit(depositId: string, amount: string): object {
    return { depositId, asset: 'BTC', amount, source: { kind: 'bank', reference: 'planted-person' } };
  }

  /** Requests of all sorts, those that go well among them. */
  async function requests(): Promise<readonly (readonly [string, TestRequest])[]> {
    const token = await service.token(...EVERYONE);
    const withdrawal = (amount: string): object => ({
      withdrawalId: 'w',
      asset: 'BTC',
      amount,
      destination: { kind: 'bank' },
    });
    return [
      [
        'a deposit',
        { url: '/v1/accounts/acc-1/deposits', as: SERVICE, body: deposit(`dep-${String(answers.length)}`, '1') },
      ],
      ['a deposit once more', { url: '/v1/accounts/acc-1/deposits', as: SERVICE, body: deposit('dep-1', AMOUNT) }],
      ['too much', { url: '/v1/accounts/acc-1/withdrawals', as: SERVICE, body: withdrawal('99999.12345678') }],
      ['too many decimals', { url: '/v1/accounts/acc-1/withdrawals', as: SERVICE, body: withdrawal(`${AMOUNT}1`) }],
      [
        'an amount as a number',
        { url: '/v1/accounts/acc-1/withdrawals', as: SERVICE, body: withdrawal(4242.42424242 as never) },
      ],
      [
        'JSON that breaks off',
        { url: '/v1/accounts/acc-1/deposits', as: SERVICE, text: `{"amount":"${AMOUNT}","partyId":"planted-person` },
      ],
      ['a token in the path', { url: `/v1/nothing/${token}?access_token=${token}`, as: OPS }],
      ['a token that is none', { url: '/v1/assets', headers: { authorization: `Bearer ${token}x` } }],
      ['a token of another scheme', { url: '/v1/assets', headers: { authorization: `Basic ${token}` } }],
      ['nobody', { url: '/v1/accounts/acc-1' }],
      ['who may not', { url: '/v1/audit/events', as: SERVICE }],
      ['bad percent-encoding', { url: '/v1/accounts/%zz', as: EVERYONE }],
      ['a long id', { url: `/v1/accounts/${'a'.repeat(5_000)}`, as: EVERYONE }],
      ['another content', { url: '/v1/parties', as: SERVICE, text: 'a=b', headers: { 'content-type': 'text/plain' } }],
      ['too large', { url: '/v1/parties', as: SERVICE, text: 'x'.repeat(100_000) }],
      [
        'the log',
        { url: '/v1/audit/events?stream=account-acc-1', as: EVERYONE, headers: { accept: 'application/x-ndjson' } },
      ],
      ['the log in pages', { url: '/v1/audit/events?limit=2', as: EVERYONE }],
      ['a stream', { url: '/v1/audit/streams/account-acc-1', as: EVERYONE }],
      ['a replay', { url: '/v1/audit/accounts/acc-1', as: EVERYONE }],
      [
        'a freeze without a basis',
        { url: '/v1/admin/accounts/acc-1/freezes', as: OPS, body: { basis: { kind: 'legal-order', id: 'none' } } },
      ],
      ['an order of nobody', { url: '/v1/admin/legal-orders/none/verification', as: EVERYONE, body: { method: 'm' } }],
      ['a cursor that is none', { url: '/v1/accounts?cursor=SELECT', as: EVERYONE }],
      ['readiness', { url: '/health/ready' }],
    ];
  }

  /** What a caller sent in the path stands in `instance`: it tells nobody anything new. */
  const textOf = ({ body }: LightMyRequestResponse): string => body.replace(/"instance":"[^"]*"/, '');

  it('failed in every way that was meant', () => {
    const statuses = new Set(answers.map(({ response }) => response.statusCode));
    for (const status of [200, 201, 400, 401, 403, 404, 409, 413, 415, 422, 500, 503])
      expect(statuses).toContain(status);
    const byTrouble = (trouble: Trouble, status: number): number =>
      answers.filter(({ what, response }) => what.startsWith(`${trouble}:`) && response.statusCode === status).length;
    expect(byTrouble('store', 503)).toBeGreaterThan(3);
    expect(byTrouble('bug', 500)).toBeGreaterThan(3);
    expect(byTrouble('foreign', 500)).toBeGreaterThan(3);
    expect(byTrouble('none', 500)).toBe(0);
  });

  it('as an answer is as the OpenAPI document says, whatever failed', () => {
    const document = new ApiDocument(JSON.parse(readFileSync(`${root}docs/openapi.json`, 'utf8')) as Schema);
    const objections = answers.flatMap(({ what, request: { method, url, body, text }, response }) => {
      const asked = method ?? (body === undefined && text === undefined ? 'GET' : 'POST');
      const { statusCode: status, headers } = response;
      const parsed: unknown =
        String(headers['content-type']).includes('json;') || String(headers['content-type']).endsWith('problem+json')
          ? response.json()
          : undefined;
      const answer = { status, headers: headers as IncomingHttpHeaders, text: response.body, body: parsed };
      return document.objections(document.operationOf(asked, url), asked, answer).map((said) => `${what}: ${said}`);
    });
    expect(objections).toEqual([]);
  });

  it('as an answer has no token, no stack, no path of a file and no SQL', () => {
    const wrong = answers.flatMap(({ what, response }) =>
      foundIn(`${textOf(response)} ${JSON.stringify(response.headers)}`).map((found) => `${what}: ${found}`),
    );
    expect(wrong).toEqual([]);
  });

  it('as an answer to what failed has no amount beside the id of a person', () => {
    const failed = answers
      .filter(({ response }) => response.statusCode >= 400)
      .map(({ what, response }) => [what, textOf(response)] as const);
    expect(failed.filter(([, text]) => AMOUNTS.some((amount) => text.includes(amount)))).toEqual([]);
    expect(failed.filter(([, text]) => PERSONS.some((person) => text.includes(person)))).toEqual([]);
  });

  it('as a line of the log has no token, no stack, no path of a file, no SQL, and no amount', () => {
    expect(service.log.length).toBeGreaterThan(100);
    expect(service.log.filter((line) => foundIn(line).length > 0)).toEqual([]);
    expect(service.log.filter((line) => AMOUNTS.some((amount) => line.includes(amount)))).toEqual([]);
    // Of persons it names those who act, and nobody whom it is about.
    expect(service.log.filter((line) => /planted-person|planted-reference/.test(line))).toEqual([]);
    expect(service.log.filter((line) => line.includes('planted-caller')).length).toBeGreaterThan(0);
  });

  it('as a line of the log tells enough of a failure to find it', () => {
    const failures = service.log
      .filter((line) => line.includes('"a request failed"'))
      .map((line) => JSON.parse(line) as unknown);
    expect(failures.length).toBeGreaterThan(3);
    for (const failure of failures) {
      expect(failure).toMatchObject({
        correlationId: expect.any(String),
        route: expect.any(String),
        err: { message: expect.any(String) },
      });
    }
    const named = failures.filter((failure) => /"at":"leaks\.e2e\.spec\.ts:\d+"/.test(JSON.stringify(failure)));
    expect(named.length).toBeGreaterThan(0);
  });

  it('as a metric has labels out of a few words, and none of a caller', async () => {
    const { body } = await service.send({ url: '/metrics' });
    expect(foundIn(body)).toEqual([]);
    const labels = [...body.matchAll(/(\w+)="([^"]*)"/g)].map(([, name = '', value = '']) => [name, value] as const);
    const said = (label: string): readonly string[] => [
      ...new Set(labels.filter(([name]) => name === label).map(([, value]) => value)),
    ];
    expect(
      said('route').filter(
        (route) => !/^(unknown|\/[a-z0-9/:.-]*|\/[\w/:.-]*\*?)$/.test(route) || /acc-1|none|nothing/.test(route),
      ),
    ).toEqual([]);
    expect(said('route')).toContain('unknown');
    for (const value of [...AMOUNTS, ...PERSONS, 'acc-1', 'dep-1'])
      expect([value, body.includes(value)]).toEqual([value, false]);
    expect(said('outcome').filter((outcome) => !/^[a-z-]+$/.test(outcome))).toEqual([]);
  });
});
