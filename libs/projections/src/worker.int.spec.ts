import { SqliteEventStore } from '#event-store/sqlite';
import { MemoryEventStore } from '#event-store/memory';
import { danglingFreeze, forceIn, LedgerWorld, tellStory } from '#testing';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtemp, open, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { ProjectionEvent } from './projection-events.ts';
import { startProjections, type Projections } from './start.ts';

const TIMEOUT_MS = 20_000;
const ALL = { limit: 500 };

let folder: string;
let store: SqliteEventStore;
let world: LedgerWorld;
let running: Projections[];
const eventFile = (): string => join(folder, 'events.sqlite');
const readModelFile = (): string => join(folder, 'read-model.sqlite');

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'writ-projections-'));
  store = await SqliteEventStore.open({ path: eventFile() });
  world = new LedgerWorld({ store });
  running = [];
});
afterEach(async () => {
  await Promise.all(running.map((projections) => projections.close()));
  await store.close();
  await rm(folder, { recursive: true });
});

function start(onEvent: (event: ProjectionEvent) => void = () => undefined): Projections {
  const projections = startProjections({
    kind: 'worker',
    log: { kind: 'sqlite', file: eventFile() },
    readModelFile: readModelFile(),
    onEvent,
  });
  running.push(projections);
  store.onAppended(() => projections.notify());
  return projections;
}

async function caughtUp(projections: Projections): Promise<void> {
  expect(await projections.caughtUp(TIMEOUT_MS)).toBe(true);
  const head = await store.head();
  expect(head === undefined || (await projections.queries.waitFor(head, TIMEOUT_MS))).toBe(true);
}

/** All that the queries show, to compare two read models of one log. */
function shown({ queries }: Projections): unknown {
  return [
    queries.accounts({}, ALL),
    queries.parties({}, ALL),
    queries.legalOrders({}, ALL),
    queries.freezes({}, ALL),
    queries.liftRequests({}, ALL),
    queries.entries('acc-1', ALL),
    queries.refusals(ALL),
    queries.violations(ALL).items.map(({ detectedAt: _, ...violation }) => violation),
  ];
}

describe('the projections in their own thread', () => {
  it('show what the same projections show in this thread, before and after a restart', async () => {
    const events: ProjectionEvent[] = [];
    const first = start((event) => events.push(event));
    await tellStory(world);
    const forged = await forceIn(store, 'account-acc-3', danglingFreeze('acc-3'));
    await caughtUp(first);
    expect(first.status()).toMatchObject({ state: 'live', checkpoint: forged.position, failure: undefined });
    expect(events.flatMap((event) => (event.type === 'violation' ? [event.violation.eventId] : []))).toEqual([
      forged.id,
    ]);
    const here = startProjections({ kind: 'in-process', reader: store, readModelFile: ':memory:' });
    running.push(here);
    await caughtUp(here);
    const expected = shown(here);
    expect(shown(first)).toEqual(expected);
    await first.close();
    events.length = 0;
    const second = start((event) => events.push(event));
    await caughtUp(second);
    expect(shown(second)).toEqual(expected);
    expect(events.filter(({ type }) => type !== 'status')).toEqual([]);
  });

  it('are rebuilt when asked to, and when a query finds the file damaged', async () => {
    await tellStory(world);
    const reasons: string[] = [];
    const projections = start((event) => {
      if (event.type === 'rebuilding') reasons.push(event.cause);
    });
    await caughtUp(projections);
    const expected = shown(projections);
    await projections.rebuild();
    expect(shown(projections)).toEqual(expected);
    await projections.close();
    await damage(readModelFile(), 'accounts');
    const damaged = start((event) => {
      if (event.type === 'rebuilding') reasons.push(event.cause);
    });
    await damaged.caughtUp(TIMEOUT_MS);
    expect(() => shown(damaged)).toThrow('being built');
    await caughtUp(damaged);
    expect(shown(damaged)).toEqual(expected);
    expect(reasons).toEqual(['asked-for', 'damaged']);
  });

  it('are stuck, and stay, while it is the log that is damaged', async () => {
    await tellStory(world);
    const first = start();
    await caughtUp(first);
    await first.close();
    await store.close();
    store = await SqliteEventStore.open({ path: eventFile() });
    const { size } = await stat(eventFile());
    const handle = await open(eventFile(), 'r+');
    // All but the first page, which says what the file is.
    await handle.write(Buffer.alloc(size - 4096, 0xa5), 0, size - 4096, 4096);
    await handle.close();
    const events: ProjectionEvent[] = [];
    let onFailure: (message: string) => void = () => undefined;
    const failed = new Promise<string>((resolve) => (onFailure = resolve));
    start((event) => {
      events.push(event);
      if (event.type === 'status' && event.status.failure !== undefined) onFailure(event.status.failure.message);
    });
    expect(await failed).toMatch(/events\.sqlite is damaged/);
    expect(events.filter(({ type }) => type === 'rebuilding')).toEqual([]);
  });

  it('begin when there is a log to follow, trying again until then', async () => {
    const missing = join(folder, 'later.sqlite');
    let onFailure: (message: string) => void = () => undefined;
    const failed = new Promise<string>((resolve) => (onFailure = resolve));
    const projections = startProjections({
      kind: 'worker',
      log: { kind: 'sqlite', file: missing },
      readModelFile: readModelFile(),
      limits: { retryMs: 10, retryMaxMs: 20 },
      onEvent: (event) => {
        if (event.type === 'status' && event.status.failure !== undefined) onFailure(event.status.failure.message);
      },
    });
    running.push(projections);
    expect(await failed).toContain('later.sqlite');
    expect(projections.status()).toMatchObject({ state: 'failing', checkpoint: undefined });
    const later = await SqliteEventStore.open({ path: missing });
    expect(await projections.caughtUp(TIMEOUT_MS)).toBe(true);
    expect(projections.status()).toMatchObject({ state: 'live', failure: undefined });
    await later.close();
  });

  it("refuse the log's own file for their read models", () => {
    const file = eventFile();
    expect(() =>
      startProjections({ kind: 'worker', log: { kind: 'sqlite', file }, readModelFile: `${folder}/./events.sqlite` }),
    ).toThrow('a file of their own');
  });
});

it('projections of an empty log may be queried', async () => {
  const projections = startProjections({
    kind: 'in-process',
    reader: new MemoryEventStore(),
    readModelFile: ':memory:',
  });
  expect(await projections.caughtUp(TIMEOUT_MS)).toBe(true);
  expect(projections.queries.accounts({}, ALL)).toEqual({ items: [], nextCursor: null });
  expect(projections.status()).toEqual({ state: 'live', checkpoint: undefined, failure: undefined });
  await projections.close();
});

/** Overwrites the first page of one table: the file opens, and can't be queried. */
async function damage(file: string, table: string): Promise<void> {
  const db = new DatabaseSync(file);
  db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  const page = db.prepare('SELECT rootpage FROM sqlite_schema WHERE name = ?').get(table)?.['rootpage'];
  const size = db.prepare('PRAGMA page_size').get()?.['page_size'];
  db.close();
  const handle = await open(file, 'r+');
  await handle.write(Buffer.alloc(Number(size), 0xa5), 0, Number(size), (Number(page) - 1) * Number(size));
  await handle.close();
}
