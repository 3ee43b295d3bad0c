import type { Position } from '#kernel';
import type { HomeStreamIndex, IndexEntry, NameKind, NamesIndex } from '#replay';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { ReadSide } from './read-side.ts';

const INDEXED_SQL = 'SELECT revision FROM streams WHERE stream = ?';
const ENTRY_SQL: Readonly<Record<NameKind, string>> = {
  key: 'SELECT revision, value FROM keys WHERE stream = ? AND id = ?',
  deposit: 'SELECT revision, eventId AS value FROM deposits WHERE accountId = substr(?, 9) AND depositId = ?',
  reversal: `SELECT reversedRevision AS revision, reversedBy AS value FROM deposits
    WHERE accountId = substr(?, 9) AND depositId = ? AND reversedBy IS NOT NULL`,
  withdrawal: 'SELECT revision, state AS value FROM withdrawals WHERE accountId = substr(?, 9) AND withdrawalId = ?',
  outgoing: 'SELECT revision, eventId AS value FROM transfers WHERE accountId = substr(?, 9) AND transferId = ?',
  incoming: 'SELECT revision, eventId AS value FROM incomingTransfers WHERE accountId = substr(?, 9) AND name = ?',
  returned: `SELECT returnedRevision AS revision, returnedBy AS value FROM transfers
    WHERE accountId = substr(?, 9) AND transferId = ? AND returnedBy IS NOT NULL`,
};

/** Only accounts have other names than keys. */
function hasNames(stream: string, kind: NameKind): boolean {
  return kind === 'key' || stream.startsWith('account-');
}

function entryOf(row: Readonly<Record<string, unknown>> | undefined): IndexEntry | undefined {
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
    return hasNames(stream, kind) ? entryOf(this.#rows.get(ENTRY_SQL[kind], stream, id)) : undefined;
  }

  /** @throws RejectionError `read-model-behind` while the index is being built */
  accountOfFreeze(freezeId: string): string | undefined {
    const row = this.#rows.get('SELECT accountId FROM authorisations WHERE freezeId = ?', freezeId);
    return row === undefined ? undefined : String(row['accountId']);
  }

  checkpoint(): Position | undefined {
    return this.#rows.servable ? this.#rows.checkpoint : undefined;
  }
}

/** The names of all events that are committed, for the judge that works on those that follow. */
export class CommittedNames implements NamesIndex {
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  constructor(db: DatabaseSync) {
    this.#db = db;
  }

  indexedRevision(stream: string): number {
    return Number(this.#prepared(INDEXED_SQL).get(stream)?.['revision'] ?? -1);
  }

  lookup(stream: string, kind: NameKind, id: string): IndexEntry | undefined {
    return hasNames(stream, kind) ? entryOf(this.#prepared(ENTRY_SQL[kind]).get(stream, id)) : undefined;
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
