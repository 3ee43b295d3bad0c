import { type AppendRequest, type EventPlace, judgeAppend, NO_REVISION, StoreError } from '#event-store';
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import { demandSound, examine, failureAt, FORMAT_VERSION, openForWriting } from './file.ts';
import { HeadCache } from './head-cache.ts';
import { acquireLock } from './lock.ts';
import { LogReader } from './log-reader.ts';
import { COLUMNS, insertRows, insertStatement } from './rows.ts';
import { makeMissing, type Seal, sealOf } from './schema.ts';
import { demandUnsealed, isOfSeal } from './seal.ts';
import { isConstraint, isDamaged, isFull, messageOf } from './sqlite-errors.ts';

/** The positions of an append's events, in order, or why it was refused. */
export type AppendOutcome = readonly bigint[] | StoreError;

export interface SqliteLogOptions {
  readonly path: string;
  /** Most pages of 4 KiB that the file may have; beyond it appends are refused as on a full disk. Default: no bound. */
  readonly maxPages?: number | undefined;
}

/** Rows that one INSERT carries where there are as many: fewer steps through the binding. */
const ROWS_AT_ONCE = 10;
/** Number of values of a row, and of the rows of one INSERT. */
const ROW = COLUMNS.length;
const MANY_ROWS = ROWS_AT_ONCE * ROW;

/** One connection with all that is prepared on it. */
interface Session {
  readonly db: DatabaseSync;
  readonly reader: LogReader;
  readonly begin: StatementSync;
  readonly commit: StatementSync;
  readonly rollback: StatementSync;
  readonly savepoint: StatementSync;
  readonly rollbackToSavepoint: StatementSync;
  readonly release: StatementSync;
  readonly insertOne: StatementSync;
  /** A constraint that fails rolls the transaction back: then SQLite need not keep what it would take to undo some rows. */
  readonly insertMany: StatementSync;
  readonly placesOfIds: StatementSync;
  readonly headOfStream: StatementSync;
  readonly dataVersion: StatementSync;
}

/** What a group would change, while it is not committed. */
interface Group {
  readonly heads: Map<string, number>;
  readonly places: Map<string, EventPlace>;
  /** The ids placed by this group. */
  readonly placed: string[];
  /** Position of the last event placed. */
  end: bigint;
}

/**
 * The log's one writer. Synchronous: it runs in a thread of its own. Appends come in groups, which are committed together;
 * each member is stored whole or not at all, and what is answered is on disk.
 */
export class SqliteLog {
  readonly #options: SqliteLogOptions;
  readonly #releaseLock: () => void;
  readonly #heads = new HeadCache();
  /** Undefined after a failure that left it unknown what the file holds: opened anew before anything else is done. */
  #session: Session | undefined;
  /** After a failed sync the next one may say that all is well, and the disk lacks what the system still shows. */
  #syncMayHaveFailed = false;
  #end = 0n;
  #dataVersion = 0;
  #damage: StoreError | undefined;
  /** What was found at the opening that whoever runs the service should be told of. */
  readonly notice: string | undefined;

