import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { LightMyRequestResponse } from 'fastify';
import { connect } from 'node:net';
import { RawClient, requestText } from '../testing/raw-client.ts';
import { startTestService, type TestRequest, type TestService } from '../testing/service.ts';

const OPS = ['ops-1', 'ops'] as const;
const ASSET = { code: 'BTC', scale: 8, kind: 'crypto' };

let service: TestService;
let url: string;
beforeAll(async () => {
  service = await startTestService();
  url = await service.listen();
});
afterAll(() => service.close());

function expectProblem(response: LightMyRequestResponse, status: number, code: string): Record<string, unknown> {
  expect(response.statusCode).toBe(status);
  expect(response.headers['content-type']).toBe('application/problem+json');
  const body: Record<string, unknown> = response.json();
  expect(body).toMatchObject({ type: `urn:writ:problem:${code}`, status, code });
  expect(body['correlationId']).toBe(response.headers['x-correlation-id']);
  for (const member of ['title', 'detail', 'instance']) expect(typeof body[member]).toBe('string');
  expect(response.body).not.toMatch(/stack|node_modules|FST_ERR|SQL| at /);
  return body;
}

describe('what the framework turns down is a problem too', () => {
  it.each<[string, TestRequest, number, string]>([
    ['an unknown route', { url: '/v1/nothing', as: OPS }, 404, 'not-found'],
    ['an unknown route outside', { url: '/nothing' }, 404, 'not-found'],
    ['another method', { method: 'DELETE', url: '/v1/assets', as: OPS }, 404, 'not-found'],
    ['OPTIONS', { method: 'OPTIONS', url: '/v1/assets', as: OPS }, 404, 'not-found'],
    ['a trailing slash', { url: '/v1/assets/', as: OPS }, 404, 'not-found'],
    ['an empty segment', { url: '/v1/accounts//entries', as: OPS }, 404, 'not-found'],
    ['bad percent-encoding', { url: '/v1/accounts/%zz', as: OPS }, 400, 'malformed-request'],
    ['an id of 10,000 characters', { url: `/v1/accounts/${'a'.repeat(10_000)}`, as: OPS }, 400, 'malformed-request'],
    ['an id with a slash in it', { url: '/v1/accounts/a%2Fb', as: OPS }, 400, 'malformed-request'],
    ['an id with a control character', { url: '/v1/accounts/a%00', as: OPS }, 400, 'malformed-request'],
    ['an id that climbs', { url: '/v1/accounts/..%2f..', as: OPS }, 400, 'malformed-request'],
    ['an unknown parameter', { url: '/v1/assets?page=1', as: OPS }, 400, 'malformed-request'],
    ['JSON that is none', { url: '/v1/assets', as: OPS, text: '{"code":' }, 400, 'malformed-request'],
    ['a body of nothing', { url: '/v1/assets', as: OPS, text: '' }, 400, 'malformed-request'],
    ['no body', { method: 'POST', url: '/v1/assets', as: OPS }, 400, 'malformed-request'],
    ['an array', { url: '/v1/assets', as: OPS, body: [ASSET] }, 400, 'malformed-request'],
    ['a string', { url: '/v1/assets', as: OPS, body: 'BTC' }, 400, 'malformed-request'],
    ['null', { url: '/v1/assets', as: OPS, body: null }, 400, 'malformed-request'],
    ['broken UTF-8', { url: '/v1/assets', as: OPS, text: Buffer.from([0x22, 0xff, 0x22]) }, 400, 'malformed-request'],
    ['a body over the limit', { url: '/v1/assets', as: OPS, text: ' '.repeat(70_000) }, 413, 'payload-too-large'],
    [
      'a form',
      {
        url: '/v1/assets',
        as: OPS,
        text: 'code=BTC',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
      },
      415,
      'unsupported-media-type',
    ],
    [
      'plain text',
      { url: '/v1/assets', as: OPS, text: '{}', headers: { 'content-type': 'text/plain' } },
      415,
      'unsupported-media-type',
    ],
    [
      'JSON of another kind',
      { url: '/v1/assets', as: OPS, text: '{}', headers: { 'content-type': 'application/json-patch+json' } },
      415,
      'unsupported-media-type',
    ],
    [
      'a type that is none',
      { url: '/v1/assets', as: OPS, text: '{}', headers: { 'content-type': 'json' } },
      415,
      'unsupported-media-type',
    ],
    ...[
      { 'content-encoding': 'gzip' },
      { 'content-encoding': 'identity, br' },
      { 'content-type': 'application/json; charset=iso-8859-1' },
      { 'content-type': 'application/json;charset="UTF-16"' },
    ].map((headers): [string, TestRequest, number, string] => [
      `a body as ${JSON.stringify(headers)}`,
      { url: '/v1/assets', as: OPS, body: ASSET, headers },
      415,
      'unsupported-media-type',
    ]),
    [
      'a body of a coding that is not taken, on an unknown route',
      { url: '/v1/nothing', as: OPS, body: ASSET, headers: { 'content-encoding': 'gzip' } },
      404,
      'not-found',
    ],
    ['a command with parameters', { url: '/v1/assets?dry=1', as: OPS, body: ASSET }, 400, 'malformed-request'],
  ])('%s', async (_, request, status, code) => {
    expectProblem(await service.send(request), status, code);
  });

  it.each([
    { 'content-encoding': 'Identity' },
    { 'content-type': 'application/json; charset=UTF-8' },
    { 'content-type': 'application/json;charset="utf-8"' },
  ])('and a body as it is to be is taken: %j', async (headers) => {
    const body = { ...ASSET, scale: 'eight' };
    const answer = expectProblem(
      await service.send({ url: '/v1/assets', as: OPS, body, headers }),
      400,
      'malformed-request',
    );
    expect(answer['errors']).toMatchObject([{ field: 'scale' }]);
  });

  it('names what is wrong', async () => {
    const body = expectProblem(await service.send({ url: '/v1/assets', as: OPS, text: '{' }), 400, 'malformed-request');
    expect(body['errors']).toEqual([{ field: 'body', message: 'must be valid JSON' }]);
  });

  it('names the id that is too long, as any other wrong id', async () => {
    const response = await service.send({ url: `/v1/accounts/${'a'.repeat(10_000)}`, as: OPS });
    const { errors } = expectProblem(response, 400, 'malformed-request');
    expect(errors).toEqual([{ field: 'accountId', message: expect.any(String) }]);
  });

  it('keeps the connection after a body that is not JSON', async () => {
    const response = await service.send({ url: '/v1/assets', as: OPS, text: '{' });
    expect(response.headers.connection).not.toBe('close');
  });

  it.each<TestRequest>([
    { url: '/v1/nothing' },
    { url: '/v1/accounts/%zz' },
    { url: '/v1/assets', text: '{' },
    { url: '/v1/assets', text: ' '.repeat(70_000) },
    { url: '/v1/assets', text: 'a=b', headers: { 'content-type': 'application/x-www-form-urlencoded' } },
    { url: '/%76%31/assets' },
    { url: 'http://127.0.0.1/v1/assets' },
  ])('asks who it is before anything else: $url, %#', async (request) => {
    const response = await service.send(request);
    expectProblem(response, 401, 'unauthenticated');
    expect(response.headers['www-authenticate']).toBe('Bearer realm="writ"');
  });

  it.each([
    { url: '/v1/assets', text: '{', as: ['a', 'auditor'] },
    { url: '/v1/assets', body: ASSET, as: ['a'] },
    { url: '/v1/assets', as: ['a'] },
    { url: '/v1/assets', text: 'a=b', headers: { 'content-type': 'text/plain' }, as: ['s', 'service'] },
  ] as const)('says who may not before it looks at a body: %#', async (request) => {
    expectProblem(await service.send(request), 403, 'forbidden');
  });

  it('answers HEAD as GET, without the body', async () => {
    const response = await service.send({ method: 'HEAD', url: '/v1/assets', as: OPS });
    expect([response.statusCode, response.body]).toEqual([200, '']);
    expect((await service.send({ method: 'HEAD', url: '/v1/nothing', as: OPS })).statusCode).toBe(404);
  });

  it('answers what is not even HTTP', async () => {
    const { port } = new URL(url);
    const text = await new Promise<string>((resolve, reject) => {
      let received = '';
      const socket = connect(Number(port), '127.0.0.1', () => socket.write('NONSENSE\r\n\r\n'));
      socket.on('data', (part) => (received += String(part)));
      socket.on('end', () => resolve(received));
      socket.on('error', reject);
    });
    expect(text).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
    expect(text).toContain('application/problem+json');
    expect(JSON.parse(text.slice(text.indexOf('\r\n\r\n')))).toMatchObject({ code: 'malformed-request', status: 400 });
  });
});

