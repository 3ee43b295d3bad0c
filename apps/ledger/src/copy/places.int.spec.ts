import { SqliteEventStore } from '#event-store/sqlite';
import { LedgerWorld } from '#testing';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readPlace } from './places.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'writ-places-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

it('a file of which acknowledged events are gone is no source of a copy, and stays to be seen', async () => {
  const live = join(folder, 'live.db');
  const path = join(folder, 'events.db');
  const store = await SqliteEventStore.open({ path: live });
  await new LedgerWorld({ store }).openAccount();
  for (const end of ['', '-shm']) cpSync(live + end, path + end);
  await store.close();
  const place = readPlace('from', `sqlite:${folder}`, {});
  for (let times = 0; times < 2; times += 1) {
    await expect(place.openSource()).rejects.toThrow(`${path}-wal is gone, and with it what was not merged`);
  }
  expect(existsSync(`${path}-wal`)).toBe(false);
});