  /**
   * @throws StoreError `store-unavailable`, naming the file: in use, of another program, of a newer version, damaged, or
   * not to be written; `log-sealed` when the ledger has moved
   */
  constructor(options: SqliteLogOptions) {
    this.#options = options;
    this.#releaseLock = acquireLock(options.path);
    try {
      const unfinished = examine(options.path);
      demandSound(options.path);
      demandUnsealed(options.path);
      const made = makeMissing(this.#ensureSession().db);
      this.notice = noticeOf(options.path, unfinished, made);
    } catch (error) {
      this.close();
      throw failureAt(options.path, error);
    }
  }

  /** @throws StoreError while the file can't be opened again after a failure */
  get reader(): LogReader {
    return this.#ensureSession().reader;
  }

  /** The log's seal, if it was given one while it was open. @throws StoreError as `reader` */
  get seal(): Seal | undefined {
    return sealOf(this.#ensureSession().db);
  }

  /** Set once a page was found that can't be what was written. */
  get damage(): StoreError | undefined {
    return this.#damage;
  }

  /**
   * What to tell of a failure to read. A page that is damaged may be one of an index: then nobody can tell whether an event
   * is there already, and nothing is appended any more until the log was opened anew, which looks at all of it.
   */
  failureOf(error: unknown): unknown {
    if (!isDamaged(error)) return error;
    this.#damage ??= failureAt(this.#options.path, error);
    return this.#damage;
  }

  /** Streams whose last revision is in memory. */
  get heads(): number {
    return this.#heads.size;
  }

  /** Position number of the last committed event, 0 for none. */
  get end(): bigint {
    return this.#end;
  }

  /**
   * Stores as many of the appends as their conditions allow, each judged as if the ones before it in the group were stored
   * already, and commits them together.
   * @param together stores all of the appends or none
   * @returns one outcome for each. When the group as a whole could not be committed they say so, all of them: the verdict
   * on a member that leaned on another one fell with that one.
   */
  appendGroup(appends: readonly AppendRequest[], together = false): readonly AppendOutcome[] {
    const damage = this.#damage;
    if (damage !== undefined) return appends.map(() => damage);
    let session: Session;
    try {
      session = this.#ensureSession();
    } catch (error) {
      return appends.map(() => refusal(this.failureOf(error)));
    }
    let group: Group;
    let outcomes: readonly AppendOutcome[] | undefined;
    try {
      group = this.#begin(session);
      outcomes = this.#placeTogether(session, group, appends);
      if (outcomes === undefined) {
        if (session.db.isTransaction) session.rollback.run();
        group = this.#begin(session);
        outcomes = this.#placeOneByOne(session, group, appends);
        const refused = together ? outcomes.find((outcome) => outcome instanceof StoreError) : undefined;
        if (refused !== undefined) {
          this.#abandon(session);
          return appends.map(() => refused);
        }
      }
    } catch (error) {
      this.#abandon(session);
      return appends.map(() => refusal(this.failureOf(error)));
    }
    try {
      session.commit.run();
    } catch (error) {
      return this.#settle(session, group, appends, outcomes, error);
    }
    this.#remember(group);
    return outcomes;
  }

  /** Merges the write-ahead log into the file and lets the next writer in. */
  close(): void {
    this.#session?.db.close();
    this.#session = undefined;
    this.#releaseLock();
  }

  #begin(session: Session): Group {
    session.begin.run();
    this.#noticeOtherWriters(session);
    return { heads: new Map(), places: new Map(), placed: [], end: this.#end };
  }

  /**
   * The way of nearly every group: each append stands at the end of its stream, and no id is taken, which is left to the
   * index on ids. Then all their rows go in together.
   * @returns undefined when it is not so: nothing of the transaction, if it is still there, may be kept
   * @throws whatever is no constraint: then the group is over
   */
  #placeTogether(
    session: Session,
    group: Group,
    appends: readonly AppendRequest[],
  ): readonly AppendOutcome[] | undefined {
    for (const { stream, expected, events } of appends) {
      if (expected !== this.#headIn(session, group, stream)) return undefined;
      group.heads.set(stream, expected + events.length);
    }
    try {
      insertAll(session, rowsOf(appends, group.end + 1n));
    } catch (error) {
      if (!isConstraint(error)) throw error;
      return undefined;
    }
    return appends.map(({ events }) =>
      events.map(({ id }) => {
        group.placed.push(id);
        group.end += 1n;
        return group.end;
      }),
    );
  }

  /** Judges each append, and lets the others go on where one fails. */
  #placeOneByOne(session: Session, group: Group, appends: readonly AppendRequest[]): readonly AppendOutcome[] {
    findPlaces(session, appends, group.places);
    return appends.map((append) => {
      const head = this.#headIn(session, group, append.stream);
      const verdict = judgeAppend(append, head, (id) => group.places.get(id));
      if (verdict.kind === 'replay') return verdict.positions;
      if (verdict.kind === 'refuse') return verdict.error;
      return place(session, group, append);
    });
  }

  /**
   * The lock keeps out every other store, but not a tool that writes into the file by hand: what such a one committed since
   * our last group must be seen before heads and positions are trusted.
   */
  #noticeOtherWriters(session: Session): void {
    const dataVersion = readNumber(session.dataVersion.get());
    if (dataVersion === this.#dataVersion) return;
    this.#dataVersion = dataVersion;
    this.#heads.clear();
    this.#end = session.reader.head();
  }

  /** The last revision of a stream, as the group has left it so far. */
  #headIn(session: Session, group: Group, stream: string): number {
    const known = group.heads.get(stream) ?? this.#heads.get(stream);
    if (known !== undefined) return known;
    const head = readNumber(session.headOfStream.get(stream));
    this.#heads.set(stream, head);
    return head;
  }

