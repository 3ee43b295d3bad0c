import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { ADDRESS_AS_NAME, withoutOurs } from './service.ts';
import { storeEnvironment } from './store.ts';

const PINNED_NODE = fileURLToPath(new URL('../../../node_modules/node/bin/node', import.meta.url));
const LIMIT_MS = 120_000;

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs one of the built commands, as `npm run` does.
 * @param fileLimitKiB no file that it writes may grow beyond so many KiB: a disk that is full
 */
export async function runTool(
  name: 'backup' | 'restore' | 'rebuild' | 'load' | 'check' | 'copy',
  args: readonly string[],
  {
    dataDir,
    fileLimitKiB,
    environment = {},
  }: {
    readonly dataDir: string;
    readonly fileLimitKiB?: number;
    readonly environment?: Readonly<Record<string, string>>;
  },
): Promise<Ran> {
  const script = fileURLToPath(new URL(`../../../dist/apps/ledger/src/${name}.js`, import.meta.url));
  const limited = ['--norc', '-c', `ulimit -f ${String(fileLimitKiB)} && exec "$@"`, 'limited', PINNED_NODE];
  const [program, first] = fileLimitKiB === undefined ? [PINNED_NODE, []] : ['bash', limited];
  const child = spawn(program, [...first, ADDRESS_AS_NAME, script, ...args], {
    env: {
      ...withoutOurs(process.env),
      WRIT_DATA_DIR: dataDir,
      ...storeEnvironment(dataDir, environment),
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: LIMIT_MS,
  });
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close') as Promise<[number | null]>,
  ]);
  return { code, stdout, stderr };
}
