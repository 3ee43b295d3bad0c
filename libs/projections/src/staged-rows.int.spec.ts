import { defineTable, type Row } from '#kernel';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { StagedRows } from './staged-rows.ts';

const table = defineTable({
  name: 'things',
  columns: { kind: 'text', id: 'text', value: 'integer', note: 'text?' },
  primaryKey: ['kind', 'id'],
  indexes: [],
  onlyAdded: true,
});

let folder: string;
let db: DatabaseSync;
let staged: StagedRows;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'writ-staged-'));
  db = new DatabaseSync(join(folder, 'main.db'));
  db.exec('CREATE TABLE things (kind TEXT, id TEXT, value INTEGER, note TEXT, PRIMARY KEY (kind, id)) WITHOUT ROWID');
  const isSought = ({ kind }: Row): boolean => kind !== 'unsought';
  staged = new StagedRows(db, join(folder, 'staged.db'), [table], { table, by: ['kind', 'id'], isSought });
  db.exec('BEGIN');
});
afterEach(() => {
  db.close();
  rmSync(folder, { recursive: true });
});

function add(kind: string, id: string, value: number): void {
  staged.add(table, { kind, id, value, note: null });
}

/** As they lie in the table. */
function rows(): unknown[] {
  return db
    .prepare('SELECT * FROM main.things')
    .all()
    .map(({ kind, id, value }) => [kind, id, value]);
}

describe('rows that are put into their tables at the end', () => {
  it('lie in the order of their keys, the first of each, however many there are', () => {
    const expected: unknown[] = [];
    for (let number = 199; number >= 0; number -= 1) add('k', String(number).padStart(3, '0'), number);
    for (let number = 0; number < 200; number += 1) {
      add('k', String(number).padStart(3, '0'), -1);
      expected.push(['k', String(number).padStart(3, '0'), number]);
    }
    staged.flush();
    db.exec('COMMIT');
    expect(rows()).toEqual([]);
    staged.moveToTables();
    expect(rows()).toEqual(expected);
  });

  it('are found before that, the first of each, once they were flushed', () => {
    for (let number = 0; number < 100; number += 1) add('k', String(number), number);
    add('k', '7', 1000);
    staged.flush();
    expect(staged.find({ kind: 'k', id: '7' })).toMatchObject({ value: 7 });
    expect(staged.find({ kind: 'k', id: '99' })).toMatchObject({ value: 99 });
    expect(staged.find({ kind: 'k7', id: '' })).toBeUndefined();
    // Not: there is none.
    expect(() => staged.find({ kind: 'unsought', id: '7' })).toThrow('not found');
  });

  it('are gone after a rollback', () => {
    for (let number = 0; number < 45; number += 1) add('k', String(number), number);
    staged.forget();
    db.exec('ROLLBACK; BEGIN');
    add('k', '100', 100);
    staged.flush();
    db.exec('COMMIT');
    staged.moveToTables();
    expect(rows()).toEqual([['k', '100', 100]]);
  });

  it('are all there when it has to be tried again', () => {
    add('k', '1', 1);
    staged.flush();
    db.exec('COMMIT');
    const other = new DatabaseSync(join(folder, 'main.db'));
    other.exec('BEGIN IMMEDIATE');
    expect(() => staged.moveToTables()).toThrow('locked');
    other.exec('ROLLBACK');
    other.close();
    staged.moveToTables();
    staged.moveToTables();
    expect(rows()).toEqual([['k', '1', 1]]);
  });

  it('are whole: one that lacks a column leaves nothing of it', () => {
    expect(() => staged.add(table, { kind: 'k', id: '1', value: 1 })).toThrow('lacks note');
    add('k', '2', 2);
    staged.flush();
    db.exec('COMMIT');
    staged.moveToTables();
    expect(rows()).toEqual([['k', '2', 2]]);
  });
});
