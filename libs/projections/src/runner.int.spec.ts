import type { EventReader } from '#event-store';
import { MemoryEventStore } from '#event-store/memory';
import { accountsTable } from '#accounts';
import { pointerTo, type Position, type RecordedEvent, type Row, type Table } from '#kernel';
import { Judge } from '#replay';
import { danglingFreeze, forceIn, LedgerWorld, storeOf, tellStory } from '#testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setImmediate } from 'node:timers/promises';
import { map } from 'rxjs';
import { projectors, type Projector } from './projectors.ts';
import type { ProjectionEvent } from './projection-events.ts';
import { MOST_WAITS, ProjectionRunner, type EventJudge, type RunnerOptions } from './runner.ts';

let folder = '';
let files = 0;
/** All runners, so that one that a failed test left open ends too. */
const opened: ProjectionRunner[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'writ-projections-'));
});
afterAll(async () => {
  await Promise.all(opened.map((runner) => runner.close()));
  await rm(folder, { recursive: true });
});

function newFile(): string {
  files += 1;
  return join(folder, `read-model-${String(files)}.sqlite`);
}

/** A runner, all that it reports, and how to wait for some of it. */
/** The same log in a store whose positions are others, as those of a server are. */
function inOtherPlaces(inner: EventReader): EventReader {
  const there = (position: string): string => `${position}-${position}`;
  const here = (position: string): string => position.slice(0, 16);
  const moved = (event: RecordedEvent): RecordedEvent => ({ ...event, position: there(event.position) });
  return {
    read: async (...asked) => (await inner.read(...asked)).map(moved),
    readAll: async ({ after, ...options }) => {
      const page = await inner.readAll({ ...options, ...(after !== undefined && { after: here(after) }) });
      const { scannedTo } = page;
      return { ...page, events: page.events.map(moved), scannedTo: scannedTo && there(scannedTo) };
    },
    head: async () => {
      const head = await inner.head();
      return head && there(head);
    },
    subscribeAll: ({ after, filter }) =>
      inner.subscribeAll({ after: after && here(after), ...(filter !== undefined && { filter }) }).pipe(map(moved)),
    close: () => inner.close(),
  };
}

class Watched {
  readonly events: ProjectionEvent[] = [];
  readonly runner: ProjectionRunner;
  readonly #waiters = new Set<() => void>();

