import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startService } from '../e2e/support/service.ts';
import { runTool } from '../e2e/support/tool.ts';

/** Loaded before the program: writes down each file and folder that is brought to the disk. */
const NOTES_SYNCS = `
  import fs from 'node:fs';
  import { syncBuiltinESMExports } from 'node:module';
  const { openSync, fsyncSync } = fs;
  const paths = new Map();
  fs.openSync = (path, ...more) => {
    const file = openSync(path, ...more);
    paths.set(file, String(path));
    return file;
  };
  fs.fsyncSync = (file) => {
    fsyncSync(file);
    fs.appendFileSync(process.env.SYNCED, paths.get(file) + '\\n');
  };
  syncBuiltinESMExports();
`;

/** A power cut must not take the folder that a backup or a log is in: its name is in its parent, and is on disk. */
let folder: string;
let environment: Record<string, string>;
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'writ-synced-')));
  writeFileSync(join(folder, 'notes.mjs'), NOTES_SYNCS);
  environment = { NODE_OPTIONS: `--import=${join(folder, 'notes.mjs')}`, SYNCED: join(folder, 'synced') };
});
afterEach(() => rmSync(folder, { recursive: true }));

const made = (): string => join(folder, 'made', 'in', 'here');

it('the folders that a first start makes', async () => {
  const service = await startService({ dataDir: made(), env: environment });
  await service.stop();
  expectOnDisk();
}, 180_000);

it.each(['load', 'backup', 'restore'] as const)(
  'the folders that a %s makes',
  async (command) => {
    const data = join(folder, 'data');
    const backups = join(folder, 'backups');
    const run = async (name: typeof command, ...args: readonly string[]): Promise<void> => {
      expect(await runTool(name, args, { dataDir: data, environment })).toMatchObject({ code: 0 });
    };
    await run('load', '--accounts', '1', '--events', '200', '--data', command === 'load' ? made() : data);
    if (command !== 'load') await run('backup', '--to', command === 'backup' ? made() : backups);
    if (command === 'restore')
      await run('restore', '--from', join(backups, readdirSync(backups)[0] ?? ''), '--data', made());
    expectOnDisk();
  },
  180_000,
);

function expectOnDisk(): void {
  const synced = readFileSync(join(folder, 'synced'), 'utf8').split('\n');
  expect(synced).toEqual(expect.arrayContaining([folder, join(folder, 'made'), join(folder, 'made', 'in')]));
}
