import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';

const PAGE_BYTES = 4096;

/** Overwrites the first page of a table, or of an index: the file opens, and what is on that page is lost. */
export function damageTable(file: string, name: string): void {
  const db = new DatabaseSync(file, { readOnly: true });
  const page = Number(db.prepare('SELECT rootpage FROM sqlite_schema WHERE name = ?').get(name)?.['rootpage']);
  db.close();
  overwrite(file, (page - 1) * PAGE_BYTES, Buffer.alloc(PAGE_BYTES, 0xa5));
}

export function flipByte(file: string, offset: number): void {
  const handle = openSync(file, 'r+');
  try {
    const byte = Buffer.alloc(1);
    readSync(handle, byte, 0, 1, offset);
    writeSync(handle, Buffer.from([(byte[0] ?? 0) ^ 0xff]), 0, 1, offset);
  } finally {
    closeSync(handle);
  }
}

/** Writes into a file by other means than SQLite's. */
export function overwrite(file: string, offset: number, bytes: Uint8Array): void {
  const handle = openSync(file, 'r+');
  try {
    writeSync(handle, bytes, 0, bytes.length, offset);
  } finally {
    closeSync(handle);
  }
}

/** Takes one event out of a log that nobody has open, past the triggers that refuse it. */
export function removeEvent(file: string, stream: string, revision: number): void {
  pastTriggers(file, (db) => {
    db.prepare('DELETE FROM events WHERE stream = ? AND revision = ?').run(stream, revision);
  });
}

/** Changes one character of the latest event of a type, as a disk may that turns a bit. */
export function changeEvent(file: string, stream: string, type: string): void {
  pastTriggers(file, (db) => {
    const sql = `UPDATE events SET metadata = replace(metadata, '"correlationId":"', '"correlationId":"!')
      WHERE position = (SELECT max(position) FROM events WHERE stream = ? AND type = ?)`;
    const { changes } = db.prepare(sql).run(stream, type);
    if (changes !== 1) throw new Error(`no ${type} on ${stream}`);
  });
}

function pastTriggers(file: string, change: (db: DatabaseSync) => void): void {
  const db = new DatabaseSync(file);
  try {
    const triggers = db.prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'").all();
    for (const { name } of triggers) db.exec(`DROP TRIGGER ${String(name)}`);
    change(db);
    for (const { sql } of triggers) db.exec(String(sql));
  } finally {
    db.close();
  }
}
