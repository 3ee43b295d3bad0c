import { describe, expect, it } from '@jest/globals';
import { glimpseOf } from './turnstile.ts';

const HEAD = 'POST /v1/accounts/a/deposits HTTP/1.1\r\nHost: a\r\n';
const of = (text: string): ReturnType<typeof glimpseOf> => glimpseOf(Buffer.from(text, 'latin1'));

describe('what is looked at before it is parsed', () => {
  it('is one whole request, with its body or without', () => {
    const url = '/v1/accounts/a/deposits';
    expect(of(`${HEAD}Content-Length: 2\r\n\r\n{}`)).toEqual({ url, correlationId: undefined });
    expect(of(`${HEAD}Connection: keep-alive\r\nContent-Length: 0\r\n\r\n`)).toEqual({ url, correlationId: undefined });
    expect(of(`${HEAD}x-correlation-ID: mine\r\n\r\n`)).toEqual({ url, correlationId: 'mine' });
    expect(of('GET /v1/assets?limit=1 HTTP/1.1\r\nHost: a\r\n\r\n')?.url).toBe('/v1/assets?limit=1');
  });

  it.each([
    ['part of a head', HEAD],
    ['part of a body', `${HEAD}Content-Length: 3\r\n\r\n{}`],
    ['more than one request', `${HEAD}Content-Length: 2\r\n\r\n{}GET`],
    ['a body without a length', `${HEAD}\r\n{}`],
    ['two lengths', `${HEAD}Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}`],
    ['a length in other words', `${HEAD}Content-Length: +2\r\n\r\n{}`],
    ['a length in octal', `${HEAD}Content-Length: 02\r\n\r\n{}`],
    ['pieces', `${HEAD}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n`],
    ['pieces, said oddly', `${HEAD}Transfer-Encoding : chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n`],
    ['a line that is folded', `${HEAD}A: b\r\n Transfer-Encoding: chunked\r\n\r\n`],
    ['a line that ends otherwise', `${HEAD}A: b\nTransfer-Encoding: chunked\r\n\r\n`],
    ['a name that is none', `${HEAD}A b: c\r\n\r\n`],
    ['an expectation', `${HEAD}Expect: 100-continue\r\nContent-Length: 2\r\n\r\n{}`],
    ['another protocol', `${HEAD}Connection: upgrade\r\nUpgrade: h2c\r\n\r\n`],
    ['an end of the connection', `${HEAD}Connection: close\r\n\r\n`],
    ['an older version', 'GET /v1/assets HTTP/1.0\r\nHost: a\r\n\r\n'],
    ['another method', 'DELETE /v1/assets HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['another path', 'GET /health/live HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['a full URL', 'GET http://a/v1/assets HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['no headers', 'GET /v1/assets HTTP/1.1\r\n\r\n'],
    ['a head without end', `${HEAD}${'A: b\r\n'.repeat(1000)}\r\n`],
  ])('is not %s', (_, text) => {
    expect(of(text)).toBeUndefined();
  });

  it.each([30, 600])('is looked for in no more than one way, in a head of %i headers that ends wrongly', (headers) => {
    expect(of(`${HEAD}${'a: b\r\n'.repeat(headers)}x_y: 1\r\n\r\n`)).toBeUndefined();
    expect(of(`${HEAD}${'a: b\r\n'.repeat(headers)}\r\n`)).toBeDefined();
  });
});
