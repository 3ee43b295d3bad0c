import { uuidv7 } from '#kernel';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { BulkLog } from './bulk-log.ts';
import { damageIn } from './file.ts';
import type { HiddenEvent } from './index-comparison.ts';
import { endOfLog, LogScan, measureLog, partOfStream } from './log-scan.ts';
import { SqliteLog } from './sqlite-log.ts';

const STREAMS = ['account-1', 'account-2', 'account-', 'a', 'ä', '€', '\ud7ff', '\ue000', '\ufffd', '😀', '-🦄', '🦄1'];

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'writ-scan-'));
  path = join(folder, 'events.db');
  const log = new BulkLog(path);
  for (const stream of STREAMS)
    log.add(stream, 0, { id: uuidv7(), type: 'T', schemaVersion: 1, data: '1', metadata: '2' });
  log.finish();
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('a log that is read by several', () => {
  it.each([1, 2, 3, 7])('is divided by the end of the names as they say: by %d', (of) => {
    const end = endOfLog(path) ?? '';
    const read = Array.from({ length: of }, (_, index) => {
      const scan = new LogScan(path, { end, part: { index, of } });
      const events = scan.next() ?? [];
      scan.close();
      for (const { stream } of events) expect([stream, partOfStream(stream, of)]).toEqual([stream, index]);
      return events.map(({ stream }) => stream);
    });
    expect(read.flat().sort()).toEqual([...STREAMS].sort());
  });

  it('is counted up to where it ends', () => {
    expect(measureLog(path, endOfLog(path) ?? '')).toEqual({
      events: STREAMS.length,
      gaps: [],
      repeatedIds: [],
      damage: [],
      schema: { foreign: [], missing: [] },
    });
    expect(measureLog(path, '0000000000000003').events).toBe(3);
  });
});

describe('an event that an index does not find any more, for one bit of it', () => {
  const LAST = 7;
  const ids = Array.from({ length: LAST + 1 }, () => uuidv7());
  beforeEach(() => {
    path = join(folder, 'hidden.db');
    const log = new BulkLog(path);
    for (const [revision, id] of ids.entries()) {
      log.add('account-1', revision, { id, type: 'T', schemaVersion: 1, data: '1', metadata: '2' });
      log.add('account-2', revision, { id: uuidv7(), type: 'T', schemaVersion: 1, data: '1', metadata: '2' });
    }
    log.finish();
  });

  /** Turns a bit of a key, of its last byte or one before, where it stands in the pages of an index. */
  function turnBit(index: string, key: Buffer, bit: number, before = 0): void {
    const db = new DatabaseSync(path, { readOnly: true });
    const pages = db.prepare('SELECT pgoffset AS start, pgsize AS size FROM dbstat WHERE name = ?').all(index);
    db.close();
    const file = readFileSync(path);
    const places = pages.flatMap(({ start, size }) => {
      const at = file.subarray(Number(start), Number(start) + Number(size)).indexOf(key);
      return at < 0 ? [] : [Number(start) + at + key.length - 1 - before];
    });
    expect(places).toHaveLength(1);
    for (const place of places) file[place] = Number(file[place]) ^ bit;
    writeFileSync(path, file);
  }

  function hiddenOf(index: number, of: number): readonly HiddenEvent[] {
    const scan = new LogScan(path, { end: endOfLog(path) ?? '', part: { index, of }, comparesIndexes: true });
    try {
      for (let events = scan.next(); events !== undefined; events = scan.next());
      return scan.hidden();
    } finally {
      scan.close();
    }
  }

  const keyOfRevision = (revision: number): Buffer => Buffer.from(`account-1${String.fromCharCode(revision)}`);
  const at = (revision: number): object => ({
    stream: 'account-1',
    revision,
    position: (2 * revision + 1).toString(16).padStart(16, '0'),
  });

  it.each([
    ['the last of its stream', 'sqlite_autoindex_events_2', keyOfRevision(LAST), 0x40, [LAST], 'stream and revision'],
    [
      'those behind one too high',
      'sqlite_autoindex_events_2',
      keyOfRevision(5),
      0x10,
      [5, 6, 7],
      'stream and revision',
    ],
    [
      'one whose place is another',
      'sqlite_autoindex_events_2',
      Buffer.concat([keyOfRevision(LAST), Buffer.from([2 * LAST + 1])]),
      0x02,
      [LAST],
      'stream and revision',
    ],
    [
      'one whose stream is another of its part',
      'sqlite_autoindex_events_2',
      keyOfRevision(2),
      0x20,
      [2],
      'stream and revision',
      1,
    ],
    ['one whose type is at another place', 'events_by_type', Buffer.from('T\u000f'), 0x01, [LAST], 'type'],
    ['one whose id is another', 'sqlite_autoindex_events_1', Buffer.from(ids[3] ?? ''), 0x01, [3], 'id'],
  ])('is named: %s', (_, index, key, bit, revisions, by, before = 0) => {
    expect([hiddenOf(0, 1), hiddenOf(0, 2), hiddenOf(1, 2)]).toEqual([[], [], []]);
    turnBit(index, key, bit, before);
    expect(measureLog(path, endOfLog(path) ?? '').damage).toEqual([]);
    const hidden = revisions.map((revision) => ({ ...at(revision), by }));
    const part = partOfStream('account-1', 2);
    expect([hiddenOf(0, 1), hiddenOf(part, 2), hiddenOf(1 - part, 2)]).toEqual([hidden, hidden, []]);
  });

  it('is named where its stream became one that is summed up together with it', () => {
    const stream = 'account-x104312';
    path = join(folder, 'together.db');
    const log = new BulkLog(path);
    for (const revision of ids.keys())
      log.add(stream, revision, { id: uuidv7(), type: 'T', schemaVersion: 1, data: '1', metadata: '2' });
    log.finish();
    // It is `account-x10$312` then.
    turnBit('sqlite_autoindex_events_2', Buffer.from(`${stream}\u0002`), 0x10, 4);
    expect(hiddenOf(0, 1)).toEqual([{ stream, revision: 2, position: '0000000000000003', by: 'stream and revision' }]);
  });

  it('is named where the index of types is missing, too', () => {
    const db = new DatabaseSync(path);
    db.exec('DROP INDEX events_by_type');
    db.close();
    expect(hiddenOf(0, 1)).toEqual([]);
    turnBit('sqlite_autoindex_events_1', Buffer.from(ids[3] ?? ''), 0x01);
    expect(hiddenOf(0, 1)).toEqual([{ ...at(3), by: 'id' }]);
  });

  it('keeps the log from being opened, and a backup from being called good', () => {
    expect(damageIn(path)).toBeUndefined();
    turnBit('sqlite_autoindex_events_2', keyOfRevision(LAST), 0x40);
    expect(damageIn(path)).toMatch(/row 15 missing from index sqlite_autoindex_events_2/);
    expect(() => new SqliteLog({ path })).toThrow(
      expect.objectContaining({
        code: 'store-unavailable',
        message: expect.stringMatching(/hidden\.db is damaged \(.*missing from index/),
      }),
    );
  });
});
