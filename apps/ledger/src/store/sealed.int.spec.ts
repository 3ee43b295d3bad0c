import { sealLog, unsealLog } from '#event-store/sqlite';
import { expect, it } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger } from '../operations/logging.ts';
import { openServiceLog } from './service-log.ts';

it('tells whoever asks that the ledger has moved, and where to in its own log alone, once', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'writ-sealed-'));
  const lines: string[] = [];
  const log = await openServiceLog(
    { store: { kind: 'sqlite' }, dataDir },
    createLogger('info', { write: (line) => lines.push(line) }),
  );
  try {
    const movedTo = 'sqlite:/somewhere/else/events.db';
    expect(await log.sealed()).toBeUndefined();
    sealLog(join(dataDir, 'events.db'), { movedTo, sealedAt: '2022-02-15T12:00:00.000Z' });
    for (let n = 0; n < 3; n += 1) expect(await log.sealed()).toBe('The ledger has moved: this log is sealed.');
    expect(lines.filter((line) => line.includes(movedTo))).toHaveLength(1);
    unsealLog(join(dataDir, 'events.db'));
    expect(await log.sealed()).toBeUndefined();
  } finally {
    await log.close();
    rmSync(dataDir, { recursive: true });
  }
});
