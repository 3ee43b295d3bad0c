import { expect, it } from '@jest/globals';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openForReading } from './file.ts';
import { readAhead } from './read-ahead.ts';
import { SqliteLog } from './sqlite-log.ts';

/** The locks that this process holds on a file, as Linux lists them. */
function locksOn(path: string): readonly string[] {
  const ours = new RegExp(` ${String(process.pid)} [0-9a-f:]+:${String(statSync(path).ino)} `);
  return readFileSync('/proc/locks', 'utf8')
    .split('\n')
    .filter((line) => ours.test(line));
}

it('what is read ahead leaves to SQLite the locks that it holds on the file in this process', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'writ-ahead-'));
  const path = join(folder, 'events.db');
  new SqliteLog({ path }).close();
  const db = openForReading(path);
  expect(locksOn(path)).toHaveLength(1);
  const close = await readAhead(path, new AbortController().signal);
  expect(locksOn(path)).toHaveLength(1);
  db.close();
  await close();
  expect(locksOn(path)).toEqual([]);
  rmSync(folder, { recursive: true });
});
