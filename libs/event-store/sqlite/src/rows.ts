import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import { damaged } from './sqlite-errors.ts';

/** The columns of an event, in the order in which rows are written. */
export const COLUMNS = ['position', 'stream', 'revision', 'id', 'type', 'schema_version', 'data', 'metadata'] as const;

/**
 * Puts so many rows into the log at once: fewer steps through the binding than one by one.
 * @param onConflict what a constraint that fails does, other than to undo the statement
 */
export function insertStatement(db: DatabaseSync, rows: number, onConflict = ''): StatementSync {
  const row = `(${COLUMNS.map(() => '?').join(', ')})`;
  const values = Array.from({ length: rows }, () => row).join(', ');
  return db.prepare(`INSERT ${onConflict} INTO events (${COLUMNS.join(', ')}) VALUES ${values}`);
}

/**
 * Runs an INSERT of `insertStatement`.
 * @throws what `isDamaged` knows when a row was not stored and SQLite says nothing of it: a trigger that is not ours keeps
 * rows out so. The transaction is to be rolled back
 */
export function insertRows(statement: StatementSync, values: readonly SQLInputValue[]): void {
  const rows = values.length / COLUMNS.length;
  const { changes } = statement.run(...values);
  if (Number(changes) === rows) return;
  throw damaged(`${String(changes)} of ${String(rows)} events were stored: something in the file kept out the rest`);
}
