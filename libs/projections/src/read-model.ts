import { addUp, type Cell, type Change, type Position, type RecordedEvent, type Row, type Table } from '#kernel';
import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { cellOf, ChangeSet } from './change-set.ts';
import { soughtNames } from './names-projection.ts';
import { declaredType, StagedRows } from './staged-rows.ts';

/** The last event that the read models have taken in: where to go on, and whether the log is still the same. */
export interface Checkpoint {
  readonly position: Position;
  readonly stream: string;
  readonly revision: number;
  readonly eventId: string;
  /** The id of the log's first event, which tells one log from another; absent in files of before it was kept. */
  readonly logId?: string | undefined;
}

export function checkpointAt(event: RecordedEvent, logId: string | undefined): Checkpoint {
  const { position, stream, revision, id } = event;
  return { position, stream, revision, eventId: id, logId };
}

/** Why read models are built anew. */
export type RebuildCause =
  | 'asked-for'
  | 'damaged'
  | 'projections-changed'
  | 'other-log'
  /** They have taken in events that the log does not have any more: acknowledged events are missing. */
  | 'ahead-of-log';

/** A file that is not what it should be: thrown away and built again. */
export class UnusableReadModelError extends Error {
  readonly why: RebuildCause;
  constructor(why: RebuildCause) {
    super(`the read models can't be used: ${why}`);
    this.name = 'UnusableReadModelError';
    this.why = why;
  }
}

/** The result codes with which SQLite says that a file is damaged, or no database at all. */
const SQLITE_CORRUPT = 11;
const SQLITE_NOTADB = 26;

/** True when an error of SQLite says that the file is beyond use, rather than that something went wrong this time. */
export function isDamage(error: unknown): boolean {
  const { errcode } = Object(error) as { readonly errcode?: unknown };
  if (typeof errcode !== 'number') return false;
  const primary = errcode & 0xff;
  return primary === SQLITE_CORRUPT || primary === SQLITE_NOTADB;
}

const IN_MEMORY = ':memory:';
/** Page cache of the writing connection: the upper levels of all B-trees stay in memory. A build changes more pages at once. */
const CACHE_KIB = 8 * 1024;
const BUILDING_CACHE_KIB = 64 * 1024;
/** What the file is called while it is built for the first time. */
const UNFINISHED = '.unfinished';
/** What is put in order at the end of the build stands beside it until then. */
const STAGED = '.staged';
/** Pages of 4 KiB in the write-ahead log before it is copied into the file, which waits for the disk: 64 MiB. */
const WAL_PAGES = 16 * 1024;

/** How one kind of change is written: a statement, and the columns whose values it takes, in order. */
interface Writer {
  readonly columns: readonly string[];
  readonly statement: StatementSync;
}

/**
 * The read models' file on its writing side. Disposable: whatever is in it can be built from the log again.
 *
 * One that is not there is built under another name, without a sync and without indexes, which is several times quicker, and
 * gets its own name when it is whole (`finish`). So whatever ends a build early, the next one begins anew.
 */
export class ReadModel {
  readonly db: DatabaseSync;
  /** Nobody may query it yet: call `finish`. */
  readonly isBuilding: boolean;
  readonly #file: string;
  readonly #tables: readonly Table[];
  readonly #statements = new Map<string, StatementSync>();
  /** By kind of change, or for those of some columns by their names. */
  readonly #writers = new Map<Table, Map<string, Writer>>();
  /** Rows that are put into their tables at the end of the build; undefined unless it is built. */
  #staged: StagedRows | undefined;
  #checkpoint: Checkpoint | undefined;
  #isNew = false;
  #missed = 0;

  /**
   * Opens the file, or makes it, for its owner's eyes only.
   * @param fingerprint tells the tables and the projectors' versions: a file with another is unusable
   * @throws UnusableReadModelError for a file that is damaged or was made by other projectors; Error for another database
   */
  constructor(file: string, tables: readonly Table[], fingerprint: string) {
    this.#file = file;
    this.#tables = tables;
    this.isBuilding = file !== IN_MEMORY && !existsSync(file);
    const path = this.isBuilding ? file + UNFINISHED : file;
    if (this.isBuilding) removeFiles(path);
    if (file !== IN_MEMORY) createPrivately(path);
    this.db = new DatabaseSync(path);
    try {
      this.#prepareConnection();
      if (this.#tableNames().size === 0) {
        this.#create(tables, fingerprint);
        this.#isNew = true;
      }
      if (this.isBuilding) this.#staged = this.#stage(path + STAGED);
      this.#demandFingerprint(fingerprint);
      this.#checkpoint = this.#readCheckpoint();
    } catch (error) {
      this.db.close();
      throw isDamage(error) ? new UnusableReadModelError('damaged') : error;
    }
  }

  get checkpoint(): Checkpoint | undefined {
    return this.#checkpoint;
  }

