import {
  checker,
  checkLog,
  clearing,
  describeBreaches,
  hitOfMeasure,
  LedgerWorld,
  maker,
  putHit,
  raising,
  sampleAddress,
  sampleHit,
  seal,
  service,
  storeWith,
} from '#testing';
import { describe, expect, it } from '@jest/globals';
import type { EventStore } from '#event-store';
import { pointerTo, type DomainEvent, type Recorded } from '#kernel';
import type { AccountFrozen, AccountUnfrozen } from '#freezes';
import type { LedgerCommand } from './ledger-api.ts';

const basis = { kind: 'sanctions-hit', id: 'hit-1' } as const;
const freeze: LedgerCommand = { type: 'FreezeAccount', accountId: 'acc-1', basis };
const debit: LedgerCommand = {
  type: 'ReserveWithdrawal',
  accountId: 'acc-1',
  withdrawalId: 'w-1',
  asset: 'BTC',
  amount: '1',
  destination: { kind: 'bank', reference: 'r' },
};
const opening: LedgerCommand = {
  type: 'OpenAccount',
  accountId: 'acc-2',
  holders: [{ partyId: 'p-1', capacity: 'owner' }],
};
const link = { type: 'LinkAddress', partyId: 'p-1', chain: 'bitcoin', address: 'bc1qlisted' } as const;

async function code(world: LedgerWorld, command: LedgerCommand, actor = maker): Promise<string> {
  const outcome = await world.ask(command, { actor });
  return outcome.status === 'accepted' ? 'accepted' : outcome.rejection.code;
}

async function typesOn(world: LedgerWorld, stream: string): Promise<readonly string[]> {
  return (await world.log()).filter((event) => event.stream === stream).map(({ type }) => type);
}

/** After everything the log alone is judged: nothing is left undone, and every invariant holds. */
async function expectInOrder(world: LedgerWorld): Promise<void> {
  await world.ledger.supervisor.pass();
  const log = await world.log();
  expect(describeBreaches(checkLog(log, { quiescent: true }), log)).toBe('');
  expect(world.failures).toEqual([]);
}

async function opened(): Promise<LedgerWorld> {
  const world = new LedgerWorld();
  await world.openAccount();
  const source = { kind: 'bank', reference: 'r' } as const;
  await world.accept({ type: 'Deposit', accountId: 'acc-1', depositId: 'd-1', asset: 'BTC', amount: '3', source });
  return world;
}

