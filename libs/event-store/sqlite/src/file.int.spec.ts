import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { APPLICATION_ID, damageIn, FORMAT_VERSION, openForReading, openForWriting, schemaFaultsIn } from './file.ts';
import { sealLog, unsealLog } from './seal.ts';
import { SqliteLog } from './sqlite-log.ts';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'writ-file-'));
  path = join(folder, 'data', 'ledger', 'events.db');
});
afterEach(() => rmSync(folder, { recursive: true }));

function pragma(name: string): unknown {
  const db = new DatabaseSync(path, { readOnly: true });
  const row = db.prepare(`PRAGMA ${name}`).get();
  db.close();
  return Object.values(row ?? {})[0];
}

function change(sql: string): void {
  const db = new DatabaseSync(path, { defensive: false });
  db.exec(sql);
  db.close();
}

describe('the file of a log', () => {
  it('and its folder are made for their owner only', () => {
    const log = new SqliteLog({ path });
    log.appendGroup([
      { stream: 'a', expected: -1, events: [{ id: '1', type: 'T', schemaVersion: 1, data: '1', metadata: '1' }] },
    ]);
    const modes = readdirSync(join(folder, 'data', 'ledger')).map((name) => [
      name,
      statSync(join(folder, 'data', 'ledger', name)).mode & 0o777,
    ]);
    expect(Object.fromEntries(modes)).toEqual({
      'events.db': 0o600,
      'events.db-wal': 0o600,
      'events.db-shm': 0o600,
      'events.db.lock': 0o600,
    });
    for (const made of ['data', 'data/ledger']) expect(statSync(join(folder, made)).mode & 0o777).toBe(0o700);
    log.close();
  });

  it('says what it is, and in which format', () => {
    new SqliteLog({ path }).close();
    expect(pragma('application_id')).toBe(APPLICATION_ID);
    expect(pragma('user_version')).toBe(FORMAT_VERSION);
    expect(pragma('journal_mode')).toBe('wal');
  });

  it('is durable at every commit', () => {
    const db = openForWriting(path);
    expect({ ...db.prepare('PRAGMA synchronous').get() }).toEqual({ synchronous: 2 });
    db.close();
  });

  it.each([
    [
      'a newer format',
      () => change(`PRAGMA user_version = ${FORMAT_VERSION + 1}`),
      /events\.db has format 2, .* format 1 only/,
    ],
    ['no format', () => change('PRAGMA user_version = 0'), /events\.db has format 0/],
    [
      'the mark of another program',
      () => change('PRAGMA application_id = 7'),
      /events\.db is not an event log of Writ/,
    ],
    ['tables of another program', () => replaceByForeignDatabase(), /events\.db is not an event log of Writ/],
    ['no database in it', () => replaceByText(), /events\.db is not an event log of Writ/],
  ])('is refused with %s, is left as it is, and is let go', (_, spoil, message) => {
    new SqliteLog({ path }).close();
    spoil();
    const before = statSync(path).size;
    for (const open of [() => new SqliteLog({ path }), () => openForReading(path)]) {
      expect(open).toThrow(
        expect.objectContaining({ code: 'store-unavailable', message: expect.stringMatching(message) }),
      );
    }
    expect(statSync(path).size).toBe(before);
    rmSync(path);
    new SqliteLog({ path }).close();
  });

  it('is not made by who only wants to read it', () => {
    expect(() => openForReading(path)).toThrow(expect.objectContaining({ code: 'store-unavailable' }));
    expect(existsSync(path)).toBe(false);
  });
});

