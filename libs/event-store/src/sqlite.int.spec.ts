import { SqliteEventStore } from '#event-store/sqlite';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeEventStore } from './contract.ts';

let folder = '';

describeEventStore('SqliteEventStore', {
  open: async () => {
    folder = await mkdtemp(join(tmpdir(), 'writ-store-'));
    return SqliteEventStore.open({ path: join(folder, 'events.db') });
  },
  remove: () => rm(folder, { recursive: true }),
});
