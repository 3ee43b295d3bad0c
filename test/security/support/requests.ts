import fc from 'fast-check';
import type { HttpRequest } from '../../e2e/support/http.ts';
import type { ApiDocument, Operation, Parameter } from './document.ts';
import { hostileValue, Values, type Known } from './values.ts';

/** A request that was made up, and what it was made of. */
export interface MadeUp extends HttpRequest {
  readonly path: string;
  /** The body, where it is JSON that was made for this route. */
  readonly body?: unknown;
  /** Who sends it: one of `CALLERS`, or a header that is no token of anybody. */
  readonly caller: Caller;
}

export type Caller = keyof typeof CALLERS | { readonly header: string } | undefined;

/** Roles and scope of those who send requests. */
export const CALLERS = {
  service: { sub: 'payments', roles: ['service'] },
  ops: { sub: 'ops-1', roles: ['ops'] },
  approver: { sub: 'approver-1', roles: ['approver'] },
  auditor: { sub: 'auditor-1', roles: ['auditor'] },
  everything: { sub: 'root-1', roles: ['service', 'ops', 'approver', 'auditor'], scope: 'confidential' },
  nothing: { sub: 'nobody', roles: [] },
} as const;

const IDLE = { weight: 1, arbitrary: fc.constant(undefined) } as const;

/** Requests for every route of a document, most of them nearly right, and some for what is no route at all. */
export function requestsFor(document: ApiDocument, known: Known): fc.Arbitrary<MadeUp> {
  const values = new Values(document, known);
  const forRoutes = document.operations.map((operation) => requestFor(operation, values));
  return fc.oneof(
    { weight: 19, arbitrary: fc.oneof(...forRoutes) },
    { weight: 1, arbitrary: fc.oneof(...forRoutes).chain(offTheRoute) },
  );
}

function requestFor(operation: Operation, values: Values): fc.Arbitrary<MadeUp> {
  const isPost = operation.method === 'POST';
  const method = isPost
    ? fc.constant('POST')
    : fc.oneof({ weight: 20, arbitrary: fc.constant('GET') }, { weight: 1, arbitrary: fc.constant('HEAD') });
  return fc
    .record({
      method,
      path: pathOf(operation, values),
      query: isPost ? rarely(strayQuery, '') : queryOf(operation, values),
      headers: headersOf(isPost),
      caller: callerFor(operation),
      sent: isPost ? bodyOf(operation, values) : rarely<Sent>(fc.constant({ content: '{"a":1}' }), {}),
      type: fc.oneof({ weight: 30, arbitrary: fc.constant('application/json') }, oddType),
    })
    .map(({ query, headers, sent, type, path, ...rest }) => ({
      ...rest,
      ...sent,
      path: `${path}${query}`,
      headers: sent.content === undefined || type === undefined ? headers : { ...headers, 'content-type': type },
    }));
}

function rarely<Value>(arbitrary: fc.Arbitrary<Value>, usual: Value): fc.Arbitrary<Value> {
  return fc.oneof({ weight: 30, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary });
}

const oddType = fc.constantFrom(
  undefined,
  'text/plain',
  'application/json; charset=utf-8',
  'application/json;charset=latin1',
  'Application/JSON',
  'application/problem+json',
  'application/x-www-form-urlencoded',
  'multipart/form-data; boundary=x',
  'application/json, text/plain',
  ';',
  '',
);

const HOSTILE_SEGMENTS = [
  '%',
  '%zz',
  '%00',
  '%2e%2e',
  '..',
  '.',
  '%2F',
  '%c3%28',
  '%F0%9F%92%A9',
  '~',
  'a;b=c',
  "'",
  '%27%20OR%201=1--',
  'constructor',
  '__proto__',
  'a'.repeat(65),
  'a'.repeat(9_000),
];

function pathOf({ template, parameters }: Operation, values: Values): fc.Arbitrary<string> {
  const names = template.match(/\{\w+\}/g) ?? [];
  const drawn = names.map((name) => {
    const parameter = parameters.find((each) => each.in === 'path' && `{${each.name}}` === name);
    const right = values.valid(parameter?.schema ?? {}, parameter?.name).map(String);
    return fc.oneof(
      { weight: 15, arbitrary: right.map(encoded) },
      { weight: 1, arbitrary: fc.constantFrom(...HOSTILE_SEGMENTS) },
      { weight: 1, arbitrary: right.map(percentEncoded) },
    );
  });
  return fc.tuple(...drawn).map((segments) => {
    let next = 0;
    return template.replaceAll(/\{\w+\}/g, () => segments[next++] ?? '');
  });
}

function encoded(text: string): string {
  return encodeURIComponent(text.toWellFormed());
}

