import { describe, expect, it } from '@jest/globals';
import { addressName, type DomainEvent, type Recorded } from '#kernel';
import { LogBuilder, projectTwice, type ProjectedRows } from '#testing';
import type { PartyEvent } from './events.ts';
import { addressesTable, partyAddressesTable, partiesTable, projectParty } from './projection.ts';
import { evolveParty, initialPartyState, partyView } from './state.ts';

const stream = 'party-p-1';
const partyId = 'p-1';
const basis = { kind: 'legal-order', id: 'ord-1' } as const;
const citation = { stream: 'legalOrder-ord-1', revision: '1', eventId: '00000000-0000-7000-8000-00000000000a' };
const registered = { type: 'PartyRegistered', data: { partyId, kind: 'person', externalRef: 'crm-7' } };
const identified = {
  type: 'PartyIdentified',
  data: { partyId, method: 'passport', evidenceSha256: 'a'.repeat(64), identifiedAt: '2022-02-01T00:00:00.000Z' },
};
const linked = (role: string): DomainEvent => ({
  type: 'AddressLinked',
  data: { partyId, chain: 'bitcoin', address: 'bc1q', role },
});
const named = { type: 'PartyNamed', data: { partyId, basis, citation } };
const noLongerNamed = { type: 'PartyNoLongerNamed', data: { partyId, basis, citation } };
const refused = {
  type: 'CommandRefused',
  data: {
    command: 'AttachAccount',
    code: 'party-named-by-basis',
    detail: 'no',
    extra: {},
    request: {},
    decidedOn: null,
  },
};

function project(...events: readonly DomainEvent[]): { rows: ProjectedRows; view: unknown; position: string } {
  const log = new LogBuilder();
  const recorded = events.map((event) => log.append(stream, event) as Recorded<PartyEvent>);
  let state = initialPartyState();
  const rows = projectTwice(recorded, (event) => (state = evolveParty(state, event)), projectParty);
  return { rows, view: JSON.parse(JSON.stringify(partyView(state) ?? null)), position: recorded[0]?.position ?? '' };
}

function shown(rows: ProjectedRows): unknown {
  return rows.of(partiesTable).map(({ view }) => JSON.parse(String(view)) as unknown);
}

describe('the projection of parties', () => {
  it.each([
    ['registered', [registered]],
    ['identified', [registered, identified]],
    ['named by a basis', [registered, identified, named]],
    ['no longer named', [registered, identified, named, noLongerNamed]],
  ])('shows a party that is %s as its state does, in one row', (_, events) => {
    const { rows, view, position } = project(...events);
    expect(rows.of(partiesTable)).toMatchObject([{ partyId, externalRef: 'crm-7', createdPosition: position }]);
    expect(shown(rows)).toEqual([view]);
  });

  it('shows the bases that name it while they do', () => {
    expect(shown(project(registered, named).rows)).toMatchObject([{ namedBy: [basis] }]);
    expect(shown(project(registered, named, noLongerNamed).rows)).toMatchObject([{ namedBy: [] }]);
  });

  it('finds a party by an address that it controls, and by no other', () => {
    expect(project(registered, linked('deposit-address')).rows.of(addressesTable)).toEqual([]);
    const { rows, view } = project(registered, linked('deposit-address'), linked('holder-controlled'));
    expect(rows.of(addressesTable)).toEqual([{ name: addressName({ chain: 'bitcoin', address: 'bc1q' }), partyId }]);
    expect(shown(rows)).toEqual([view]);
  });

  it('shows all that is linked to it, in the order of linking', () => {
    const { rows } = project(registered, linked('deposit-address'), linked('holder-controlled'));
    const address = { chain: 'bitcoin', address: 'bc1q' };
    const link = { partyId, name: addressName(address), ...address, linkedAt: expect.any(String) };
    expect(rows.of(partyAddressesTable)).toEqual([
      { ...link, revision: 1, role: 'deposit-address' },
      { ...link, revision: 2, role: 'holder-controlled' },
    ]);
  });

  it('leaves the row as it is when a command is refused', () => {
    expect(shown(project(registered, refused).rows)).toEqual(shown(project(registered).rows));
  });

  it('shows no party that was never registered', () => {
    expect(project(refused).rows.of(partiesTable)).toEqual([]);
  });
});
