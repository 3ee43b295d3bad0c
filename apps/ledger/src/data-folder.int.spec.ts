import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { demandLog, filesIn } from './data-folder.ts';
import { StartError } from './start-error.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'writ-folder-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Makes a file in the data folder, and the folder that it is in. */
function put(...path: readonly string[]): void {
  mkdirSync(join(folder, ...path.slice(0, -1)), { recursive: true });
  writeFileSync(join(folder, ...path), 'x');
}

const demand = (): void => demandLog(filesIn(folder));

it.each([
  ['nothing', () => undefined],
  [
    'the lock and the key that a first start made',
    () => ['events.db.lock', 'development-key.json'].forEach((name) => put(name)),
  ],
  ['a file without a byte, of a first start that was killed', () => writeFileSync(filesIn(folder).events, '')],
  ['a supervisor that never remembered anything', () => mkdirSync(filesIn(folder).supervisor)],
])('a log may be begun beside %s', (_, make) => {
  make();
  expect(demand).not.toThrow();
});

it.each([
  ['read models', ['read-models.db']],
  ['snapshots', ['snapshots', 'account-1']],
  ['what the supervisor remembers', ['supervisor', 'supervisor']],
])('no log is begun beside %s', (_, left) => {
  put(...left);
  expect(demand).toThrow(`events.db is gone, and ${join(folder, left[0] ?? '')}, made from it, is there. Put it back`);
  writeFileSync(filesIn(folder).events, '');
  expect(demand).toThrow(StartError);
  put('events.db');
  expect(demand).not.toThrow();
});

it('no log is begun where one was to be put, and a whole one beside what is left of that is taken', () => {
  put('events.db.unfinished');
  expect(demand).toThrow(StartError);
  expect(demand).toThrow(
    `${join(folder, 'events.db.unfinished')} is there, and ${join(folder, 'events.db')} is not: a restore or a load was cut off, or is still at work. Let it end, or give the same command again; to begin an empty log, delete that file.`,
  );
  put('events.db');
  expect(demand).not.toThrow();
});
