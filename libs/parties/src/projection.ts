import { defineTable, putRow, setColumns, type Change, type Recorded } from '#kernel';
import type { PartyEvent } from './events.ts';
import { partyView, type PartyState } from './state.ts';

export const partiesTable = defineTable({
  name: 'parties',
  columns: { partyId: 'text', externalRef: 'text', createdPosition: 'text', view: 'text' },
  primaryKey: ['partyId'],
  indexes: [['createdPosition'], ['externalRef', 'createdPosition']],
});

/** Addresses that parties control, to find the parties that a hit on an address names. */
export const addressesTable = defineTable({
  name: 'addresses',
  columns: { chain: 'text', address: 'text', partyId: 'text' },
  primaryKey: ['chain', 'address', 'partyId'],
  indexes: [],
});

export const partyTables = [partiesTable, addressesTable] as const;

/** @param after the party's state after the event */
export function projectParty(event: Recorded<PartyEvent>, after: PartyState): readonly Change[] {
  const shown = partyView(after);
  if (shown === undefined || event.type === 'CommandRefused') return [];
  const { partyId, externalRef } = shown;
  const view = JSON.stringify(shown);
  if (event.type === 'AddressLinked' && event.data.role === 'holder-controlled') {
    const { chain, address } = event.data;
    return [setColumns(partiesTable, { partyId, view }), putRow(addressesTable, { chain, address, partyId })];
  }
  if (event.type !== 'PartyRegistered') return [setColumns(partiesTable, { partyId, view })];
  return [putRow(partiesTable, { partyId, externalRef, createdPosition: event.position, view })];
}
