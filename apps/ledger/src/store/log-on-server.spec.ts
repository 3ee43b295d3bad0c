import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { filesIn } from '../data-folder.ts';
import { StartError } from '../start-error.ts';
import { demandLogOnServer } from './log-on-server.ts';

let folder: string;
let warned: unknown[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'writ-data-'));
  warned = [];
});
afterEach(() => rmSync(folder, { recursive: true }));

const logger = { warn: (...what: unknown[]) => void warned.push(what) };

/** @param head of the log on the server */
function demand(head: string | undefined): Promise<void> {
  return demandLogOnServer({ head: () => Promise.resolve(head) }, filesIn(folder), logger);
}

it('takes an empty server beside an empty folder, and beside one in which nothing was ever remembered', async () => {
  await demand(undefined);
  mkdirSync(filesIn(folder).snapshots);
  await demand(undefined);
  expect(warned).toEqual([]);
});

it.each(['snapshots', 'supervisor'] as const)('refuses an empty server beside %s of a log', async (name) => {
  mkdirSync(filesIn(folder)[name]);
  writeFileSync(join(filesIn(folder)[name], 'one'), '');
  await expect(demand(undefined)).rejects.toThrow(StartError);
  await expect(demand(undefined)).rejects.toThrow(filesIn(folder)[name]);
  await demand('0000000000000001-0000000000000001');
});

it('says that a log in the folder is not used', async () => {
  writeFileSync(filesIn(folder).events, '');
  await demand(undefined);
  expect(warned).toHaveLength(1);
});
