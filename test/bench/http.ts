import autocannon from 'autocannon';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { compare, type Comparison } from './rounds.ts';

const CONNECTIONS = 64;
const ACCOUNTS = 640;
const ROUNDS = 5;
const ROUND_SECONDS = 4;
/** Both are warm by then: compiled code, opened accounts, filled caches. */
const WARM_UP_SECONDS = 10;
const READY_MS = 30_000;

const entry = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));

/** Deposits one a request, each durable before its answer, against a bare Fastify handler that validates the same body. */
export async function deposits(): Promise<Comparison> {
  const dataDir = mkdtempSync(join(tmpdir(), 'writ-bench-'));
  const children: ChildProcess[] = [];
  try {
    const bare = await startBare(children);
    const port = await freePort();
    const service = await startService(children, dataDir, port);
    const token = await run(entry('dist/apps/ledger/src/token.js'), dataDir, [
      '--sub',
      'bench',
      '--roles',
      'service,ops',
    ]);
    await openAccounts(service, token);
    await load(bare, token, WARM_UP_SECONDS);
    await load(service, token, WARM_UP_SECONDS);
    return await compare(
      ROUNDS,
      () => load(service, token),
      () => load(bare, token),
    );
  } finally {
    for (const child of children) await stop(child);
    rmSync(dataDir, { recursive: true, force: true });
  }
}

let sent = 0;

/** @returns answers of 201 a second */
async function load(url: string, token: string, seconds = ROUND_SECONDS): Promise<number> {
  const result = await autocannon({
    url,
    connections: CONNECTIONS,
    duration: seconds,
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    requests: [
      {
        setupRequest: (request) => {
          sent += 1;
          const id = `d-${String(sent)}`;
          request.path = `/v1/accounts/acc-${String(sent % ACCOUNTS)}/deposits`;
          request.headers = { ...request.headers, 'idempotency-key': id };
          request.body = `{"depositId":"${id}","asset":"BTC","amount":"0.5","source":{"kind":"onchain","reference":"tx-${id}"}}`;
          return request;
        },
      },
    ],
  });
  if (result.non2xx > 0 || result.errors > 0) throw new Error(`${String(result.non2xx)} answers were no 201`);
  return result['2xx'] / result.duration;
}

async function openAccounts(url: string, token: string): Promise<void> {
  await post(url, token, '/v1/assets', { code: 'BTC', scale: 8, kind: 'crypto' });
  await post(url, token, '/v1/parties', { partyId: 'p-1', kind: 'person', externalRef: 'bench' });
  const identification = { method: 'bench', evidenceSha256: 'a'.repeat(64), identifiedAt: '2022-01-01T00:00:00Z' };
  await post(url, token, '/v1/parties/p-1/identification', identification);
  for (let n = 0; n < ACCOUNTS; n += 1) {
    const holders = [{ partyId: 'p-1', capacity: 'owner' }];
    await post(url, token, '/v1/accounts', { accountId: `acc-${String(n)}`, holders });
  }
}

async function post(url: string, token: string, path: string, body: unknown): Promise<void> {
  const response = await fetch(url + path, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      'idempotency-key': JSON.stringify([path, body]).slice(0, 255),
    },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${path}: ${String(response.status)} ${await response.text()}`);
  await response.arrayBuffer();
}

async function startBare(children: ChildProcess[]): Promise<string> {
  const child = spawn(process.execPath, [entry('test/bench/bare.mjs')], { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  return firstLine(child);
}

async function startService(children: ChildProcess[], dataDir: string, port: number): Promise<string> {
  const env = { ...process.env, PORT: String(port), HOST: '127.0.0.1', WRIT_DATA_DIR: dataDir, WRIT_LOG_LEVEL: 'warn' };
  const child = spawn(process.execPath, [entry('dist/apps/ledger/src/main.js')], {
    env,
    stdio: ['ignore', 'ignore', 'ignore'],
  });
  children.push(child);
  const url = `http://127.0.0.1:${String(port)}`;
  const endMs = performance.now() + READY_MS;
  while (performance.now() < endMs) {
    const response = await fetch(`${url}/health/ready`).catch(() => undefined);
    if (response?.ok === true) return url;
    await delay(100);
  }
  throw new Error('the service is not ready in time');
}

async function run(file: string, dataDir: string, args: readonly string[]): Promise<string> {
  const env = { ...process.env, WRIT_DATA_DIR: dataDir };
  return firstLine(spawn(process.execPath, [file, ...args], { env, stdio: ['ignore', 'pipe', 'inherit'] }));
}

async function firstLine(child: ChildProcess): Promise<string> {
  if (child.stdout === null) throw new Error('no output to read');
  for await (const text of createInterface({ input: child.stdout })) return text;
  throw new Error('ended without a line');
}

/** A port that is free now. */
async function freePort(): Promise<number> {
  const { createServer } = await import('node:net');
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  await once(child, 'exit');
}
