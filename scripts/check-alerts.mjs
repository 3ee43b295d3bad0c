/** Checks the alert rules, and tries them on series that should and should not set them off: needs promtool. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { ROOT } from './set-up.mjs';

const RULES = join(ROOT, 'ops/prometheus');

for (const args of [
  ['check', 'rules', 'alerts.yml'],
  ['test', 'rules', 'alerts.test.yml'],
]) {
  const { error, status } = spawnSync('promtool', args, { cwd: RULES, stdio: 'inherit' });
  if (error?.code === 'ENOENT') {
    process.stderr.write('promtool is not installed: it comes with Prometheus (Debian: apt install prometheus).\n');
    process.exit(1);
  }
  if (status !== 0) process.exit(status ?? 1);
}
