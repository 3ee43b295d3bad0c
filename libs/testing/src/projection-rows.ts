import assert from 'node:assert/strict';
import { addUp, settled, type Change, type Row, type Table } from '#kernel';

/** The rows that changes leave behind, in memory. */
export class ProjectedRows {
  readonly #tables = new Map<Table, Map<string, Row>>();

  apply(changes: readonly Change[]): void {
    for (const change of changes) this.#applyOne(settled(change));
  }

  /** The rows of a table, by primary key. */
  of(table: Table): readonly Row[] {
    const rows = [...(this.#tables.get(table) ?? [])];
    return rows.sort(([one], [other]) => (one < other ? -1 : 1)).map(([, row]) => row);
  }

  all(): unknown {
    return [...this.#tables.keys()].map((table) => [table.name, this.of(table)]);
  }

  #applyOne(change: Change): void {
    const { table, kind, row } = change;
    const columns = Object.keys(row);
    const unknown = columns.filter((column) => !(column in table.columns));
    assert.deepEqual(unknown, [], `${table.name} has no such columns`);
    const rows = this.#tables.get(table) ?? new Map<string, Row>();
    this.#tables.set(table, rows);
    const key = JSON.stringify(table.primaryKey.map((column) => row[column]));
    const known = rows.get(key);
    if (kind === 'sum') {
      assert.deepEqual(columns.sort(), [...table.primaryKey].sort(), `a sum of ${table.name} is named by its key`);
      const summed = addUp(row, known as { units: string; position: string } | undefined, change.additions);
      if (summed !== undefined) rows.set(key, summed);
      return;
    }
    if (kind === 'set') {
      if (known !== undefined) rows.set(key, { ...known, ...row });
      return;
    }
    assert.deepEqual(columns.sort(), Object.keys(table.columns).sort(), `a row of ${table.name} is not whole`);
    if (kind === 'put' || known === undefined) rows.set(key, row);
  }
}

/**
 * Delivers each event twice to a projector, and demands that the second time changes nothing.
 * @param after gives the stream's state after the event
 */
export function projectTwice<Event, State>(
  events: readonly Event[],
  after: (event: Event) => State,
  project: (event: Event, after: State) => readonly Change[],
): ProjectedRows {
  const rows = new ProjectedRows();
  for (const event of events) {
    const state = after(event);
    rows.apply(project(event, state));
    const once = JSON.stringify(rows.all());
    rows.apply(project(event, state));
    assert.equal(JSON.stringify(rows.all()), once, 'the second delivery changed something');
  }
  return rows;
}
