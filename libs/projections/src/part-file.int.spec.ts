import { accountTables, trialBalanceTable } from '#accounts';
import { addRow, addToSum, putRow, setColumns, type Change, type Row } from '#kernel';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { namesTable, streamsTable } from './names-projection.ts';
import { mergeParts, PartFile } from './part-file.ts';
import { fingerprintOf, projectors } from './projectors.ts';
import { ReadModel } from './read-model.ts';
import { tasksTable } from './tasks.ts';

/** More than a number holds. */
const MANY = 10n ** 30n;
const END = { position: '0000000000000009', stream: 'account-a', revision: 1, eventId: 'e', logId: 'l' };

let folder: string;
let model: ReadModel;
let parts: PartFile[];
const pathOf = (index: number): string => join(folder, `part-${String(index)}`);
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'writ-part-'));
  const tables = projectors.flatMap((projector) => projector.tables);
  model = new ReadModel(join(folder, 'whole.db'), tables, fingerprintOf(projectors));
  parts = [0, 1].map((index) => new PartFile(pathOf(index)));
});
afterEach(() => {
  for (const part of parts) part.close();
  model.close();
  rmSync(folder, { recursive: true });
});

/** @param changes by part, each with the position of its event */
function take(...changes: readonly (readonly (readonly [position: string, change: Change])[])[]): void {
  for (const [index, ofPart] of changes.entries()) {
    for (const [position, change] of ofPart) parts[index]?.take(position, [change]);
  }
}

function merge(): boolean {
  for (const part of parts) {
    part.commit(END);
    part.close();
  }
  return mergeParts(model, [pathOf(0), pathOf(1)], END);
}

function rowsOf(table: { readonly name: string }): readonly unknown[] {
  return model.db
    .prepare(`SELECT * FROM main.${table.name}`)
    .all()
    .map((row) => ({ ...row }));
}

const stream = (name: string): Row & { stream: string; revision: number; position: string } => ({
  stream: name,
  revision: 1,
  position: '1',
});
const name = (of: string, value: string): Parameters<typeof addRow<(typeof namesTable)['columns']>>[1] => ({
  stream: of,
  kind: 'deposit',
  id: 'd',
  revision: 3,
  value,
});

describe('the parts of read models', () => {
  it('are put together, each table in the order of its keys', () => {
    take(
      [
        ['1', putRow(streamsTable, stream('c'))],
        ['1', addRow(namesTable, name('c', 'first'))],
        ['2', addRow(namesTable, name('c', 'second'))],
      ],
      [
        ['1', putRow(streamsTable, stream('b'))],
        ['1', addRow(namesTable, name('b', 'other'))],
      ],
    );
    expect(merge()).toBe(true);
    expect(rowsOf(streamsTable)).toEqual([stream('b'), stream('c')]);
    expect(rowsOf(namesTable)).toEqual([name('b', 'other'), name('c', 'first')]);
    expect(model.checkpoint).toEqual(END);
  });

  it('add up to the sums of all', () => {
    const add = (units: bigint, position: string): [string, Change] => [
      position,
      addToSum(trialBalanceTable, { asset: 'BTC', part: 'external' }, { units, position }),
    ];
    take([add(-5n, '1'), add(2n, '4')], [add(-MANY, '3')]);
    expect(merge()).toBe(true);
    const units = String(-3n - MANY);
    expect(rowsOf(trialBalanceTable)).toEqual([{ asset: 'BTC', part: 'external', units, position: '4' }]);
  });

  it('leave to the end what several streams change, in the order of the log', () => {
    const key = { kind: 'k', stream: 's', subject: '' };
    const nothing = { accountId: null, partyId: null, basisKind: null, basisId: null, freezeId: null, ids: '{}' };
    const task = { ...key, asked: 1, done: 0, taskId: 't', since: '', position: '', ...nothing };
    const done = (since: string): Change => setColumns(tasksTable, { ...key, done: 1, since });
    take(
      [
        ['2', done('second')],
        ['4', done('fourth')],
      ],
      [
        ['1', putRow(tasksTable, task)],
        ['3', done('third')],
      ],
    );
    expect(merge()).toBe(true);
    expect(rowsOf(tasksTable)).toEqual([{ ...task, done: 1, since: 'fourth' }]);
  });

  it('come to nothing when what one has taken for granted of another is not so', () => {
    const pointer = { stream: 'b', revision: '3', eventId: 'other' };
    take([['1', putRow(streamsTable, stream('c'))]], [['1', addRow(namesTable, name('b', 'other'))]]);
    parts[0]?.ask(pointer, 'deposit', 'd');
    parts[0]?.ask({ ...pointer, eventId: 'another' }, 'deposit', 'd');
    expect(merge()).toBe(false);
    expect([rowsOf(streamsTable), rowsOf(namesTable), model.checkpoint]).toEqual([[], [], undefined]);
  });

  it('are put together when it is so', () => {
    take([['1', putRow(streamsTable, stream('c'))]], [['1', addRow(namesTable, name('b', 'other'))]]);
    parts[0]?.ask({ stream: 'b', revision: '3', eventId: 'other' }, 'deposit', 'd');
    expect(merge()).toBe(true);
    expect(rowsOf(streamsTable)).toHaveLength(1);
  });

  it('come to nothing when two have made the same row', () => {
    take([['1', putRow(streamsTable, stream('c'))]], [['1', putRow(streamsTable, stream('c'))]]);
    expect(merge).toThrow('UNIQUE');
    expect([rowsOf(streamsTable), model.checkpoint]).toEqual([[], undefined]);
  });

  it('say when they have changed columns of a row that they do not have', () => {
    const table = accountTables[0];
    take([['1', setColumns(table, { accountId: 'a', updatedAt: '' })]]);
    parts[0]?.commit(END);
    expect(parts.map((part) => part.model.missed)).toEqual([1, 0]);
  });
});