/** Another way to write the same. */
function percentEncoded(text: string): string {
  return [...Buffer.from(text)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
}

const strayQuery = fc.constantFrom('?', '?a=1', '?__proto__[x]=1', '?a=%zz', '?=', '?&&&', '?limit=5', '?#x');

function queryOf({ parameters }: Operation, values: Values): fc.Arbitrary<string> {
  const names = parameters.filter((parameter) => parameter.in === 'query');
  const pair = (parameter: Parameter): fc.Arbitrary<string> => {
    const right = values.valid(parameter.schema, parameter.name).map(String);
    const value = fc.oneof(
      { weight: 8, arbitrary: right.map(encoded) },
      { weight: 1, arbitrary: fc.constantFrom('', '%', '0', '-1', '1e3', '501', 'null', 'x'.repeat(2_000), '%F0%9F') },
    );
    return value.map((text) => `${parameter.name}=${text}`);
  };
  const known =
    names.length === 0 ? [] : [{ weight: 12, arbitrary: fc.subarray(names, { maxLength: Math.min(3, names.length) }) }];
  return fc
    .oneof({ weight: 6, arbitrary: fc.constant<readonly Parameter[]>([]) }, ...known)
    .chain((chosen) => fc.tuple(fc.tuple(...chosen.map(pair)), rarely(strayQuery, '')))
    .map(([pairs, stray]) => (pairs.length === 0 ? stray : `?${[...pairs, ...repeated(pairs, stray)].join('&')}`));
}

/** Now and then a parameter comes twice. */
function repeated(pairs: readonly string[], stray: string): readonly string[] {
  return stray === '' ? [] : [stray.slice(1), ...pairs.slice(0, 1)];
}

function headersOf(isPost: boolean): fc.Arbitrary<Record<string, string>> {
  const key = fc.oneof(
    { weight: 30, arbitrary: fc.uuid() },
    { weight: 3, arbitrary: fc.constantFrom('key-1', 'key-2', 'key-3') },
    { weight: 1, arbitrary: fc.constantFrom('', ' ', 'a b', 'k'.repeat(256), '\u00e9', 'k,k') },
    IDLE,
  );
  const ifMatch = fc.constantFrom('*', '"0"', '"1"', '0', 'W/"1"', '"1", "2"', '-1', '"99999999999999999999"', 'x');
  const correlation = fc.constantFrom('trace-1', 'c'.repeat(129), '\u00ff', '{}', '"', 'a b');
  const accept = fc.constantFrom(
    'application/x-ndjson',
    '*/*',
    'text/html',
    'application/json;q=0',
    ',',
    'x'.repeat(500),
  );
  return fc
    .record({
      'idempotency-key': isPost ? key : rarely<string | undefined>(fc.constant('key-1'), undefined),
      'if-match': rarely<string | undefined>(ifMatch, undefined),
      'x-correlation-id': rarely<string | undefined>(correlation, undefined),
      accept: fc.oneof({ weight: 8, arbitrary: fc.constant(undefined) }, accept),
    })
    .map((headers) =>
      Object.fromEntries(
        Object.entries(headers).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
      ),
    );
}

const HEADERS_OF_NOBODY = [
  '',
  'Bearer',
  'Bearer ',
  'Bearer x.y.z',
  'Basic YTpi',
  'Bearer eyJhbGciOiJub25lIn0.e30.',
  `Bearer ${'a'.repeat(8_000)}`,
];

function callerFor({ roles }: Operation): fc.Arbitrary<Caller> {
  const right = Object.keys(CALLERS).filter((name) => roles.includes(name)) as (keyof typeof CALLERS)[];
  const someone = Object.keys(CALLERS) as (keyof typeof CALLERS)[];
  return fc.oneof(
    { weight: 16, arbitrary: fc.constantFrom<Caller>(...right, 'everything') },
    { weight: 2, arbitrary: fc.constantFrom<Caller>(...someone) },
    { weight: 1, arbitrary: fc.constantFrom(...HEADERS_OF_NOBODY).map((header): Caller => ({ header })) },
    IDLE,
  );
}

type Sent = Pick<MadeUp, 'content' | 'body'>;

function bodyOf({ body: schema }: Operation, values: Values): fc.Arbitrary<Sent> {
  if (schema === undefined) return garbage;
  const asJson = (body: unknown): Sent => ({ body, content: JSON.stringify(body) });
  return fc.oneof(
    { weight: 12, arbitrary: values.valid(schema).map(asJson) },
    {
      weight: 5,
      arbitrary: values
        .nearlyValid(schema)
        .filter((body) => body !== undefined)
        .map(asJson),
    },
    { weight: 2, arbitrary: garbage },
  );
}

const nested = (open: string, close: string, depth: number): string => open.repeat(depth) + close.repeat(depth);

/** What is hardly a body at all. */
const garbage: fc.Arbitrary<Sent> = fc.oneof(
  hostileValue.map((value) => ({ content: JSON.stringify(value) })),
  fc.uint8Array({ maxLength: 200 }).map((bytes) => ({ content: bytes })),
  fc
    .constantFrom(
      '',
      ' ',
      '{',
      '{"a":1,}',
      '\ufeff{}',
      '{"kind":"a","kind":"b"}',
      '{"__proto__":{"admin":true}}',
      '{"constructor":{"prototype":{"admin":true}}}',
      '1e400',
      nested('[', ']', 20_000),
      nested('{"a":', '}', 5_000).replace('}', '1}'),
      `{${Array.from({ length: 3_000 }, (_, key) => `"k${String(key)}":1`).join(',')}}`,
      `"${'x'.repeat(1_100_000)}"`,
    )
    .map((content) => ({ content })),
);

const METHODS = ['OPTIONS', 'TRACE', 'PUT', 'PATCH', 'DELETE', 'PROPFIND', 'GET', 'POST'];
const MANGLED: readonly ((path: string) => string)[] = [
  (path) => `${path}/`,
  (path) => path.toUpperCase(),
  (path) => path.replace('/v1', '/v2'),
  (path) => path.replace('/v1', '//v1'),
  (path) => path.replace('/v1', '/v1/.'),
  (path) => path.replace('/v1', '/x/../v1'),
  (path) => `${path}%2f`,
  (path) => path.replace('/', '/%2e/'),
  (path) => `http://127.0.0.1${path}`,
  (path) => path.slice(0, -1),
  () => '*',
  () => '/',
];

/** The same by another method or another path. */
function offTheRoute(request: MadeUp): fc.Arbitrary<MadeUp> {
  const { body: _, ...sent } = request;
  return fc.oneof(
    fc.constantFrom(...METHODS).map((method) => ({ ...sent, method })),
    fc.constantFrom(...MANGLED).map((mangle) => ({ ...sent, path: mangle(request.path) })),
  );
}
