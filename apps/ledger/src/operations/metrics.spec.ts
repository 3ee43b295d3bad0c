import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Metrics } from './metrics.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'writ-metrics-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

it('tells of each check whether it is well, as it is when asked', async () => {
  const metrics = new Metrics();
  let clock: string | undefined = 'The clock is behind.';
  metrics.observeHealth({
    stopping: () => undefined,
    store: () => Promise.resolve(undefined),
    clock: () => clock,
    projections: () => undefined,
    supervisor: () => undefined,
  });
  const first = await metrics.registry.metrics();
  expect(first).toContain('writ_ready{check="clock"} 0');
  expect(first).toContain('writ_ready{check="store"} 1');
  clock = undefined;
  expect(await metrics.registry.metrics()).toContain('writ_ready{check="clock"} 1');
});

it('tells how large the log is, with its write-ahead log, and what its disk has left', async () => {
  const metrics = new Metrics();
  const log = join(folder, 'events.db');
  metrics.observeDisk(log);
  const value = async (name: string): Promise<number> =>
    Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(await metrics.registry.metrics())?.[1]);
  writeFileSync(log, Buffer.alloc(10_000));
  expect(await value('writ_log_size_bytes')).toBe(10_000);
  writeFileSync(`${log}-wal`, Buffer.alloc(5_000));
  expect(await value('writ_log_size_bytes')).toBe(15_000);
  const { blocks, bsize } = statfsSync(folder);
  const available = await value('writ_disk_available_bytes');
  expect(available).toBeGreaterThan(0);
  expect(available).toBeLessThanOrEqual(blocks * bsize);
});

it('shows what alerts look at the increase of from the start: what appears with 1 has not grown', async () => {
  const metrics = new Metrics();
  const text = (): Promise<string> => metrics.registry.metrics();
  expect(await text()).toMatch(/^writ_internal_errors_total 0$/m);
  for (const outcome of ['store-unavailable', 'clock-unreliable']) {
    for (const type of ['Deposit', 'FreezeAccount', 'FreezeAllNamed']) {
      expect(await text()).toContain(`writ_commands_total{type="${type}",outcome="${outcome}"} 0`);
    }
  }
  metrics.requestEnded('GET', '/v1/assets', 500, 0.1);
  metrics.requestEnded('GET', '/v1/assets', 503, 0.1);
  metrics.commandEnded('Deposit', 'clock-unreliable');
  expect(await text()).toMatch(/^writ_internal_errors_total 1$/m);
  expect(await text()).toContain('writ_commands_total{type="Deposit",outcome="clock-unreliable"} 1');
});
