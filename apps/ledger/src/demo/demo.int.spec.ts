import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../../../', import.meta.url));

/** All that the demonstration leaves in the place for temporary files is seen in this one. */
let temporary: string;

beforeEach(() => {
  temporary = mkdtempSync(join(tmpdir(), 'writ-demo-test-'));
});

afterEach(() => {
  rmSync(temporary, { recursive: true, force: true });
});

function startDemo(): ChildProcessWithoutNullStreams {
  const env = { ...process.env, TMPDIR: temporary };
  return spawn(`${root}node_modules/node/bin/node`, ['dist/apps/ledger/src/demo/main.js'], { cwd: root, env });
}

it('plays to its end on the built service, and leaves nothing behind', async () => {
  const demo = startDemo();
  const [stdout, stderr, [status]] = await Promise.all([text(demo.stdout), text(demo.stderr), once(demo, 'close')]);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(stdout).toContain('423 account-frozen');
  expect(stdout).toMatch(/\nAll \d+ lines are as expected\. The service is stopped, and its log removed\.\n$/);
  expect(readdirSync(temporary)).toEqual([]);
}, 90_000);

it('leaves nothing behind when it is interrupted, and does not say that all is well', async () => {
  const demo = startDemo();
  const closed = once(demo, 'close');
  await Promise.race([once(demo.stdout, 'data'), closed]);
  expect(readdirSync(temporary)).toHaveLength(1);
  demo.kill('SIGTERM');
  const [status] = await closed;
  expect(status).toBe(1);
  expect(readdirSync(temporary)).toEqual([]);
}, 90_000);
