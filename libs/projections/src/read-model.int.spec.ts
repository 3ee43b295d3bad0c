import { expect, it } from '@jest/globals';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ReadModel } from './read-model.ts';

it('the files of the read models are for their owner alone, whatever the umask says', () => {
  const folder = mkdtempSync(join(tmpdir(), 'writ-read-model-'));
  const umask = process.umask(0);
  try {
    const file = join(folder, 'read-models.db');
    const building = new ReadModel(file, [], 'none');
    expect(statSync(`${file}.unfinished`).mode & 0o777).toBe(0o600);
    building.finish();
    const model = new ReadModel(file, [], 'none');
    const modes = readdirSync(folder).map((name) => [name, (statSync(join(folder, name)).mode & 0o777).toString(8)]);
    model.close();
    expect(modes.sort()).toEqual([
      ['read-models.db', '600'],
      ['read-models.db-shm', '600'],
      ['read-models.db-wal', '600'],
    ]);
  } finally {
    process.umask(umask);
    rmSync(folder, { recursive: true });
  }
});
