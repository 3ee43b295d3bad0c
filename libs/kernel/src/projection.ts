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
  | { readonly table: Table; readonly kind: 'set'; readonly row: Row };

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

/** @param row the whole primary key, and whichever columns change */
export function setColumns<Columns extends Record<string, ColumnType>>(
  table: TableOf<Columns>,
  row: Partial<RowOf<Columns>>,
): Change {
  return { table, kind: 'set', row: row as Row };
}
