import { type EventToAppend, isStoreError } from '#event-store';
import { uuidv7 } from '#kernel';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { readSeal, sealLog, SqliteEventReader, SqliteEventStore, unsealLog } from './index.ts';

const SEAL = { movedTo: "EventStoreDB at it's.example:2113", sealedAt: '2022-02-15T12:00:00.000Z' };
/** What a command is told: not where to, which may be a path. */
const REFUSED = { code: 'log-sealed', message: 'this log is sealed: the ledger has moved' };
const SEALED = { code: 'log-sealed', message: expect.stringContaining(`the ledger has moved to ${SEAL.movedTo}`) };
const PROJECT = fileURLToPath(new URL('../../../../', import.meta.url));

let folder: string;
let path: string;
let store: SqliteEventStore;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'writ-seal-'));
  path = join(folder, 'events.db');
  store = await SqliteEventStore.open({ path });
});
afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true });
});

function event(): EventToAppend {
  const data = {};
  // What stands in the metadata does not matter here.
  const metadata = {} as EventToAppend['metadata'];
  return { id: uuidv7(), type: 'FundsDeposited', schemaVersion: 1, data, metadata };
}

async function idsIn(file: string): Promise<string[]> {
  const reader = new SqliteEventReader(file);
  const ids: string[] = [];
  let after: string | undefined;
  for (;;) {
    const page = await reader.readAll({ limit: 1_000, ...(after !== undefined && { after }) });
    ids.push(...page.events.map(({ id }) => id));
    after = page.scannedTo;
    if (page.atEnd) break;
  }
  await reader.close();
  return ids;
}

/** Seals from a process of its own, as `npm run copy` does. */
async function sealFromOutside(): Promise<void> {
  const script = `
    import { sealLog } from '#event-store/sqlite';
    sealLog(${JSON.stringify(path)}, ${JSON.stringify(SEAL)});`;
  await promisify(execFile)(
    process.execPath,
    ['--conditions=writ-source', '--input-type=module-typescript', '--eval', script],
    { cwd: PROJECT },
  );
}

describe('a seal', () => {
  it('stands between what is acknowledged and what is refused, while 32 append', async () => {
    const acknowledged: string[] = [];
    const refused: unknown[] = [];
    let isOver = false;
    const append = async (writer: number): Promise<void> => {
      for (let n = 0; !isOver; n += 1) {
        const sent = event();
        try {
          await store.append(`account-${String(writer)}`, n === 0 ? 'no-stream' : n - 1, [sent]);
          acknowledged.push(sent.id);
        } catch (error) {
          refused.push(error);
          return;
        }
      }
    };
    const writers = Array.from({ length: 32 }, (_, writer) => append(writer));
    await sealFromOutside();
    const readAfterTheSeal = await idsIn(path);
    await Promise.all(writers).finally(() => (isOver = true));
    expect(refused).toHaveLength(32);
    for (const error of refused) expect(error).toMatchObject(REFUSED);
    expect(readAfterTheSeal.length).toBeGreaterThan(0);
    // All that was ever acknowledged was there when the seal was, and nothing came after it.
    expect([...acknowledged].sort()).toEqual([...readAfterTheSeal].sort());
    expect(await idsIn(path)).toEqual(readAfterTheSeal);
  }, 60_000);

  it('refuses appends together, and what was stored before still answers as it did', async () => {
    const first = event();
    const appended = await store.append('account-1', 'no-stream', [first]);
    sealLog(path, SEAL);
    expect(await store.append('account-1', 'no-stream', [first])).toEqual(appended);
    await expect(store.append('account-1', 0, [event()])).rejects.toMatchObject(REFUSED);
    await expect(store.appendInOrder().append('account-1', 0, [event()])).rejects.toMatchObject(REFUSED);
    expect(await store.seal()).toEqual(SEAL);
    expect(await store.read('account-1')).toHaveLength(1);
  });

  it('keeps a store from opening, and a version that knows of no seals from writing', async () => {
    await store.append('account-1', 'no-stream', [event()]);
    await store.close();
    sealLog(path, SEAL);
    await expect(SqliteEventStore.open({ path })).rejects.toMatchObject(SEALED);
    const db = new DatabaseSync(path);
    const insert = "INSERT INTO events VALUES (2, 'account-1', 1, 'x', 'FundsDeposited', 1, '{}', '{}')";
    expect(() => db.exec(insert)).toThrow(SEAL.movedTo);
    db.close();
    expect(await idsIn(path)).toHaveLength(1);
  });

  it('is taken off again, also beside a store that is open', async () => {
    sealLog(path, SEAL);
    sealLog(path, { ...SEAL, sealedAt: '2022-02-16T12:00:00.000Z' });
    expect(readSeal(path)).toEqual(SEAL);
    await expect(store.append('account-1', 'no-stream', [event()])).rejects.toMatchObject(REFUSED);
    unsealLog(path);
    unsealLog(path);
    expect([readSeal(path), await store.seal()]).toEqual([undefined, undefined]);
    await store.append('account-1', 'no-stream', [event()]);
    await store.close();
    store = await SqliteEventStore.open({ path });
    expect(await idsIn(path)).toHaveLength(1);
  });

  it('is for one place, and for a log that is there', () => {
    sealLog(path, SEAL);
    expect(() => sealLog(path, { ...SEAL, movedTo: 'elsewhere' })).toThrow(`sealed already: the ledger has moved to`);
    expect(() => sealLog(join(folder, 'none.db'), SEAL)).toThrow('there is no such file');
    expect(readSeal(path)).toEqual(SEAL);
  });
});

