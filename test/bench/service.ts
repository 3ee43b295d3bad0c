import { spawn, type ChildProcess } from 'node:child_process';
import { hash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { inFolder } from './folder.ts';

const READY_MS = 120_000;

/** As `npm start` does. */
export const HEAP_FLAGS = ['--max-semi-space-size=8'];
export const FEW_ARENAS = { MALLOC_ARENA_MAX: '2' };

const entry = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));

/** The built service on a folder of its own, while it is measured. */
export interface Served {
  readonly url: string;
  /** Of the service's process. */
  readonly pid: number;
  /** Starts a script of this folder that prints its address. @returns the address */
  startBeside(script: string, ...args: readonly string[]): Promise<string>;
  token(sub: string, roles: string): Promise<string>;
  post(token: string, path: string, body: unknown): Promise<void>;
}

/** Starts the service, with settings of its own, and stops it and whatever was started beside it when the work is done. */
export function withService<Result>(
  work: (served: Served) => Promise<Result>,
  environment: NodeJS.ProcessEnv = {},
): Promise<Result> {
  return inFolder(async (dataDir) => {
    const children: ChildProcess[] = [];
    try {
      const url = await startService(children, dataDir, environment);
      return await work({
        url,
        pid: children[0]?.pid ?? 0,
        startBeside: (script, ...args) => startBeside(children, script, args),
        token: (sub, roles) => makeToken(dataDir, ['--sub', sub, '--roles', roles]),
        post: (token, path, body) => post(url, token, path, body),
      });
    } finally {
      for (const child of children) await stop(child);
    }
  });
}

/** An asset, a party and accounts `acc-0` to the last but one of the count. @param token with the roles service and ops */
export async function openAccounts({ post }: Served, token: string, count: number): Promise<void> {
  await post(token, '/v1/assets', { code: 'BTC', scale: 8, kind: 'crypto' });
  await post(token, '/v1/parties', { partyId: 'p-1', kind: 'person', externalRef: 'bench' });
  const identification = { method: 'bench', evidenceSha256: 'a'.repeat(64), identifiedAt: '2022-01-01T00:00:00Z' };
  await post(token, '/v1/parties/p-1/identification', identification);
  for (let n = 0; n < count; n += 1) {
    const holders = [{ partyId: 'p-1', capacity: 'owner' }];
    await post(token, '/v1/accounts', { accountId: `acc-${String(n)}`, holders });
  }
}

async function post(url: string, token: string, path: string, body: unknown): Promise<void> {
  const response = await fetch(url + path, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      'idempotency-key': hash('sha256', JSON.stringify([path, body]), 'hex'),
    },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${path}: ${String(response.status)} ${await response.text()}`);
  await response.arrayBuffer();
}

async function startService(
  children: ChildProcess[],
  dataDir: string,
  environment: NodeJS.ProcessEnv,
): Promise<string> {
  const port = await freePort();
  const own = { PORT: String(port), HOST: '127.0.0.1', WRIT_DATA_DIR: dataDir, WRIT_LOG_LEVEL: 'warn' };
  const env = { ...process.env, ...FEW_ARENAS, ...own, ...environment };
  const child = spawn(process.execPath, [...HEAP_FLAGS, entry('dist/apps/ledger/src/main.js')], {
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

function startBeside(children: ChildProcess[], script: string, args: readonly string[]): Promise<string> {
  const child = spawn(process.execPath, [entry(`test/bench/${script}`), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  return firstLine(child);
}

function makeToken(dataDir: string, args: readonly string[]): Promise<string> {
  // A server that is measured is no matter of whoever makes a token.
  const env = { ...process.env, WRIT_DATA_DIR: dataDir, WRIT_EVENTSTOREDB_URL: undefined };
  const token = entry('dist/apps/ledger/src/token.js');
  return firstLine(spawn(process.execPath, [token, ...args], { env, stdio: ['ignore', 'pipe', 'inherit'] }));
}

async function firstLine(child: ChildProcess): Promise<string> {
  if (child.stdout === null) throw new Error('no output to read');
  for await (const text of createInterface({ input: child.stdout })) return text;
  throw new Error('ended without a line');
}

/** A port that is free now. */
export async function freePort(): Promise<number> {
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
