import type { Position } from '#kernel';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Row } from './log-reader.ts';
import { INDEX_OF_IDS, INDEX_OF_REVISIONS } from './schema.ts';
import { damaged } from './sqlite-errors.ts';

/** An event that stands in the log, and that an index does not find: to who asks for it so, it is not there. */
export interface HiddenEvent {
  readonly position: Position;
  readonly stream: string;
  readonly revision: number;
  /** What it is not found by. */
  readonly by: 'id' | 'stream and revision';
}

/** Of one stream: how many events, and the sums of what an index has of them. */
interface Sums {
  events: number;
  revisions: number;
  positions: number;
}

/** Most hidden events that are named of each index. */
const MOST = 10_000;

const hiddenFrom = (index: string, key: string): string =>
  `SELECT printf('%016x', e.position), e.stream, e.revision FROM events AS e WHERE e.position > ? AND e.position <= ?
    AND e.position IS NOT (SELECT i.position FROM events AS i INDEXED BY ${index} WHERE ${key})`;

/**
 * Holds the indexes of ids and of revisions against the events of a scan: a quick check of the file's pages does not, and
 * what an index hides is missing from its stream, though it stands in the log.
 *
 * Each id is looked up: they stand in their index nearly as in the log. Revisions do not, and to look each up would take
 * three times as long: of each stream, number, revisions and positions are summed up here and over the index, and only where these
 * differ are they looked up. Damage changes these sums; who means to keep them can write into the file anyway.
 */
export class IndexComparison {
  readonly #db: DatabaseSync;
  readonly #condition: string;
  readonly #hiddenIds: StatementSync;
  readonly #streams = new Map<string, Sums>();
  readonly #hidden: HiddenEvent[] = [];

  /** @param condition of SQL, on `stream`, for the streams that are compared */
  constructor(db: DatabaseSync, condition: string) {
    this.#db = db;
    this.#condition = condition;
    this.#hiddenIds = this.#prepare(`${hiddenFrom(INDEX_OF_IDS, 'i.id = e.id')} AND ${condition} LIMIT ${MOST}`);
  }

  /** Takes the next positions of the log. @param rows all events there, of the streams that are compared */
  take(rows: readonly Row[], after: bigint, to: bigint): void {
    for (const [position, stream, revision] of rows) {
      const sums = this.#streams.get(stream);
      const at = Number(`0x${position}`);
      if (sums === undefined) this.#streams.set(stream, { events: 1, revisions: revision, positions: at });
      else {
        sums.events += 1;
        sums.revisions += revision;
        sums.positions += at;
      }
    }
    if (this.#hidden.length < MOST) this.#note(this.#hiddenIds, after, to, 'id');
  }

  /**
   * Call once, when all events were taken.
   * @param end the position of the last
   * @throws what `isDamaged` knows when the index of revisions has something else than the events
   */
  hidden(end: bigint): readonly HiddenEvent[] {
    if (this.#isIndexOfRevisionsRight(end)) return this.#hidden;
    const before = this.#hidden.length;
    const key = 'i.stream = e.stream AND i.revision = e.revision';
    const statement = this.#prepare(`${hiddenFrom(INDEX_OF_REVISIONS, key)} AND ${this.#condition} LIMIT ${MOST}`);
    this.#note(statement, 0n, end, 'stream and revision');
    if (this.#hidden.length === before) throw damaged('the index of streams and revisions has what no event is');
    return this.#hidden;
  }

  #isIndexOfRevisionsRight(end: bigint): boolean {
    // A sum that is no integer can't be too large. The sign: a condition that is no bound leaves the order to the index.
    const statement = this.#prepare(
      `SELECT stream, count(*), total(revision), total(position) FROM events INDEXED BY ${INDEX_OF_REVISIONS}
        WHERE +position <= ? AND ${this.#condition} GROUP BY stream`,
    );
    let streams = 0;
    for (const row of statement.iterate(end)) {
      const [stream, events, revisions, positions] = row as unknown as [string, number, number, number];
      const sums = this.#streams.get(stream);
      if (sums?.events !== events || sums.revisions !== revisions || sums.positions !== positions) return false;
      streams += 1;
    }
    return streams === this.#streams.size;
  }

  #note(statement: StatementSync, after: bigint, to: bigint, by: HiddenEvent['by']): void {
    for (const row of statement.all(after, to)) {
      const [position, stream, revision] = row as unknown as [Position, string, number];
      this.#hidden.push({ position, stream, revision, by });
    }
  }

  #prepare(sql: string): StatementSync {
    const statement = this.#db.prepare(sql);
    statement.setReturnArrays(true);
    return statement;
  }
}