  /** Whether there were none before. */
  get isNew(): boolean {
    return this.#isNew;
  }

  /** How many changes of columns found no row to change. */
  get missed(): number {
    return this.#missed;
  }

  /** Where to look for names while the file is built; undefined when they are in their table. */
  get staged(): Pick<StagedRows, 'find'> | undefined {
    return this.#staged;
  }

  /**
   * Takes changes, for `commit`. Most of those of a file that is built are written at once: while changes are taken, no other
   * may be, and if they are not to be committed, `rollBack` has to be called.
   */
  takeChanges(): ChangeSet {
    const staged = this.#staged;
    if (staged === undefined) return new ChangeSet();
    this.#begin();
    return new ChangeSet({ takeAdded: (table, row) => staged.add(table, row), settleLate: true });
  }

  /** Commits changes and checkpoint together, or neither. */
  commit(changes: ChangeSet, checkpoint: Checkpoint): void {
    try {
      this.write(changes);
      this.#run('UPDATE readModel SET checkpoint = ?', JSON.stringify(checkpoint));
      this.#run('COMMIT');
    } catch (error) {
      this.rollBack();
      throw error;
    }
    this.#checkpoint = checkpoint;
  }

  /** Writes changes that are to be committed with others. @throws whatever SQLite does: call `rollBack` then */
  write(changes: ChangeSet): void {
    this.#begin();
    this.#staged?.flush();
    changes.forEach((change) => this.#apply(change));
  }

  /** Drops what was taken and not committed. */
  rollBack(): void {
    this.#staged?.forget();
    if (this.db.isOpen && this.db.isTransaction) this.db.exec('ROLLBACK');
  }

  /** Ends the build: the file is whole, on the disk, and has its name. It is closed then: open it anew. When it fails, call it again. */
  finish(): void {
    if (this.db.isOpen) {
      this.rollBack();
      this.#staged?.moveToTables();
      for (const table of this.#tables) for (const sql of indexesSql(table)) this.db.exec(sql);
      this.db.close();
    }
    removeFiles(this.#file + UNFINISHED + STAGED);
    syncFile(this.#file + UNFINISHED);
    renameSync(this.#file + UNFINISHED, this.#file);
    syncFile(dirname(this.#file));
  }

  close(): void {
    if (this.db.isOpen) this.db.close();
  }

  #prepareConnection(): void {
    this.db.exec(`PRAGMA cache_size = -${String(this.isBuilding ? BUILDING_CACHE_KIB : CACHE_KIB)}`);
    if (this.isBuilding) {
      // The journal stays for what is tried again. A file that a crash leaves behind is never opened.
      this.db.exec('PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF; PRAGMA locking_mode = EXCLUSIVE');
      return;
    }
    // NORMAL: a power cut may lose the last commits, never half of one; they are projected again.
    this.db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL');
    this.db.exec(`PRAGMA wal_autocheckpoint = ${String(WAL_PAGES)}`);
  }

  #begin(): void {
    if (!this.db.isTransaction) this.#run('BEGIN IMMEDIATE');
  }

  #stage(path: string): StagedRows {
    removeFiles(path);
    createPrivately(path);
    return new StagedRows(this.db, path, this.#tables, soughtNames);
  }

  #create(tables: readonly Table[], fingerprint: string): void {
    this.db.exec('BEGIN');
    for (const table of tables) {
      this.db.exec(tableSql(table));
      if (!this.isBuilding) for (const sql of indexesSql(table)) this.db.exec(sql);
    }
    this.db.exec('CREATE TABLE readModel (fingerprint TEXT NOT NULL, checkpoint TEXT) STRICT');
    this.db.prepare('INSERT INTO readModel (fingerprint) VALUES (?)').run(fingerprint);
    this.db.exec('COMMIT');
  }

  #tableNames(): ReadonlySet<unknown> {
    const rows = this.db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all();
    return new Set(rows.map(({ name }) => name));
  }

  #demandFingerprint(fingerprint: string): void {
    // Whatever this database is, it is not ours to throw away.
    if (!this.#tableNames().has('readModel')) throw new Error('the file is a database, but not of read models');
    const row = this.db.prepare('SELECT fingerprint FROM readModel').get();
    if (row?.['fingerprint'] !== fingerprint) throw new UnusableReadModelError('projections-changed');
  }

  #readCheckpoint(): Checkpoint | undefined {
    const text = this.db.prepare('SELECT checkpoint FROM readModel').get()?.['checkpoint'];
    return typeof text === 'string' ? (JSON.parse(text) as Checkpoint) : undefined;
  }

  #apply(change: Change): void {
    if (change.kind === 'sum') {
      this.#applySum(change);
      return;
    }
    const { columns, statement } = this.#writerOf(change);
    const cells: Cell[] = [];
    for (const column of columns) cells.push(cellOf(change.table, change.row, column));
    const { changes } = statement.run(...cells);
    if (change.kind === 'set' && changes === 0) this.#missed += 1;
  }

  #applySum({ table, row, additions }: Extract<Change, { readonly kind: 'sum' }>): void {
    const key = table.primaryKey.map((column) => cellOf(table, row, column));
    const known = this.#prepared(selectSumSql(table)).get(...key);
    const summed = addUp(row, known as { units: string; position: Position } | undefined, additions);
    if (summed !== undefined) this.#apply({ table, kind: 'put', row: summed });
  }

