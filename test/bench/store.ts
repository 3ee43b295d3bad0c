import { SqliteEventStore } from '#event-store/sqlite';
import { eventHash, uuidv7, type SealedEvent } from '#kernel';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { join } from 'node:path';
import { inFolder } from './folder.ts';
import { compare, type Comparison } from './rounds.ts';

const CALLERS = 64;
const APPENDS_OF_EACH = 150;
const BULK = 1_000;
const BULKS = 30;

/**
 * One event from each of 64 callers at a time, against plain inserts of the same rows that commit 64 together.
 * @param keyed whether the plain table keeps ids and the revisions of a stream apart, as a store of events has to
 */
export async function manyCallers(keyed: boolean): Promise<Comparison> {
  return inFolder(async (folder) => {
    const store = await SqliteEventStore.open({ path: join(folder, 'events.sqlite') });
    const plain = new PlainTable(join(folder, 'plain.sqlite'), keyed);
    let run = 0;
    const ours = async (): Promise<number> => {
      run += 1;
      const prepared = Array.from({ length: CALLERS }, (_, caller) =>
        chain(`account-${String(run)}-${String(caller)}`),
      );
      const start = performance.now();
      await Promise.all(
        prepared.map(async ({ stream, events }) => {
          for (const [at, event] of events.entries())
            await store.append(stream, at === 0 ? 'no-stream' : at - 1, [event]);
        }),
      );
      return (CALLERS * APPENDS_OF_EACH) / ((performance.now() - start) / 1000);
    };
    const base = (): number => {
      run += 1;
      const prepared = Array.from({ length: CALLERS }, (_, caller) =>
        chain(`account-${String(run)}-${String(caller)}`),
      );
      const rows = Array.from({ length: APPENDS_OF_EACH }, (_, revision) =>
        prepared.flatMap(({ stream, events }) =>
          events.slice(revision, revision + 1).map((event) => ({ stream, revision, event })),
        ),
      );
      return plain.insert(rows.flat(), CALLERS);
    };
    try {
      return await compare(5, ours, base);
    } finally {
      plain.close();
      await store.close();
    }
  });
}

/** 1,000 events in each append of one caller, against plain inserts that commit 1,000 rows together. */
export async function oneCaller(): Promise<Comparison> {
  return inFolder(async (folder) => {
    const store = await SqliteEventStore.open({ path: join(folder, 'events.sqlite') });
    const plain = new PlainTable(join(folder, 'plain.sqlite'), false);
    let run = 0;
    const ours = async (): Promise<number> => {
      run += 1;
      const { stream, events } = chain(`account-bulk-${String(run)}`, BULK * BULKS);
      const start = performance.now();
      for (let at = 0; at < events.length; at += BULK) {
        await store.append(stream, at === 0 ? 'no-stream' : at - 1, events.slice(at, at + BULK));
      }
      return events.length / ((performance.now() - start) / 1000);
    };
    const base = (): number => {
      const { stream, events } = chain('account-plain', BULK * BULKS);
      return plain.insert(
        events.map((event, revision) => ({ stream, revision, event })),
        BULK,
      );
    };
    try {
      return await compare(5, ours, base);
    } finally {
      plain.close();
      await store.close();
    }
  });
}

interface Row {
  readonly stream: string;
  readonly revision: number;
  readonly event: SealedEvent;
}

/** The same rows by the shortest way: no condition to check, no thread between. */
class PlainTable {
  readonly #db: DatabaseSync;
  readonly #insert: StatementSync;

  constructor(path: string, keyed: boolean) {
    this.#db = new DatabaseSync(path);
    this.#db.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
      CREATE TABLE events (position INTEGER PRIMARY KEY, stream TEXT, revision INTEGER, id TEXT, type TEXT,
        schema_version INTEGER, data TEXT, metadata TEXT${keyed ? ', UNIQUE (id), UNIQUE (stream, revision)' : ''})`);
    this.#insert = this.#db.prepare(
      'INSERT INTO events (stream, revision, id, type, schema_version, data, metadata) VALUES (?, ?, ?, ?, ?, ?, ?)',
    );
  }

  insert(rows: readonly Row[], together: number): number {
    const start = performance.now();
    for (let at = 0; at < rows.length; at += together) {
      this.#db.exec('BEGIN IMMEDIATE');
      for (const { stream, revision, event } of rows.slice(at, at + together)) {
        const { id, type, schemaVersion, data, metadata } = event;
        this.#insert.run(stream, revision, id, type, schemaVersion, JSON.stringify(data), JSON.stringify(metadata));
      }
      this.#db.exec('COMMIT');
    }
    return rows.length / ((performance.now() - start) / 1000);
  }

  close(): void {
    this.#db.close();
  }
}

function chain(stream: string, length = APPENDS_OF_EACH): { readonly stream: string; readonly events: SealedEvent[] } {
  let previousHash: string | null = null;
  const events = Array.from({ length }, (_, revision): SealedEvent => {
    const data = {
      accountId: stream.slice('account-'.length),
      depositId: `d-${String(revision)}`,
      asset: 'BTC',
      amount: '150000000',
      source: { kind: 'onchain', reference: `tx-${String(revision)}`, chain: 'bitcoin' },
    };
    const metadata = {
      actor: { id: 'payments', roles: ['service'] },
      correlationId: uuidv7(),
      causationId: null,
      key: { caller: 'payments', homeStream: stream, value: `key-${String(revision)}` },
      commandHash: 'a'.repeat(64),
      recordedAt: '2022-02-15T12:00:00.000Z',
      previousHash,
    };
    const unsealed = { id: uuidv7(), type: 'FundsDeposited', schemaVersion: 1, data, metadata };
    previousHash = eventHash(stream, revision, unsealed);
    return { ...unsealed, metadata: { ...metadata, hash: previousHash } };
  });
  return { stream, events };
}
