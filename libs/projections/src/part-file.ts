import type { Cell, Change, EventPointer, Position, Row, Table } from '#kernel';
import type { NameKind } from '#replay';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { ChangeSet } from './change-set.ts';
import { namesTable } from './names-projection.ts';
import { fingerprintOf, projectors } from './projectors.ts';
import { removeUnfinished, ReadModel, unfinished, type Checkpoint } from './read-model.ts';

/** All tables of the read models. */
const TABLES: readonly Table[] = projectors.flatMap(({ tables }) => tables);
/** Each is two files beside that of the read models, and SQLite opens ten at a time. */
export const MOST_PARTS = 4;
/** Changes that are gathered before they are written: a row that many events change is then written once. */
const CHANGES_AT_ONCE = 50_000;

/** The file of one part of read models that are built in parts. */
export function partPath(file: string, index: number): string {
  return `${file}.part-${String(index)}`;
}

/** Deletes what a build in parts has left, were it long ago. Nobody may have it open. */
export function removeParts(file: string): void {
  for (let index = 0; index < MOST_PARTS; index += 1) removeUnfinished(partPath(file, index));
}

/**
 * The rows that the events of some streams make: those of `ReadModel`, but for the tables that need what other streams make,
 * and what was taken for granted of other streams. `mergeParts` brings the files of all parts together.
 */
export class PartFile {
  readonly model: ReadModel;
  readonly #later: StatementSync;
  readonly #ask: StatementSync;
  #changes: ChangeSet;

  /** Nothing that is there stays. */
  constructor(path: string) {
    this.model = new ReadModel(path, TABLES, fingerprintOf(projectors));
    this.model.db.exec(
      `CREATE TABLE later (position TEXT NOT NULL, step INTEGER NOT NULL, change TEXT NOT NULL) STRICT;
       CREATE TABLE asked (stream TEXT NOT NULL, kind TEXT NOT NULL, id TEXT NOT NULL, revision INTEGER NOT NULL,
         value TEXT NOT NULL) STRICT`,
    );
    this.#later = this.model.db.prepare('INSERT INTO later VALUES (?, ?, ?)');
    this.#ask = this.model.db.prepare('INSERT INTO asked VALUES (?, ?, ?, ?, ?)');
    this.#changes = this.model.takeChanges();
  }

  /** Takes what an event changes, all of it at once. */
  take(position: Position, changes: readonly Change[]): void {
    for (const [step, change] of changes.entries()) {
      if (change.table.shared === 'in-order') this.#later.run(position, step, textOf(change));
      else this.#changes.add([change]);
    }
  }

  /** Takes for granted that a name of a stream of another part was first given to an event, which is legal. */
  ask({ stream, revision, eventId }: EventPointer, kind: NameKind, name: string): void {
    this.#ask.run(stream, kind, name, Number(revision), eventId);
  }

