import { type EventFilter, formatPosition } from '#event-store';
import type { Position } from '#kernel';
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';

/** An event as it stands in the file, in the order of `COLUMNS`; the position is formatted by SQLite, to all its 64 bits. */
export type Row = readonly [
  position: Position,
  stream: string,
  revision: number,
  id: string,
  type: string,
  schemaVersion: number,
  data: string,
  metadata: string,
];

/** As a scan reads it: 0 at the end where the index of ids, or that of types, does not find the event. */
export type ComparedRow = readonly [...Row, isFoundById: number, isFoundByType: number];

export interface StreamPage {
  readonly rows: readonly Row[];
  /** False when nothing of the asked range is left. */
  readonly more: boolean;
}

export interface LogPage {
  readonly rows: readonly Row[];
  readonly scannedTo: Position | undefined;
  readonly atEnd: boolean;
}

export const ROW_COLUMNS = `printf('%016x', position), stream, revision, id, type, schema_version, data, metadata`;

/** A page stops after the event that brings it to this size: whatever the limit, memory stays bounded. */
const PAGE_BYTES = 4 * 1024 * 1024;
/** Most positions that one page of a filtered read looks at: a filter that fits nothing must not hold up the appends. */
const WINDOW = 20_000n;
const MAX_CACHED_STATEMENTS = 32;

/** The queries over one connection. Synchronous; it sees what is committed at the moment of the call. */
export class LogReader {
  readonly #db: DatabaseSync;
  readonly #head: StatementSync;
  readonly #next: StatementSync;
  readonly #pages = new Map<string, StatementSync>();

  constructor(db: DatabaseSync) {
    this.#db = db;
    this.#head = db.prepare('SELECT max(position) AS position FROM events');
    this.#next = db.prepare('SELECT min(position) AS position FROM events WHERE position > ?');
    this.#head.setReadBigInts(true);
    this.#next.setReadBigInts(true);
  }

  /** The position of the last event, as a number; 0 for none. */
  head(): bigint {
    return positionIn(this.#head.get()) ?? 0n;
  }

  /** Part of one stream; both ends are inclusive and in the direction of reading. */
  readStream(stream: string, from: number, to: number, backwards: boolean, limit: number): StreamPage {
    const order = backwards ? 'DESC' : 'ASC';
    const statement = this.#prepare(
      `SELECT ${ROW_COLUMNS} FROM events WHERE stream = ? AND revision BETWEEN ? AND ? ORDER BY revision ${order} LIMIT ?`,
    );
    const [low, high] = backwards ? [to, from] : [from, to];
    const { rows, cut } = collect(statement, [stream, low, high, limit]);
    return { rows, more: cut || rows.length === limit };
  }

  /** The events after a position that match, up to the limit, or as far as one page looks. */
  readAll(after: bigint, filter: EventFilter, limit: number): LogPage {
    const head = this.head();
    if (after >= head) return { rows: [], scannedTo: head === 0n ? undefined : formatPosition(after), atEnd: true };
    const { condition, parameters } = conditionOf(filter);
    const end = condition === '' || head - after < WINDOW ? head : after + WINDOW;
    const statement = this.#prepare(
      `SELECT ${ROW_COLUMNS} FROM events WHERE position > ? AND position <= ?${condition} ORDER BY position LIMIT ?`,
    );
    const { rows, cut } = collect(statement, [after, end, ...parameters, limit]);
    const last = cut || rows.length === limit ? rows.at(-1)?.[0] : undefined;
    const scannedTo = last ?? formatPosition(this.#lastBeforeNext(end, head));
    return { rows, scannedTo, atEnd: scannedTo === formatPosition(head) };
  }

  /** Where a scan up to `end` really ends: behind it there may be a gap, if rows came into the file by other means. */
  #lastBeforeNext(end: bigint, head: bigint): bigint {
    if (end === head) return head;
    const next = positionIn(this.#next.get(end));
    return next === undefined ? head : next - 1n;
  }

  #prepare(sql: string): StatementSync {
    const known = this.#pages.get(sql);
    if (known !== undefined) return known;
    const statement = this.#db.prepare(sql);
    statement.setReturnArrays(true);
    if (this.#pages.size >= MAX_CACHED_STATEMENTS) this.#pages.clear();
    this.#pages.set(sql, statement);
    return statement;
  }
}

function conditionOf({ streamPrefixes, types }: EventFilter): { condition: string; parameters: string[] } {
  let condition = '';
  if (types !== undefined) condition += ` AND type IN (${types.map(() => '?').join(', ')})`;
  if (streamPrefixes !== undefined) {
    const starts = streamPrefixes.map(() => 'substr(stream, 1, length(?)) = ?').join(' OR ');
    condition += ` AND (${starts === '' ? 'FALSE' : starts})`;
  }
  return { condition, parameters: [...(types ?? []), ...(streamPrefixes ?? []).flatMap((prefix) => [prefix, prefix])] };
}

function collect(statement: StatementSync, parameters: readonly SQLInputValue[]): { rows: Row[]; cut: boolean } {
  const rows: Row[] = [];
  let length = 0;
  for (const values of statement.iterate(...parameters)) {
    // The statement returns arrays, and the table is STRICT.
    const row = values as unknown as Row;
    rows.push(row);
    length += row[6].length + row[7].length;
    if (length > PAGE_BYTES) return { rows, cut: true };
  }
  return { rows, cut: false };
}

function positionIn(row: Record<string, unknown> | undefined): bigint | undefined {
  const position = row?.['position'];
  return typeof position === 'bigint' ? position : undefined;
}
