import { addRow, addToSum, defineTable, putRow, setColumns, setLatest, SUM_COLUMNS, type Change } from '#kernel';
import { describe, expect, it } from '@jest/globals';
import { ChangeSet } from './change-set.ts';

const table = defineTable({
  name: 'things',
  columns: { kind: 'text', id: 'text', value: 'integer', note: 'text?' },
  primaryKey: ['kind', 'id'],
  indexes: [],
});
const key = { kind: 'k', id: '1' };
const put = (value: number): Change => putRow(table, { ...key, value, note: null });
const add = (value: number): Change => addRow(table, { ...key, value, note: null });

function merged(...changes: readonly Change[]): readonly unknown[] {
  const set = new ChangeSet();
  set.add(changes);
  const left: unknown[] = [];
  set.forEach(({ kind, row }) => left.push([kind, row['value'], row['note']]));
  return left;
}

describe('the changes of a batch', () => {
  it.each<readonly [string, readonly Change[], readonly unknown[]]>([
    ['the last put wins', [put(1), put(2)], [['put', 2, null]]],
    ['columns are set in the row that was put', [put(1), setColumns(table, { ...key, note: 'n' })], [['put', 1, 'n']]],
    [
      'columns are merged',
      [setColumns(table, { ...key, value: 1 }), setColumns(table, { ...key, note: 'n' })],
      [['set', 1, 'n']],
    ],
    [
      'rows added are kept in order, for the first to stay',
      [add(1), add(2)],
      [
        ['add', 1, null],
        ['add', 2, null],
      ],
    ],
    ['a row that was put is there', [put(1), add(2)], [['put', 1, null]]],
    [
      'a row put comes after one added',
      [add(1), put(2)],
      [
        ['add', 1, null],
        ['put', 2, null],
      ],
    ],
    [
      'columns are set after adding, since the row may be older',
      [add(1), setColumns(table, { ...key, value: 2 })],
      [
        ['add', 1, null],
        ['set', 2, undefined],
      ],
    ],
    [
      'a row is added after columns were set, since there may be none',
      [setColumns(table, { ...key, value: 2 }), add(1)],
      [
        ['set', 2, undefined],
        ['add', 1, null],
      ],
    ],
  ])('%s', (_, changes, expected) => {
    expect(merged(...changes)).toEqual(expected);
  });

  it('keeps each addition to a sum once, in order', () => {
    const sums = defineTable({
      name: 'sums',
      columns: { id: 'text', ...SUM_COLUMNS },
      primaryKey: ['id'],
      indexes: [],
    });
    const adding = (units: bigint, position: string): Change => addToSum(sums, { id: 'a' }, { units, position });
    const set = new ChangeSet();
    set.add([adding(5n, '01'), adding(5n, '01'), adding(-2n, '02'), adding(5n, '01')]);
    const left: Change[] = [];
    set.forEach((change) => left.push(change));
    expect(left).toEqual([
      {
        table: sums,
        kind: 'sum',
        row: { id: 'a' },
        additions: [
          { units: 5n, position: '01' },
          { units: -2n, position: '02' },
        ],
      },
    ]);
  });

  describe('columns that are made when they are written', () => {
    const state = { note: 'first' };
    const latest = (value: number): Change => setLatest(table, { ...key, value }, () => ({ note: state.note }));
    const notes = (settleLate: boolean): unknown[] => {
      const set = new ChangeSet({ settleLate });
      state.note = 'first';
      set.add([put(0), latest(1)]);
      state.note = 'second';
      set.add([latest(2), setColumns(table, { ...key, value: 3 })]);
      state.note = 'third';
      const left: unknown[] = [];
      set.forEach(({ kind, row }) => left.push([kind, row['value'], row['note']]));
      return left;
    };

    it('tell what was when the change came', () => {
      expect(notes(false)).toEqual([['put', 3, 'second']]);
    });

    it('tell what is at last, where that is allowed', () => {
      expect(notes(true)).toEqual([
        ['put', 0, null],
        ['set', 3, 'third'],
      ]);
    });
  });

  it('hands over what is only added at once, and takes nothing else for such a table', () => {
    const onlyAdded = { ...table, onlyAdded: true } as const;
    const taken: unknown[] = [];
    const set = new ChangeSet({ takeAdded: (_, row) => taken.push(row['value']) });
    set.add([addRow(onlyAdded, { ...key, value: 1, note: null }), addRow(onlyAdded, { ...key, value: 2, note: null })]);
    expect(taken).toEqual([1, 2]);
    expect(() => merged(putRow(onlyAdded, { ...key, value: 1, note: null }))).toThrow('only added to');
  });

  it('keeps rows apart whose keys look alike when joined', () => {
    const other = putRow(table, { kind: 'k1', id: '', value: 2, note: null });
    const one = putRow(table, { kind: 'k', id: '1', value: 1, note: null });
    expect(merged(one, other)).toHaveLength(2);
  });

  it('refuses a change without its key', () => {
    expect(() => merged(setColumns(table, { kind: 'k', value: 1 }))).toThrow('lacks id');
  });
});
