import type { Position } from '#kernel';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { ComparedRow } from './log-reader.ts';
import { INDEX_OF_IDS, INDEX_OF_REVISIONS, INDEX_OF_TYPES, type SchemaFaults } from './schema.ts';
import { damaged } from './sqlite-errors.ts';

/** An event that stands in the log, and that an index does not find: to who asks for it so, it is not there. */
export interface HiddenEvent {
  readonly position: Position;
  readonly stream: string;
  readonly revision: number;
  /** What it is not found by. */
  readonly by: 'id' | 'type' | 'stream and revision';
}

/** Most hidden events that are named, and as many of the index of revisions. */
const MOST = 10_000;

/** Where an index has the event of a row of `events`: its own position, another's, or none. */
const foundBy = (index: string, key: string): string =>
  `(SELECT i.position FROM events AS i INDEXED BY ${index} WHERE ${key})`;

/**
 * The columns of a query over `events` that a comparison takes: 1 where the index of ids, and that of types, finds the event,
 * 0 where it does not.
 */
export function foundColumns({ missing }: SchemaFaults): string {
  const byId = foundBy(INDEX_OF_IDS, 'i.id = events.id');
  const byType = foundBy(INDEX_OF_TYPES, 'i.type = events.type AND i.position = events.position');
  // It is told that it is missing, and made again.
  const hasTypes = !missing.includes(`index ${INDEX_OF_TYPES}`);
  return `${byId} IS events.position, ${hasTypes ? `${byType} IS events.position` : '1'}`;
}

/** What `foundColumns` are where nothing is compared. */
export const FOUND_UNSEEN = '1, 1';

/**
 * Holds the indexes of ids, types and revisions against the events of a scan: a quick check of the file's pages does not, and
 * what an index hides is missing from its stream, or from a search by type, though it stands in the log.
 *
 * Ids and types are looked up, by the scan itself: they stand in their index nearly as in the log. Revisions do not, and to look
 * each up would take three times as long: number, revisions and positions are summed up here and over the index, and only
 * where these differ are they looked up. Damage changes these sums; who means to keep them can write into the file anyway.
 */
export class IndexComparison {
  readonly #db: DatabaseSync;
  readonly #condition: string;
  readonly #sums = new Sums();
  readonly #hidden: HiddenEvent[] = [];

  /** @param condition of SQL, on `stream`, for the streams that are compared */
  constructor(db: DatabaseSync, condition: string) {
    this.#db = db;
    this.#condition = condition;
  }

  /** Takes the next event of the streams that are compared. */
  take(row: ComparedRow): void {
    const [position, stream, revision, , , , , , isFoundById, isFoundByType] = row;
    this.#sums.add(stream, 1, revision % MODULUS, Number.parseInt(position, 16) % MODULUS);
    if (isFoundById === 0) this.#note({ position, stream, revision, by: 'id' });
    if (isFoundByType === 0) this.#note({ position, stream, revision, by: 'type' });
  }

  /**
   * Call once, when all events were taken.
   * @param end the position of the last
   * @throws what `isDamaged` knows when the index of revisions has something else than the events
   */
  hidden(end: bigint): readonly HiddenEvent[] {
    if (this.#isIndexOfRevisionsRight(end)) return this.#hidden;
    const found = foundBy(INDEX_OF_REVISIONS, 'i.stream = events.stream AND i.revision = events.revision');
    const statement = this.#prepare(
      `SELECT printf('%016x', position), stream, revision FROM events
        WHERE position <= ? AND ${found} IS NOT position AND ${this.#condition} LIMIT ${MOST}`,
    );
    const hidden = statement.all(end) as unknown as readonly [Position, string, number][];
    if (hidden.length === 0) throw damaged('the index of streams and revisions has what no event is');
    for (const [position, stream, revision] of hidden)
      this.#hidden.push({ position, stream, revision, by: 'stream and revision' });
    return this.#hidden;
  }

  #isIndexOfRevisionsRight(end: bigint): boolean {
    // The sign: a condition that is no bound leaves the order to the index.
    const statement = this.#prepare(
      `SELECT stream, count(*), sum(revision % ${MODULUS}), sum(position % ${MODULUS})
        FROM events INDEXED BY ${INDEX_OF_REVISIONS} WHERE +position <= ? AND ${this.#condition} GROUP BY stream`,
    );
    const sums = new Sums();
    for (const row of statement.iterate(end)) {
      const [stream, events, revisions, positions] = row as unknown as [string, number, number, number];
      sums.add(stream, events, revisions, positions);
    }
    return sums.equals(this.#sums);
  }

  #note(hidden: HiddenEvent): void {
    if (this.#hidden.length < MOST) this.#hidden.push(hidden);
  }

  #prepare(sql: string): StatementSync {
    const statement = this.#db.prepare(sql);
    statement.setReturnArrays(true);
    return statement;
  }
}

/** A prime, for sums that stay exact: no turned bit changes a number by a multiple of it. */
const MODULUS = 1_000_003;
/** A power of two. */
const BUCKETS = 2 ** 16;
/** How many events, and the sums of their revisions and positions. */
const FIGURES = 3;

/**
 * Figures of streams, summed up by a hash of their names: to look up each event's stream among all of them would cost as
 * much as to read the event.
 */
class Sums {
  readonly #figures = new Float64Array(BUCKETS * FIGURES);
  /** Of all names, modulo 2^32: one that was turned into another of its bucket is in no figure. */
  #hashes = 0;

  add(stream: string, events: number, revisions: number, positions: number): void {
    const hash = hashOf(stream);
    this.#hashes = (this.#hashes + Math.imul(events, hash)) | 0;
    const figures = this.#figures;
    const at = ((hash ^ (hash >>> 16)) & (BUCKETS - 1)) * FIGURES;
    figures[at] = (figures[at] ?? 0) + events;
    figures[at + 1] = (figures[at + 1] ?? 0) + revisions;
    figures[at + 2] = (figures[at + 2] ?? 0) + positions;
  }

  equals(other: Sums): boolean {
    return this.#hashes === other.#hashes && this.#figures.every((figure, index) => figure === other.#figures[index]);
  }
}

/** FNV-1a: two names of one length that differ in one letter never have the same. */
function hashOf(stream: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < stream.length; index += 1) hash = Math.imul(hash ^ stream.charCodeAt(index), 0x01000193);
  return hash;
}
