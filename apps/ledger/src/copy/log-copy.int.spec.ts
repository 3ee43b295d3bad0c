import type { EventReader } from '#event-store';
import { EventStoreDbEventStore } from '#event-store/eventstoredb';
import { SqliteEventReader, SqliteEventStore } from '#event-store/sqlite';
import { uuidv7 } from '#kernel';
import {
  danglingFreeze,
  type EventStoreDbFault,
  type EventStoreDbServer,
  forceIn,
  LedgerWorld,
  startEventStoreDbServer,
  tellStory,
} from '#testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';
import { LogCopy, type LogCopyOptions } from './log-copy.ts';
import { textsOf } from './same-event.ts';

/** Small enough that a story of some hundred events has many windows and chunks in it. */
const SMALL = { window: { events: 30, bytes: 30_000 }, chunkEvents: 150 };
const KINDS = ['account-', 'asset-', 'party-', 'legalOrder-', 'sanctionsHit-', 'authorityRequest-', 'naming-'];

let folder: string;
let story: string;
let storyEvents: number;
let server: EventStoreDbServer;
const closing: (() => Promise<void>)[] = [];
let prefixes = 0;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'writ-copy-'));
  story = join(folder, 'story.db');
  const store = await SqliteEventStore.open({ path: story });
  await tellStory(new LedgerWorld({ store }));
  await forceIn(store, 'account-acc-1', danglingFreeze('acc-1'));
  await store.close();
  storyEvents = rowsOf(putByHand(story, STRANGE)).length;
  server = await startEventStoreDbServer({ nodeCount: 3 });
}, 120_000);
afterEach(async () => {
  await Promise.all(closing.splice(0).map((close) => close()));
});
afterAll(async () => {
  await server.stop();
  rmSync(folder, { recursive: true });
});

/** What nobody can append by the service: no JSON, no object, no version, texts that are not canonical. */
const STRANGE: readonly (readonly [type: string, version: number, data: string, metadata: string])[] = [
  ['FundsDeposited', 1, 'no JSON at all {', '{"actor":1}'],
  ['Ünknown ☂', 7, '{"b":1, "a":2}\n', '{ "schemaVersion":4 }'],
  ['FundsDeposited', 0, '""', 'null'],
  ['FundsDeposited', 0, '', ''],
  ['FundsDeposited', 3, '[1]', '{}'],
  ['FundsDeposited', 0, '[2]', '{"schemaVersion":"x"}'],
];

function putByHand(path: string, events: typeof STRANGE, stream = 'account-strange'): string {
  const db = new DatabaseSync(path);
  const next = db.prepare('SELECT ifnull(max(position), 0) + 1 AS at FROM events');
  const last = db.prepare('SELECT count(*) AS revision FROM events WHERE stream = ?');
  const insert = db.prepare('INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?)');
  for (const event of events) {
    insert.run(Number(next.get()?.['at']), stream, Number(last.get(stream)?.['revision']), uuidv7(), ...event);
  }
  db.close();
  return path;
}

/** All that must be the same in a copy, in its order, straight from the file. */
function rowsOf(path: string): string[] {
  const db = new DatabaseSync(path, { readOnly: true });
  const rows = db.prepare(
    'SELECT stream, revision, id, type, schema_version, data, metadata FROM events ORDER BY position',
  );
  const all = rows.all().map((row) => JSON.stringify(Object.values(row)));
  db.close();
  return all;
}

async function rowsIn(reader: EventReader): Promise<string[]> {
  const { events } = await reader.readAll({ limit: 10_000 });
  return events.map((event) => {
    const { stream, revision, id, type, schemaVersion } = event;
    const { data, metadata } = textsOf(event);
    return JSON.stringify([stream, revision, id, type, schemaVersion, data, metadata]);
  });
}

/** Tells the first that differs, not all that do not. */
function expectSame(found: readonly string[], expected: readonly string[]): void {
  const at = expected.findIndex((row, index) => row !== found[index]);
  expect({ at, row: found[at], events: found.length }).toEqual({ at: -1, row: undefined, events: expected.length });
  expect(found.length).toBeGreaterThan(0);
}

function reading(path: string): SqliteEventReader {
  const reader = new SqliteEventReader(path);
  closing.push(() => reader.close());
  return reader;
}