describe('the schema of a log', () => {
  const GUARDS = ['index events_by_type', 'trigger events_never_change', 'trigger events_never_go'];
  /** What the file would do with the next event must be as it was made. */
  it.each([
    [
      'a trigger that keeps events out',
      "CREATE TRIGGER swallow BEFORE INSERT ON events WHEN NEW.type = 'T' BEGIN SELECT RAISE(IGNORE); END",
      "the trigger swallow is none of Writ's",
    ],
    ['a table', 'CREATE TABLE notes (text TEXT)', "the table notes is none of Writ's"],
    ['a view', 'CREATE VIEW notes AS SELECT * FROM events', "the view notes is none of Writ's"],
    ['an index', 'CREATE UNIQUE INDEX one_each ON events (type)', "the index one_each is none of Writ's"],
    [
      'a guard that guards nothing',
      `DROP TRIGGER events_never_go;
       CREATE TRIGGER events_never_go BEFORE DELETE ON events WHEN FALSE
         BEGIN SELECT RAISE(ABORT, 'events are never deleted'); END`,
      'the trigger events_never_go is not as Writ makes it',
    ],
    [
      'the trigger of a seal, and no seal',
      'CREATE TRIGGER events_are_sealed BEFORE INSERT ON events BEGIN SELECT RAISE(IGNORE); END',
      "the trigger events_are_sealed is none of Writ's",
    ],
    [
      'a seal that keeps events out without a word',
      `CREATE TABLE seal (moved_to TEXT NOT NULL, sealed_at TEXT NOT NULL) STRICT;
       INSERT INTO seal VALUES ('elsewhere', '2022-02-16T12:00:00.000Z');
       CREATE TRIGGER events_are_sealed BEFORE INSERT ON events BEGIN SELECT RAISE(IGNORE); END`,
      'the trigger events_are_sealed is not as Writ makes it',
    ],
    [
      'a table that has lost a CHECK',
      `PRAGMA writable_schema = 1;
       UPDATE sqlite_schema SET sql = replace(sql, ' CHECK (position > 0)', '') WHERE name = 'events'`,
      'the table events is not as Writ makes it',
    ],
    [
      'a table that has lost its UNIQUE',
      'DROP TABLE events; CREATE TABLE events (position INTEGER PRIMARY KEY, stream TEXT, revision INTEGER)',
      'the table events is not as Writ makes it; the index sqlite_autoindex_events_1 is missing',
    ],
    ['no table', 'DROP TABLE events', 'the table events is missing'],
  ])('with %s is not opened: it is named, and the file stays as it is', (_, sql, damage) => {
    new SqliteLog({ path }).close();
    change(sql);
    const before = readFileSync(path);
    expect(() => new SqliteLog({ path })).toThrow(
      expect.objectContaining({
        code: 'store-unavailable',
        message: expect.stringContaining(`${path} is damaged (${damage}`),
      }),
    );
    expect(readFileSync(path)).toEqual(before);
    expect(damageIn(path)).toContain(damage);
    openForReading(path).close();
  });

  it('gets back the guards that it has lost, and tells of it once', () => {
    new SqliteLog({ path }).close();
    const made = new SqliteLog({ path });
    expect(made.notice).toBeUndefined();
    made.close();
    change(GUARDS.map((guard) => `DROP ${guard}`).join('; '));
    expect(schemaFaultsIn(path)).toEqual({ foreign: [], missing: GUARDS });
    const again = new SqliteLog({ path });
    expect(again.notice).toContain(`${path} had lost what guards it (${GUARDS.join(', ')})`);
    expect(again.notice).toContain('npm run check');
    again.close();
    expect(schemaFaultsIn(path)).toEqual({ foreign: [], missing: [] });
    const next = new SqliteLog({ path });
    expect(next.notice).toBeUndefined();
    next.close();
  });

  it('may have the statistics of an ANALYZE, and a seal', () => {
    new SqliteLog({ path }).close();
    change("INSERT INTO events VALUES (1, 'a', 0, '1', 'T', 1, '1', '1'); ANALYZE");
    new SqliteLog({ path }).close();
    sealLog(path, { movedTo: "the owner's\n other  host", sealedAt: '2022-02-16T12:00:00.000Z' });
    expect(schemaFaultsIn(path)).toEqual({ foreign: [], missing: [] });
    unsealLog(path);
    new SqliteLog({ path }).close();
  });
});

describe('the lock', () => {
  it('keeps a second writer away, names the file, and is let go by close', () => {
    const first = new SqliteLog({ path });
    expect(() => new SqliteLog({ path })).toThrow(
      expect.objectContaining({ code: 'store-unavailable', message: expect.stringContaining(`${path} is in use`) }),
    );
    first.close();
    new SqliteLog({ path }).close();
  });
});

function replaceByForeignDatabase(): void {
  rmSync(path);
  change('CREATE TABLE notes (text TEXT)');
}

function replaceByText(): void {
  writeFileSync(path, 'not a database, whatever its name says. '.repeat(200));
}
