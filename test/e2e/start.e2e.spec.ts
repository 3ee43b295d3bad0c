import { SqliteEventStore } from '#event-store/sqlite';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey } from 'jose';
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { startInVain, startService } from './support/service.ts';

const ISSUER = 'https://identity.test';
const AUDIENCE = 'writ-test';

let server: Server;
let origin: string;
/** What the server answers; nothing but an error without. */
let document: unknown;

beforeEach(async () => {
  document = undefined;
  server = createServer((_request, response) => {
    response.statusCode = document === undefined ? 500 : 200;
    response.end(JSON.stringify(document));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
});
afterEach(() => new Promise((resolve) => server.close(resolve)));

function provider(): Record<string, string> {
  return { WRIT_JWKS_URL: `${origin}/jwks.json`, WRIT_JWT_ISSUER: ISSUER, WRIT_JWT_AUDIENCE: AUDIENCE };
}

function sign(key: CryptoKey): Promise<string> {
  return new SignJWT({ roles: ['auditor'] })
    .setProtectedHeader({ alg: 'ES256', kid: 'k-1' })
    .setSubject('auditor-1')
    .setIssuer(ISSUER)
    .setAudience(AUDIENCE)
    .setIssuedAt()
    .setExpirationTime('5m')
    .sign(key);
}

describe('with the keys of an identity provider, by their URL', () => {
  it('who has a token of the provider is let in, and nobody else', async () => {
    const { publicKey, privateKey } = await generateKeyPair('ES256');
    document = { keys: [{ ...(await exportJWK(publicKey)), kid: 'k-1', alg: 'ES256', use: 'sig' }] };
    const service = await startService({ env: provider() });
    try {
      const path = '/v1/assets';
      const allowed = await service.request('GET', path, { token: await sign(privateKey) });
      expect(allowed).toMatchObject({ status: 200, body: { items: [] } });
      const stranger = await sign((await generateKeyPair('ES256')).privateKey);
      expect((await service.request('GET', path, { token: stranger })).status).toBe(401);
      const [, age] = /^writ_key_set_age_seconds (\S+)$/m.exec((await service.request('GET', '/metrics')).text) ?? [];
      expect(Number(age)).toBeGreaterThan(0);
      expect(Number(age)).toBeLessThan(60);
      const selfMade = await service.token({ sub: 'auditor-1', roles: ['auditor'] });
      expect((await service.request('GET', path, { token: selfMade })).status).toBe(401);
    } finally {
      await service.stop();
    }
  });

  it.each(['down', 'unwell'])('does not start while the provider is %s, and says why in one line', async (state) => {
    const environment = provider();
    if (state === 'down') await new Promise((resolve) => server.close(resolve));
    const { code, printed } = await startInVain(environment);
    expect(printed).toMatch(/^WRIT_JWKS_URL: the keys of the identity provider can't be used: .+\.\n$/);
    expect(code).toBe(1);
  });
});

it('a port that is taken is told in one line, and nothing beside it', async () => {
  const port = new URL(origin).port;
  const dataDir = mkdtempSync(join(tmpdir(), 'writ-e2e-'));
  // Of a log that was made here a line of its own would tell.
  await (await SqliteEventStore.open({ path: join(dataDir, 'events.db') })).close();
  expect(await startInVain({ PORT: port }, { dataDir })).toEqual({
    code: 1,
    printed: `127.0.0.1:${port} is taken by another program: stop that one, or set PORT to another port.\n`,
  });
  rmSync(dataDir, { recursive: true });
});

it.each([['--foo'], ['--data', 'X'], ['X']])('arguments are refused in one line: %s', async (...args) => {
  const dataDir = join(mkdtempSync(join(tmpdir(), 'writ-e2e-')), 'data');
  expect(await startInVain({}, { dataDir, args })).toEqual({
    code: 1,
    printed: `The service takes no arguments, and was given ${args[0]}: set WRIT_DATA_DIR, PORT and what else docs/operations.md names as environment variables.\n`,
  });
  expect(existsSync(dataDir)).toBe(false);
  rmSync(dirname(dataDir), { recursive: true });
});

it('what stands in the data folder is for its owner alone', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'writ-e2e-'));
  const dataDir = join(folder, 'made', 'data');
  const service = await startService({ dataDir });
  try {
    const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8);
    const names = readdirSync(dataDir);
    expect(names).toEqual(
      expect.arrayContaining(['events.db', 'events.db-wal', 'read-models.db', 'read-models.db-wal']),
    );
    expect(names.filter((name) => modeOf(join(dataDir, name)) !== '600')).toEqual([]);
    expect(modeOf(dataDir)).toBe('700');
    expect(service.logs()).toContain('"msg":"a new log was begun"');
  } finally {
    await service.stop();
    rmSync(folder, { recursive: true });
  }
});

/** Ends the first thread that the service starts, the log's, when it is told to by a signal. */
const ENDS_THE_LOGS_THREAD = `import { isMainThread } from 'node:worker_threads';
  if (isMainThread) process.once('worker', (log) => process.once('SIGUSR2', () => log.terminate()));`;

it('a service whose log breaks ends, says so once, and knows everything after the next start', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'writ-e2e-'));
  const env = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(ENDS_THE_LOGS_THREAD)}` };
  try {
    const service = await startService({ dataDir: folder, env });
    const token = await service.token({ sub: 'ops-1', roles: ['ops'] });
    const asked = { token, body: { code: 'BTC', scale: 8, kind: 'crypto' }, headers: { 'idempotency-key': 'k-1' } };
    const registered = await service.request('POST', '/v1/assets', asked);
    expect(registered.status).toBe(201);
    expect(await service.stop('SIGUSR2')).toBe(1);
    const told = service.logs().match(/.*the event log can not be used any more.*/g);
    expect(told).toEqual([
      expect.stringMatching(/"level":50.*"reason":"the event log's thread has ended".*Start it again/),
    ]);

    const again = await startService({ dataDir: folder });
    expect(await again.request('POST', '/v1/assets', asked)).toMatchObject({ status: 201, text: registered.text });
    expect(await again.stop()).toBe(0);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
