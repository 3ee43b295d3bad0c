import { type AppendRequest, type EncodedEvent, formatPosition, isStoreError, NO_REVISION } from '#event-store';
import { uuidv7 } from '#kernel';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type AppendOutcome, SqliteLog } from './sqlite-log.ts';

const PROJECT = fileURLToPath(new URL('../../../../', import.meta.url));

let folder: string;
let path: string;
let log: SqliteLog;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'writ-log-'));
  path = join(folder, 'events.db');
  log = new SqliteLog({ path });
});
afterEach(() => {
  log.close();
  rmSync(folder, { recursive: true });
});

function encoded(given: Partial<EncodedEvent> = {}): EncodedEvent {
  return { id: uuidv7(), type: 'FundsDeposited', schemaVersion: 1, data: '{"amount":"1"}', metadata: '{}', ...given };
}

function request(stream: string, expected: number, events: readonly EncodedEvent[] = [encoded()]): AppendRequest {
  return { stream, expected, events };
}

/** An event of about so many bytes. */
function large(size: number): EncodedEvent {
  return encoded({ data: JSON.stringify('x'.repeat(size)) });
}

/** What another connection sees: what is committed, and nothing else. */
function stored(): [string, number][] {
  const db = new DatabaseSync(path, { readOnly: true });
  const rows = db.prepare('SELECT stream, revision FROM events ORDER BY position').all();
  db.close();
  return rows.map(({ stream, revision }) => [String(stream), Number(revision)]);
}

function positionsStored(): unknown[] {
  const db = new DatabaseSync(path, { readOnly: true });
  const rows = db.prepare('SELECT position FROM events ORDER BY position').all();
  db.close();
  return rows.map(({ position }) => position);
}

/** A write by other means than the log. */
function byHand(sql: string): void {
  const db = new DatabaseSync(path);
  try {
    db.exec(sql);
  } finally {
    db.close();
  }
}

function codes(outcomes: readonly AppendOutcome[]): string[] {
  return outcomes.map((outcome) => (isStoreError(outcome) ? outcome.code : 'stored'));
}

describe('a group of appends', () => {
  it('is judged one after the other, each as if the ones before it were stored', () => {
    const outcomes = log.appendGroup([
      request('account-1', NO_REVISION, [encoded(), encoded()]),
      request('account-1', 1),
      request('account-2', NO_REVISION),
      request('account-1', 2),
    ]);
    expect(outcomes).toEqual([[1n, 2n], [3n], [4n], [5n]]);
    expect(stored()).toEqual([
      ['account-1', 0],
      ['account-1', 1],
      ['account-1', 2],
      ['account-2', 0],
      ['account-1', 3],
    ]);
  });

  it('stores the others when one fails its revision', () => {
    const outcomes = log.appendGroup([
      request('account-1', NO_REVISION),
      request('account-2', 4, [encoded(), encoded()]),
      request('account-1', NO_REVISION),
      request('account-1', 0),
    ]);
    expect(codes(outcomes)).toEqual(['stored', 'wrong-expected-revision', 'wrong-expected-revision', 'stored']);
    expect(outcomes[1]).toMatchObject({ actual: 'no-stream' });
    expect(outcomes[2]).toMatchObject({ actual: 0 });
    expect([outcomes[0], outcomes[3]]).toEqual([[1n], [2n]]);
    expect(positionsStored()).toEqual([1, 2]);
  });

  it('leaves no gap where an append is ahead of its stream, and stores the others', () => {
    const outcomes = log.appendGroup([
      request('account-1', NO_REVISION),
      request('account-1', 3),
      request('account-2', 0),
    ]);
    expect(codes(outcomes)).toEqual(['stored', 'wrong-expected-revision', 'wrong-expected-revision']);
    expect(stored()).toEqual([['account-1', 0]]);
  });

  it('stores the others when one hits a duplicate id, in the log or in the group', () => {
    const [old, first] = [encoded(), encoded()];
    log.appendGroup([request('account-0', NO_REVISION, [old])]);
    const outcomes = log.appendGroup([
      request('account-1', NO_REVISION, [first]),
      request('account-2', NO_REVISION, [encoded(), old]),
      request('account-3', NO_REVISION, [encoded(), first]),
      request('account-4', NO_REVISION),
    ]);
    expect(codes(outcomes)).toEqual(['stored', 'duplicate-event-id', 'duplicate-event-id', 'stored']);
    expect(stored()).toEqual([
      ['account-0', 0],
      ['account-1', 0],
      ['account-4', 0],
    ]);
    expect(positionsStored()).toEqual([1, 2, 3]);
  });

  it('answers a resend within the group as the first of the two', () => {
    const append = request('account-1', NO_REVISION, [encoded(), encoded()]);
    const outcomes = log.appendGroup([append, request('account-2', NO_REVISION), append]);
    expect(outcomes).toEqual([[1n, 2n], [3n], [1n, 2n]]);
    expect(stored()).toHaveLength(3);
  });

  it('takes an append back as a whole when the file refuses a later event of it, and stores the others', () => {
    byHand(`CREATE TRIGGER refuses BEFORE INSERT ON events WHEN NEW.type = 'Refused'
      BEGIN SELECT RAISE(ABORT, 'refused by hand'); END`);
    const outcomes = log.appendGroup([
      request('account-1', NO_REVISION),
      request('account-2', NO_REVISION, [encoded(), encoded(), encoded({ type: 'Refused' })]),
      request('account-2', NO_REVISION),
      request('account-1', 0, [...Array.from({ length: 25 }, () => encoded()), encoded({ type: 'Refused' })]),
      request('account-1', 0),
    ]);
    expect(codes(outcomes)).toEqual(['stored', 'store-unavailable', 'stored', 'store-unavailable', 'stored']);
    expect(stored()).toEqual([
      ['account-1', 0],
      ['account-2', 0],
      ['account-1', 1],
    ]);
    expect(positionsStored()).toEqual([1, 2, 3]);
  });

  it('stores appends of every length, whole', () => {
    const lengths = [1, 9, 10, 11, 20, 25, 100];
    const appends = lengths.map((length, index) =>
      request(
        `account-${index}`,
        NO_REVISION,
        Array.from({ length }, () => encoded()),
      ),
    );
    log.appendGroup(appends);
    for (const { stream, events } of appends) {
      const { rows } = log.reader.readStream(stream, 0, 1_000, false, 1_000);
      expect(rows.map((row) => [row[2], row[3]])).toEqual(events.map((event, index) => [index, event.id]));
    }
  });
});

