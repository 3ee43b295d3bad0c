/**
 * Shows on a real file system of a few MiB what the tests show by a limit on the size of files: `npm run prove-full-disk`
 * mounts one for itself alone and runs `full-disk.e2e.spec.ts` on it. Needs `unshare`, and the right to mount.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const SIZE = '8m';
const TEST = [
  '--experimental-vm-modules',
  '--disable-warning=ExperimentalWarning',
  'node_modules/jest/bin/jest.js',
  'test/recovery/full-disk',
];
/** What is mounted is seen by nobody else, and gone with the last process that sees it. */
const MOUNT_AND_RUN = 'mount -t tmpfs -o "size=$2" tmpfs "$1" && shift 2 && exec "$@"';

/** @returns the exit code of a program with a small file system mounted on a folder */
function runOn(folder: string, command: readonly string[], stdio: 'inherit' | 'pipe'): { code: number; said: string } {
  const own = process.getuid?.() === 0 ? ['-m'] : ['-r', '-m'];
  const { status, stderr, error } = spawnSync(
    'unshare',
    [...own, 'sh', '-c', MOUNT_AND_RUN, 'mounted', folder, SIZE, ...command],
    { cwd: ROOT, env: { ...process.env, WRIT_SMALL_DISK: folder }, stdio, encoding: 'utf8' },
  );
  return { code: status ?? 1, said: error === undefined ? stderr : error.message };
}

function main(): number {
  const folder = mkdtempSync(join(tmpdir(), 'writ-small-disk-'));
  try {
    const probe = runOn(folder, ['true'], 'pipe');
    if (probe.code === 0) return runOn(folder, [process.execPath, ...TEST], 'inherit').code;
    process.stderr.write(
      `This machine does not let a small file system be mounted (${probe.said.trim()}): nothing was shown.\n` +
        'It needs root, or user namespaces. `npm test` shows the same by a limit on the size of files.\n',
    );
    return 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

process.exitCode = main();
