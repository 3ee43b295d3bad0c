import { identification, LedgerWorld, seal, specPointer } from '#testing';
import { describe, expect, it } from '@jest/globals';

const stream = 'party-p-1';

/** Forces an event onto the party's stream: sealed as it has to be, or linked to nothing that stands there. */
async function force(world: LedgerWorld, type: string, data: unknown, link?: string): Promise<void> {
  const last = (await world.store.read(stream)).at(-1);
  if (last === undefined) throw new Error('the party has no event');
  const end = { revision: last.revision, hash: link ?? last.metadata.hash };
  await world.store.append(stream, last.revision, seal(stream, end, [{ type, data }]));
}

describe('the history of a stream', () => {
  it('leaves out what is a violation, and what was asked to be left out', async () => {
    const world = new LedgerWorld();
    await world.accept({ type: 'RegisterParty', partyId: 'p-1', kind: 'person', externalRef: 'ref' });
    const { type: _, ...identified } = identification('p-1') as Extract<
      ReturnType<typeof identification>,
      { type: 'IdentifyParty' }
    >;
    const basis = { kind: 'legal-order', id: 'ord-1' };
    await force(world, 'PartyIdentified', { ...identified, method: 'forged' }, 'f'.repeat(64));
    await force(world, 'PartyIdentified', { ...identified, method: 7 });
    await force(world, 'PartyRegistered', { partyId: 'p-1', kind: 'organisation', externalRef: 'other' });
    await force(world, 'PartyNamed', { partyId: 'p-1', basis, citation: specPointer('legalOrder-ord-1', 1) });
    await world.accept(identification('p-1'));
    await world.accept(identification('p-1'));
    const history = await world.ledger.history(stream, 5);
    expect(history.map(({ revision, type }) => [revision, type])).toEqual([
      [0, 'PartyRegistered'],
      [5, 'PartyIdentified'],
    ]);
  });
});
