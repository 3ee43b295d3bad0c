import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { developmentKey, developmentToken } from './auth/development-key.ts';
import type { Role } from './auth/roles.ts';
import { compose, type Service } from './composition.ts';
import { readConfig, type Environment } from './config/config.ts';
import { filesIn } from './data-folder.ts';
import { rebuildReadModels } from './rebuild-command.ts';
import { describeStartFailure } from './start-error.ts';

const LOGGER = pino({ level: 'silent' });

let folder: string;
let running: Service[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'writ-service-'));
  running = [];
});
afterEach(async () => {
  for (const service of running) await service.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function start(environment: Environment = {}): Promise<{ service: Service; url: string }> {
  const service = await compose(readConfig({ WRIT_DATA_DIR: folder, PORT: '0', ...environment }), LOGGER);
  running.push(service);
  const url = await service.listen();
  return { service, url };
}

async function stop(service: Service): Promise<void> {
  running = running.filter((other) => other !== service);
  await service.stop();
}

async function failureOf(environment: Environment): Promise<string> {
  const config = readConfig({ WRIT_DATA_DIR: folder, PORT: '0', ...environment });
  try {
    await start(environment);
    return '';
  } catch (error) {
    running = [];
    return describeStartFailure(error, config);
  }
}

async function ask(
  url: string,
  path: string,
  role: Role,
  body?: object,
  sub = 'ops-1',
): Promise<{ status: number; body: Record<string, unknown> }> {
  const token = await developmentToken(await developmentKey(folder), { sub, roles: [role] });
  const response = await fetch(`${url}${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json', 'idempotency-key': path }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

const ASSET = { code: 'BTC', scale: 8, kind: 'crypto' };
const PARTY = { partyId: 'p-1', kind: 'person', externalRef: 'x' };
const ORDER = {
  orderId: 'ord-1',
  kind: 'freezing-order',
  authority: { name: 'High Court of Justice', jurisdiction: 'GB-EAW' },
  caseReference: 'CL-2022-000123',
  statute: 's.37',
  subjects: [{ kind: 'party', partyId: 'p-1' }],
  scope: { direction: 'debit', assets: 'all' },
  issuedAt: '2022-02-15T12:00:00Z',
  receivedAt: '2022-02-15T12:00:00Z',
  effectiveAt: '2022-02-15T12:00:00Z',
  documentSha256: 'ab'.repeat(32),
};

describe('the service', () => {
  it('becomes ready, serves, stops, and knows everything after the next start', async () => {
    const first = await start();
    await first.service.ready;
    expect((await fetch(`${first.url}/health/ready`)).status).toBe(200);
    const registered = await ask(first.url, '/v1/assets', 'ops', ASSET);
    expect(registered.status).toBe(201);
    await stop(first.service);
    await expect(fetch(`${first.url}/health/live`)).rejects.toThrow();

    const second = await start();
    await second.service.ready;
    const position = String(registered.body['position']);
    expect((await ask(second.url, `/v1/assets/BTC?atLeast=${position}`, 'auditor')).body).toEqual(
      registered.body['asset'],
    );
    const replayed = await ask(second.url, '/v1/assets', 'ops', ASSET);
    expect(replayed).toEqual(registered);
  });

  it('stops although a client keeps its connection', async () => {
    const { service, url } = await start();
    await service.ready;
    await fetch(`${url}/health/live`);
    const began = performance.now();
    await stop(service);
    expect(performance.now() - began).toBeLessThan(5_000);
  });

  it('keeps to its limit of recorded refusals', async () => {
    const { service, url } = await start({ WRIT_REFUSAL_LIMIT: '1' });
    await service.ready;
    await ask(url, '/v1/parties', 'service', PARTY);
    await ask(url, '/v1/admin/legal-orders', 'ops', ORDER);
    const refused = await ask(url, '/v1/admin/legal-orders/ord-1/verification', 'approver', { method: 'call' });
    expect(refused).toMatchObject({ status: 422, body: { code: 'maker-is-checker' } });
    const limited = await ask(url, '/v1/admin/legal-orders/ord-1/rejection', 'approver', { reason: 'No.' });
    expect(limited).toMatchObject({ status: 429, body: { code: 'rate-limited' } });
  });

  it('does what is due although its read models can not be built', async () => {
    const first = await start();
    await first.service.ready;
    await ask(first.url, '/v1/parties', 'service', PARTY);
    const expiresAt = new Date(Date.now() + 2_000).toISOString();
    await ask(first.url, '/v1/admin/legal-orders', 'ops', { ...ORDER, expiresAt });
    const verification = '/v1/admin/legal-orders/ord-1/verification';
    expect((await ask(first.url, verification, 'approver', { method: 'call' }, 'checker')).status).toBe(200);
    await stop(first.service);
    for (const suffix of ['', '-wal', '-shm']) rmSync(join(folder, `read-models.db${suffix}`), { force: true });
    mkdirSync(join(folder, 'read-models.db.unfinished', 'in-the-way'), { recursive: true });

    const second = await start();
    const deadlineMs = performance.now() + 20_000;
    let log = '';
    while (!log.includes('LegalOrderExpired') && performance.now() < deadlineMs) {
      log = JSON.stringify((await ask(second.url, '/v1/audit/streams/legalOrder-ord-1', 'auditor')).body);
    }
    expect(log).toContain('LegalOrderExpired');
    expect((await fetch(`${second.url}/health/ready`)).status).toBe(503);
  }, 30_000);

  it('builds its read models anew, but not beside a running service', async () => {
    const { service, url } = await start();
    await service.ready;
    await ask(url, '/v1/assets', 'ops', ASSET);
    const printed: string[] = [];
    const output = {
      stdout: { write: (text: string) => printed.push(text) },
      stderr: { write: (text: string) => printed.push(text) },
    };
    expect(await rebuildReadModels([], { WRIT_DATA_DIR: folder }, output)).toBe(1);
    expect(printed.pop()).toMatch(/in use/);
    await stop(service);
    expect(await rebuildReadModels([], { WRIT_DATA_DIR: folder }, output)).toBe(0);
    const again = await start();
    await again.service.ready;
    expect((await ask(again.url, '/v1/assets/BTC', 'auditor')).status).toBe(200);
  });
});

describe('a start that fails says what, where, and what to do, in one line', () => {
  it('when another service has the folder', async () => {
    await start();
    const other = running;
    expect(await failureOf({})).toMatch(
      /^\S+events\.db is in use by another process, .*set WRIT_DATA_DIR to another folder\.$/,
    );
    running = other;
  });

  it('when the port is taken, and leaves the folder free', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const { port } = taken.address() as { port: number };
    const message = await failureOf({ PORT: String(port) });
    await new Promise((resolve) => taken.close(resolve));
    expect(message).toBe(
      `127.0.0.1:${String(port)} is taken by another program: stop that one, or set PORT to another port.`,
    );
    await start();
  });

  it('when the log is something else', async () => {
    writeFileSync(filesIn(folder).events, 'not a database, but long enough to be taken for one by its size');
    expect(await failureOf({})).toMatch(/is not an event log of Writ.*Set WRIT_DATA_DIR/);
  });

  it('when the data folder is a file', async () => {
    writeFileSync(join(folder, 'file'), '');
    expect(await failureOf({ WRIT_DATA_DIR: join(folder, 'file') })).toMatch(
      /^The data folder .*file can't be used \((EEXIST|ENOTDIR)\)/,
    );
  });

  it('when the keys of the identity provider are not there', async () => {
    const provider = { WRIT_JWKS_FILE: join(folder, 'no.json'), WRIT_JWT_ISSUER: 'i', WRIT_JWT_AUDIENCE: 'a' };
    expect(await failureOf(provider)).toMatch(/^WRIT_JWKS_FILE: the keys .* can't be used: ENOENT/);
  });
});

describe('the log of the service', () => {
  const said: string[] = [];
  beforeEach(() => {
    said.length = 0;
  });

  /** Starts and stops. @returns what was said of a new log */
  async function startAndStop(): Promise<readonly string[]> {
    said.length = 0;
    const config = readConfig({ WRIT_DATA_DIR: folder, PORT: '0' });
    const service = await compose(config, pino({ level: 'info' }, { write: (line) => void said.push(line) }));
    await service.stop();
    return said.filter((line) => line.includes('a new log was begun'));
  }

  it('is said to be new when it was not there before', async () => {
    const [line = '', ...more] = await startAndStop();
    expect(JSON.parse(line)).toMatchObject({ level: 30 });
    expect(more).toEqual([]);
    expect(await startAndStop()).toEqual([]);
  });

  it('is not begun where a restore or a load was cut off', async () => {
    writeFileSync(`${filesIn(folder).events}.unfinished`, 'half of it');
    await expect(startAndStop()).rejects.toThrow(/a restore or a load was cut off/);
    expect(existsSync(filesIn(folder).events)).toBe(false);
  });
});

describe('the bounds', () => {
  /** By name, the most that there may be, as the table of the documentation says it. */
  function documented(): ReadonlyMap<string, number> {
    const text = readFileSync(new URL('../../../docs/architecture.md', import.meta.url), 'utf8');
    const section = text.slice(text.indexOf('\n## Bounds\n'));
    const rows = section.matchAll(/^\| `([a-z-]+)` +\| ([\d,]*\d)/gm);
    return new Map([...rows].map(([, what = '', most = '']) => [what, Number(most.replaceAll(',', ''))]));
  }

  function shown(metrics: string, name: string): ReadonlyMap<string, number> {
    const lines = metrics.matchAll(new RegExp(`^${name}\\{what="([^"]+)"\\} (\\S+)$`, 'gm'));
    return new Map([...lines].map(([, what = '', value]) => [what, Number(value)]));
  }

  it('are all shown by two metrics, and are those that the documentation lists', async () => {
    const { url } = await start();
    const metrics = await (await fetch(`${url}/metrics`)).text();
    const bounds = shown(metrics, 'writ_bound');
    expect(Object.fromEntries(bounds)).toEqual(Object.fromEntries(documented()));
    const inUse = shown(metrics, 'writ_in_use');
    expect([...inUse.keys()]).toEqual([...bounds.keys()]);
    expect(inUse.get('health-requests')).toBe(1);
    for (const [what, most] of bounds) expect([what, (inUse.get(what) ?? -1) <= most]).toEqual([what, true]);
  });
});
