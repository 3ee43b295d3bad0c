import { SqliteEventReader, SqliteEventStore } from '#event-store/sqlite';
import { LedgerWorld, seal, tellStory, TestClock } from '#testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { copyFileSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { ProjectionEvent } from './projection-events.ts';
import { startProjections } from './start.ts';

const WAIT_MS = 60_000;

let folder: string;
/** A bit of everything, well formed. */
let story: string;
let files = 0;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'writ-parts-'));
  story = join(folder, 'story.db');
  const store = await SqliteEventStore.open({ path: story });
  await tellStory(new LedgerWorld({ store }));
  await store.close();
}, WAIT_MS);
afterAll(() => rmSync(folder, { recursive: true }));

let file: string;
beforeEach(() => {
  files += 1;
  file = join(folder, `read-models-${String(files)}.db`);
});

interface Built {
  /** All rows of all tables but that of the checkpoint. */
  readonly rows: unknown;
  readonly events: readonly ProjectionEvent[];
}

/** @param parts absent: one event after the other */
async function built(log: string, parts?: number): Promise<Built> {
  const reader = new SqliteEventReader(log);
  const events: ProjectionEvent[] = [];
  const projections = startProjections({
    kind: 'in-process',
    reader,
    readModelFile: file,
    // When a violation was seen is the same then.
    clock: new TestClock(),
    inParts: parts === undefined ? undefined : { log, parts },
    onEvent: (event) => events.push(event),
  });
  expect(await projections.caughtUp(WAIT_MS)).toBe(true);
  await projections.close();
  await reader.close();
  const rows = rowsOf(file);
  rmSync(file);
  return { rows, events };
}

function rowsOf(path: string): unknown {
  const db = new DatabaseSync(path, { readOnly: true });
  const schema = db.prepare("SELECT type, name FROM sqlite_schema WHERE name <> 'readModel' ORDER BY type, name").all();
  const rows = schema.map(({ type, name }) => {
    if (type !== 'table') return [type, name];
    const key = db.prepare(`SELECT name FROM pragma_table_info('${String(name)}') WHERE pk > 0 ORDER BY pk`).all();
    const order = key.map((column) => String(column['name'])).join(', ');
    return [name, db.prepare(`SELECT * FROM ${String(name)} ORDER BY ${order}`).all()];
  });
  db.close();
  return rows;
}

/** Whether events were taken in one after the other. */
function wasOneByOne({ events }: Built): boolean {
  return events.some(({ type }) => type === 'committed');
}

/** The story, with one event more. @param put puts it into the log past the service */
async function storyWith(put: (store: SqliteEventStore) => Promise<void>): Promise<string> {
  const log = join(folder, `log-${String(files)}.db`);
  copyFileSync(story, log);
  const store = await SqliteEventStore.open({ path: log });
  await put(store);
  await store.close();
  return log;
}

/** Puts an event behind the last one of a stream, well sealed. @param data of the stream's first event when it is absent */
function forged(stream: string, type: string, data?: unknown): Promise<string> {
  return storyWith(async (store) => {
    const events = await store.read(stream);
    const last = events.at(-1);
    const end = last && { revision: last.revision, hash: last.metadata.hash };
    const forgery = { type, data: data ?? events[0]?.data };
    await store.append(stream, end?.revision ?? 'no-stream', seal(stream, end, [forgery]));
  });
}

const leftBeside = (): readonly string[] => readdirSync(folder).filter((name) => name.includes('.part-'));

describe('read models that are built in parts', () => {
  it.each([2, 9])(
    'have the same rows as those built one by one: %i parts',
    async (parts) => {
      const expected = await built(story);
      expect(wasOneByOne(expected)).toBe(true);
      const inParts = await built(story, parts);
      expect(inParts.rows).toEqual(expected.rows);
      expect(wasOneByOne(inParts)).toBe(false);
      expect(inParts.events).toContainEqual({ type: 'building-in-parts', events: expect.any(Number) });
      expect(leftBeside()).toEqual([]);
    },
    WAIT_MS,
  );

  it.each([
    ['is no event of ours', 'account-acc-1', 'Unheard', {}],
    ['is not legal where it stands', 'account-acc-1', 'AccountOpened', undefined],
    ['stands on a stream of nobody', 'stranger-1', 'Unheard', {}],
  ])(
    'are built one by one after all where an event %s',
    async (_, stream, type, data) => {
      const log = await forged(stream, type, data);
      const expected = await built(log);
      const inParts = await built(log, 2);
      expect(inParts.rows).toEqual(expected.rows);
      expect(wasOneByOne(inParts)).toBe(true);
      expect(inParts.events.filter((event) => event.type === 'violation')).toHaveLength(1);
      expect(leftBeside()).toEqual([]);
    },
    WAIT_MS,
  );

  it('are built one by one after all where a position is missing from the log', async () => {
    const log = await storyWith(() => Promise.resolve());
    const db = new DatabaseSync(log);
    db.exec(
      `DROP TRIGGER events_never_change; UPDATE events SET position = position + 7 WHERE position = (SELECT max(position) FROM events)`,
    );
    db.close();
    expect(wasOneByOne(await built(log, 2))).toBe(true);
  });

  it('are given up, and what was made of them goes, when nobody wants them any more', async () => {
    const reader = new SqliteEventReader(story);
    const begun = Promise.withResolvers<undefined>();
    const projections = startProjections({
      kind: 'in-process',
      reader,
      readModelFile: file,
      inParts: { log: story, parts: 2 },
      onEvent: ({ type }) => type === 'building-in-parts' && begun.resolve(undefined),
    });
    await begun.promise;
    await projections.close();
    await reader.close();
    expect(existsSync(file)).toBe(false);
    expect(leftBeside()).toEqual([]);
  });

  it('leave nothing of a build that was killed', async () => {
    writeFileSync(`${file}.part-3.unfinished.staged`, 'of old');
    await built(story);
    expect(leftBeside()).toEqual([]);
  });
});
