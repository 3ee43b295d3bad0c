import { SqliteEventStore } from '#event-store/sqlite';
import { LedgerWorld, tellStory } from '#testing';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { filesIn } from './data-folder.ts';
import { rebuildReadModels } from './rebuild-command.ts';

let folder: string;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'writ-rebuild-'));
  const store = await SqliteEventStore.open({ path: filesIn(folder).events });
  await tellStory(new LedgerWorld({ store }));
  await store.close();
}, 90_000);
afterEach(() => rmSync(folder, { recursive: true }));

async function rebuilt(
  environment: Record<string, string> = {},
  ...args: string[]
): Promise<{ code: number; out: string; err: string }> {
  let [out, err] = ['', ''];
  const code = await rebuildReadModels(
    args,
    { WRIT_DATA_DIR: folder, ...environment },
    { stdout: { write: (text) => (out += text) }, stderr: { write: (text) => (err += text) } },
  );
  return { code, out, err };
}

it('needs nothing of the configuration but the folder', async () => {
  const { code, out, err } = await rebuilt({ NODE_ENV: 'production' });
  expect({ code, out, err }).toEqual({ code: 0, out: `The read models in ${folder} are built anew.\n`, err: '' });
  expect(existsSync(filesIn(folder).readModels)).toBe(true);
}, 90_000);

it('gives up what does not go on by itself, and says why in one line', async () => {
  mkdirSync(join(filesIn(folder).readModels, 'in-the-way'), { recursive: true });
  const { code, out, err } = await rebuilt();
  expect({ code, out }).toEqual({ code: 1, out: '' });
  expect(err).toMatch(/^The read models can't be built: .+ The log is untouched: see .+\n$/);
  // And lets the log go.
  await (await SqliteEventStore.open({ path: filesIn(folder).events })).close();
}, 90_000);

it('takes the folder that it is told, and makes no empty one', async () => {
  const nowhere = join(folder, 'nowhere');
  const environment = { WRIT_DATA_DIR: nowhere };
  const none = {
    code: 1,
    out: '',
    err: `There is no log in ${nowhere}: name a data folder that has one with --data.\n`,
  };
  expect(await rebuilt(environment)).toEqual(none);
  expect(existsSync(nowhere)).toBe(false);
  expect(await rebuilt(environment, '--data', folder)).toMatchObject({ code: 0, err: '' });
  expect(await rebuilt(environment, '--date', folder)).toMatchObject({
    code: 1,
    err: expect.stringContaining('Usage:'),
  });
}, 90_000);
