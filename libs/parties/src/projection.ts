import { defineTable, putRow, setColumns, sha256Hex, type Change, type Recorded } from '#kernel';
import type { PartyEvent } from './events.ts';
import { partyView, type PartyState } from './state.ts';

export const partiesTable = defineTable({
  name: 'parties',
  // `externalSha256` is that of the UTF-8 bytes of `externalRef`: how an order can name a party that it does not know.
  columns: { partyId: 'text', externalRef: 'text', externalSha256: 'text', createdPosition: 'text', view: 'text' },
  primaryKey: ['partyId'],
  indexes: [['createdPosition'], ['externalRef', 'createdPosition'], ['externalSha256']],
});

/** Addresses that parties control, to find the parties that a basis on an address names, and since when. */
export const addressesTable = defineTable({
  name: 'addresses',
  columns: { chain: 'text', address: 'text', partyId: 'text', position: 'text', linkedAt: 'text' },
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
    return [
      setColumns(partiesTable, { partyId, view }),
      putRow(addressesTable, {
        chain,
        address,
        partyId,
        position: event.position,
        linkedAt: event.metadata.recordedAt,
      }),
    ];
  }
  if (event.type !== 'PartyRegistered') return [setColumns(partiesTable, { partyId, view })];
  return [
    putRow(partiesTable, {
      partyId,
      externalRef,
      externalSha256: sha256Hex(externalRef),
      createdPosition: event.position,
      view,
    }),
  ];
}
