import type { Cell, ColumnType, Row, Table } from '#kernel';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { cellOf } from './change-set.ts';

/** What the staging file is attached as. */
const STAGED = 'staged';
/** Rows of one INSERT: fewer steps through the binding than one by one. */
const ROWS_AT_ONCE = 40;
/** Larger pages than usual: they are written one after the other, and each costs a call. */
const PAGE_BYTES = 16 * 1024;
/** Page cache of the staging file: the index of names is to stay in memory; all else is only written once. */
const CACHE_KIB = 48 * 1024;

/** One table's rows on their way into the staging file. */
interface Stage {
  readonly columns: readonly string[];
  /** Cells of a row: those of its columns, and where rows are sought the hash. */
  readonly width: number;
  readonly insertMany: StatementSync;
  readonly insertOne: StatementSync;
  /** Cells of rows that are not in the file yet, row after row. */
  cells: Cell[];
}

/** How the rows of a table are found again while they are staged. */
export interface SoughtRows {
  readonly table: Table;
  /** The columns by which a row is sought. */
  readonly by: readonly string[];
  /** Rows for which this is false are never sought. */
  readonly isSought: (row: Row) => boolean;
}

/**
 * The rows of tables that are only added to, while a file of read models is built: put one after the other into a file beside
 * it, and at the end, in the order of their keys, into their tables. Put there at once, each would change a page somewhere in a
 * large file.
 *
 * It is part of the transactions of the connection that it is attached to: whoever rolls back calls `forget`.
 */
export class StagedRows {
  readonly #db: DatabaseSync;
  readonly #sought: SoughtRows;
  readonly #stages = new Map<Table, Stage>();
  #find: StatementSync | undefined;

  /** @param path of the staging file: nothing may be there. Its end is the caller's */
  constructor(db: DatabaseSync, path: string, tables: readonly Table[], sought: SoughtRows) {
    this.#db = db;
    this.#sought = sought;
    db.prepare(`ATTACH ? AS ${STAGED}`).run(path);
    db.exec(`PRAGMA ${STAGED}.page_size = ${String(PAGE_BYTES)}`);
    db.exec(`PRAGMA ${STAGED}.journal_mode = MEMORY; PRAGMA ${STAGED}.synchronous = OFF`);
    db.exec(`PRAGMA ${STAGED}.cache_size = -${String(CACHE_KIB)}`);
    for (const table of tables) if (table.onlyAdded === true) this.#stages.set(table, this.#createStage(table));
  }

  /** Takes a row; it is in the file after `flush`. */
  add(table: Table, row: Row): void {
    const stage = this.#stageOf(table);
    const { cells, columns, width } = stage;
    const before = cells.length;
    for (const column of columns) {
      const cell = row[column];
      if (cell === undefined) {
        cells.length = before;
        throw new Error(`a row of ${table.name} lacks ${column}`);
      }
      cells.push(cell);
    }
    if (width > columns.length) cells.push(this.#sought.isSought(row) ? this.#hashOf(row) : null);
    if (cells.length >= ROWS_AT_ONCE * width) {
      stage.insertMany.run(...cells);
      stage.cells = [];
    }
  }

  /** Puts into the file what is not there yet. */
  flush(): void {
    for (const stage of this.#stages.values()) {
      const { width, cells } = stage;
      for (let from = 0; from < cells.length; from += width) stage.insertOne.run(...cells.slice(from, from + width));
      stage.cells = [];
    }
  }

  /** Drops what is not in the file yet. */
  forget(): void {
    for (const stage of this.#stages.values()) stage.cells = [];
  }

  /** The first row of the sought table with these cells, of those that were flushed. @param row at least the columns sought by */
  find(row: Row): Row | undefined {
    const { table, by, isSought } = this.#sought;
    if (!isSought(row)) throw new Error('these rows are not found while they are staged');
    this.#find ??= this.#prepareFind();
    const found = this.#find.get(this.#hashOf(row), ...by.map((column) => cellOf(table, row, column)));
    return found as Row | undefined;
  }

  /**
   * Puts all rows into their tables, the first of each key. Call it after a commit. When it fails, call it again.
   */
  moveToTables(): void {
    for (const [table, { columns }] of this.#stages) {
      const cells = columns.join(', ');
      const order = [...table.primaryKey, 'rowid'].join(', ');
      this.#db.exec('BEGIN IMMEDIATE');
      try {
        this.#db.exec(
          `INSERT OR IGNORE INTO main.${table.name} (${cells}) SELECT ${cells} FROM ${STAGED}.${table.name} ORDER BY ${order}`,
        );
        this.#db.exec(`DROP TABLE ${STAGED}.${table.name}`);
        this.#db.exec('COMMIT');
      } catch (error) {
        if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
        throw error;
      }
      this.#stages.delete(table);
    }
  }

  #createStage(table: Table): Stage {
    const columns = Object.keys(table.columns);
    const declared = Object.entries(table.columns).map(([column, type]) => `${column} ${declaredType(type)}`);
    if (table === this.#sought.table) declared.push('hash INTEGER');
    this.#db.exec(`CREATE TABLE ${STAGED}.${table.name} (${declared.join(', ')}) STRICT`);
    if (table === this.#sought.table) {
      this.#db.exec(`CREATE INDEX ${STAGED}.${table.name}ByHash ON ${table.name} (hash) WHERE hash IS NOT NULL`);
    }
    const row = `(${declared.map(() => '?').join(', ')})`;
    const insert = (rows: number): StatementSync =>
      this.#db.prepare(`INSERT INTO ${STAGED}.${table.name} VALUES ${new Array<string>(rows).fill(row).join(', ')}`);
    return { columns, width: declared.length, insertMany: insert(ROWS_AT_ONCE), insertOne: insert(1), cells: [] };
  }

  #prepareFind(): StatementSync {
    const { table, by } = this.#sought;
    const same = by.map((column) => `${column} = ?`).join(' AND ');
    return this.#db.prepare(`SELECT * FROM ${STAGED}.${table.name} WHERE hash = ? AND ${same} ORDER BY rowid LIMIT 1`);
  }

  #stageOf(table: Table): Stage {
    const stage = this.#stages.get(table);
    if (stage === undefined) throw new Error(`the rows of ${table.name} are not staged`);
    return stage;
  }

  /** A short stand-in for the key, so that its index stays small: rows are compared by their cells. FNV-1a, 32 bits. */
  #hashOf(row: Row): number {
    let hash = 0x811c9dc5;
    for (const column of this.#sought.by) {
      const text = String(row[column]);
      for (let index = 0; index < text.length; index += 1) {
        hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
      }
    }
    return hash;
  }
}

/** A column's type as SQLite takes it. */
export function declaredType(type: ColumnType): string {
  return type.endsWith('?') ? type.slice(0, -1).toUpperCase() : `${type.toUpperCase()} NOT NULL`;
}