describe('what other hands write into the file', () => {
  function insertByHand(position: string, stream: string, revision: number, data = '{}', metadata = '{}'): void {
    byHand(
      `INSERT INTO events VALUES (${position}, '${stream}', ${revision}, '${uuidv7()}', 'Forged', 1, '${data}', '${metadata}')`,
    );
  }

  it('can be added to, by who can write into it, and is seen before the next append is judged', () => {
    log.appendGroup([request('account-1', NO_REVISION)]);
    insertByHand('2', 'account-1', 1);
    const outcomes = log.appendGroup([request('account-1', 0), request('account-1', 1)]);
    expect(codes(outcomes)).toEqual(['wrong-expected-revision', 'stored']);
    expect(outcomes).toMatchObject([{ actual: 1 }, [3n]]);
  });

  it.each([
    ["UPDATE events SET data = '[]'", 'events never change'],
    ['UPDATE events SET position = position + 10', 'events never change'],
    ['DELETE FROM events', 'events are never deleted'],
    ['DELETE FROM events WHERE revision = 1', 'events are never deleted'],
    ["INSERT INTO events VALUES (9, 'account-1', 1, 'other', 'T', 1, '', '')", 'UNIQUE constraint failed'],
    ["INSERT INTO events SELECT 9, 'account-2', 0, id, 'T', 1, '', '' FROM events LIMIT 1", 'UNIQUE constraint failed'],
    ["INSERT INTO events VALUES (9, 'account-1', 2.5, 'other', 'T', 1, '', '')", 'cannot store REAL value'],
    [
      "INSERT INTO events VALUES (9, 'account-1', 9007199254740992, 'other', 'T', 1, '', '')",
      'CHECK constraint failed',
    ],
    ["INSERT INTO events VALUES (-9, 'account-1', 2, 'other', 'T', 1, '', '')", 'CHECK constraint failed'],
  ])('is refused where it would change or confuse: %s', (sql, message) => {
    log.appendGroup([request('account-1', NO_REVISION, [encoded(), encoded()])]);
    const before = log.reader.readAll(0n, {}, 10);
    expect(() => byHand(sql)).toThrow(message);
    expect(log.reader.readAll(0n, {}, 10)).toEqual(before);
  });

  it('is read to all 64 bits of its position, and followed by the next one', () => {
    const far = 2n ** 60n + 1n;
    insertByHand(String(far), 'account-1', 0);
    expect(log.appendGroup([request('account-2', NO_REVISION)])).toEqual([[far + 1n]]);
    const { rows, scannedTo, atEnd } = log.reader.readAll(far, {}, 10);
    expect(rows.map((row) => row[0])).toEqual([formatPosition(far + 1n)]);
    expect([scannedTo, atEnd]).toEqual([formatPosition(far + 1n), true]);
  });

  it('may leave a gap, over which a filtered read steps at once', () => {
    log.appendGroup([request('account-1', NO_REVISION)]);
    insertByHand(String(2n ** 60n), 'account-2', 0);
    const filter = { streamPrefixes: ['account-2'] };
    const first = log.reader.readAll(0n, filter, 10);
    expect(first).toEqual({ rows: [], scannedTo: formatPosition(2n ** 60n - 1n), atEnd: false });
    expect(log.reader.readAll(2n ** 60n - 1n, filter, 10)).toMatchObject({ rows: [expect.anything()], atEnd: true });
  });
});