describe('a freeze under a sanctions hit', () => {
  it('holds from its placing until the hit is cleared, and cites both', async () => {
    const world = await opened();
    await putHit(world);
    expect(await typesOn(world, 'party-p-1')).toContain('PartyNamed');
    expect(await code(world, opening)).toBe('party-named-by-basis');
    const [frozen] = (await world.accept(freeze)) as readonly Recorded<AccountFrozen>[];
    expect(frozen?.data).toMatchObject({ basis, scope: { direction: 'debit', assets: 'all' }, placedBy: 'maker' });
    expect(frozen?.data.citation.stream).toBe('sanctionsHit-hit-1');
    expect(await code(world, debit, service)).toBe('account-frozen');
    expect(await code(world, freeze)).toBe('already-exists');
    for (const [command, actor = maker] of clearing) await world.accept(command, { actor });
    const log = await world.log();
    const lift = log.find(({ type }) => type === 'AccountUnfrozen') as Recorded<AccountUnfrozen> | undefined;
    const cleared = log.find(({ type }) => type === 'SanctionsHitCleared');
    expect(lift?.data).toMatchObject({ ground: 'basis-ended', requestedBy: 'maker', approvedBy: 'checker' });
    expect(lift?.data.citation.eventId).toBe(cleared?.id);
    expect((await typesOn(world, 'party-p-1')).at(-1)).toBe('PartyNoLongerNamed');
    expect(await code(world, debit, service)).toBe('accepted');
    expect(await code(world, opening)).toBe('accepted');
    await expectInOrder(world);
  });

  it('is lifted as placed in error by two people', async () => {
    const world = await opened();
    await putHit(world);
    const [frozen] = (await world.accept(freeze)) as readonly Recorded<AccountFrozen>[];
    const request = { freezeId: frozen?.data.freezeId ?? '', requestId: 'r-1' };
    await world.accept({ type: 'RequestLift', ...request, ground: 'placed-in-error', note: 'a namesake' });
    await world.accept({ type: 'ApproveLift', ...request }, { actor: checker });
    expect(await code(world, debit, service)).toBe('accepted');
    await expectInOrder(world);
  });

  it.each([
    ['never raised', 'basis-not-found', () => Promise.resolve()],
    ['raised', 'basis-not-in-force', (world: LedgerWorld) => world.accept(raising())],
    [
      'dismissed',
      'basis-not-in-force',
      async (world: LedgerWorld) => {
        await world.accept(raising());
        await world.accept({ type: 'DismissSanctionsHit', hitId: 'hit-1', reason: 'a namesake' }, { actor: checker });
      },
    ],
    [
      'to be cleared',
      'basis-not-in-force',
      async (world: LedgerWorld) => {
        await putHit(world);
        for (const [command] of clearing.slice(0, 1)) await world.accept(command);
      },
    ],
    [
      'cleared',
      'basis-not-in-force',
      async (world: LedgerWorld) => {
        await putHit(world);
        for (const [command, actor = maker] of clearing) await world.accept(command, { actor });
      },
    ],
    [
      'of a lesser measure',
      'basis-not-in-force',
      (world: LedgerWorld) => putHit(world, hitOfMeasure('service-restriction')),
    ],
    [
      'of another party',
      'basis-does-not-name-account',
      async (world: LedgerWorld) => {
        await world.accept({ type: 'RegisterParty', partyId: 'p-9', kind: 'person', externalRef: 'r' });
        await putHit(world, { subject: { kind: 'party', partyId: 'p-9' } });
      },
    ],
    [
      'of an address that is not linked',
      'basis-does-not-name-account',
      (world: LedgerWorld) => putHit(world, { subject: sampleAddress }),
    ],
  ] as const)('is refused, and that is recorded, where the hit is %s', async (_what, expected, prepare) => {
    const world = await opened();
    await prepare(world);
    expect(await code(world, freeze)).toBe(expected);
    expect((await typesOn(world, 'account-acc-1')).at(-1)).toBe('CommandRefused');
    await expectInOrder(world);
  });

  it('is refused with the measure as the reason, and such a hit names no party', async () => {
    const world = await opened();
    await putHit(world, hitOfMeasure('trading-ban'));
    const outcome = await world.ask(freeze);
    expect(outcome).toMatchObject({ rejection: { detail: expect.stringContaining('bans trading') } });
    expect(await typesOn(world, 'party-p-1')).not.toContain('PartyNamed');
    expect(await code(world, opening)).toBe('accepted');
    await expectInOrder(world);
  });
});

describe('one entry and one subject', () => {
  it('make one hit, also once it is dismissed; a changed entry makes another, and so does another subject', async () => {
    const world = await opened();
    await world.accept(raising());
    await world.accept({ type: 'DismissSanctionsHit', hitId: 'hit-1', reason: 'a namesake' }, { actor: checker });
    const again = raising({ hitId: 'hit-2', list: { ...sampleHit.list, version: '2022-04-22' } });
    expect(await world.ask(again)).toMatchObject({
      rejection: { code: 'already-exists', extra: { hitId: 'hit-1' } },
    });
    await world.accept(raising({ hitId: 'hit-2', entry: { ...sampleHit.entry, sha256: 'f'.repeat(64) } }));
    await world.accept(raising({ hitId: 'hit-3', subject: sampleAddress }));
    expect(await world.ask(raising({ hitId: 'hit-4', subject: sampleAddress }))).toMatchObject({
      rejection: { code: 'already-exists', extra: { hitId: 'hit-3' } },
    });
  });

  it('can make another once the first is cleared: what was sold may be bought back, and is frozen again', async () => {
    const world = await opened();
    await putHit(world, { route: 'ownership', aggregateShare: 0.6 });
    for (const [command, actor = maker] of clearing) await world.accept(command, { actor });
    const again = {
      route: 'ownership',
      aggregateShare: 0.6,
      list: { ...sampleHit.list, version: '2022-06-01' },
    } as const;
    await putHit(world, { ...again, hitId: 'hit-2' });
    await world.accept({ ...freeze, basis: { kind: 'sanctions-hit', id: 'hit-2' } });
    expect(await world.ask(raising({ ...again, hitId: 'hit-3' }))).toMatchObject({
      rejection: { code: 'already-exists', extra: { hitId: 'hit-2' } },
    });
    await expectInOrder(world);
  });

  it('are asked for after the replay: a repeat answers as the first did', async () => {
    const world = await opened();
    const [first] = await world.accept(raising(), { key: 'k' });
    const repeat = await world.ask(raising(), { key: 'k' });
    expect(repeat).toMatchObject({ status: 'accepted', replayed: true, events: [{ id: first?.id }] });
    expect(await code(world, raising())).toBe('already-exists');
  });

  it('need a party that there is', async () => {
    const world = new LedgerWorld();
    expect(await code(world, raising())).toBe('party-not-found');
    expect(await world.log()).toEqual([]);
  });
});

