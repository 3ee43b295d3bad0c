import type { Addition, Cell, Change, Row, Table } from '#kernel';

/** What is to happen to one row, in order. Mostly one step: later changes are merged into earlier ones where they can be. */
type Steps = Change[];

/** The changes of one table. */
interface TableChanges {
  /** Rows added before anything else happened in the table, in order: nothing is there to merge them with. */
  readonly added: Change[];
  /** From the first change of another kind on, by primary key. */
  readonly rows: Map<string, Steps>;
}

/**
 * The changes of a batch, merged per row: a row that changed a hundred times is written once. Rows that are only added, as
 * most are, are kept as they come.
 */
export class ChangeSet {
  readonly #tables = new Map<Table, TableChanges>();

  add(changes: readonly Change[]): void {
    for (const change of changes) this.#addOne(change);
  }

  /** Calls back for every change that is left, those of one row in their order. */
  forEach(apply: (change: Change) => void): void {
    for (const { added, rows } of this.#tables.values()) {
      for (const change of added) apply(change);
      for (const steps of rows.values()) for (const change of steps) apply(change);
    }
  }

  #addOne(change: Change): void {
    let table = this.#tables.get(change.table);
    if (table === undefined) {
      table = { added: [], rows: new Map() };
      this.#tables.set(change.table, table);
    }
    const { added, rows } = table;
    if (change.kind === 'add' && rows.size === 0) {
      added.push(change);
      return;
    }
    const key = rowKey(change.table, change.row);
    const steps = rows.get(key);
    if (steps === undefined) rows.set(key, [collecting(change)]);
    else merge(steps, change);
  }
}

function merge(steps: Steps, change: Change): void {
  const last = steps.at(-1);
  if (change.kind === 'sum') {
    mergeSum(steps, change);
  } else if (change.kind === 'put') {
    steps.splice(0, steps.length, change);
  } else if (change.kind === 'add') {
    if (last?.kind === 'set') steps.push(change);
  } else if (last === undefined || last.kind === 'add') {
    steps.push(change);
  } else {
    steps[steps.length - 1] = { ...last, row: { ...last.row, ...change.row } };
  }
}

/** The additions stay apart: which of them the row has already is known when it is read. */
function mergeSum(steps: Steps, change: Extract<Change, { kind: 'sum' }>): void {
  const last = steps.at(-1);
  if (last?.kind !== 'sum') {
    steps.push(collecting(change));
    return;
  }
  const collected = last.additions as Addition[];
  const from = collected.at(-1)?.position ?? '';
  for (const addition of change.additions) if (addition.position > from) collected.push(addition);
}

/** The change, with a list of its own that further additions may go into. */
function collecting(change: Change): Change {
  return change.kind === 'sum' ? { ...change, additions: [...change.additions] } : change;
}

/** @throws Error when a part of the primary key is missing: a projector's bug */
function rowKey(table: Table, row: Row): string {
  const [only] = table.primaryKey;
  if (table.primaryKey.length === 1 && only !== undefined) return String(cellOf(table, row, only));
  return table.primaryKey.map((column) => String(cellOf(table, row, column))).join('\u0000');
}

/** The value of a column that the row must have. */
export function cellOf(table: Table, row: Row, column: string): Cell {
  const cell = row[column];
  if (cell === undefined) throw new Error(`a change of ${table.name} lacks ${column}`);
  return cell;
}
