import type { ChainAddress, Position } from '#kernel';
import type { HomeStreamIndex, IndexEntry } from '#replay';
import { hitSubjectName, type HitSubject } from '#sanctions';
import type { ReadSide } from './read-side.ts';

const ENTRY_SQL = {
  key: "SELECT revision, value FROM names WHERE stream = ? AND kind = 'key' AND id = ?",
  deposit: "SELECT revision, value FROM names WHERE stream = ? AND kind = 'deposit' AND id = ?",
  withdrawal: 'SELECT revision, state AS value FROM withdrawals WHERE accountId = substr(?, 9) AND withdrawalId = ?',
} as const;

/** The index of names, over the same rows as the queries. */
export class SqliteHomeStreamIndex implements HomeStreamIndex {
  readonly #rows: ReadSide;

  constructor(rows: ReadSide) {
    this.#rows = rows;
  }

  /** -1 also while the index is being built: nothing may be forgotten in its favour. */
  indexedRevision(stream: string): number {
    if (!this.#rows.servable) return -1;
    return Number(this.#rows.get('SELECT revision FROM streams WHERE stream = ?', stream)?.['revision'] ?? -1);
  }

  /** @throws RejectionError `read-model-behind` while the index is being built: "never seen" could be wrong */
  lookup(stream: string, kind: keyof typeof ENTRY_SQL, id: string): IndexEntry | undefined {
    if (kind === 'withdrawal' && !stream.startsWith('account-')) return undefined;
    const row = this.#rows.get(ENTRY_SQL[kind], stream, id);
    return row === undefined ? undefined : { revision: Number(row['revision']), value: String(row['value']) };
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
  hitOf(subject: HitSubject, entrySha256: string): string | undefined {
    const row = this.#rows.get(
      'SELECT hitId FROM sanctionsHits WHERE entrySha256 = ? AND subject = ? ORDER BY createdPosition LIMIT 1',
      entrySha256,
      hitSubjectName(subject),
    );
    return row === undefined ? undefined : String(row['hitId']);
  }

  /** @throws RejectionError `read-model-behind` while the index is being built */
  partiesControlling({ chain, address }: ChainAddress): readonly string[] {
    const rows = this.#rows.all('SELECT partyId FROM addresses WHERE chain = ? AND address = ?', chain, address);
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
