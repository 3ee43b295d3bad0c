import { isPosition, reject, RejectionError, Slots, type Bound, type Position } from '#kernel';
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import { isDamage } from './read-model.ts';
import type { ProjectionEvent } from './projection-events.ts';

/** Most callers that wait for a position at once; more are told at once that it is not there yet. */
const MAX_WAITERS = 10_000;

/** Most statements kept; beyond it all are prepared anew. The queries of the service, with all their filters, are fewer. */
const MAX_STATEMENTS = 1_000;

type Row = Readonly<Record<string, unknown>>;

interface Waiter {
  /** Undefined: until the read models may be queried. */
  readonly position: Position | undefined;
  readonly settle: (reached: boolean) => void;
}

export interface ReadSideOptions {
  /** The connection to read from, once there is a file. */
  readonly open: () => DatabaseSync;
  /** Gives that connection back before the file is replaced. */
  readonly release: (connection: DatabaseSync) => void;
  /** Told when somebody begins to wait for a position. */
  readonly onWait: () => void;
  /** Told when a query finds the file damaged. */
  readonly onDamage: () => void;
}

/**
 * The reading side of the read models: one connection, its prepared statements, and what is known of the writer's progress.
 */
export class ReadSide {
  readonly #options: ReadSideOptions;
  readonly #statements = new Map<string, StatementSync>();
  readonly #waiters = new Slots<Waiter>();
  #connection: DatabaseSync | undefined;
  #checkpoint: Position | undefined;
  #servable = false;
  /** From the query that found it until the rebuild that it asked for begins. */
  #damaged = false;

  constructor(options: ReadSideOptions) {
    this.#options = options;
  }

  /** Takes in what the runner reports. */
  handle(event: ProjectionEvent): void {
    if (event.type === 'status') this.#progress(event.status.checkpoint, event.servable);
    if (event.type === 'committed') this.#progress(event.checkpoint, event.servable);
    if (event.type === 'rebuilding') {
      this.release();
      this.#damaged = false;
    }
  }

  /** Gives up the connection: nothing is answered until the runner reports that the read models may be queried again. */
  release(): void {
    this.#servable = false;
    this.#statements.clear();
    if (this.#connection !== undefined) this.#options.release(this.#connection);
    this.#connection = undefined;
  }

  get bounds(): readonly Bound[] {
    return [
      { what: 'waits-for-a-position', most: MAX_WAITERS, inUse: () => this.#waiters.size },
      { what: 'query-statements', most: MAX_STATEMENTS, inUse: () => this.#statements.size },
    ];
  }

  get servable(): boolean {
    return this.#servable;
  }

  get checkpoint(): Position | undefined {
    return this.#checkpoint;
  }

  /** False for a position of another kind of store: those of one store are of one width. */
  isOfLog(position: Position): boolean {
    return isPosition(position) && (this.#checkpoint === undefined || position.length === this.#checkpoint.length);
  }

  /**
   * Resolves true when the read models may be queried and include `position`, false when `timeoutMs` passed before.
   * @param position undefined to wait only until they may be queried
   */
  waitFor(position: Position | undefined, timeoutMs: number): Promise<boolean> {
    if (this.#reached(position)) return Promise.resolve(true);
    if (this.#waiters.size >= MAX_WAITERS) return Promise.resolve(false);
    return new Promise((resolve) => {
      const settle = (reached: boolean): void => {
        clearTimeout(timer);
        this.#waiters.remove(slot);
        resolve(reached);
      };
      const waiter: Waiter = { position, settle };
      const timer = setTimeout(settle, timeoutMs, false);
      const slot = this.#waiters.add(waiter);
      this.#options.onWait();
    });
  }

  /** @throws RejectionError `read-model-behind` while the read models are being built */
  all(sql: string, ...parameters: readonly SQLInputValue[]): readonly Row[] {
    return this.#query((statement) => statement.all(...parameters), sql);
  }

  /**
   * As `all`, and no further than a row after which it is full: those beyond are not held in memory.
   * @returns also whether there is a row beyond
   */
  until(
    isFull: (row: Row) => boolean,
    sql: string,
    ...parameters: readonly SQLInputValue[]
  ): { rows: Row[]; more: boolean } {
    return this.#query((statement) => {
      const rows: Row[] = [];
      let full = false;
      for (const row of statement.iterate(...parameters)) {
        if (full) return { rows, more: true };
        rows.push(row);
        full = isFull(row);
      }
      return { rows, more: false };
    }, sql);
  }

  /** As `all`, for the first row. */
  get(sql: string, ...parameters: readonly SQLInputValue[]): Row | undefined {
    return this.#query((statement) => statement.get(...parameters), sql);
  }

  /** Answers no to all who wait, and gives up the connection. */
  close(): void {
    this.release();
    for (const waiter of this.#waiters.items()) waiter.settle(false);
  }

  #query<Result>(run: (statement: StatementSync) => Result, sql: string): Result {
    if (!this.#servable) throw new RejectionError(reject('read-model-behind', 'The read models are being built.'));
    try {
      return run(this.#prepared(sql));
    } catch (error) {
      if (!isDamage(error)) throw error;
      this.release();
      this.#damaged = true;
      this.#options.onDamage();
      throw new RejectionError(reject('read-model-behind', 'The read models are being built again.'));
    }
  }

  #prepared(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      this.#connection ??= this.#options.open();
      statement = this.#connection.prepare(sql);
      if (this.#statements.size >= MAX_STATEMENTS) this.#statements.clear();
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  #progress(checkpoint: Position | undefined, servable: boolean): void {
    this.#checkpoint = checkpoint;
    this.#servable = servable && !this.#damaged;
    for (const waiter of this.#waiters.items()) if (this.#reached(waiter.position)) waiter.settle(true);
  }

  #reached(position: Position | undefined): boolean {
    return this.#servable && (position === undefined || (this.#checkpoint ?? '') >= position);
  }
}
