import { SqliteEventReader, SqliteEventStore } from '#event-store/sqlite';
import { type RecordedEvent, uuidv7 } from '#kernel';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { describeEventStore, type StoreUnderTest } from './contract.ts';
import { sealedEvent, sealedEvents } from './contract-events.ts';
import { describeRaces } from './contract-races.ts';
import type { ExpectedRevision } from './port.ts';

const PROJECT = fileURLToPath(new URL('../../../', import.meta.url));

let folder: string;
let path: string;

async function makeFolder(): Promise<void> {
  folder = await mkdtemp(join(tmpdir(), 'writ-store-'));
  path = join(folder, 'events.db');
}
const removeFolder = (): Promise<void> => rm(folder, { recursive: true });

const adapter: StoreUnderTest = {
  open: async () => {
    await makeFolder();
    return SqliteEventStore.open({ path });
  },
  remove: removeFolder,
};

describeEventStore('SqliteEventStore', adapter);
describeRaces('SqliteEventStore', adapter, 6);

describe('SqliteEventStore', () => {
  let store: SqliteEventStore;
  let children: ChildProcess[];
  beforeEach(async () => {
    children = [];
    await makeFolder();
    store = await SqliteEventStore.open({ path });
  });
  afterEach(async () => {
    for (const child of children) child.kill('SIGKILL');
    await store.close();
    await removeFolder();
  });

  /** Runs a program in another process. @returns the lines that it prints, as they come */
  function run(program: string): { readonly lines: AsyncIterator<string>; readonly child: ChildProcess } {
    const flags = ['--conditions=writ-source', '--input-type=module'];
    const child = spawn(process.execPath, [...flags, '-e', program, path], {
      cwd: PROJECT,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    children.push(child);
    return { lines: createInterface({ input: child.stdout })[Symbol.asyncIterator](), child };
  }

  /** Holds the file's write lock, so that a commit has to wait, until the answer is called. */
  function holdUpCommits(): () => void {
    const db = new DatabaseSync(path);
    db.exec('BEGIN IMMEDIATE');
    return () => db.close();
  }

  it('is the only writer', () => {
    expect(store.singleWriter).toBe(true);
  });

  it('has everything when it is opened again', async () => {
    const answer = await store.append('account-1', 'no-stream', sealedEvents(3));
    const before = await store.readAll({ limit: 10 });
    await store.close();
    store = await SqliteEventStore.open({ path });
    expect(await store.readAll({ limit: 10 })).toEqual(before);
    expect(await store.head()).toBe(answer.positions[2]);
    expect(await store.append('account-1', 2, sealedEvents(1))).toMatchObject({ firstRevision: 3 });
  });

  it('counts a read against its bound until it is answered', async () => {
    const waiting = store.bounds.find(({ what }) => what === 'reads-waiting');
    const reads = [store.head(), store.head(), store.head()];
    // By now they are sent to the thread, and no answer can have come.
    await new Promise(setImmediate);
    expect(waiting?.inUse()).toBe(3);
    await Promise.all(reads);
    expect(waiting?.inUse()).toBe(0);
  });

  it('commits together what waits at the same time', async () => {
    const heads: string[] = [];
    const end = store.onAppended((head) => heads.push(head));
    await Promise.all(
      Array.from({ length: 64 }, (_, index) => store.append(`account-${index}`, 'no-stream', sealedEvents(1))),
    );
    end();
    await store.append('account-1', 0, sealedEvents(1));
    expect(heads).toEqual(['0000000000000040']);
  });

  it('refuses a second store of the same process and of another one, which names the file', async () => {
    await expect(SqliteEventStore.open({ path })).rejects.toMatchObject({
      name: 'StoreError',
      code: 'store-unavailable',
      message: expect.stringContaining(path),
    });
    const { lines } = run(`
      import { SqliteEventStore } from '#event-store/sqlite';
      await SqliteEventStore.open({ path: process.argv[1] }).catch((error) => console.log(error.code + ' ' + error.message));
    `);
    expect((await lines.next()).value).toMatch(new RegExp(`^store-unavailable ${path} is in use by another process`));
  });

  it('gives back as text what is not JSON', async () => {
    await store.append('account-1', 'no-stream', sealedEvents(1));
    const db = new DatabaseSync(path);
    db.exec(
      `INSERT INTO events VALUES (2, 'account-1', 1, '${uuidv7()}', 'AccountFrozen', 1, '{"half":', 'no metadata')`,
    );
    db.close();
    const expected = {
      stream: 'account-1',
      revision: 1,
      type: 'AccountFrozen',
      data: '{"half":',
      metadata: 'no metadata',
    };
    expect((await store.read('account-1'))[1]).toMatchObject(expected);
    expect((await store.readAll({ limit: 10 })).events[1]).toMatchObject(expected);
    expect(await store.append('account-1', 1, sealedEvents(1))).toMatchObject({ firstRevision: 2 });
  });

  it('refuses on a full disk, stores nothing then, and goes on with what fits', async () => {
    await store.close();
    store = await SqliteEventStore.open({ path, maxPages: 100 });
    await store.append('account-1', 'no-stream', sealedEvents(1));
    const large = sealedEvent({ data: 'x'.repeat(900_000) });
    await expect(store.append('account-1', 0, [large])).rejects.toMatchObject({
      name: 'StoreError',
      code: 'store-full',
    });
    expect(await store.append('account-1', 0, sealedEvents(1))).toMatchObject({ firstRevision: 1 });
    expect(await store.read('account-1')).toHaveLength(2);
  });

  it('turns appends away when too many wait, and stores all that it took', async () => {
    const taken = Array.from({ length: 10_000 }, (_, index) =>
      store.append(`account-${index}`, 'no-stream', sealedEvents(1)),
    );
    const oneMore = store.append('account-x', 'no-stream', sealedEvents(1));
    await expect(oneMore).rejects.toMatchObject({ name: 'StoreError', code: 'store-unavailable' });
    await Promise.all(taken);
    expect(await store.head()).toBe((10_000).toString(16).padStart(16, '0'));
  });

  it('says of a thread that broke what is unknown and what was not stored, and leaves the log whole', async () => {
    const seen = new Promise((_, reject) => {
      store.subscribeAll({}).subscribe({ error: reject });
    });
    const letGo = holdUpCommits();
    const underWay = store.append('account-1', 'no-stream', sealedEvents(1));
    await new Promise(setImmediate);
    const waiting = store.append('account-2', 'no-stream', sealedEvents(1));
    const reading = store.read('account-1');
    const results = Promise.allSettled([underWay, waiting, reading, seen]);
    await store.terminate();
    letGo();
    const unavailable = { name: 'StoreError', code: 'store-unavailable' };
    const reasons = (await results).map((result) =>
      result.status === 'rejected' ? (result.reason as unknown) : 'fulfilled',
    );
    expect(reasons).toMatchObject([
      { name: 'StoreError', code: 'outcome-unknown' },
      unavailable,
      unavailable,
      unavailable,
    ]);
    await expect(store.append('account-3', 'no-stream', sealedEvents(1))).rejects.toMatchObject(unavailable);
    await store.close();

    store = await SqliteEventStore.open({ path });
    expect(await store.readAll({ limit: 10 })).toMatchObject({ events: [] });
    await store.append('account-1', 'no-stream', sealedEvents(1));
  });

  it('tells of a thread that ended by itself, and of none that it was asked to end', async () => {
    const asked = await SqliteEventStore.open({ path: join(folder, 'asked.db') });
    const told = Promise.race([asked.broken, store.broken]);
    await asked.close();
    // A message that the thread can't make anything of: nothing that is typed makes one.
    const unreadable = { ...sealedEvent(), schemaVersion: undefined as never };
    const appending = store.append('account-1', 'no-stream', [unreadable]);
    await expect(appending).rejects.toMatchObject({ name: 'StoreError', code: 'outcome-unknown' });
    expect(await told).toBe("the event log's thread broke: a message between the threads is incomplete");
    expect(await Promise.race([asked.broken, Promise.resolve('nothing was told')])).toBe('nothing was told');
    await store.close();
    store = await SqliteEventStore.open({ path });
    await store.append('account-1', 'no-stream', sealedEvents(1));
  });

  it('loses nothing that it acknowledged, and keeps no half of an append, when its process is killed', async () => {
    await store.close();
    const revisions = new Map<string, number>();
    for (let round = 0; round < 3; round++) {
      const { lines, child } = run(APPENDS_UNTIL_KILLED);
      let acknowledged = 0;
      for (let line = await lines.next(); line.done !== true; line = await lines.next()) {
        const [stream = '', revision = ''] = line.value.split(' ');
        revisions.set(stream, Number(revision));
        if (++acknowledged === 300) child.kill('SIGKILL');
      }
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');

      store = await SqliteEventStore.open({ path });
      await checkAfterKill(store, revisions);
      await store.close();
    }
  });

  describe('with a reader of the same file', () => {
    let reader: SqliteEventReader;
    beforeEach(() => {
      reader = new SqliteEventReader(path);
    });
    afterEach(() => reader.close());

    it('shows it what is stored', async () => {
      expect(await reader.head()).toBeUndefined();
      await store.append('account-1', 'no-stream', sealedEvents(1_500));
      await store.append('account-2', 'no-stream', sealedEvents(1));
      expect(await reader.head()).toBe(await store.head());
      expect(await reader.read('account-1')).toEqual(await store.read('account-1'));
      const backwards = { direction: 'backwards', from: 1_200, limit: 1_100 } as const;
      expect(await reader.read('account-1', backwards)).toEqual(await store.read('account-1', backwards));
      const page = { limit: 10, filter: { streamPrefixes: ['account-2'] } };
      expect(await reader.readAll(page)).toEqual(await store.readAll(page));
    });

    it.each([
      ['at once when it is told', true],
      ['soon when nobody tells it', false],
    ])('shows its subscribers what comes, once each, %s', async (_, told) => {
      const end = store.onAppended(() => (told ? reader.notify() : undefined));
      const events: RecordedEvent[] = [];
      const all = new Promise<void>((resolve) => {
        reader.subscribeAll({}).subscribe((event) => {
          if (events.push(event) === 300) resolve();
        });
      });
      await Promise.all(
        Array.from({ length: 100 }, (_, index) => store.append(`account-${index}`, 'no-stream', sealedEvents(3))),
      );
      await all;
      end();
      expect(events).toEqual((await store.readAll({ limit: 1_000 })).events);
    });

    it('ends its subscriptions and refuses to read when it is closed, and the store goes on', async () => {
      const completed = new Promise<void>((resolve) => {
        reader.subscribeAll({}).subscribe({ complete: resolve });
      });
      await reader.close();
      await completed;
      await expect(reader.head()).rejects.toMatchObject({ name: 'StoreError', code: 'store-unavailable' });
      await store.append('account-1', 'no-stream', sealedEvents(1));
      await reader.close();
    });
  });
});

/** Eight writers, three events an append; prints stream and last revision of what was acknowledged. */
const APPENDS_UNTIL_KILLED = `
  import { SqliteEventStore } from '#event-store/sqlite';
  const store = await SqliteEventStore.open({ path: process.argv[1] });
  const event = (id) => ({ id, type: 'T', schemaVersion: 1, data: 'x'.repeat(500), metadata: {} });
  await Promise.all(Array.from({ length: 8 }, async (_, writer) => {
    const stream = 'account-' + writer;
    const [last] = await store.read(stream, { direction: 'backwards', limit: 1 });
    for (let head = last?.revision ?? -1; ; head += 3) {
      const events = [1, 2, 3].map((step) => event(stream + '/' + (head + step)));
      await store.append(stream, head < 0 ? 'no-stream' : head, events);
      await new Promise((written) => process.stdout.write(stream + ' ' + (head + 3) + '\\n', written));
    }
  }));
`;

/** What was acknowledged is there, each append whole; and what was under way can be sent again and is there once. */
async function checkAfterKill(store: SqliteEventStore, acknowledged: Map<string, number>): Promise<void> {
  expect(acknowledged.size).toBe(8);
  for (const [stream, revision] of acknowledged) {
    const events = await store.read(stream);
    expect(events.length).toBeGreaterThan(revision);
    expect(events.length % 3).toBe(0);
    expect(events.map((event) => event.id)).toEqual(events.map((_, index) => `${stream}/${index}`));

    const expected: ExpectedRevision = revision;
    const next = [1, 2, 3].map((step) => sealedEvent({ id: `${stream}/${revision + step}` }));
    await store.append(stream, expected, next);
    const again = await store.read(stream, { from: revision + 1 });
    expect(again.map((event) => event.id)).toEqual(next.map((event) => event.id));
    acknowledged.set(stream, revision + 3);
  }
}