  constructor(options: Omit<RunnerOptions, 'onEvent'>) {
    const limits = { lingerMs: 0, retryMs: 1, retryMaxMs: 2, ...options.limits };
    const clock = { now: () => 0 };
    const onEvent = (event: ProjectionEvent): void => {
      this.events.push(event);
      for (const check of [...this.#waiters]) check();
    };
    this.runner = new ProjectionRunner({ clock, ...options, limits, onEvent });
    opened.push(this.runner);
    this.runner.start();
  }

  /** Waits for a report; fails with the test's own time limit. */
  async until(condition: () => boolean): Promise<void> {
    if (condition()) return;
    await new Promise<void>((resolve) => {
      const check = (): void => {
        if (!condition()) return;
        this.#waiters.delete(check);
        resolve();
      };
      this.#waiters.add(check);
    });
  }

  live(): Promise<void> {
    return this.until(() => this.runner.status().state === 'live');
  }

  async reached(event: RecordedEvent): Promise<void> {
    await this.until(() => (this.runner.status().checkpoint ?? '') >= event.position);
  }

  rebuilds(): string[] {
    return this.events.flatMap((event) => (event.type === 'rebuilding' ? [event.cause] : []));
  }

  violations(): string[] {
    return this.events.flatMap((event) => (event.type === 'violation' ? [event.violation.position] : []));
  }
}

/** All rows of all tables. */
function dump(file: string): Record<string, unknown> {
  const db = new DatabaseSync(file, { readOnly: true });
  const names = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").all();
  const tables = names.map(({ name }) => [name, db.prepare(`SELECT * FROM ${String(name)} ORDER BY 1`).all()]);
  db.close();
  return Object.fromEntries(tables) as Record<string, unknown>;
}

function nullRow(table: Table): Row {
  return Object.fromEntries(Object.keys(table.columns).map((column) => [column, null]));
}

async function storyStore(): Promise<MemoryEventStore> {
  const store = new MemoryEventStore();
  await tellStory(new LedgerWorld({ store }));
  await forceIn(store, 'account-acc-3', danglingFreeze('acc-3'));
  return store;
}

async function projectWhole(
  reader: EventReader,
  options: Partial<RunnerOptions> = {},
): Promise<Record<string, unknown>> {
  const file = newFile();
  const watched = new Watched({ reader, file, ...options });
  await watched.live();
  await watched.runner.close();
  return dump(file);
}

/** Says that its rows would come out differently. */
function newerVersion(): Projector[] {
  return projectors.map((projector) => ({ ...projector, version: projector.version + 1 }));
}

describe('the projection of a log', () => {
  let store: MemoryEventStore;
  let expected: Record<string, unknown>;
  beforeAll(async () => {
    store = await storyStore();
    expected = await projectWhole(store);
  });

  it('has rows of the whole story', () => {
    for (const [name, rows] of Object.entries(expected)) expect([name, rows]).not.toEqual([name, []]);
  });

  it.each([1, 2, 7, 1000])('is the same in batches of %i', async (batch) => {
    expect(await projectWhole(store, { limits: { batch, buildingBatch: batch } })).toEqual(expected);
  });

  it('is the same after a stop between any two batches', async () => {
    const file = newFile();
    const events = (await store.readAll({ limit: 10_000 })).events;
    const growing = await storeOf(events.slice(0, 10));
    const first = new Watched({ reader: growing, file });
    await first.live();
    await first.runner.close();
    for (const { stream, revision, position: _, ...sealed } of events.slice(10)) {
      await growing.append(stream, revision === 0 ? 'no-stream' : revision - 1, [sealed]);
    }
    for (let stops = 0; ; stops += 1) {
      const watched = new Watched({ reader: growing, file, limits: { batch: 5 } });
      const before = watched.events.length;
      await watched.until(
        () =>
          watched.events.slice(before).some(({ type }) => type === 'committed') ||
          watched.runner.status().state === 'live',
      );
      const live = watched.runner.status().state === 'live';
      await watched.runner.close();
      if (live) {
        expect(stops).toBeGreaterThan(2);
        break;
      }
      expect(stops).toBeLessThan(events.length);
    }
    expect(dump(file)).toEqual(expected);
  });

  it('is built anew after a stop, or a crash, within its first build', async () => {
    const file = newFile();
    const watched = new Watched({ reader: store, file, limits: { buildingBatch: 5 } });
    await watched.until(() => watched.events.some(({ type }) => type === 'committed'));
    expect(watched.events.some((event) => event.type === 'committed' && event.servable)).toBe(false);
    await watched.runner.close();
    expect(existsSync(file)).toBe(false);
    // Without syncs a power cut may leave anything behind.
    expect(existsSync(`${file}.unfinished`)).toBe(true);
    await writeFile(`${file}.unfinished`, (await readFile(`${file}.unfinished`)).fill(0xa5, 100));
    await writeFile(`${file}.unfinished-journal`, 'half of a transaction');
    const again = new Watched({ reader: store, file });
    await again.live();
    await again.runner.close();
    expect(dump(file)).toEqual(expected);
    expect((await readdir(folder)).filter((name) => name.includes('unfinished'))).toEqual([]);
  });

  it('has its name, and all indexes, before anybody is told that it may be queried', async () => {
    const file = newFile();
    const watched = new Watched({ reader: store, file });
    const named: boolean[] = [];
    await watched.until(() => {
      const last = watched.events.at(-1);
      if (last !== undefined && 'servable' in last && last.servable) named.push(existsSync(file));
      return watched.runner.status().state === 'live';
    });
    expect(new Set(named)).toEqual(new Set([true]));
    await watched.runner.close();
    const db = new DatabaseSync(file, { readOnly: true });
    const indexes = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL").all();
    db.close();
    const wanted = projectors.flatMap(({ tables }) => tables.flatMap((table) => table.indexes));
    expect(indexes).toHaveLength(wanted.length);
  });

  it('is the same when a batch is lost before its commit', async () => {
    const file = newFile();
    let judged = 0;
    const failing = projectors.map((projector) => ({
      ...projector,
      project: (...[event, seenAt]: Parameters<Projector['project']>) => {
        judged += 1;
        if (judged % 101 === 0) throw new Error('torn away');
        return projector.project(event, seenAt);
      },
    }));
    const watched = new Watched({ reader: store, file, projectors: failing, limits: { buildingBatch: 50 } });
    await watched.live();
    await watched.runner.close();
    expect(watched.events.some((event) => event.type === 'status' && event.status.failure !== undefined)).toBe(true);
    expect(dump(file)).toEqual(expected);
  });

  it('goes on with what is appended later', async () => {
    const live = new MemoryEventStore();
    const world = new LedgerWorld({ store: live });
    const watched = new Watched({ reader: live, file: newFile() });
    await watched.live();
    await world.openAccount();
    const last = (await world.log()).at(-1);
    if (last === undefined) throw new Error('an empty log');
    await watched.reached(last);
    expect(watched.runner.status()).toEqual({ state: 'live', checkpoint: last.position, failure: undefined });
    await watched.runner.close();
    expect(watched.runner.status().state).toBe('closed');
  });
});

describe('a file that is not of these projectors and this log', () => {
  let store: MemoryEventStore;
  let expected: Record<string, unknown>;
  beforeAll(async () => {
    store = await storyStore();
    expected = await projectWhole(store);
  });

  async function fileOf(reader: EventReader, options: Partial<RunnerOptions> = {}): Promise<string> {
    const file = newFile();
    const watched = new Watched({ reader, file, ...options });
    await watched.live();
    await watched.runner.close();
    return file;
  }

  async function reopened(file: string): Promise<string[]> {
    const watched = new Watched({ reader: store, file });
    await watched.live();
    await watched.runner.close();
    expect(dump(file)).toEqual(expected);
    return watched.rebuilds();
  }

  it('is kept when nothing is wrong with it', async () => {
    expect(await reopened(await fileOf(store))).toEqual([]);
  });

  it('is rebuilt when a version has changed', async () => {
    const file = await fileOf(store, { projectors: newerVersion() });
    expect(await reopened(file)).toEqual(['projections-changed']);
  });

  it('is rebuilt when it is of another log', async () => {
    const file = await fileOf(await storyStore());
    expect(await reopened(file)).toEqual(['other-log']);
  });

  it('is rebuilt when the log was copied into another store: nothing is missing', async () => {
    const file = await fileOf(store);
    const watched = new Watched({ reader: inOtherPlaces(store), file });
    await watched.live();
    await watched.runner.close();
    expect(watched.events.filter(({ type }) => type === 'rebuilding')).toEqual([
      { type: 'rebuilding', cause: 'other-log', missingEvents: undefined },
    ]);
    expect(existsSync(`${file}.ahead`)).toBe(false);
  });

  it('is rebuilt when it is ahead of the log', async () => {
    const events = (await store.readAll({ limit: 10_000 })).events;
    const shorter = new MemoryEventStore();
    for (const { stream, revision, position: _, ...sealed } of events.slice(0, 5)) {
      await shorter.append(stream, revision === 0 ? 'no-stream' : revision - 1, [sealed]);
    }
    const file = await fileOf(store);
    const watched = new Watched({ reader: shorter, file });
    await watched.live();
    await watched.runner.close();
    expect(watched.events.filter(({ type }) => type === 'rebuilding')).toEqual([
      { type: 'rebuilding', cause: 'ahead-of-log', missingEvents: events.length - 5 },
    ]);
    // Nothing else knows any more what is missing.
    expect(dump(`${file}.ahead`)).toEqual(expected);
    expect(dump(file)).toEqual(await projectWhole(shorter));
  });

  it('is ahead of a log whose positions are places in a server: how many events are missing nobody knows', async () => {
    const events = (await store.readAll({ limit: 10_000 })).events;
    const shorter = new MemoryEventStore({ log: events.slice(0, 5) });
    const file = newFile();
    const whole = new Watched({ reader: withPlaces(store), file });
    await whole.live();
    await whole.runner.close();
    const watched = new Watched({ reader: withPlaces(shorter), file });
    await watched.live();
    await watched.runner.close();
    expect(watched.events).toContainEqual({ type: 'rebuilding', cause: 'ahead-of-log', missingEvents: 1 });
  });

  it('is ahead, too, where the log went on in another way', async () => {
    const events = (await store.readAll({ limit: 10_000 })).events;
    const file = await fileOf(store);
    const other = new MemoryEventStore();
    for (const { stream, revision, position: _, ...sealed } of events.slice(0, 5)) {
      await other.append(stream, revision === 0 ? 'no-stream' : revision - 1, [sealed]);
    }
    for (let n = 0; n < events.length; n += 1) {
      await forceIn(other, `account-other-${String(n)}`, danglingFreeze(`other-${String(n)}`));
    }
    const watched = new Watched({ reader: other, file });
    await watched.live();
    await watched.runner.close();
    expect(watched.events).toContainEqual({ type: 'rebuilding', cause: 'ahead-of-log', missingEvents: 1 });
  });

  it('is told of when it is not there, unless there is nothing to build', async () => {
    const told = async (reader: EventReader): Promise<number> => {
      const watched = new Watched({ reader, file: newFile() });
      await watched.live();
      await watched.runner.close();
      return watched.events.filter(({ type }) => type === 'building').length;
    };
    expect(await told(store)).toBe(1);
    expect(await told(new MemoryEventStore())).toBe(0);
  });

  it('is rebuilt when it is no database', async () => {
    const file = newFile();
    await writeFile(
      file,
      'not a database, and long enough to have a header that is read and found to be none'.repeat(10),
    );
    expect(await reopened(file)).toEqual(['damaged']);
  });

  it('is rebuilt when pages of it are damaged', async () => {
    const file = await fileOf(store);
    const bytes = await readFile(file);
    await writeFile(file, bytes.fill(0xa5, 4096));
    expect(await reopened(file)).toEqual(['damaged']);
  });

  it('is left alone when it is a database of something else', async () => {
    const file = newFile();
    const db = new DatabaseSync(file);
    db.exec('CREATE TABLE events (id TEXT)');
    db.close();
    const watched = new Watched({ reader: store, file });
    await watched.until(() => watched.runner.status().failure !== undefined);
    expect(watched.runner.status().failure).toMatchObject({
      message: 'the file is a database, but not of read models',
    });
    await watched.runner.close();
    expect(Object.keys(dump(file))).toEqual(['events']);
  });

  it('is rebuilt when asked for before anything was done, though it is as it should be', async () => {
    const file = await fileOf(store);
    const watched = new Watched({ reader: store, file });
    await watched.runner.rebuild('asked-for');
    expect(watched.rebuilds()).toEqual(['asked-for']);
    expect(watched.runner.status().state).toBe('live');
    await watched.runner.close();
    expect(dump(file)).toEqual(expected);
  });

  it('is rebuilt when asked for, once readers have let go of it', async () => {
    const file = await fileOf(store);
    const order: string[] = [];
    const watched = new Watched({
      reader: store,
      file,
      releaseReaders: () => {
        order.push('released');
        return Promise.resolve();
      },
    });
    await watched.live();
    await watched.runner.rebuild('asked-for');
    order.push('rebuilt');
    expect(order).toEqual(['released', 'rebuilt']);
    expect(watched.runner.status().state).toBe('live');
    await watched.runner.close();
    expect(dump(file)).toEqual(expected);
    await expect(watched.runner.rebuild('asked-for')).rejects.toThrow('closed');
  });
});

describe('what fails', () => {
  it('may be a rebuild that can not begin: it rests before it tries again', async () => {
    const store = await storyStore();
    const file = newFile();
    await writeFile(file, 'no database'.repeat(100));
    let tried = 0;
    const watched = new Watched({
      reader: store,
      file,
      releaseReaders: async () => {
        tried += 1;
        await setImmediate();
        throw new Error('somebody holds on to the file');
      },
      limits: { retryMs: 60_000, retryMaxMs: 60_000 },
    });
    await watched.until(() => watched.runner.status().failure !== undefined);
    for (let turn = 0; turn < 20; turn += 1) await setImmediate();
    expect(tried).toBe(1);
    await watched.runner.close();
  });

  it('is tried again, skips nothing, and is told with its place', async () => {
    const store = await storyStore();
    const events = (await store.readAll({ limit: 10_000 })).events;
    const bad = events[20];
    if (bad === undefined) throw new Error('too short a story');
    let broken = true;
    const failing: Projector[] = projectors.map((projector) => ({
      ...projector,
      project: (...[judged, seenAt]: Parameters<Projector['project']>) => {
        if (broken && judged.recorded.id === bad.id) throw new Error('a bug');
        return projector.project(judged, seenAt);
      },
    }));
    const file = newFile();
    const watched = new Watched({ reader: store, file, projectors: failing });
    await watched.until(() => (watched.runner.status().failure?.attempts ?? 0) >= 3);
    const { state, checkpoint, failure } = watched.runner.status();
    expect({ state, checkpoint, position: failure?.position, message: failure?.message }).toEqual({
      state: 'failing',
      checkpoint: events[19]?.position,
      position: bad.position,
      message: 'a bug',
    });
    broken = false;
    await watched.live();
    await watched.runner.close();
    expect(dump(file)).toEqual(await projectWhole(store));
  });

  it('is taken in whole or not at all', async () => {
    const store = await storyStore();
    const events = (await store.readAll({ limit: 10_000 })).events;
    const deposits = events.slice(3).filter(({ type }) => type === 'FundsDeposited');
    // The row of its account is changed by another event of the same batch, which is committed.
    const bad = deposits.find(({ stream }, index) => deposits.findIndex((one) => one.stream === stream) < index);
    if (bad === undefined) throw new Error('a story without two deposits into one account');
    const before = await storeOf(events.filter(({ position }) => position < bad.position));
    const { readModel: _other, ...expected } = await projectWhole(before);
    let broken = true;
    const last: Projector = {
      ...{ name: 'last', version: 1, tables: [] },
      project: ({ recorded }) => {
        if (broken && recorded.id === bad.id) throw new Error('a bug');
        return [];
      },
    };
    const file = newFile();
    const options = { file, projectors: [...projectors, last] };
    const first = new Watched({ reader: await storeOf(events.slice(0, 3)), ...options });
    await first.live();
    await first.runner.close();
    // Not built any more: whoever asks sees each commit.
    const watched = new Watched({ reader: store, ...options });
    await watched.until(() => (watched.runner.status().failure?.attempts ?? 0) >= 1);
    const { readModel: _one, ...rows } = dump(file);
    expect(rows).toEqual(expected);
    broken = false;
    await watched.live();
    await watched.runner.close();
  });

  it('may be the commit: nothing of its batch is kept, and it is tried again', async () => {
    const store = await storyStore();
    let refusals = 3;
    const unstorable: Projector = {
      name: 'unstorable',
      version: 1,
      tables: [],
      project: ({ recorded }) => {
        if (recorded.type !== 'FundsDeposited' || refusals === 0) return [];
        refusals -= 1;
        return [{ table: accountsTable, kind: 'put', row: { ...nullRow(accountsTable), accountId: 'nobody' } }];
      },
    };
    const file = newFile();
    const watched = new Watched({
      reader: store,
      file,
      projectors: [...projectors, unstorable],
      limits: { buildingBatch: 7 },
    });
    await watched.live();
    await watched.runner.close();
    expect(refusals).toBe(0);
    const messages = watched.events.flatMap((event) =>
      event.type === 'status' ? (event.status.failure?.message ?? []) : [],
    );
    expect(new Set(messages)).toEqual(new Set(['NOT NULL constraint failed: accounts.state']));
    const { readModel: _one, ...rows } = dump(file);
    const { readModel: _other, ...expected } = await projectWhole(store);
    expect(rows).toEqual(expected);
  });

  it('may be the log: followed again when it can be read', async () => {
    const store = await storyStore();
    let failures = 3;
    const reader = new Proxy(store, {
      get: (target, name) => {
        if (name === 'head') return () => (failures-- > 0 ? Promise.reject(new Error('away')) : target.head());
        const member: unknown = Reflect.get(target, name, target);
        return typeof member === 'function' ? (member.bind(target) as unknown) : member;
      },
    });
    const watched = new Watched({ reader, file: newFile() });
    await watched.live();
    const reported = watched.events.flatMap((event) =>
      event.type === 'status' ? [event.status.failure?.attempts] : [],
    );
    expect(reported).toEqual(expect.arrayContaining([1, 2, 3]));
    expect(watched.runner.status().failure).toBeUndefined();
    await watched.runner.close();
  });
});

describe('a build', () => {
  const source = { kind: 'bank', reference: 'r' } as const;
  /** More deposits than a judge keeps the names of, one of them taken back early, and then once more by a forger. */
  async function forgedReversal(): Promise<{ store: MemoryEventStore; forged: RecordedEvent }> {
    const store = new MemoryEventStore();
    const world = new LedgerWorld({ store });
    await world.openAccount();
    const deposit = (number: number): Promise<readonly RecordedEvent[]> =>
      world.accept({
        ...{ type: 'Deposit', accountId: 'acc-1', asset: 'BTC', source },
        ...{ depositId: `d-${String(number)}`, amount: '2' },
      });
    const [first] = await deposit(0);
    if (first === undefined) throw new Error('nothing was deposited');
    const reversal = {
      type: 'DepositReversed',
      data: {
        ...{ accountId: 'acc-1', depositId: 'd-0', asset: 'BTC', amount: '200000000', source },
        ...{ depositedAt: first.metadata.recordedAt, citation: pointerTo(first) },
        ...{ cause: 'bank-recall', reason: 'r', taken: '200000000', takenFromHeld: '0', shortfall: '0' },
      },
    };
    const { recordedAt } = first.metadata;
    await forceIn(store, 'account-acc-1', reversal, { recordedAt });
    for (let number = 1; number <= 100; number += 1) await deposit(number);
    return { store, forged: await forceIn(store, 'account-acc-1', reversal) };
  }

  it.each([1, 10, 1000])(
    'knows names that are not in their table yet, in transactions of %i',
    async (buildingBatch) => {
      const { store, forged } = await forgedReversal();
      const file = newFile();
      const watched = new Watched({ reader: store, file, limits: { buildingBatch } });
      await watched.live();
      await watched.runner.close();
      expect(watched.violations()).toEqual([forged.position]);
      const found = watched.events.find(({ type }) => type === 'violation');
      expect(found).toMatchObject({ violation: { detail: 'reverses a deposit a second time' } });
    },
  );

  it('leaves the same rows as following the log event by event', async () => {
    const { store } = await forgedReversal();
    const events = (await store.readAll({ limit: 10_000 })).events;
    const growing = new MemoryEventStore();
    const file = newFile();
    const watched = new Watched({ reader: growing, file, limits: { batch: 1 } });
    // Nothing was built: the file is as it is on the first day.
    await watched.live();
    for (const { stream, revision, position: _, ...sealed } of events) {
      await growing.append(stream, revision === 0 ? 'no-stream' : revision - 1, [sealed]);
    }
    const last = events.at(-1);
    if (last === undefined) throw new Error('an empty log');
    await watched.reached(last);
    await watched.runner.close();
    const rows = dump(file);
    expect(rows).toEqual(await projectWhole(store));
    expect(rows['violations']).toHaveLength(1);
  });
});

describe('a batch', () => {
  /** Read models, and a log that has so many events more than they know of. */
  async function behindBy(count: number): Promise<{ store: MemoryEventStore; file: string; events: RecordedEvent[] }> {
    const store = new MemoryEventStore();
    const world = new LedgerWorld({ store });
    await world.openAccount();
    const file = newFile();
    const watched = new Watched({ reader: store, file });
    await watched.live();
    await watched.runner.close();
    const events: RecordedEvent[] = [];
    for (let number = 0; number < count; number += 1) {
      const deposit = { type: 'Deposit', accountId: 'acc-1', asset: 'BTC', amount: '1' } as const;
      const source = { kind: 'bank', reference: 'r' } as const;
      events.push(...(await world.accept({ ...deposit, depositId: `d-${String(number)}`, source })));
    }
    return { store, file, events };
  }

  it('is committed early when too many of its events had to wait for other streams', async () => {
    const { store, file, events } = await behindBy(2 * MOST_WAITS + 1);
    const createJudge = (): EventJudge => {
      const judge = new Judge(store);
      return { judge: (recorded) => Promise.resolve(judge.judge(recorded)) };
    };
    const watched = new Watched({ reader: store, file, createJudge });
    await watched.live();
    await watched.runner.close();
    const committed = watched.events.flatMap((event) => (event.type === 'committed' ? [event.events] : []));
    expect(committed).toEqual([MOST_WAITS, MOST_WAITS, 1]);
    expect(committed.reduce((sum, one) => sum + one)).toBe(events.length);
    expect(dump(file)).toEqual(await projectWhole(store));
  });

  it('keeps what was taken in when it is stopped in the middle', async () => {
    const { store, file, events } = await behindBy(100);
    let [judged, closed] = [0, Promise.resolve()];
    const createJudge = (): EventJudge => {
      const judge = new Judge(store);
      return {
        judge: (recorded) => {
          judged += 1;
          if (judged === 10) closed = watched.runner.close();
          return judge.judge(recorded);
        },
      };
    };
    const watched = new Watched({ reader: store, file, createJudge });
    await watched.until(() => watched.runner.status().state === 'closed');
    await closed;
    const checkpoints = watched.events.flatMap((event) => (event.type === 'committed' ? [event.checkpoint] : []));
    expect(checkpoints).toEqual([events[9]?.position]);
    const next = new Watched({ reader: store, file });
    await next.live();
    await next.runner.close();
    expect(next.rebuilds()).toEqual([]);
    expect(dump(file)).toEqual(await projectWhole(store));
  });
});

describe('the latest time that is recorded', () => {
  /** Of legal events: what nobody believes is not the time. */
  const latestIn = (events: readonly RecordedEvent[], forged: readonly string[]): string | undefined =>
    events
      .filter(({ position }) => !forged.includes(position))
      .map(({ metadata }) => metadata.recordedAt)
      .sort()
      .at(-1);

  it('is told with each commit, and at a start that of the last event that was taken in', async () => {
    const store = await storyStore();
    const file = newFile();
    const watched = new Watched({ reader: store, file });
    await watched.live();
    await watched.runner.close();
    const events = (await store.readAll({ limit: 10_000 })).events;
    const told = watched.events.flatMap((event) => (event.type === 'committed' ? [event.recordedAt ?? ''] : []));
    expect(told.sort().at(-1)).toBe(latestIn(events, watched.violations()));
    const again = new Watched({ reader: store, file });
    await again.live();
    await again.runner.close();
    expect(again.events[0]).toMatchObject({ type: 'status', recordedAt: events.at(-1)?.metadata.recordedAt });
  });
});

describe('violations', () => {
  it('are reported once each, not again by a rebuild', async () => {
    const store = await storyStore();
    const watched = new Watched({ reader: store, file: newFile(), limits: { batch: 3 } });
    await watched.live();
    const [first, ...others] = watched.violations();
    expect(first).toBeDefined();
    expect(others).toEqual([]);
    await watched.runner.rebuild('asked-for');
    const second = await forceIn(store, 'account-acc-3', danglingFreeze('acc-3'));
    await watched.until(() => watched.violations().length > 1);
    expect(watched.violations()).toEqual([first, second.position]);
    await watched.runner.close();
  });

  it('reach neither the register of freezes nor the account', async () => {
    const store = await storyStore();
    const file = newFile();
    const watched = new Watched({ reader: store, file });
    await watched.live();
    await watched.runner.close();
    const db = new DatabaseSync(file, { readOnly: true });
    expect(db.prepare("SELECT count(*) AS n FROM freezes WHERE accountId = 'acc-3'").get()).toEqual({ n: 0 });
    expect(db.prepare("SELECT frozen, freezes FROM accounts WHERE accountId = 'acc-3'").get()).toEqual({
      frozen: 0,
      freezes: '[]',
    });
    expect(db.prepare("SELECT count(*) AS n FROM freezes WHERE accountId = 'acc-1'").get()).toEqual({ n: 2 });
    db.close();
  });
});

/** The log as a server has it whose positions are two numbers. */
function withPlaces(store: MemoryEventStore): EventReader {
  const placed = (position: Position): Position => `${position}-${position}`;
  const number = (after: Position | undefined): { after?: Position } =>
    after === undefined ? {} : { after: after.slice(0, 16) };
  const withPlace = (event: RecordedEvent): RecordedEvent => ({ ...event, position: placed(event.position) });
  return {
    read: async (stream, options) => (await store.read(stream, options)).map(withPlace),
    readAll: async ({ after, ...options }) => {
      const { events, scannedTo, atEnd } = await store.readAll({ ...options, ...number(after) });
      return { events: events.map(withPlace), scannedTo: scannedTo && placed(scannedTo), atEnd };
    },
    head: async () => {
      const head = await store.head();
      return head && placed(head);
    },
    subscribeAll: ({ after }) => store.subscribeAll(number(after)).pipe(map(withPlace)),
    close: () => store.close(),
  };
}