describe('a trigger that keeps events out without a word', () => {
  const kept = encoded({ type: 'Kept' });
  const swallow =
    "CREATE TRIGGER swallow BEFORE INSERT ON events WHEN NEW.type = 'Kept' BEGIN SELECT RAISE(IGNORE); END";

  it.each<[what: string, appends: readonly AppendRequest[]]>([
    ['an append', [request('account-1', NO_REVISION, [kept])]],
    ['an append of many', [request('account-1', NO_REVISION, [...Array.from({ length: 25 }, () => encoded()), kept])]],
    ['one of ten at once', [request('account-1', NO_REVISION, [kept, ...Array.from({ length: 9 }, () => encoded())])]],
    ['one beside a refused one', [request('account-1', NO_REVISION, [kept]), request('account-2', 7)]],
  ])('has %s fail with the whole group, as damage of the file', (_, appends) => {
    byHand(swallow);
    const outcomes = log.appendGroup([request('account-3', NO_REVISION), ...appends]);
    for (const outcome of outcomes) {
      expect(outcome).toMatchObject({ code: 'store-unavailable', message: expect.stringContaining('is damaged') });
    }
    expect(stored()).toEqual([]);
    expect(log.damage?.message).toMatch(/events\.db is damaged \(\d+ of \d+ events were stored: /);
    expect(codes(log.appendGroup([request('account-4', NO_REVISION)]))).toEqual(['store-unavailable']);
    expect(stored()).toEqual([]);
  });
});

describe('a page', () => {
  it('is bounded in bytes, and says that there is more', () => {
    for (let revision = 0; revision < 6; revision++) {
      log.appendGroup([request('account-1', revision - 1, [large(1_000_000)])]);
    }
    const page = log.reader.readAll(0n, {}, 100);
    expect(page.rows.map((row) => row[2])).toEqual([0, 1, 2, 3, 4]);
    expect([page.scannedTo, page.atEnd]).toEqual([formatPosition(5n), false]);
    expect(log.reader.readAll(5n, {}, 100)).toMatchObject({ scannedTo: formatPosition(6n), atEnd: true });
    const backwards = log.reader.readStream('account-1', 5, 0, true, 100);
    expect(backwards.rows.map((row) => row[2])).toEqual([5, 4, 3, 2, 1]);
    expect(backwards.more).toBe(true);
    // A page that was cut short leaves nothing open behind it that would keep the log from being merged.
    byHand('PRAGMA wal_checkpoint(TRUNCATE)');
    expect(codes(log.appendGroup([request('account-1', 5)]))).toEqual(['stored']);
  });

  it('looks at a bounded part of the log when its filter finds nothing', () => {
    byHand(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 45000)
      INSERT INTO events SELECT i, 'account-' || i, 0, 'id-' || i, 'FundsDeposited', 1, '{}', '{}' FROM n`);
    log.appendGroup([request('party-1', NO_REVISION, [encoded({ type: 'PartyRegistered' })])]);
    for (const filter of [{ types: ['PartyRegistered'] }, { streamPrefixes: ['party-'] }]) {
      const pages = [log.reader.readAll(0n, filter, 10)];
      while (pages.at(-1)?.atEnd === false) {
        pages.push(log.reader.readAll(BigInt(`0x${pages.at(-1)?.scannedTo ?? ''}`), filter, 10));
      }
      expect(pages.map(({ rows, scannedTo }) => [rows.length, scannedTo])).toEqual([
        [0, formatPosition(20_000n)],
        [0, formatPosition(40_000n)],
        [1, formatPosition(45_001n)],
      ]);
    }
  });
});

describe('a full disk', () => {
  beforeEach(() => {
    log.close();
    log = new SqliteLog({ path, maxPages: 60 });
  });

  it('stores nothing of a group in which one append meets it, and says so to every member', () => {
    log.appendGroup([request('account-1', NO_REVISION)]);
    const outcomes = log.appendGroup([
      request('account-1', 0),
      request('account-2', NO_REVISION, [encoded(), large(400_000)]),
      request('account-3', NO_REVISION),
      request('account-1', 0),
      request('account-1', 7),
    ]);
    expect(codes(outcomes)).toEqual(Array.from({ length: 5 }, () => 'store-full'));
    expect(stored()).toEqual([['account-1', 0]]);
  });

  it('leaves revisions and positions where they were, for all that still fits', () => {
    log.appendGroup([request('account-1', NO_REVISION)]);
    log.appendGroup([request('account-1', 0), request('account-2', NO_REVISION, [large(400_000)])]);
    const outcomes = log.appendGroup([request('account-1', 0), request('account-2', NO_REVISION)]);
    expect(outcomes).toEqual([[2n], [3n]]);
    expect(positionsStored()).toEqual([1, 2, 3]);
  });

  it('is over when there is room again', () => {
    const append = request('account-1', NO_REVISION, [large(400_000)]);
    expect(codes(log.appendGroup([append]))).toEqual(['store-full']);
    log.close();
    log = new SqliteLog({ path, maxPages: 1_000 });
    expect(log.appendGroup([append])).toEqual([[1n]]);
  });
});

describe('a commit that fails', () => {
  /**
   * Runs in a process of its own, in which no file may grow beyond 2 MiB. The third large append exceeds that while its
   * commit is written to the write-ahead log.
   */
  it.each([
    ['settles the outcome', false],
    ['leaves the outcome unknown while somebody holds on to the write-ahead log, and settles it later', true],
  ])('%s', async (_, held) => {
    log.close();
    const source = `
      import { DatabaseSync } from 'node:sqlite';
      import { SqliteLog } from './libs/event-store/sqlite/src/sqlite-log.ts';
      const [path, held] = process.argv.slice(1);
      const log = new SqliteLog({ path });
      const event = (id, size) => ({ id, type: 'T', schemaVersion: 1, data: JSON.stringify('x'.repeat(size)), metadata: '{}' });
      const append = (stream, expected, id, size) => ({ stream, expected, events: [event(id, size)] });
      const tell = (outcomes) => outcomes.map((outcome) => outcome.code ?? 'stored');
      const told = [];
      told.push(tell(log.appendGroup([append('account-1', -1, 'a', 900_000)])));
      const reader = new DatabaseSync(path, { readOnly: true });
      if (held === 'true') reader.exec('BEGIN; SELECT count(*) FROM events');
      told.push(tell(log.appendGroup([append('account-1', 0, 'b', 900_000)])));
      const third = [append('account-1', 1, 'c', 900_000), append('account-2', -1, 'd', 10), append('account-2', 5, 'e', 10)];
      told.push(tell(log.appendGroup(third)));
      told.push(tell(log.appendGroup([append('account-3', -1, 'f', 10)])));
      if (held === 'true') reader.exec('COMMIT');
      told.push(tell(log.appendGroup([append('account-1', 1, 'g', 10), append('account-2', -1, 'd', 10)])));
      log.close();
      console.log(JSON.stringify(told));
    `;
    const node = [
      process.execPath,
      '--conditions=writ-source',
      '--input-type=module',
      '-e',
      source,
      path,
      String(held),
    ];
    const limited = ['-c', 'ulimit -f 4096; exec "$@"', 'sh', ...node];
    const { stdout } = await promisify(execFile)('sh', limited, { cwd: PROJECT });
    expect(JSON.parse(stdout)).toEqual([
      ['stored'],
      ['stored'],
      Array.from({ length: 3 }, () => (held ? 'outcome-unknown' : 'store-unavailable')),
      [held ? 'store-unavailable' : 'stored'],
      ['stored', 'stored'],
    ]);
    log = new SqliteLog({ path });
    expect(stored()).toEqual([
      ['account-1', 0],
      ['account-1', 1],
      ...(held ? [] : [['account-3', 0]]),
      ['account-1', 2],
      ['account-2', 0],
    ]);
  });
});
