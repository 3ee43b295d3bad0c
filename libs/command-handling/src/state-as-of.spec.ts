import {
  identification,
  LedgerWorld,
  registeredOrder,
  rejectedOrder,
  SAMPLE_CHECKER,
  SAMPLE_MAKER,
  SAMPLE_ORDER_STREAM,
  seal,
  specPointer,
  verifiedOrder,
} from '#testing';
import { describe, expect, it } from '@jest/globals';

/** Forces an event onto a stream: sealed as it has to be, or linked to nothing that stands there. */
async function force(
  world: LedgerWorld,
  stream: string,
  type: string,
  data: unknown,
  more: Forced = {},
): Promise<void> {
  const last = (await world.store.read(stream)).at(-1);
  const end = last === undefined ? undefined : { revision: last.revision, hash: more.link ?? last.metadata.hash };
  const actor = { id: more.actor ?? SAMPLE_MAKER, roles: [] };
  await world.store.append(stream, last?.revision ?? 'no-stream', seal(stream, end, [{ type, data }], { actor }));
}

interface Forced {
  readonly link?: string;
  readonly actor?: string;
}

describe('the state as of a revision', () => {
  it('is what the events up to there made of it', async () => {
    const world = new LedgerWorld();
    const steps = [
      [registeredOrder(), SAMPLE_MAKER],
      [verifiedOrder(), SAMPLE_CHECKER],
    ] as const;
    for (const [{ type, data }, actor] of steps) await force(world, SAMPLE_ORDER_STREAM, type, data, { actor });
    const order = (revision: number) => world.ledger.stateAsOf('legalOrder', SAMPLE_ORDER_STREAM, revision);
    expect(await order(0)).toMatchObject({ state: 'registered', verification: null });
    expect(await order(1)).toMatchObject({ state: 'verified', verification: { verifiedBy: SAMPLE_CHECKER } });
  });

  it('takes nothing from what should never have been recorded', async () => {
    const world = new LedgerWorld();
    const steps = [
      [registeredOrder(), SAMPLE_MAKER],
      [verifiedOrder(SAMPLE_MAKER), SAMPLE_MAKER],
      [rejectedOrder(), SAMPLE_CHECKER],
    ] as const;
    for (const [{ type, data }, actor] of steps) await force(world, SAMPLE_ORDER_STREAM, type, data, { actor });
    const order = (revision: number) => world.ledger.stateAsOf('legalOrder', SAMPLE_ORDER_STREAM, revision);
    expect(await order(1)).toMatchObject({ state: 'registered', verification: null });
    expect(await order(2)).toMatchObject({ state: 'rejected', verification: null });
  });

  it('takes nothing from an event of a broken chain, of another shape, or without the basis that it cites', async () => {
    const stream = 'party-p-1';
    const world = new LedgerWorld();
    await world.accept({ type: 'RegisterParty', partyId: 'p-1', kind: 'person', externalRef: 'ref' });
    const { type: _, ...identified } = identification('p-1') as Extract<
      ReturnType<typeof identification>,
      { type: 'IdentifyParty' }
    >;
    const basis = { kind: 'legal-order', id: 'ord-1' };
    await force(world, stream, 'PartyIdentified', { ...identified, method: 'forged' }, { link: 'f'.repeat(64) });
    await force(world, stream, 'PartyIdentified', { ...identified, method: 7 });
    await force(world, stream, 'PartyIdentified', { ...identified, partyId: 'p-2' });
    await force(world, stream, 'PartyRegistered', { partyId: 'p-1', kind: 'organisation', externalRef: 'other' });
    await force(world, stream, 'PartyNamed', { partyId: 'p-1', basis, citation: specPointer('legalOrder-ord-1', 1) });
    await world.accept(identification('p-1'));
    const before = await world.ledger.stateAsOf('party', stream, 5);
    expect(before.registered).toMatchObject({ kind: 'person', externalRef: 'ref' });
    expect([before.identification, before.named.size]).toEqual([null, 0]);
    const { identification: known } = await world.ledger.stateAsOf('party', stream, 6);
    expect(known).toMatchObject({ method: identified.method });
  });

  it('is asked for by the kind of thing that the stream is about', async () => {
    const world = new LedgerWorld();
    await world.accept({ type: 'RegisterParty', partyId: 'p-1', kind: 'person', externalRef: 'ref' });
    await expect(world.ledger.stateAsOf('legalOrder', 'party-p-1', 0)).rejects.toThrow('legalOrder');
  });
});
