import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { developmentKey, developmentToken } from '../auth/development-key.ts';
import type { Role } from '../auth/roles.ts';

const START_LIMIT_MS = 30_000;
/** Longer than the service's own limit for a stop in order. */
const STOP_LIMIT_MS = 12_000;
const POLL_MS = 50;
const MAX_OUTPUT_LENGTH = 64 * 1024;

/** The built service as a process of its own, on a free port and a folder that goes with it. */
export class OwnService {
  readonly #dataDir: string;
  readonly #child: ChildProcess;
  readonly #output: () => string;
  readonly #ended: Promise<void>;
  #stopping: Promise<void> | undefined;

  constructor(environment: NodeJS.ProcessEnv) {
    this.#dataDir = mkdtempSync(join(tmpdir(), 'writ-demo-'));
    this.#child = spawn(process.execPath, [fileURLToPath(new URL('../main.js', import.meta.url))], {
      env: { ...withoutOurs(environment), PORT: '0', WRIT_DATA_DIR: this.#dataDir },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#output = keepOutput(this.#child);
    this.#ended = endOf(this.#child);
  }

  /** @returns the address, once the service is ready. @throws Error with what it printed, when it is not in time */
  ready(): Promise<string> {
    return readyUrl(this.#child, this.#output);
  }

  async token(sub: string, roles: readonly Role[]): Promise<string> {
    return developmentToken(await developmentKey(this.#dataDir), { sub, roles });
  }

  /** Ends the process and removes the folder. May be called again. */
  stop(): Promise<void> {
    this.#stopping ??= this.#end();
    return this.#stopping;
  }

  async #end(): Promise<void> {
    this.#child.kill('SIGTERM');
    const inTime = await Promise.race([this.#ended.then(() => true), delay(STOP_LIMIT_MS, false, { ref: false })]);
    if (!inTime) {
      this.#child.kill('SIGKILL');
      await this.#ended;
    }
    rmSync(this.#dataDir, { recursive: true, force: true });
  }
}

/** What is set for another service of this machine is not meant for this one. */
function withoutOurs(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const ours = (name: string): boolean => name.startsWith('WRIT_') || ['HOST', 'PORT', 'NODE_ENV'].includes(name);
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !ours(name)));
}

function keepOutput(child: ChildProcess): () => string {
  let kept = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      kept = (kept + text).slice(-MAX_OUTPUT_LENGTH);
    });
  }
  return () => kept;
}

/** Resolves when the process has ended, or could not even begin. */
function endOf(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    child.once('close', () => {
      resolve();
    });
    child.once('error', () => {
      resolve();
    });
  });
}

/** The address, once the service says that it is ready. */
async function readyUrl(child: ChildProcess, output: () => string): Promise<string> {
  const deadlineMs = Date.now() + START_LIMIT_MS;
  while (Date.now() < deadlineMs && isRunning(child)) {
    const url = /"url":"(http:[^"]+)"/.exec(output())?.[1];
    if (url !== undefined && (await isReady(url))) return url;
    await delay(POLL_MS);
  }
  throw new Error(`The service did not start. It said:\n${output()}`);
}

function isRunning({ pid, exitCode, signalCode }: ChildProcess): boolean {
  return pid !== undefined && exitCode === null && signalCode === null;
}

async function isReady(url: string): Promise<boolean> {
  try {
    const { ok } = await fetch(`${url}/health/ready`, { signal: AbortSignal.timeout(2_000) });
    return ok;
  } catch {
    return false;
  }
}
