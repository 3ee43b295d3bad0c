import { parsePosition } from '#event-store';
import type { Position, RecordedEvent } from '#kernel';
import { resolve } from 'node:path';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { damagedPagesOf, failureAt, openForReading } from './file.ts';
import { FOUND_UNSEEN, foundColumns, type HiddenEvent, IndexComparison } from './index-comparison.ts';
import { ROW_COLUMNS, type ComparedRow } from './log-reader.ts';
import { recordedFrom } from './pages.ts';
import { faultsOfSchema, type SchemaFaults } from './schema.ts';

/** Some of the streams of a log: those that fall to one of several who share the work. */
export interface LogPart {
  /** From 0 to below `of`. */
  readonly index: number;
  readonly of: number;
}

/** Positions that one step looks at. */
const STEP_POSITIONS = 250n;
/** Which part a stream is of: the last character of its name, which for ids that are counted up spreads them evenly. */
const PART_SQL = 'ifnull(unicode(substr(stream, -1)), 0)';

/** The part that a stream is of, as `LogScan` divides a log. */
export function partOfStream(stream: string, of: number): number {
  const last = stream.charCodeAt(stream.length - 1);
  const isWhole = last < 0xd800 || last > 0xdfff;
  return (isWhole ? last : (Array.from(stream.slice(-2)).at(-1)?.codePointAt(0) ?? 0)) % of;
}

/** What is read of a log. */
export interface ScanOptions {
  /** The position of the last event that is read, or the log's own end. */
  readonly end: Position;
  readonly part: LogPart;
  /** Events of these types are read whatever part their stream is of. Names that need no quotes. */
  readonly alsoTypes?: readonly string[];
  /** Whether the indexes are held against the events of the part: see `hidden`. */
  readonly comparesIndexes?: boolean;
}

/**
 * Reads a log from its first event, in its order, in the calling thread: all of it, or the streams of one part. For whoever
 * reads everything; beside a running service or without.
 */
export class LogScan {
  readonly #db: DatabaseSync;
  readonly #page: StatementSync;
  readonly #end: bigint;
  readonly #part: LogPart;
  readonly #comparison: IndexComparison | undefined;
  #after = 0n;

  /** @throws StoreError as `SqliteEventReader` */
  constructor(path: string, { end, part, alsoTypes = [], comparesIndexes = false }: ScanOptions) {
    const { index, of } = part;
    this.#part = part;
    this.#db = openForReading(resolve(path));
    this.#end = parsePosition(end);
    const isOfPart = `${PART_SQL} % ${String(of)} = ${String(index)}`;
    const isAlso = `type IN (${alsoTypes.map((type) => `'${type}'`).join(', ')})`;
    const filter = of === 1 ? '' : `AND (${isOfPart} OR ${isAlso})`;
    // Of another table nothing is known but what is wrong with its schema.
    const faults = comparesIndexes ? faultsOfSchema(this.#db) : undefined;
    const isCompared = faults?.foreign.length === 0;
    this.#comparison = isCompared ? new IndexComparison(this.#db, of === 1 ? 'TRUE' : isOfPart) : undefined;
    this.#page = this.#db.prepare(
      `SELECT ${ROW_COLUMNS}, ${isCompared ? foundColumns(faults) : FOUND_UNSEEN} FROM events
        WHERE position > ? AND position <= ? ${filter} ORDER BY position`,
    );
    this.#page.setReturnArrays(true);
  }

  /** The next events, which may be none; undefined at the end. */
  next(): readonly RecordedEvent[] | undefined {
    if (this.#after >= this.#end) return undefined;
    const to = this.#after + STEP_POSITIONS < this.#end ? this.#after + STEP_POSITIONS : this.#end;
    // The statement returns arrays, and the table is STRICT.
    const rows = this.#page.all(this.#after, to) as unknown as readonly ComparedRow[];
    this.#after = to;
    return rows.map((row) => {
      if (this.#comparison !== undefined && this.#isOfPart(row)) this.#comparison.take(row);
      return recordedFrom(row);
    });
  }

  /**
   * At the end of a scan that compares indexes: those of its events that an index does not find.
   * @throws SQLite's error, or one like it, where an index is damaged otherwise
   */
  hidden(): readonly HiddenEvent[] {
    return this.#comparison?.hidden(this.#end) ?? [];
  }

  #isOfPart([, stream]: ComparedRow): boolean {
    const { index, of } = this.#part;
    return of === 1 || partOfStream(stream, of) === index;
  }

  close(): void {
    this.#db.close();
  }
}

/** What a file says of a log up to one of its events, beside the events. */
export interface LogExtent {
  readonly events: number;
  /** Positions after which others are missing, the first ten thousand: every append takes the next one. */
  readonly gaps: readonly Position[];
  /** Ids that stand in the log more than once, the first ten thousand. */
  readonly repeatedIds: readonly string[];
  /** What SQLite finds wrong with the pages of its file, the first hundred lines. */
  readonly damage: readonly string[];
  /** How its schema differs from the one that Writ makes. */
  readonly schema: SchemaFaults;
}

const MOST = 10_000;

/** The position of the last event of a log; undefined for an empty one. @throws StoreError as `SqliteEventReader` */
export function endOfLog(path: string): Position | undefined {
  const db = openForReading(resolve(path));
  try {
    return texts(db, "SELECT printf('%016x', max(position)) FROM events HAVING max(position) IS NOT NULL")[0];
  } catch (error) {
    throw failureAt(resolve(path), error);
  } finally {
    db.close();
  }
}

/**
 * Counts a log up to a position and looks for what is missing from it. Reads the whole file once.
 * @throws StoreError as `SqliteEventReader`
 */
export function measureLog(path: string, end: Position): LogExtent {
  const db = openForReading(resolve(path));
  try {
    const last = parsePosition(end);
    // The sign keeps SQLite from counting in the table: whoever judges the events counts them there, and an index is small.
    const { events } = db.prepare('SELECT count(*) AS events FROM events WHERE +position <= ?').get(last) ?? {};
    const isWhole = BigInt(Number(events)) === last;
    return {
      events: Number(events),
      gaps: isWhole ? [] : texts(db, GAPS_SQL),
      repeatedIds: texts(db, `SELECT id FROM events GROUP BY id HAVING count(*) > 1 LIMIT ${MOST}`),
      damage: damagedPagesOf(db),
      schema: faultsOfSchema(db),
    };
  } finally {
    db.close();
  }
}

const GAPS_SQL = `SELECT printf('%016x', before) FROM (
    SELECT position, lag(position, 1, 0) OVER (ORDER BY position) AS before FROM events
  ) WHERE position <> before + 1 LIMIT ${MOST}`;

function texts(db: DatabaseSync, sql: string): readonly string[] {
  return db
    .prepare(sql)
    .all()
    .map((row) => String(Object.values(row)[0]));
}
