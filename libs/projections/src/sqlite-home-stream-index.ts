import { addressName, type ChainAddress, type Position } from '#kernel';
import type { HomeStreamIndex, IndexEntry, NameKind, NamesIndex } from '#replay';
import { hitSubjectName, type HitSubject } from '#sanctions';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { ReadSide } from './read-side.ts';
import type { StagedRows } from './staged-rows.ts';

const INDEXED_SQL = 'SELECT revision FROM streams WHERE stream = ?';
const NAME_SQL = 'SELECT revision, value FROM names WHERE stream = ? AND kind = ? AND id = ?';
const WITHDRAWAL_SQL =
  'SELECT revision, state AS value FROM withdrawals WHERE accountId = substr(?, 9) AND withdrawalId = ?';

type Row = Readonly<Record<string, unknown>> | undefined;

/** @param get the first row of a query */
function entryOf(
  get: (sql: string, ...parameters: string[]) => Row,
  stream: string,
  kind: NameKind,
  id: string,
): IndexEntry | undefined {
  if (kind === 'withdrawal' && !stream.startsWith('account-')) return undefined;
  return entryFrom(kind === 'withdrawal' ? get(WITHDRAWAL_SQL, stream, id) : get(NAME_SQL, stream, kind, id));
}

function entryFrom(row: Row): IndexEntry | undefined {
  return row === undefined ? undefined : { revision: Number(row['revision']), value: String(row['value']) };
}

/** The index of names, over the same rows as the queries. */
export class SqliteHomeStreamIndex implements HomeStreamIndex {
  readonly #rows: ReadSide;

  constructor(rows: ReadSide) {
    this.#rows = rows;
  }

  /** -1 also while the index is being built: nothing may be forgotten in its favour. */
  indexedRevision(stream: string): number {
    if (!this.#rows.servable) return -1;
    return Number(this.#rows.get(INDEXED_SQL, stream)?.['revision'] ?? -1);
  }

  /** @throws RejectionError `read-model-behind` while the index is being built: "never seen" could be wrong */
  lookup(stream: string, kind: NameKind, id: string): IndexEntry | undefined {
    return entryOf((sql, ...parameters) => this.#rows.get(sql, ...parameters), stream, kind, id);
  }

  /** @throws RejectionError `read-model-behind` while the index is being built */
  accountOfFreeze(freezeId: string): string | undefined {
    const row = this.#rows.get(
      `SELECT accountId FROM authorisations WHERE freezeId = ?1
        UNION ALL SELECT accountId FROM hitAuthorisations WHERE freezeId = ?1`,
      freezeId,
    );
    return row === undefined ? undefined : String(row['accountId']);
  }

  /** @throws RejectionError `read-model-behind` while the index is being built */
  hitsOf(subject: HitSubject, entrySha256: string): readonly string[] {
    const rows = this.#rows.all(
      'SELECT hitId FROM sanctionsHits WHERE entrySha256 = ? AND subject = ? ORDER BY createdPosition',
      entrySha256,
      hitSubjectName(subject),
    );
    return rows.map((row) => String(row['hitId']));
  }

  /** @throws RejectionError `read-model-behind` while the index is being built */
  partiesControlling(address: ChainAddress): readonly string[] {
    const rows = this.#rows.all('SELECT partyId FROM addresses WHERE name = ?', addressName(address));
    return rows.map((row) => String(row['partyId']));
  }

  isLegal(position: Position): boolean {
    const checkpoint = this.checkpoint();
    if (checkpoint === undefined || checkpoint < position) return false;
    return this.#rows.get('SELECT 1 FROM violations WHERE position = ?', position) === undefined;
  }

  checkpoint(): Position | undefined {
    return this.#rows.servable ? this.#rows.checkpoint : undefined;
  }
}

/** The names of all events that are committed, for the judge that works on those that follow. It asks for no keys. */
export class CommittedNames implements NamesIndex {
  readonly #db: DatabaseSync;
  readonly #staged: Pick<StagedRows, 'find'> | undefined;
  readonly #statements = new Map<string, StatementSync>();

  /** @param staged where the names are while the file is built */
  constructor(db: DatabaseSync, staged?: Pick<StagedRows, 'find'>) {
    this.#db = db;
    this.#staged = staged;
  }

  indexedRevision(stream: string): number {
    return Number(this.#prepared(INDEXED_SQL).get(stream)?.['revision'] ?? -1);
  }

  lookup(stream: string, kind: NameKind, id: string): IndexEntry | undefined {
    if (this.#staged !== undefined && kind !== 'withdrawal') return entryFrom(this.#staged.find({ stream, kind, id }));
    return entryOf((sql, ...parameters) => this.#prepared(sql).get(...parameters), stream, kind, id);
  }

  #prepared(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#db.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }
}
