import { addRow, defineTable, putRow, type Change, type Recorded } from '#kernel';
import { indexEntries, type JudgedEvent, type LedgerEvent } from '#replay';

/** Every command key that was ever used on its home stream, and the hash of the command. The first use is the one. */
export const keysTable = defineTable({
  name: 'keys',
  columns: { stream: 'text', id: 'text', revision: 'integer', value: 'text' },
  primaryKey: ['stream', 'id'],
  indexes: [],
});

/** How far each stream is taken in, violations included. */
export const streamsTable = defineTable({
  name: 'streams',
  columns: { stream: 'text', revision: 'integer', position: 'text' },
  primaryKey: ['stream'],
  indexes: [],
});

export const keyTables = [keysTable] as const;
export const streamTables = [streamsTable] as const;

/** Deposits and withdrawals are found by id in their own tables. */
export function projectKeys(event: Recorded<LedgerEvent>): readonly Change[] {
  const { stream, revision } = event;
  return indexEntries(event)
    .filter(({ kind }) => kind === 'key')
    .map(({ id, value }) => addRow(keysTable, { stream, id, revision, value }));
}

export function projectStream({ recorded }: JudgedEvent): readonly Change[] {
  const { stream, revision, position } = recorded;
  return [putRow(streamsTable, { stream, revision, position })];
}
