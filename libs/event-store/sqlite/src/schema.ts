import { DatabaseSync } from 'node:sqlite';

const LARGEST_REVISION = String(Number.MAX_SAFE_INTEGER);

/** The index that SQLite makes for the UNIQUE of `id`, and the one for that of stream and revision. */
export const INDEX_OF_IDS = 'sqlite_autoindex_events_1';
export const INDEX_OF_REVISIONS = 'sqlite_autoindex_events_2';
export const INDEX_OF_TYPES = 'events_by_type';

/**
 * The types are enforced and the numbers bounded, so that whatever wrote a row, it can be read. The triggers keep honest
 * hands from changing history; who means to forge it is found out by the hash chain.
 */
export const SCHEMA = `
  CREATE TABLE events (
    position INTEGER PRIMARY KEY CHECK (position > 0),
    stream TEXT NOT NULL CHECK (stream <> ''),
    revision INTEGER NOT NULL CHECK (revision BETWEEN 0 AND ${LARGEST_REVISION}),
    id TEXT NOT NULL UNIQUE,
    type TEXT NOT NULL,
    schema_version INTEGER NOT NULL CHECK (schema_version BETWEEN -${LARGEST_REVISION} AND ${LARGEST_REVISION}),
    data TEXT NOT NULL,
    metadata TEXT NOT NULL,
    UNIQUE (stream, revision)
  ) STRICT;
  CREATE INDEX ${INDEX_OF_TYPES} ON events (type, position);
  CREATE TRIGGER events_never_change BEFORE UPDATE ON events
    BEGIN SELECT RAISE(ABORT, 'events never change'); END;
  CREATE TRIGGER events_never_go BEFORE DELETE ON events
    BEGIN SELECT RAISE(ABORT, 'events are never deleted'); END;
`;

/** What ANALYZE leaves, which only helps SQLite to choose between its indexes. */
const STATISTICS = [
  'CREATE TABLE sqlite_stat1(tbl,idx,stat)',
  'CREATE TABLE sqlite_stat4(tbl,idx,neq,nlt,ndlt,sample)',
];

/** A log that goes on elsewhere: nothing can be appended to it any more, and all of it can be read. */
export interface Seal {
  /** Where the ledger has moved to, for people: a file, or hosts. */
  readonly movedTo: string;
  /** RFC 3339, in UTC. */
  readonly sealedAt: string;
}

/** How the words of a seal begin, for people and for `isOfSeal`. */
export const SEALED = 'this log is sealed';

export const SEAL_TABLE = 'CREATE TABLE seal (moved_to TEXT NOT NULL, sealed_at TEXT NOT NULL) STRICT';

/** What it says is a literal: it is shown by a version, too, that knows of no seals. */
export function sealTrigger(seal: Seal): string {
  const words = sealedWords(seal).replaceAll("'", "''");
  return `CREATE TRIGGER events_are_sealed BEFORE INSERT ON events BEGIN SELECT RAISE(ABORT, '${words}'); END`;
}

export function sealedWords({ movedTo }: Seal): string {
  return `${SEALED}: the ledger has moved to ${movedTo}`;
}

/** The seal of a log, if it has one. */
export function sealOf(db: DatabaseSync): Seal | undefined {
  const isSealed = db.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'seal'").get();
  if (isSealed === undefined) return undefined;
  const { moved_to: movedTo, sealed_at: sealedAt } = db.prepare('SELECT moved_to, sealed_at FROM seal').get() ?? {};
  return { movedTo: String(movedTo), sealedAt: String(sealedAt) };
}

/** How the schema of a log's file differs from the one that Writ makes. */
export interface SchemaFaults {
  /** What makes it none of our logs any more, in words: what we did not make, made otherwise, or can't make again. */
  readonly foreign: readonly string[];
  /** What guards the log or finds its events, and can be made again: names like `trigger events_never_go`. */
  readonly missing: readonly string[];
}

/** A table, index or trigger, as SQLite keeps it. */
interface Part {
  readonly name: string;
  /** How it is made; empty for what is made with its table. */
  readonly sql: string;
}

/** Holds the schema of a file against what Writ makes, and what a seal adds. */
export function faultsOfSchema(db: DatabaseSync): SchemaFaults {
  const found = partsOf(db);
  const ours = partsOfLog();
  if (found.some(({ sql }) => sql === SEAL_TABLE)) {
    const seal = sealOf(db);
    ours.push({ name: 'table seal', sql: SEAL_TABLE });
    if (seal !== undefined) ours.push({ name: 'trigger events_are_sealed', sql: sealTrigger(seal) });
  }
  const gone = ours.filter(({ name }) => !found.some((part) => part.name === name));
  const others = found.filter((part) => !isAmong(ours, part) && !STATISTICS.includes(part.sql));
  return {
    foreign: [
      ...others.map(({ name }) =>
        ours.some((our) => our.name === name) ? `the ${name} is not as Writ makes it` : `the ${name} is none of Writ's`,
      ),
      ...gone.filter((part) => !canBeMadeAgain(part)).map(({ name }) => `the ${name} is missing`),
    ],
    missing: gone.filter(canBeMadeAgain).map(({ name }) => name),
  };
}

/** Makes again what is missing and touches no event. @returns what it was, as in `SchemaFaults.missing` */
export function makeMissing(db: DatabaseSync): readonly string[] {
  const { missing } = faultsOfSchema(db);
  const parts = partsOfLog().filter(({ name }) => missing.includes(name));
  if (parts.length > 0) db.exec(`BEGIN IMMEDIATE; ${parts.map(({ sql }) => `${sql};`).join(' ')} COMMIT`);
  return parts.map(({ name }) => name);
}

function canBeMadeAgain({ name, sql }: Part): boolean {
  return !name.startsWith('table ') && sql !== '';
}

/** What SQLite itself makes of our schema. */
function partsOfLog(): Part[] {
  const db = new DatabaseSync(':memory:');
  try {
    db.exec(SCHEMA);
    return partsOf(db);
  } finally {
    db.close();
  }
}

function partsOf(db: DatabaseSync): Part[] {
  const rows = db.prepare("SELECT type || ' ' || name AS name, ifnull(sql, '') AS sql FROM sqlite_schema").all();
  return rows.map(({ name, sql }) => ({ name: String(name), sql: String(sql) }));
}

/** Line breaks and indentation mean nothing. */
function isAmong(parts: readonly Part[], { name, sql }: Part): boolean {
  return parts.some((part) => part.name === name && inOneLine(part.sql) === inOneLine(sql));
}

function inOneLine(sql: string): string {
  return sql.replace(/\s+/g, ' ');
}