describe('a hit on an address', () => {
  it('freezes the accounts of the party that controls it, by both events that tie them', async () => {
    const world = await opened();
    await world.accept({ ...link, role: 'holder-controlled' });
    await putHit(world, { subject: sampleAddress });
    expect(await code(world, opening)).toBe('party-named-by-basis');
    await world.accept(freeze);
    const log = await world.log();
    const idOf = (type: string): string | undefined => log.find((event) => event.type === type)?.id;
    expect(log.find(({ type }) => type === 'FreezeAuthorised')?.data).toMatchObject({
      partyId: 'p-1',
      namedBy: { eventId: idOf('AccountAttached') },
      linkedBy: { eventId: idOf('AddressLinked') },
    });
    expect(await code(world, debit, service)).toBe('account-frozen');
    for (const [command, actor = maker] of clearing) await world.accept(command, { actor });
    expect(await code(world, debit, service)).toBe('accepted');
    await expectInOrder(world);
  });

  it.each([
    [
      'hexadecimal',
      { chain: 'ethereum', address: `0x${'AbCd'.repeat(10)}` },
      { chain: 'Ethereum', address: `0x${'abcd'.repeat(10)}` },
    ],
    [
      'bech32',
      { chain: 'bitcoin', address: 'BC1QSPE77EDADDRESS' },
      { chain: 'Bitcoin', address: 'bc1qspe77edaddress' },
    ],
  ])('is one hit on one address, however %s is spelled', async (_what, mine, theirs) => {
    const world = await opened();
    const own = { type: 'LinkAddress', partyId: 'p-1', role: 'holder-controlled' } as const;
    const subject = { kind: 'address', ...theirs } as const;
    await world.accept({ ...own, ...mine });
    expect(await code(world, { ...own, ...theirs })).toBe('already-exists');
    await putHit(world, { subject });
    expect(await world.ask(raising({ hitId: 'hit-2', subject: { kind: 'address', ...mine } }))).toMatchObject({
      rejection: { code: 'already-exists', extra: { hitId: 'hit-1' } },
    });
    expect(await code(world, opening)).toBe('party-named-by-basis');
    expect(await world.accept(freeze)).toMatchObject([{ type: 'AccountFrozen' }]);
    expect(await code(world, debit, service)).toBe('account-frozen');
    const linked = (await world.log()).find(({ type }) => type === 'AddressLinked');
    expect(linked?.data).toMatchObject(mine);
    for (const [command, actor = maker] of clearing) await world.accept(command, { actor });
    expect(await code(world, debit, service)).toBe('accepted');
    await expectInOrder(world);
  });

  it('names a party to which the address is linked later in another spelling', async () => {
    const world = await opened();
    await putHit(world, { subject: { ...sampleAddress, address: 'bc1qspe77edaddress' } });
    await world.accept({ ...link, chain: 'Bitcoin', address: 'BC1QSPE77EDADDRESS', role: 'holder-controlled' });
    expect((await typesOn(world, 'party-p-1')).at(-1)).toBe('PartyNamed');
    expect(await code(world, freeze)).toBe('accepted');
    await expectInOrder(world);
  });

  it('names nobody through a deposit address, which is ours', async () => {
    const world = await opened();
    await world.accept({ ...link, role: 'deposit-address' });
    await putHit(world, { subject: sampleAddress });
    expect(await code(world, freeze)).toBe('basis-does-not-name-account');
    expect(await typesOn(world, 'party-p-1')).not.toContain('PartyNamed');
    await expectInOrder(world);
  });

  it('names a party to which the address is linked later', async () => {
    const world = await opened();
    await putHit(world, { subject: sampleAddress });
    await world.ledger.supervisor.pass();
    await world.accept({ ...link, role: 'holder-controlled' });
    expect((await typesOn(world, 'party-p-1')).at(-1)).toBe('PartyNamed');
    expect(await code(world, freeze)).toBe('accepted');
    await expectInOrder(world);
  });

  it('names it by the supervisor too, when whoever linked the address is gone', async () => {
    const world = await opened();
    await putHit(world, { subject: sampleAddress });
    await world.accept({ ...link, role: 'holder-controlled' });
    // A process that has read nothing of the log before.
    const other = new LedgerWorld({ store: world.store, clock: world.clock });
    await other.ledger.supervisor.pass();
    expect((await typesOn(other, 'party-p-1')).at(-1)).toBe('PartyNamed');
    await expectInOrder(other);
  });

  it('refuses no freeze wrongly that meets the link and the confirmation at any of its reads', async () => {
    const refusals = new Set<string>();
    for (let reads = 1, isOver = false; !isOver; reads += 1) {
      const world = await opened();
      await world.accept(raising({ subject: sampleAddress }));
      let left = reads;
      const read: EventStore['read'] = async (...call) => {
        const events = await world.store.read(...call);
        left -= 1;
        if (left === 0) {
          await world.accept({ ...link, role: 'holder-controlled' });
          await world.accept({ type: 'ConfirmSanctionsHit', hitId: 'hit-1' }, { actor: checker });
        }
        return events;
      };
      const other = new LedgerWorld({ store: storeWith(world.store, { read }), clock: world.clock });
      refusals.add(await code(other, freeze));
      isOver = left > 0;
      await expectInOrder(world);
    }
    expect(refusals).toEqual(new Set(['accepted', 'basis-not-in-force']));
  });

  it('is linked once in each role', async () => {
    const world = await opened();
    await world.accept({ ...link, role: 'holder-controlled' });
    expect(await code(world, { ...link, role: 'holder-controlled' })).toBe('already-exists');
    expect(await code(world, { ...link, role: 'deposit-address' })).toBe('accepted');
    expect(await code(world, { ...link, partyId: 'nobody', role: 'deposit-address' })).toBe('party-not-found');
  });
});

