import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { developmentKey, developmentToken } from '../../../apps/ledger/src/auth/development-key.ts';
import type { Role } from '../../../apps/ledger/src/auth/roles.ts';
import { storeEnvironment } from './store.ts';

/** A bound, not a measure: beside others at work a start alone may take a minute. */
const START_LIMIT_MS = 120_000;
const STOP_LIMIT_MS = 15_000;
const POLL_MS = 50;
const REQUEST_LIMIT_MS = 30_000;
/** Not the Node that happens to run the tests. */
export const PINNED_NODE = fileURLToPath(new URL('../../../node_modules/node/bin/node', import.meta.url));

/** As `npm start` has it, and the image. */
export const ADDRESS_AS_NAME = '--disable-warning=DEP0123';

const built = (file: string): string =>
  fileURLToPath(new URL(`../../../dist/apps/ledger/src/${file}`, import.meta.url));

export interface ServiceOptions {
  /** Settings beside those that every test service has. */
  readonly env?: NodeJS.ProcessEnv;
  /** A data folder to go on with; the caller removes it. Default: a new one, gone when the service stops. */
  readonly dataDir?: string;
  /** No file of the service may grow beyond so many KiB: a disk that is full. */
  readonly fileLimitKiB?: number;
  /** Of the command line. */
  readonly args?: readonly string[];
  /** Whoever runs the tests may be root, who writes where nobody may: the service runs without that privilege. */
  readonly unprivileged?: boolean;
}

export interface Claims {
  readonly sub: string;
  readonly roles: readonly Role[];
}

export interface RequestOptions {
  readonly token?: string;
  /** Sent as JSON; a string is sent as it is. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body, when it is JSON. */
  readonly body: unknown;
}

/** The built service as a process of its own, on a free port. */
export interface RunningService {
  readonly url: string;
  readonly dataDir: string;
  /** A token of development mode. */
  token(claims: Claims): Promise<string>;
  request(method: string, path: string, options?: RequestOptions): Promise<Answer>;
  /** What the service has printed. */
  logs(): string;
  /** Stops it in order. @returns its exit code */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
  /** Lifts the limit on the size of its files: there is room again. */
  makeRoom(): Promise<void>;
  /** Ends it as a power cut would. The data folder stays. */
  kill(): Promise<void>;
}

/** Starts the service and waits until it is ready. @throws Error with what it printed when it is not ready in time */
export async function startService(options: ServiceOptions = {}): Promise<RunningService> {
  const service = launch(options);
  await service.waitUntilReady();
  return service;
}

/** Starts a service that can't start, on a folder of its own unless told. @returns what it printed, and its exit code */
export async function startInVain(
  env: NodeJS.ProcessEnv,
  options: Pick<ServiceOptions, 'args' | 'dataDir' | 'unprivileged'> = {},
): Promise<{ readonly code: number | null; readonly printed: string }> {
  const service = launch({ ...options, env });
  const code = await service.ended(START_LIMIT_MS);
  return { code, printed: service.logs() };
}

function launch(options: ServiceOptions): ServiceProcess {
  const dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), 'writ-e2e-'));
  const [program, ...args] = [...wrapperOf(options), PINNED_NODE, ADDRESS_AS_NAME, built('main.js')] as const;
  const child = spawn(program, [...args, ...(options.args ?? [])], {
    env: {
      ...withoutOurs(process.env),
      PORT: '0',
      WRIT_DATA_DIR: dataDir,
      ...storeEnvironment(dataDir, options.env),
      ...options.env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return new ServiceProcess(child, dataDir, options.dataDir === undefined);
}

/** What the service is started by. */
function wrapperOf({ fileLimitKiB, unprivileged }: ServiceOptions): readonly string[] {
  if (unprivileged === true && process.getuid?.() === 0) return ['setpriv', '--bounding-set=-all', '--inh-caps=-all'];
  if (fileLimitKiB === undefined) return [];
  // The soft limit, which is lifted while the service runs when there is to be room again.
  return ['bash', '--norc', '-c', `ulimit -S -f ${String(fileLimitKiB)} && exec "$@"`, 'limited'];
}

/** What is set for another service of this machine is not meant for this one. */
export function withoutOurs(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const ours = (name: string): boolean =>
    name.startsWith('WRIT_') || ['HOST', 'PORT', 'NODE_ENV', 'NODE_OPTIONS'].includes(name);
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !ours(name)));
}

class ServiceProcess implements RunningService {
  readonly dataDir: string;
  url = '';
  readonly #child: ChildProcess;
  readonly #ownsFolder: boolean;
  readonly #ended: Promise<unknown>;
  #output = '';

  constructor(child: ChildProcess, dataDir: string, ownsFolder: boolean) {
    this.#child = child;
    this.dataDir = dataDir;
    this.#ownsFolder = ownsFolder;
    this.#ended = once(child, 'close');
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => (this.#output += text));
    }
  }

  async waitUntilReady(): Promise<void> {
    const endMs = performance.now() + START_LIMIT_MS;
    while (performance.now() < endMs && this.#child.exitCode === null) {
      this.url = /"url":"(http:[^"]+)"/.exec(this.#output)?.[1] ?? '';
      if (this.url !== '' && (await this.#isReady())) return;
      await delay(POLL_MS);
    }
    await this.kill();
    throw new Error(`the service is not ready in time. It printed:\n${this.#output}`);
  }

  async #isReady(): Promise<boolean> {
    const response = await fetch(`${this.url}/health/ready`, { signal: AbortSignal.timeout(REQUEST_LIMIT_MS) }).catch(
      () => undefined,
    );
    return response?.ok === true;
  }

  logs(): string {
    return this.#output;
  }

  async token(claims: Claims): Promise<string> {
    return developmentToken(await developmentKey(this.dataDir), claims);
  }

  async request(method: string, path: string, { token, body, headers = {} }: RequestOptions = {}): Promise<Answer> {
    const response = await fetch(this.url + path, {
      method,
      headers: {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      signal: AbortSignal.timeout(REQUEST_LIMIT_MS),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, body: asJson(text) };
  }

  stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    this.#child.kill(signal);
    return this.ended(STOP_LIMIT_MS);
  }

  /** Waits for the end, and brings it about when it is late. @returns the exit code; null when it was brought about */
  async ended(limitMs: number): Promise<number | null> {
    const inTime = await Promise.race([this.#ended.then(() => true), delay(limitMs, false, { ref: false })]);
    if (!inTime) await this.kill();
    if (this.#ownsFolder) rmSync(this.dataDir, { recursive: true, force: true });
    return this.#child.exitCode;
  }

  async makeRoom(): Promise<void> {
    await promisify(execFile)('prlimit', ['--pid', String(this.#child.pid), '--fsize=unlimited:unlimited']);
  }

  async kill(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.#child.kill('SIGKILL');
    await this.#ended;
  }
}

function asJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
