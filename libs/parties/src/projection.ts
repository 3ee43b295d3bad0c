import { addressName, defineTable, putRow, setColumns, sha256Hex, type Change, type Recorded } from '#kernel';
import type { AddressLinked, PartyEvent } from './events.ts';
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
  // `name` is that of `addressName`.
  columns: { name: 'text', partyId: 'text' },
  primaryKey: ['name', 'partyId'],
  indexes: [],
});

/** All that was linked to a party, in the order of linking. */
export const partyAddressesTable = defineTable({
  name: 'partyAddresses',
  columns: {
    partyId: 'text',
    revision: 'integer',
    name: 'text',
    chain: 'text',
    address: 'text',
    role: 'text',
    linkedAt: 'text',
  },
  primaryKey: ['partyId', 'revision'],
  indexes: [],
});

export const partyTables = [partiesTable, addressesTable, partyAddressesTable] as const;

/** @param after the party's state after the event */
export function projectParty(event: Recorded<PartyEvent>, after: PartyState): readonly Change[] {
  const shown = partyView(after);
  if (shown === undefined || event.type === 'CommandRefused') return [];
  const { partyId, externalRef } = shown;
  const view = JSON.stringify(shown);
  if (event.type === 'AddressLinked') return [setColumns(partiesTable, { partyId, view }), ...projectLink(event)];
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

function projectLink({ data, revision, metadata }: Recorded<AddressLinked>): readonly Change[] {
  const { partyId, chain, address, role } = data;
  const { recordedAt: linkedAt } = metadata;
  const name = addressName(data);
  const linked = putRow(partyAddressesTable, { partyId, revision, name, chain, address, role, linkedAt });
  if (role !== 'holder-controlled') return [linked];
  return [linked, putRow(addressesTable, { name, partyId })];
}