describe('what was forced into the stream of a party', () => {
  /** Appends an event past the rules of the stream, well sealed but for what `spoil` does. */
  async function force(world: LedgerWorld, event: DomainEvent, spoil: { hash?: string } = {}): Promise<void> {
    const last = (await world.store.read('party-p-1')).at(-1);
    if (last === undefined) throw new Error('no party');
    const end = { revision: last.revision, hash: last.metadata.hash, ...spoil };
    const recordedAt = last.metadata.recordedAt;
    await world.store.append('party-p-1', last.revision, seal('party-p-1', end, [event], { recordedAt }));
  }

  async function named(world: LedgerWorld, on: string, type: string): Promise<DomainEvent> {
    const cited = (await world.store.read(on)).find((event) => event.type === type);
    if (cited === undefined) throw new Error(`no ${type}`);
    return { type: 'PartyNamed', data: { partyId: 'p-1', basis, citation: pointerTo(cited) } };
  }

  it.each([
    ['names another party', 'SanctionsHitConfirmed', { subject: { kind: 'party', partyId: 'p-2' } }],
    ['is on an address that is not its own', 'SanctionsHitConfirmed', { subject: sampleAddress }],
    ['asks for less than a freeze', 'SanctionsHitConfirmed', hitOfMeasure('other')],
    ['is cited where it was raised', 'SanctionsHitRaised', { subject: sampleAddress }],
  ] as const)('a naming by a hit that %s keeps no account from opening', async (_what, cites, changes) => {
    const world = await opened();
    await world.accept({ type: 'RegisterParty', partyId: 'p-2', kind: 'person', externalRef: 'r' });
    await putHit(world, changes);
    await force(world, await named(world, 'sanctionsHit-hit-1', cites));
    const later = new LedgerWorld({ store: world.store, clock: world.clock });
    expect(await code(later, opening)).toBe('accepted');
  });

  it('a link that is not of the chain names nobody, and stops nothing', async () => {
    const world = await opened();
    const { type, ...data } = { ...link, role: 'holder-controlled' };
    expect(type).toBe('LinkAddress');
    await force(world, { type: 'AddressLinked', data }, { hash: 'f'.repeat(64) });
    await putHit(world, { subject: sampleAddress });
    await world.ledger.supervisor.pass();
    expect(world.failures).toEqual([]);
    expect(await typesOn(world, 'party-p-1')).not.toContain('PartyNamed');
    await world.accept({ ...link, role: 'holder-controlled' });
    expect((await typesOn(world, 'party-p-1')).at(-1)).toBe('PartyNamed');
  });
});