  #remember(group: Group): void {
    this.#end = group.end;
    for (const [stream, head] of group.heads) this.#heads.set(stream, head);
  }

  /** Nothing of the group is committed. SQLite may have rolled back by itself: then a ROLLBACK would be one error more. */
  #abandon(session: Session): void {
    try {
      if (session.db.isTransaction) session.db.exec('ROLLBACK');
    } catch {
      this.#drop(session);
    }
  }

  /** After a COMMIT that failed, only the file can tell what happened: open it anew and compare. */
  #settle(
    broken: Session,
    group: Group,
    appends: readonly AppendRequest[],
    outcomes: readonly AppendOutcome[],
    cause: unknown,
  ): readonly AppendOutcome[] {
    this.#drop(broken);
    this.#syncMayHaveFailed ||= !isFull(cause);
    try {
      return isStored(this.#ensureSession(), group) ? outcomes : appends.map(() => refusal(cause));
    } catch (error) {
      const message = `a commit failed (${messageOf(cause)}) and the file can't be read again (${messageOf(error)})`;
      return appends.map(() => new StoreError('outcome-unknown', message));
    }
  }

  #drop(session: Session): void {
    this.#session = undefined;
    this.#heads.clear();
    try {
      session.db.close();
    } catch {
      // A connection that can't even be closed is let go of: nothing is asked of it any more.
    }
  }

  /** The connection; opened at the start, and anew after a failure. */
  #ensureSession(): Session {
    if (this.#session !== undefined) return this.#session;
    const session = openSession(this.#options);
    try {
      commitNothing(session.db);
      if (this.#syncMayHaveFailed) copyIntoFile(session.db);
      this.#syncMayHaveFailed = false;
      this.#end = session.reader.head();
      this.#dataVersion = readNumber(session.dataVersion.get());
    } catch (error) {
      session.db.close();
      throw error;
    }
    this.#session = session;
    return session;
  }
}

/**
 * A commit that changes nothing but reaches the disk. It settles what a killed process or a failed commit left at the end
 * of the write-ahead log: what can be read was on its way to the disk and now is there, and what can't be read is
 * overwritten and does not come back after a crash.
 */
function commitNothing(db: DatabaseSync): void {
  db.exec(`PRAGMA user_version = ${FORMAT_VERSION}`);
}

/** Writes to the file itself, again and with a sync of its own, all that the write-ahead log holds. */
function copyIntoFile(db: DatabaseSync): void {
  const { busy } = db.prepare('PRAGMA wal_checkpoint(FULL)').get() ?? {};
  if (busy !== 0) throw new StoreError('store-unavailable', 'another program holds on to a state of the event log');
}

/** One line, or undefined. @param made what was missing from the file and is there again */
function noticeOf(path: string, unfinished: string | undefined, made: readonly string[]): string | undefined {
  const lines = unfinished === undefined ? [] : [unfinished];
  if (made.length > 0) {
    const words = `${path} had lost what guards it (${made.join(', ')}), and has it again: somebody wrote past the service`;
    lines.push(`${words}; run \`npm run check\``);
  }
  return lines.length === 0 ? undefined : lines.join('; ');
}

function openSession({ path, maxPages }: SqliteLogOptions): Session {
  const db = openForWriting(path, maxPages);
  // CROSS JOIN keeps SQLite to this order: each id is looked up in the index.
  const placesOfIds = db.prepare(
    'SELECT events.id, stream, revision, position FROM json_each(?) AS asked CROSS JOIN events ON events.id = asked.value',
  );
  placesOfIds.setReadBigInts(true);
  return {
    db,
    reader: new LogReader(db),
    begin: db.prepare('BEGIN IMMEDIATE'),
    commit: db.prepare('COMMIT'),
    rollback: db.prepare('ROLLBACK'),
    savepoint: db.prepare('SAVEPOINT append'),
    rollbackToSavepoint: db.prepare('ROLLBACK TO append'),
    release: db.prepare('RELEASE append'),
    insertOne: insertStatement(db, 1),
    insertMany: insertStatement(db, ROWS_AT_ONCE, 'OR ROLLBACK'),
    placesOfIds,
    headOfStream: db.prepare(`SELECT ifnull(max(revision), ${NO_REVISION}) FROM events WHERE stream = ?`),
    dataVersion: db.prepare('PRAGMA data_version'),
  };
}

/** Finds those ids of the group that stand in the log: none of them, but for a resend or a mistake. */
function findPlaces(session: Session, appends: readonly AppendRequest[], places: Map<string, EventPlace>): void {
  const ids = JSON.stringify(appends.flatMap(({ events }) => events.map(({ id }) => id)));
  for (const { id, stream, revision, position } of session.placesOfIds.all(ids)) {
    places.set(String(id), { stream: String(stream), revision: Number(revision), position: BigInt(String(position)) });
  }
}

/**
 * Inserts one member of the group, which was judged storable, or nothing of it.
 * @throws whatever is no constraint, or took the whole transaction with it: then the group is over
 */
function place(session: Session, group: Group, append: AppendRequest): AppendOutcome {
  const { stream, expected, events } = append;
  session.savepoint.run();
  try {
    const values = rowsOf([append], group.end + 1n);
    for (let start = 0; start < values.length; start += ROW)
      insertRows(session.insertOne, values.slice(start, start + ROW));
    session.release.run();
  } catch (error) {
    if (!isConstraint(error) || !session.db.isTransaction) throw error;
    session.rollbackToSavepoint.run();
    session.release.run();
    return refusal(error);
  }
  const positions = events.map((event, index) => {
    const position = group.end + 1n + BigInt(index);
    group.places.set(event.id, { stream, revision: expected + 1 + index, position });
    group.placed.push(event.id);
    return position;
  });
  group.heads.set(stream, expected + events.length);
  group.end += BigInt(events.length);
  return positions;
}

/** The values of the events' rows, row after row. */
function rowsOf(appends: readonly AppendRequest[], firstPosition: bigint): readonly SQLInputValue[] {
  const values: SQLInputValue[] = [];
  let position = firstPosition;
  for (const { stream, expected, events } of appends) {
    let revision = expected;
    for (const { id, type, schemaVersion, data, metadata } of events) {
      revision += 1;
      values.push(position, stream, revision, id, type, schemaVersion, data, metadata);
      position += 1n;
    }
  }
  return values;
}

/** Inserts rows in as few statements as they fit in. A constraint that fails leaves the transaction, if any, to be rolled back. */
function insertAll(session: Session, values: readonly SQLInputValue[]): void {
  const inFull = values.length - (values.length % MANY_ROWS);
  for (let start = 0; start < inFull; start += MANY_ROWS) {
    insertRows(session.insertMany, values.slice(start, start + MANY_ROWS));
  }
  for (let start = inFull; start < values.length; start += ROW) {
    insertRows(session.insertOne, values.slice(start, start + ROW));
  }
}

/** Whether a group stands in the file, all of it or nothing. @throws when only a part does: then the file is damaged */
function isStored(session: Session, { placed }: Group): boolean {
  const found = session.placesOfIds.all(JSON.stringify(placed)).length;
  if (found !== 0 && found !== placed.length) throw new Error('the file holds a part of a transaction');
  return found === placed.length;
}

function refusal(cause: unknown): StoreError {
  if (cause instanceof StoreError) return cause;
  // Without where to, which the trigger says: this is told to whoever sent the command.
  if (isOfSeal(cause)) return new StoreError('log-sealed', 'this log is sealed: the ledger has moved');
  const code = isFull(cause) ? 'store-full' : 'store-unavailable';
  return new StoreError(code, `the event log refuses: ${messageOf(cause)}`);
}

function readNumber(row: Record<string, unknown> | undefined): number {
  return Number(Object.values(row ?? {})[0]);
}
