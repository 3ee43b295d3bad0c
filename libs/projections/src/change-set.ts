import { settled, type Addition, type Cell, type Change, type Row, type Table } from '#kernel';

/** What is to happen to one row, in order. Mostly one step: later changes are merged into earlier ones where they can be. */
type Steps = Change[];

/** The changes of one table. */
interface TableChanges {
  /** Rows added before anything else happened in the table, in order: nothing is there to merge them with. */
  readonly added: Change[];
  /** From the first change of another kind on, by primary key. */
  readonly rows: Map<string, Steps>;
}

export interface ChangeSetOptions {
  /** Takes the rows of tables that are only added to, at once. Without it they are kept like all others. */
  readonly takeAdded?: (table: Table, row: Row) => void;
  /**
   * Whether `latest` columns are made only when the changes are asked for. They may then tell of an event that failed after
   * it was folded: only for what nobody sees before that event was taken in after all.
   */
  readonly settleLate?: boolean;
}

/**
 * The changes of a batch, merged per row: a row that changed a hundred times is written once. Rows that are only added, as
 * most are, are kept as they come.
 */
export class ChangeSet {
  readonly #tables = new Map<Table, TableChanges>();
  readonly #takeAdded: ((table: Table, row: Row) => void) | undefined;
  readonly #settleLate: boolean;

  constructor({ takeAdded, settleLate = false }: ChangeSetOptions = {}) {
    this.#takeAdded = takeAdded;
    this.#settleLate = settleLate;
  }

  /** @throws Error for another change than an addition to a table that is only added to: a projector's bug */
  add(changes: readonly Change[]): void {
    for (const change of changes) this.#addOne(change);
  }

  /** Calls back for every change that is left, those of one row in their order. */
  forEach(apply: (change: Change) => void): void {
    for (const { added, rows } of this.#tables.values()) {
      for (const change of added) apply(change);
      for (const steps of rows.values()) for (const change of steps) apply(settled(change));
    }
  }

  #addOne(change: Change): void {
    const { table, kind } = change;
    if (table.onlyAdded === true) {
      if (kind !== 'add') throw new Error(`${table.name} is only added to`);
      if (this.#takeAdded !== undefined) {
        this.#takeAdded(table, change.row);
        return;
      }
    }
    const { added, rows } = this.#changesOf(table);
    if (kind === 'add' && rows.size === 0) {
      added.push(change);
      return;
    }
    const step = this.#settleLate ? change : settled(change);
    const key = rowKey(table, change.row);
    const steps = rows.get(key);
    if (steps === undefined) rows.set(key, [collecting(step)]);
    else merge(steps, step);
  }

  #changesOf(table: Table): TableChanges {
    let changes = this.#tables.get(table);
    if (changes === undefined) {
      changes = { added: [], rows: new Map() };
      this.#tables.set(table, changes);
    }
    return changes;
  }
}

function merge(steps: Steps, change: Change): void {
  const last = steps.at(-1);
  switch (change.kind) {
    case 'sum':
      mergeSum(steps, change);
      return;
    case 'put':
      if (steps.length > 1) steps.length = 1;
      steps[0] = change;
      return;
    case 'add':
      if (last?.kind === 'set') steps.push(change);
      return;
    case 'set':
      if (last?.kind === 'set') steps[steps.length - 1] = setTwice(last, change);
      else if (last?.kind === 'put' && change.latest === undefined) {
        steps[steps.length - 1] = { ...last, row: { ...last.row, ...change.row } };
      } else steps.push(change);
  }
}

type Setting = Extract<Change, { readonly kind: 'set' }>;

/** What is made of the state at last holds whatever an earlier change made of it: a row names its columns always the same way. */
function setTwice(earlier: Setting, later: Setting): Setting {
  const { table, kind } = later;
  const latest = later.latest ?? earlier.latest;
  const row = { ...earlier.row, ...later.row };
  return latest === undefined ? { table, kind, row } : { table, kind, row, latest };
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
  let key = '';
  for (const column of table.primaryKey) key += `\u0000${String(cellOf(table, row, column))}`;
  return key;
}

/** The value of a column that the row must have. */
export function cellOf(table: Table, row: Row, column: string): Cell {
  const cell = row[column];
  if (cell === undefined) throw new Error(`a change of ${table.name} lacks ${column}`);
  return cell;
}