  #writerOf({ table, kind, row }: Exclude<Change, { readonly kind: 'sum' }>): Writer {
    let writers = this.#writers.get(table);
    if (writers === undefined) {
      writers = new Map();
      this.#writers.set(table, writers);
    }
    const name = kind === 'set' ? Object.keys(row).join() : kind;
    let writer = writers.get(name);
    if (writer === undefined) {
      writer = kind === 'set' ? this.#updating(table, row) : this.#inserting(table, kind);
      writers.set(name, writer);
    }
    return writer;
  }

  #inserting(table: Table, kind: 'put' | 'add'): Writer {
    return { columns: Object.keys(table.columns), statement: this.db.prepare(insertSql(table, kind)) };
  }

  #updating(table: Table, row: Row): Writer {
    const columns = Object.keys(row).filter((column) => !table.primaryKey.includes(column));
    return { columns: [...columns, ...table.primaryKey], statement: this.db.prepare(updateSql(table, columns)) };
  }

  #run(sql: string, ...cells: readonly Cell[]): void {
    this.#prepared(sql).run(...cells);
  }

  /** Prepared once. */
  #prepared(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.db.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }
}

/**
 * Makes the file; SQLite gives what it keeps beside it the same mode. One that is there is not even opened: closing it
 * again would drop the locks that SQLite holds on it in this process.
 */
function createPrivately(file: string): void {
  try {
    closeSync(openSync(file, 'wx', 0o600));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

/**
 * Puts a file out of the way that has taken in what the log has lost: nothing else knows any more what that was. The first
 * such file is kept, which knows most. Nobody may have it open.
 */
export function setAside(file: string): void {
  if (file === IN_MEMORY || existsSync(`${file}.ahead`)) return;
  renameSync(file, `${file}.ahead`);
}

/** Deletes the file and what SQLite keeps beside it. Nobody may have it open. */
export function removeReadModel(file: string): void {
  if (file !== IN_MEMORY) removeFiles(file);
}

/** Where the rows of a file are that is being built. */
export function unfinished(file: string): { readonly tables: string; readonly staged: string } {
  return { tables: file + UNFINISHED, staged: file + UNFINISHED + STAGED };
}

/** Deletes what a build of the file has left. Nobody may have it open. */
export function removeUnfinished(file: string): void {
  const { tables, staged } = unfinished(file);
  removeFiles(tables);
  removeFiles(staged);
}

function removeFiles(file: string): void {
  for (const suffix of ['', '-wal', '-shm', '-journal']) rmSync(file + suffix, { force: true });
}

/** Of a file or a folder. */
function syncFile(path: string): void {
  const file = openSync(path, 'r');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function tableSql({ name, columns, primaryKey }: Table): string {
  const lines = Object.entries(columns).map(([column, type]) => `${column} ${declaredType(type)}`);
  return `CREATE TABLE ${name} (${lines.join(', ')}, PRIMARY KEY (${primaryKey.join(', ')})) STRICT, WITHOUT ROWID`;
}

function indexesSql({ name, indexes }: Table): readonly string[] {
  return indexes.map(
    (on) => `CREATE INDEX IF NOT EXISTS ${name}By${on.map(capitalised).join('')} ON ${name} (${on.join(', ')})`,
  );
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function selectSumSql(table: Table): string {
  const key = table.primaryKey.map((column) => `${column} = ?`).join(' AND ');
  return `SELECT units, position FROM ${table.name} WHERE ${key}`;
}

function insertSql(table: Table, kind: 'put' | 'add'): string {
  const columns = Object.keys(table.columns);
  const rest = columns.filter((column) => !table.primaryKey.includes(column));
  const insert = `INSERT INTO ${table.name} (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`;
  if (kind === 'add' || rest.length === 0) return `${insert} ON CONFLICT DO NOTHING`;
  return `${insert} ON CONFLICT DO UPDATE SET ${rest.map((column) => `${column} = excluded.${column}`).join(', ')}`;
}

function updateSql(table: Table, columns: readonly string[]): string {
  const assignments = columns.map((column) => `${column} = ?`).join(', ');
  return `UPDATE ${table.name} SET ${assignments} WHERE ${table.primaryKey.map((column) => `${column} = ?`).join(' AND ')}`;
}
