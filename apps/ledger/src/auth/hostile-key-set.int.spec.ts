import { afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK } from 'jose';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { keysFromFile, keysFromUrl } from './key-source.ts';
import { TokenVerifier } from './token-verifier.ts';

const TIMEOUT_MS = 1_000;

let privateKey: CryptoKey;
let good: JWK;
beforeAll(async () => {
  const pair = await generateKeyPair('ES256', { extractable: true });
  privateKey = pair.privateKey;
  good = { ...(await exportJWK(pair.publicKey)), kid: 'good', alg: 'ES256', use: 'sig' };
});

const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

async function serve(listener: RequestListener): Promise<URL> {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return new URL(`http://127.0.0.1:${String((server.address() as AddressInfo).port)}/jwks`);
}

const serveText = (text: string): Promise<URL> => serve((_, response) => response.end(text));
const serveKeys = (...keys: readonly unknown[]): Promise<URL> => serveText(JSON.stringify({ keys }));

async function reasonFor(url: URL): Promise<string> {
  try {
    await keysFromUrl(url, { timeoutMs: TIMEOUT_MS }).refreshed();
    return 'taken';
  } catch (error) {
    return (error as Error).message;
  }
}

async function letsIn(url: URL, header: Record<string, unknown> = {}): Promise<boolean> {
  const claims = { sub: 'alice', roles: ['ops'], iss: 'https://id.example', aud: 'writ' };
  const token = await new SignJWT(claims)
    .setProtectedHeader({ alg: 'ES256', kid: 'good', ...header })
    .setExpirationTime('1h')
    .sign(privateKey);
  const keys = keysFromUrl(url, { timeoutMs: TIMEOUT_MS });
  const verifier = new TokenVerifier({ keys, issuer: 'https://id.example', audience: 'writ' });
  return 'id' in (await verifier.verify(`Bearer ${token}`));
}

it('a password in its URL is in no message', async () => {
  const url = new URL('https://user:hunter2@id.example/jwks');
  expect(await reasonFor(url)).toBe("the key set's server can't be asked: its URL is none to fetch from");
});

describe('API10:2023 Unsafe Consumption of APIs: a key set', () => {
  it('that is as it should be is taken', async () => {
    expect(await letsIn(await serveKeys(good))).toBe(true);
  });

  it.each<[string, () => Promise<URL>, RegExp]>([
    ['on an error page', () => serve((_, response) => response.writeHead(503).end('{"keys":[]}')), /answered 503/],
    ['that is a web page', () => serveText('<html></html>'), /not JSON/],
    ['that is nothing', () => serveText(''), /not JSON/],
    ['that is a list', () => serveText('[]'), /"keys"/],
    ['whose keys are text', () => serveText('{"keys":"all"}'), /"keys"/],
    ['whose keys are null', () => serveText('{"keys":[null]}'), /"keys"/],
    ['without a key', () => serveKeys(), /no RSA, EC or OKP/],
    ['with nothing but a secret', () => serveKeys({ kty: 'oct', k: 'c2VjcmV0', kid: 'good' }), /no RSA, EC or OKP/],
    ['with a private key', () => serveKeys(good, { ...good, d: 'AAAA' }), /private/],
    ['of 101 keys', () => serveKeys(...Array.from({ length: 101 }, () => good)), /more than 100 keys/],
    ['of two million bytes', () => serveText(`{"keys":[${' '.repeat(2_000_000)}]}`), /too large/],
    [
      'of two million bytes that arrive as two thousand',
      () =>
        serve((_, response) => {
          response.writeHead(200, { 'content-encoding': 'gzip' });
          response.end(gzipSync(`{"keys":[${' '.repeat(2_000_000)}]}`));
        }),
      /too large/,
    ],
    [
      'that never ends',
      () =>
        serve((_, response) => {
          const timer = setInterval(() => response.write(' '.repeat(64 * 1024)), 1);
          response.on('close', () => {
            clearInterval(timer);
          });
        }),
      /too large|timeout/,
    ],
    [
      'that comes byte by byte',
      () =>
        serve((_, response) => {
          const timer = setInterval(() => response.write(' '), 100);
          response.on('close', () => {
            clearInterval(timer);
          });
        }),
      /timeout/,
    ],
    ['that does not come', () => serve(() => undefined), /timeout/],
    [
      'that breaks off',
      () =>
        serve((_, response) => {
          response.writeHead(200, { 'content-length': '1000' });
          response.write('{"keys":');
          setImmediate(() => response.destroy());
        }),
      /./,
    ],
  ])('%s is refused, and the reason said', async (_, start, reason) => {
    const said = await reasonFor(await start());
    expect(said).toMatch(reason);
    expect(said).not.toBe('taken');
  });

  it('that is elsewhere is not followed there: API7:2023 Server Side Request Forgery', async () => {
    let asked = 0;
    const elsewhere = await serve((_, response) => {
      asked += 1;
      response.end(JSON.stringify({ keys: [good] }));
    });
    for (const status of [301, 302, 303, 307, 308]) {
      const here = await serve((_, response) => response.writeHead(status, { location: elsewhere.href }).end());
      expect(await reasonFor(here)).toMatch(/redirect/);
    }
    expect(asked).toBe(0);
  });

  it('is asked for where the configuration says, whatever a token names: API7:2023 Server Side Request Forgery', async () => {
    let asked = 0;
    const elsewhere = await serve((_, response) => {
      asked += 1;
      response.end(JSON.stringify({ keys: [good] }));
    });
    const other = await generateKeyPair('ES256', { extractable: true });
    const configured = await serveKeys({ ...(await exportJWK(other.publicKey)), kid: 'good' });
    for (const header of [{ jku: elsewhere.href }, { x5u: elsewhere.href }, { jwk: good }, { kid: elsewhere.href }]) {
      expect(await letsIn(configured, header)).toBe(false);
    }
    expect(asked).toBe(0);
  });

  it('with other keys beside the right one does no harm', async () => {
    const other = await exportJWK((await generateKeyPair('ES256', { extractable: true })).publicKey);
    const beside: readonly object[] = [
      { kty: 'oct', k: 'c2VjcmV0', kid: 'good' },
      { kty: 'EC', kid: 'good' },
      { kty: 'EC', crv: 'P-0', x: 'AA', y: 'AA', kid: 'good' },
      { kty: 'RSA', n: 'AQAB', e: 'AQAB', kid: 'good', alg: 'ES256' },
      { ...other, kid: 'good' },
      { ...other, kid: 7 },
      { kty: ['EC'] },
      {},
    ];
    for (const key of beside) expect([key, await letsIn(await serveKeys(key, good))]).toEqual([key, true]);
  });

  it('from a file has the same bounds', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'writ-keys-'));
    const path = join(folder, 'keys.json');
    try {
      writeFileSync(path, JSON.stringify({ keys: [good] }));
      expect((await keysFromFile(path).refreshed()).version).toMatch(/./);
      writeFileSync(path, `{"keys":[${' '.repeat(2_000_000)}]}`);
      await expect(keysFromFile(path).refreshed()).rejects.toThrow('too large');
      await expect(keysFromFile(folder).refreshed()).rejects.toThrow('EISDIR');
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
