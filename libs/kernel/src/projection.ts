import type { Position } from './envelope.ts';

/** What a column of a read model holds. A `?` at the end: it may be null. */
export type ColumnType = 'text' | 'text?' | 'integer' | 'integer?';
export type Cell = string | number | null;
type CellOf<Type extends ColumnType> =
  (Type extends 'text' | 'text?' ? string : number) | (Type extends 'text?' | 'integer?' ? null : never);

/** A table of a read model. Amounts are `text`: SQLite's integers end at 2^63. */
export interface Table {
  readonly name: string;
  readonly columns: Readonly<Record<string, ColumnType>>;
  readonly primaryKey: readonly string[];
  readonly indexes: readonly (readonly string[])[];
  /** Its rows are only ever added (`addRow`), and none is looked at by what writes: a build may put them in order at its end. */
  readonly onlyAdded?: true;
  /**
   * How the changes of events of several streams come together in one row: as sums, or one after the other in the log's
   * order. Absent where a row is changed by the events of one stream only.
   */
  readonly shared?: 'sums' | 'in-order';
}
/** A table whose columns are known: rows are checked against them. */
export interface TableOf<Columns extends Readonly<Record<string, ColumnType>>> extends Table {
  readonly columns: Columns;
  readonly primaryKey: readonly (keyof Columns & string)[];
  readonly indexes: readonly (readonly (keyof Columns & string)[])[];
}
export type RowOf<Columns extends Record<string, ColumnType>> = {
  readonly [Name in keyof Columns]: CellOf<Columns[Name]>;
};
export type Row = Readonly<Record<string, Cell>>;

/**
 * What a projector asks for: rows named by their primary key. Each kind may be applied twice in a row and leaves the same
 * rows as once.
 */
export type Change =
  /** This row, whatever was there. */
  | { readonly table: Table; readonly kind: 'put'; readonly row: Row }
  /** This row, unless there is one: the first stays. */
  | { readonly table: Table; readonly kind: 'add'; readonly row: Row }
  /** These columns of the row, if there is one. The primary key is among them. */
  | {
      readonly table: Table;
      readonly kind: 'set';
      readonly row: Row;
      /** Further columns, as of now or any later event of the stream: made when they are written, once for many events. */
      readonly latest?: () => Row;
    }
  /** So much more in the sum of this row, of which only the primary key is given. A row that is not there yet has zero. */
  | { readonly table: Table; readonly kind: 'sum'; readonly row: Row; readonly additions: readonly Addition[] };

/** What one event adds to a sum. */
export interface Addition {
  readonly units: bigint;
  /** Of the event: a sum takes in what comes after its own position, so the same event never counts twice. */
  readonly position: Position;
}

/** The columns beside its primary key that a table of sums has: the sum, and the position of the last event in it. */
export const SUM_COLUMNS = { units: 'text', position: 'text' } as const;

/** The row of a sum, after those of some additions that it does not have yet; undefined when it has them all. */
export function addUp(
  key: Row,
  known: { readonly units: string; readonly position: Position } | undefined,
  additions: readonly Addition[],
): Row | undefined {
  const from = known?.position ?? '';
  const missing = additions.filter(({ position }) => position > from);
  const last = missing.at(-1);
  if (last === undefined) return undefined;
  const units = missing.reduce((sum, addition) => sum + addition.units, BigInt(known?.units ?? '0'));
  return { ...key, units: units.toString(), position: last.position };
}

export function defineTable<const Columns extends Record<string, ColumnType>>(
  table: TableOf<Columns>,
): TableOf<Columns> {
  return table;
}

export function putRow<Columns extends Record<string, ColumnType>>(
  table: TableOf<Columns>,
  row: RowOf<Columns>,
): Change {
  return { table, kind: 'put', row };
}

export function addRow<Columns extends Record<string, ColumnType>>(
  table: TableOf<Columns>,
  row: RowOf<Columns>,
): Change {
  return { table, kind: 'add', row };
}

/**
 * @param key the whole primary key
 * @param units what one event adds to the sum in all, in minor units; less than zero to take away
 */
export function addToSum<Columns extends Record<string, ColumnType> & typeof SUM_COLUMNS>(
  table: TableOf<Columns>,
  key: Omit<RowOf<Columns>, keyof typeof SUM_COLUMNS>,
  { units, position }: Addition,
): Change {
  return { table, kind: 'sum', row: key, additions: [{ units, position }] };
}

/** @param row the whole primary key, and whichever columns change */
export function setColumns<Columns extends Record<string, ColumnType>>(
  table: TableOf<Columns>,
  row: Partial<RowOf<Columns>>,
): Change {
  return { table, kind: 'set', row: row as Row };
}

/**
 * @param row as of `setColumns`
 * @param latest further columns, from the state of the stream. Called once, when no event was folded since or when every event
 * that was has its change behind this one; each of those has to set the same columns again
 */
export function setLatest<Columns extends Record<string, ColumnType>>(
  table: TableOf<Columns>,
  row: Partial<RowOf<Columns>>,
  latest: () => Partial<RowOf<Columns>>,
): Change {
  return { table, kind: 'set', row: row as Row, latest: latest as () => Row };
}

/** The change with all its columns made now. */
export function settled(change: Change): Change {
  if (change.kind !== 'set' || change.latest === undefined) return change;
  const { table, kind, row, latest } = change;
  return { table, kind, row: { ...row, ...latest() } };
}
