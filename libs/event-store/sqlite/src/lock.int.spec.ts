import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { acquireLock, tryLock } from './lock.ts';

let folder: string;
let log: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'writ-lock-'));
  log = join(folder, 'events.db');
});
afterEach(() => rmSync(folder, { recursive: true }));

it('is waited for while somebody has it for a moment', () => {
  const looking = tryLock(log);
  let pauses = 0;
  const release = acquireLock(log, () => {
    pauses += 1;
    if (pauses === 3) looking?.();
  });
  expect(pauses).toBe(3);
  expect(tryLock(log)).toBeUndefined();
  release();
});

it('is not waited for without end, and names the file', () => {
  const release = acquireLock(log);
  let pauses = 0;
  const asking = (): unknown => acquireLock(log, () => (pauses += 1));
  expect(asking).toThrow(`${log} is in use by another process, which holds ${log}.lock`);
  expect(pauses).toBe(39);
  release();
});