  commit(checkpoint: Checkpoint): void {
    this.model.commit(this.#changes, checkpoint);
    this.#changes = this.model.takeChanges();
  }

  close(): void {
    this.model.rollBack();
    this.model.close();
  }
}

/**
 * Puts the rows of all parts into read models that have none yet.
 * @param paths as the parts were made with; nobody has them open
 * @param checkpoint the last event of all parts
 * @returns false, with nothing changed, where something was taken for granted that is not so
 * @throws whatever SQLite does, with nothing changed; a row that two parts made is an error
 */
export function mergeParts(model: ReadModel, paths: readonly string[], checkpoint: Checkpoint): boolean {
  const { db } = model;
  const parts = paths.map((path, index) => attached(db, path, index));
  try {
    let changes = model.takeChanges();
    for (const table of TABLES) {
      if (table.shared === undefined) db.exec(insertSql(table, parts));
      if (table.shared === 'sums') changes.add(sumsOf(db, table, parts));
    }
    if (parts.some((part) => askedInVain(db, part))) return false;
    let gathered = 0;
    for (const change of laterChanges(db, parts)) {
      changes.add([change]);
      gathered += 1;
      if (gathered % CHANGES_AT_ONCE > 0) continue;
      model.write(changes);
      changes = model.takeChanges();
    }
    model.commit(changes, checkpoint);
    return true;
  } finally {
    model.rollBack();
    for (const { tables, staged } of parts) db.exec(`DETACH ${tables}; DETACH ${staged}`);
  }
}

/** What the two files of a part are attached as. */
interface AttachedPart {
  readonly tables: string;
  readonly staged: string;
}

function attached(db: DatabaseSync, path: string, index: number): AttachedPart {
  const names = { tables: `part${String(index)}`, staged: `stagedPart${String(index)}` };
  const files = unfinished(path);
  db.prepare(`ATTACH ? AS ${names.tables}`).run(files.tables);
  db.prepare(`ATTACH ? AS ${names.staged}`).run(files.staged);
  return names;
}

/** In the order of their keys, and of what stands twice in a stream the first. */
function insertSql({ name, columns, primaryKey, onlyAdded }: Table, parts: readonly AttachedPart[]): string {
  const cells = Object.keys(columns).join(', ');
  const key = primaryKey.join(', ');
  const from = ({ tables, staged }: AttachedPart): string =>
    onlyAdded === true
      ? `SELECT ${cells}, rowid AS n FROM ${staged}.${name}`
      : `SELECT ${cells} FROM ${tables}.${name}`;
  const all = parts.map(from).join(' UNION ALL ');
  return onlyAdded === true
    ? `INSERT OR IGNORE INTO main.${name} (${cells}) SELECT ${cells} FROM (${all}) ORDER BY ${key}, n`
    : `INSERT INTO main.${name} (${cells}) SELECT ${cells} FROM (${all}) ORDER BY ${key}`;
}

/** What the sums of all parts come to. */
function sumsOf(db: DatabaseSync, table: Table, parts: readonly AttachedPart[]): readonly Change[] {
  const sums = new Map<string, { readonly row: Row; readonly units: bigint; readonly position: Position }>();
  for (const { tables } of parts) {
    for (const row of db.prepare(`SELECT * FROM ${tables}.${table.name}`).all() as unknown as readonly Row[]) {
      const key = JSON.stringify(table.primaryKey.map((column) => row[column]));
      const known = sums.get(key);
      const units = BigInt(String(row['units'])) + (known?.units ?? 0n);
      const position = [String(row['position']), known?.position ?? ''].sort().at(-1) ?? '';
      sums.set(key, { row, units, position });
    }
  }
  return Array.from(sums.values(), ({ row, units, position }): Change => {
    return { table, kind: 'put', row: { ...row, units: String(units), position } };
  });
}

function askedInVain(db: DatabaseSync, { tables }: AttachedPart): boolean {
  const sql = `SELECT 1 FROM ${tables}.asked AS a WHERE NOT EXISTS (SELECT 1 FROM main.${namesTable.name} AS n
    WHERE n.stream = a.stream AND n.kind = a.kind AND n.id = a.id AND n.revision = a.revision AND n.value = a.value)`;
  return db.prepare(sql).get() !== undefined;
}

/** The changes that parts have left, in the log's order. */
function* laterChanges(db: DatabaseSync, parts: readonly AttachedPart[]): Generator<Change> {
  const all = parts.map(({ tables }) => `SELECT position, step, change FROM ${tables}.later`).join(' UNION ALL ');
  const tables = new Map(TABLES.map((table) => [table.name, table]));
  for (const { change } of db.prepare(`SELECT change FROM (${all}) ORDER BY position, step`).iterate()) {
    const [name, kind, row] = JSON.parse(String(change)) as readonly [
      string,
      'put' | 'add' | 'set',
      Record<string, Cell>,
    ];
    const table = tables.get(name);
    if (table === undefined) throw new Error(`there is no table ${name}`);
    yield { table, kind, row };
  }
}

function textOf(change: Change): string {
  const { table, kind, row } = change;
  const isWhole = kind === 'put' || kind === 'add' || (kind === 'set' && change.latest === undefined);
  if (!isWhole) throw new Error(`a change of ${table.name} can not wait for those of other streams`);
  return JSON.stringify([table.name, kind, row]);
}