async function onServer(streamPrefix = `p${String((prefixes += 1))}-`): Promise<EventStoreDbEventStore> {
  const { connectionString } = server;
  const settings = { connectionString, streamPrefix, streamKinds: KINDS, callTimeoutMs: 3_000 };
  const store = await EventStoreDbEventStore.open(settings);
  closing.push(() => store.close());
  return store;
}

async function inFile(path = join(folder, `${uuidv7()}.db`)): Promise<{ store: SqliteEventStore; path: string }> {
  const store = await SqliteEventStore.open({ path });
  closing.push(() => store.close());
  return { store, path };
}

async function copy(
  source: EventReader,
  destination: LogCopyOptions['destination'],
  more: Partial<LogCopyOptions> = {},
): Promise<LogCopy> {
  const made = new LogCopy({ source, destination, ...SMALL, ...more });
  await made.copyToEnd();
  return made;
}

/** What a person does who has the file: the event at a position becomes another one. */
function tampered(change: string): string {
  const path = join(folder, `${uuidv7()}.db`);
  cpSync(story, path);
  const db = new DatabaseSync(path);
  db.exec(`DROP TRIGGER events_never_change; DROP TRIGGER events_never_go; ${change}`);
  db.close();
  return path;
}

describe('a copy', () => {
  it('goes to a server and back, word for word, with all that should never be', async () => {
    const there = await onServer();
    const made = await copy(reading(story), there);
    expect(made.copied).toEqual({ events: storyEvents, position: await reading(story).head() });
    expectSame(await rowsIn(there), rowsOf(story));
    const back = await inFile();
    await copy(there, back.store);
    expectSame(rowsOf(back.path), rowsOf(story));
  }, 120_000);

  it('that is made already changes nothing, and goes on where the source does', async () => {
    const { store, path } = await inFile();
    await copy(reading(story), store);
    await server.resetCounts();
    const there = await onServer();
    await copy(reading(path), there);
    const { storedEvents } = await server.counts();
    const again = await onServer(`p${String(prefixes)}-`);
    await copy(reading(path), again);
    expect((await server.counts()).storedEvents).toBe(storedEvents);
    await forceIn(store, 'account-acc-1', danglingFreeze('acc-1'));
    await copy(reading(path), again);
    expect((await server.counts()).storedEvents).toBe(storedEvents + 1);
    expectSame(await rowsIn(again), rowsOf(path));
  }, 120_000);

  it.each<[string, string, string]>([
    ['in one character of its data', `UPDATE events SET data = data || ' ' WHERE position = 40`, 'the data differs'],
    ['in its metadata', `UPDATE events SET metadata = metadata || ' ' WHERE position = 40`, 'the metadata differs'],
    ['in its type', `UPDATE events SET type = 'Other' WHERE position = 40`, 'the type differs'],
    ['in its version', `UPDATE events SET schema_version = 9 WHERE position = 40`, 'the version of the schema differs'],
    ['in its id', `UPDATE events SET id = '${uuidv7()}' WHERE position = 40`, 'the id differs'],
    [
      'in its place',
      `UPDATE events SET position = 1000 WHERE position = 60; UPDATE events SET position = 60 WHERE position = 61;
       UPDATE events SET position = 61 WHERE position = 1000; DELETE FROM events WHERE position > 140`,
      'the stream differs|the revision differs',
    ],
  ])(
    'stops at an event that differs %s, and changes nothing',
    async (_, change, why) => {
      const other = tampered(`PRAGMA ignore_check_constraints = 1; ${change}; DELETE FROM events WHERE position > 300`);
      const before = rowsOf(other);
      const { store } = await inFile(other);
      const failed = copy(reading(story), store);
      await expect(failed).rejects.toMatchObject({ name: 'StartError', message: expect.stringMatching(why) });
      await expect(failed).rejects.toMatchObject({
        message: expect.stringMatching(/the source has \w+-.* the destination has \w+-/),
      });
      expectSame(rowsOf(other), before);
    },
    60_000,
  );

  it('stops at what the source does not have', async () => {
    const longer = await inFile();
    await copy(reading(story), longer.store);
    await forceIn(longer.store, 'account-acc-1', danglingFreeze('acc-1'));
    const rows = rowsOf(longer.path);
    await expect(copy(reading(story), longer.store)).rejects.toThrow(/has more than the source: account-acc-1@/);
    expectSame(rowsOf(longer.path), rows);
  }, 60_000);

  it.each<[string, (typeof STRANGE)[number], string, string]>([
    ['an event without a type', ['', 1, '{}', '{}'], 'account-strange', 'has a type'],
    ['metadata that are no object, with a version', ['T', 1, '{}', '[1]'], 'account-strange', 'are an object'],
    ['a stream of no kind of ours', ['T', 1, '{}', '{}'], 'stranger-1', 'none of ours'],
    ['an event that is too large', ['T', 1, `"${'x'.repeat(1_040_000)}"`, '{}'], 'account-strange', 'bytes'],
  ])(
    'stops before %s, and stores nothing behind it',
    async (_, event, stream, why) => {
      const path = tampered('DELETE FROM events WHERE position > 100');
      putByHand(path, [event], stream);
      putByHand(path, [['T', 1, '{}', '{}']], 'account-behind');
      const there = await onServer();
      await expect(copy(reading(path), there)).rejects.toThrow(
        new RegExp(`can't have ${stream}@\\d+ \\(.*${why}.*Nothing behind it was copied`),
      );
      expectSame(await rowsIn(there), rowsOf(path).slice(0, 100));
    },
    60_000,
  );

  it('gives up with what it has where a stream of the source lacks an event', async () => {
    const path = tampered(`DELETE FROM events WHERE position = 100`);
    const { store, path: to } = await inFile();
    await expect(copy(reading(path), store)).rejects.toThrow(/does not get on: .* is at .*, not at/);
    expectSame(rowsOf(to), rowsOf(path).slice(0, rowsOf(to).length));
  }, 60_000);

  it('that finds no room says so, and goes on when there is some', async () => {
    const path = join(folder, `${uuidv7()}.db`);
    const half = Math.floor(rowsOf(story).join('').length / 4096 / 2);
    const small = await SqliteEventStore.open({ path, maxPages: half });
    await expect(copy(reading(story), small).finally(() => small.close())).rejects.toThrow(
      'There is no room at the destination',
    );
    const { store } = await inFile(path);
    expect(await store.head()).toBeDefined();
    await copy(reading(story), store);
    expectSame(rowsOf(path), rowsOf(story));
  }, 60_000);

  it('is near its end while the source goes on, and at it when the source rests', async () => {
    const { store, path } = await inFile();
    await copy(reading(story), store);
    const there = await onServer();
    const over = new AbortController();
    const busy = (async () => {
      while (!over.signal.aborted) await forceIn(store, 'account-acc-1', danglingFreeze('acc-1'));
    })();
    const made = new LogCopy({ source: reading(path), destination: there, ...SMALL });
    await made.copyToEnd(100);
    expect(made.copied.events).toBeGreaterThanOrEqual(storyEvents);
    over.abort();
    await busy;
    await made.copyToEnd();
    expectSame(await rowsIn(there), rowsOf(path));
  }, 120_000);
});

