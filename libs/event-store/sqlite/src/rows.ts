import type { DatabaseSync, StatementSync } from 'node:sqlite';

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
