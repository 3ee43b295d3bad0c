import { defineTable, putRow, setColumns, type Change, type Recorded } from '#kernel';
import type { PartyEvent } from './events.ts';
import { partyView, type PartyState } from './state.ts';

export const partiesTable = defineTable({
  name: 'parties',
  columns: { partyId: 'text', externalRef: 'text', createdPosition: 'text', view: 'text' },
  primaryKey: ['partyId'],
  indexes: [['createdPosition'], ['externalRef', 'createdPosition']],
});

export const partyTables = [partiesTable] as const;

/** @param after the party's state after the event */
export function projectParty(event: Recorded<PartyEvent>, after: PartyState): readonly Change[] {
  const shown = partyView(after);
  if (shown === undefined || event.type === 'CommandRefused') return [];
  const { partyId, externalRef } = shown;
  const view = JSON.stringify(shown);
  if (event.type !== 'PartyRegistered') return [setColumns(partiesTable, { partyId, view })];
  return [putRow(partiesTable, { partyId, externalRef, createdPosition: event.position, view })];
}