describe('a copy to a server that fails', () => {
  it.each<[string, EventStoreDbFault]>([
    // At the beginning: among several that are under way this server refuses one, and takes those behind it (see below).
    ['cuts the connection before an append is stored', { kind: 'drop-before-commit', times: 3, streamPrefix: '' }],
    ['loses acknowledgements with the connection', { kind: 'drop-after-commit', times: 3 }],
    ['stores and never answers', { kind: 'no-answer', commit: true }],
    ['answers too late', { kind: 'delay', delayMs: 4_000 }],
    ['answers twice', { kind: 'answer-twice', times: 20 }],
    ['ends the call, having stored', { kind: 'end-call', commit: true, times: 2 }],
    ['is not the leader for a moment', { kind: 'not-leader', times: 2, streamPrefix: '' }],
    ['fails reads', { kind: 'drop-before-commit', calls: ['read'], times: 3 }],
  ])(
    'and %s is the same copy',
    async (_, fault) => {
      const there = await onServer();
      const injected = await server.inject(fault.calls === undefined ? { ...inTheMiddle(), ...fault } : fault);
      await copy(reading(story), there);
      expect(await injected.clear()).toBeGreaterThan(0);
      expectSame(await rowsIn(there), rowsOf(story));
    },
    120_000,
  );

  it('and changes its leader, cuts all connections, and starts again, is the same copy', async () => {
    const there = await onServer();
    const trouble = [
      once(80, () => server.changeLeader(1)),
      once(120, () => server.dropConnections()),
      once(160, () => server.restart()),
    ];
    const onProgress = (events: number): void => trouble.forEach((tell) => tell(events));
    const made = new LogCopy({ source: reading(story), destination: there, ...SMALL, onProgress });
    await made.copyToEnd();
    expectSame(await rowsIn(there), rowsOf(story));
  }, 120_000);

  it('and hangs, and wakes with what was sent before it hung, is the same copy', async () => {
    const there = await onServer();
    const onProgress = once(100, async () => {
      server.pause();
      // Longer than a call may take: by then other connections wait beside the first.
      await delay(3_500);
      server.resume();
    });
    const made = new LogCopy({ source: reading(story), destination: there, ...SMALL, onProgress });
    await made.copyToEnd();
    expectSame(await rowsIn(there), rowsOf(story));
  }, 120_000);

  it.each([
    ['of a run that was killed', 'killed'],
    ['of its own, on a connection that was cut', 'cut'],
  ])(
    'and stores appends late, %s, is the same copy',
    async (_, how) => {
      const { store, path } = await inFile();
      await copy(reading(story), store);
      const there = await onServer();
      const first = new LogCopy({ source: reading(path), destination: there, ...SMALL, maxIdleRounds: 3 });
      await first.copyToEnd();
      const place = `p${String(prefixes)}-`;
      const again = await onServer(place);
      const hold = await server.inject({ kind: 'hold', times: 'until-cleared', streamPrefix: `${place}account-acc-` });
      await server.resetCounts();
      const appends = (count: number): Promise<void> => until(async () => (await server.counts()).appends >= count);
      // What is sent first is the beginning of what is appended to the same stream at once, the next time.
      await forceIn(store, 'account-acc-1', danglingFreeze('acc-1'));
      const firstEnds = first.copyToEnd();
      await appends(1);
      await forceIn(store, 'account-acc-1', danglingFreeze('acc-1'));
      await forceIn(store, 'account-acc-2', danglingFreeze('acc-2'));
      if (how === 'cut') {
        await server.dropConnections();
        await appends(2);
        await hold.clear();
        await firstEnds;
      } else {
        const killed = expect(firstEnds).rejects.toThrow();
        await there.close();
        const second = copy(reading(path), again);
        await appends(2);
        await hold.clear();
        await Promise.all([second, killed]);
      }
      expectSame(await rowsIn(again), rowsOf(path));
    },
    120_000,
  );

  it('and takes what comes behind an append that it refused: the copy tells that it is none', async () => {
    const there = await onServer();
    const injected = await server.inject({ kind: 'not-ready', ...inTheMiddle() });
    await expect(copy(reading(story), there)).rejects.toThrow('The destination is no copy of the source');
    expect(await injected.clear()).toBe(1);
  }, 120_000);

  it('and does not come back: the copy says how far it is, and goes on from there another time', async () => {
    const there = await onServer();
    const down = [0, 1, 2];
    const onProgress = once(100, () => Promise.all(down.map((node) => server.setUp(node, false))));
    const made = new LogCopy({ source: reading(story), destination: there, ...SMALL, maxIdleRounds: 1, onProgress });
    await expect(made.copyToEnd()).rejects.toThrow(
      /does not get on: .* \d+ events are copied and verified; begin it again/,
    );
    await Promise.all(down.map((node) => server.setUp(node, true)));
    await copy(reading(story), there);
    expectSame(await rowsIn(there), rowsOf(story));
  }, 120_000);
});

/** Of the copy that was begun last: what is appended to an order of the story, when several appends are under way. */
function inTheMiddle(): { readonly streamPrefix: string } {
  return { streamPrefix: `p${String(prefixes)}-legalOrder-ord-6` };
}

async function until(isTrue: () => Promise<boolean>): Promise<void> {
  for (const endMs = performance.now() + 60_000; !(await isTrue());) {
    if (performance.now() > endMs) throw new Error('waited in vain');
  }
}

/** Does something once, when so many events are there. */
function once(from: number, act: () => Promise<unknown>): (events: number) => void {
  let isDone = false;
  return (events) => {
    if (isDone || events < from) return;
    isDone = true;
    void act();
  };
}
