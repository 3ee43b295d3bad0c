import { addRow, defineTable, putRow, type Change, type Recorded } from '#kernel';
import { indexEntries, type JudgedEvent, type LedgerEvent } from '#replay';
import type { SoughtRows } from './staged-rows.ts';

/**
 * Every command key that was ever used on its home stream, with the hash of the command, and the ids of deposits, reversals
 * and transfers, with the event that each was first given to. The first use is the one. In one table, so that what one event adds to a short stream lies together.
 */
export const namesTable = defineTable({
  name: 'names',
  columns: { stream: 'text', kind: 'text', id: 'text', revision: 'integer', value: 'text' },
  primaryKey: ['stream', 'kind', 'id'],
  indexes: [],
  onlyAdded: true,
});

/** Names that a judgement can rest on are looked up while the index is built: all but keys. */
export const soughtNames: SoughtRows = {
  table: namesTable,
  by: ['stream', 'kind', 'id'],
  isSought: ({ kind }) => kind !== 'key',
};

/** How far each stream is taken in, violations included. */
export const streamsTable = defineTable({
  name: 'streams',
  columns: { stream: 'text', revision: 'integer', position: 'text' },
  primaryKey: ['stream'],
  indexes: [],
});

export const nameTables = [namesTable] as const;
export const streamTables = [streamsTable] as const;

/** Withdrawals are found by id in their own table. */
export function projectNames(event: Recorded<LedgerEvent>): readonly Change[] {
  const { stream, revision } = event;
  const changes: Change[] = [];
  for (const { kind, id, value } of indexEntries(event)) {
    if (kind !== 'withdrawal') changes.push(addRow(namesTable, { stream, kind, id, revision, value }));
  }
  return changes;
}

export function projectStream({ recorded }: JudgedEvent): readonly Change[] {
  const { stream, revision, position } = recorded;
  return [putRow(streamsTable, { stream, revision, position })];
}