describe('what HTTP itself rules out in a head is a problem too', () => {
  let token: string;
  beforeAll(async () => {
    token = await service.token(...OPS);
  });

  async function answerTo(text: string): Promise<{ head: string; body: string }> {
    const client = await RawClient.connect(url);
    client.send(text);
    const [head = '', body = ''] = (await client.answer()).split('\r\n\r\n');
    client.end();
    return { head, body };
  }
  const assets = (version: string, ...lines: readonly string[]): string =>
    [`GET /v1/assets HTTP/${version}`, `Authorization: Bearer ${token}`, ...lines, '', ''].join('\r\n');

  it.each([
    ['no Host', [], 'Host', 'must be there'],
    ['two Hosts', ['Host: a', 'Host: b'], 'Host', 'must be there once'],
    ['one Host twice', ['Host: a', 'HOST: a'], 'Host', 'must be there once'],
    ['two Authorizations', ['Host: a', 'authorization: Bearer x'], 'Authorization', 'must be there once'],
    ['an expectation that is none', ['Host: a', 'Expect: foo'], 'Expect', 'must be 100-continue'],
    ['an expectation too many', ['Host: a', 'Expect: foo, bar'], 'Expect', 'must be 100-continue'],
    ['an expectation of nothing', ['Host: a', 'Expect:'], 'Expect', 'must be 100-continue'],
  ])('%s', async (_, lines, field, message) => {
    const { head, body } = await answerTo(assets('1.1', ...lines, 'X-Correlation-Id: trace-8'));
    expect(head).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
    expect(head).toMatch(/\r\ncontent-type: application\/problem\+json\r\n/i);
    expect(head).toMatch(/\r\nx-correlation-id: trace-8\r\n/i);
    expect(head).toMatch(/\r\nx-content-type-options: nosniff\r\n/i);
    expect(JSON.parse(body)).toMatchObject({
      code: 'malformed-request',
      instance: '/v1/assets',
      correlationId: 'trace-8',
      errors: [{ field, message }],
    });
  });

  it('but not before it is known who asks', async () => {
    const { head } = await answerTo('GET /v1/assets HTTP/1.1\r\nExpect: foo\r\n\r\n');
    expect(head).toMatch(/^HTTP\/1\.1 401 Unauthorized\r\n/);
  });

  it('two Hosts in HTTP/1.0 as well', async () => {
    expect((await answerTo(assets('1.0', 'Host: a', 'Host: b'))).head).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
  });

  it('and HTTP/1.0 rules out neither', async () => {
    expect((await answerTo(assets('1.0', 'Expect: foo'))).head).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  });

  it.each(['100-continue', '100-Continue'])('and who expects %s is told to go on', async (expected) => {
    const headers = { Authorization: `Bearer ${token}`, 'Idempotency-Key': expected, Expect: expected };
    const [head = '', body = ''] = requestText('POST', '/v1/assets', headers, ASSET).split(/(?<=\r\n\r\n)/);
    const client = await RawClient.connect(url);
    client.send(head);
    expect(await client.answer()).toBe('HTTP/1.1 100 Continue\r\n\r\n');
    client.send(body);
    expect(await client.answer()).toMatch(/^HTTP\/1\.1 (201 Created|409 Conflict)\r\n/);
    client.end();
  });
});