describe('appends in order', () => {
  it('are stored in the order of the calls, over all streams', async () => {
    const appends = store.appendInOrder();
    const sent = Array.from({ length: 300 }, (_, n) => ({ stream: `account-${String(n % 7)}`, event: event(), n }));
    await Promise.all(
      sent.map(({ stream, event: each, n }) =>
        appends.append(stream, n < 7 ? 'no-stream' : Math.floor(n / 7) - 1, [each]),
      ),
    );
    expect(await idsIn(path)).toEqual(sent.map(({ event: { id } }) => id));
  });

  it.each<[string, (appends: ReturnType<SqliteEventStore['appendInOrder']>) => Promise<void>, string]>([
    ['is refused', (appends) => appends.append('account-1', 5, [event()]), 'wrong-expected-revision'],
    ['can not be asked for', (appends) => appends.append('account-1', 0, []), 'at least one event'],
  ])('are stored up to the first that %s, and none behind it', async (_, bad, why) => {
    const first = event();
    await store.append('account-1', 'no-stream', [first]);
    const appends = store.appendInOrder();
    const [before, refused, behind] = await Promise.allSettled([
      appends.append('account-2', 'no-stream', [event()]),
      bad(appends),
      appends.append('account-3', 'no-stream', [event()]),
    ]);
    expect([refused.status, behind.status]).toEqual(['rejected', 'rejected']);
    const { reason } = refused as PromiseRejectedResult;
    expect(isStoreError(reason) ? reason.code : (reason as Error).message).toContain(why);
    await expect(appends.append('account-4', 'no-stream', [event()])).rejects.toBe(reason);
    expect(await store.read('account-3')).toEqual([]);
    // A transaction is stored whole or not at all.
    expect(await store.read('account-2')).toHaveLength(before.status === 'fulfilled' ? 1 : 0);
  });

  it('that do not all fit into what may wait are stored none of them', async () => {
    const most = store.bounds.find(({ what }) => what === 'appends-waiting')?.most ?? 0;
    const others = Array.from({ length: most - 1 }, (_, n) =>
      store.append(`other-${String(n)}`, 'no-stream', [event()]),
    );
    const appends = store.appendInOrder();
    const inOrder = ['account-1', 'account-2'].map((stream) => appends.append(stream, 'no-stream', [event()]));
    for (const { status } of await Promise.allSettled(inOrder)) expect(status).toBe('rejected');
    await Promise.all(others);
    // What was taken before it is stored before it.
    await store.append('account-3', 'no-stream', [event()]);
    const stored = [...(await store.read('account-1')), ...(await store.read('account-2'))];
    expect(stored.map(({ stream }) => stream)).toEqual([]);
  });
});
