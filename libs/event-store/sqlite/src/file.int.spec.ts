import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { APPLICATION_ID, FORMAT_VERSION, openForReading, openForWriting } from './file.ts';
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
  const db = new DatabaseSync(path);
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