describe('a correlation id', () => {
  it('is taken over', async () => {
    const response = await service.send({ url: '/v1/nothing', as: OPS, headers: { 'x-correlation-id': 'trace-7' } });
    expect(expectProblem(response, 404, 'not-found')['correlationId']).toBe('trace-7');
  });

  it.each(['a b', 'ä', 'x'.repeat(129), ''])('is made anew for %j', async (given) => {
    const response = await service.send({ url: '/v1/assets', as: OPS, headers: { 'x-correlation-id': given } });
    expect(response.headers['x-correlation-id']).toMatch(/^[0-9a-f-]{36}$/);
  });
});

describe('what goes wrong inside', () => {
  it('is a 500 that tells nothing, and is logged', async () => {
    const broken = await startTestService({
      wrap: (ledger) => ({
        ...ledger,
        execute: () => Promise.reject(new Error('no head: SELECT secret FROM /var/lib')),
      }),
    });
    try {
      const response = await broken.send({ url: '/v1/assets', as: OPS, body: ASSET });
      expectProblem(response, 500, 'internal-error');
      expect(response.body).not.toContain('secret');
      const line = broken.log.find((entry) => entry.includes('"message":"no head: (statement)"'));
      expect(line).toContain(String(response.headers['x-correlation-id']));
      expect(broken.log.join('')).not.toMatch(/Bearer|secret|var\/lib/);
    } finally {
      await broken.close();
    }
  });

  it('is a 503 with Retry-After when a command takes too long', async () => {
    const slow = await startTestService({
      requestTimeoutMs: 20,
      wrap: (ledger) => ({ ...ledger, execute: () => new Promise(() => undefined) }),
    });
    try {
      const response = await slow.send({ url: '/v1/assets', as: OPS, body: ASSET });
      expectProblem(response, 503, 'overloaded');
      expect(response.headers['retry-after']).toBe('1');
    } finally {
      await slow.close();
    }
  });
});
