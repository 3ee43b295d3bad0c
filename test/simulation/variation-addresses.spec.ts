import type { LedgerCommand } from '#command-handling';
import type { EventStore } from '#event-store';
import type { RecordedEvent, RequestedScope } from '#kernel';
import type { Subject } from '#legal-orders';
import {
  checker,
  forceIn,
  LedgerWorld,
  maker,
  nextTestId,
  service,
  testId,
  variation,
  varyOrder,
  type Varied,
} from '#testing';
import { beforeEach, describe, expect, it } from '@jest/globals';
import {
  account,
  address,
  ALL,
  expectQuiet,
  inForce,
  keeping,
  party,
  RECORDED_AT,
  varyOrderUnseen,
  violations,
} from './varied-orders.ts';

const ORDER = 'legalOrder-ord-1';
const basis = { kind: 'legal-order', id: 'ord-1' } as const;
const external: Subject = { kind: 'external', sha256: 'e'.repeat(64) };

let world: LedgerWorld;
/** acc-1 of p-1, and acc-2 of p-2: p-1 controls `a`. */
async function begin(): Promise<void> {
  world = new LedgerWorld();
  for (const nth of ['1', '2']) await world.openAccount(`acc-${nth}`, `p-${nth}`);
  await link('p-1', 'a');
}
beforeEach(begin);

const linking = (partyId: string, name: string, role: 'holder-controlled' | 'deposit-address'): LedgerCommand => ({
  type: 'LinkAddress',
  partyId,
  chain: 'bitcoin',
  address: name,
  role,
});
async function link(partyId: string, name: string): Promise<void> {
  await world.accept(linking(partyId, name, 'holder-controlled'), { actor: service });
}
/** As another process writes it, which answers before anybody tends the order. */
async function linkUnseen(name: string, id = nextTestId()): Promise<RecordedEvent> {
  const { data } = await last('party-p-1', 'AddressLinked');
  const event = { type: 'AddressLinked', data: { ...(data as object), address: name, role: 'holder-controlled' } };
  const key = { caller: service.id, value: 'late' };
  const linked = await forceIn(world.store, 'party-p-1', event, {
    recordedAt: RECORDED_AT,
    actor: service,
    key,
    newId: () => id,
  });
  world = new LedgerWorld({ store: world.store, clock: world.clock });
  return linked;
}

async function order(subjects: readonly Subject[], scope: RequestedScope = ALL): Promise<void> {
  await world.putOrder({ subjects: [...subjects], scope });
}
const freezing = (accountId = 'acc-1'): LedgerCommand => ({ type: 'FreezeAccount', accountId, basis });
async function freeze(accountId = 'acc-1'): Promise<string> {
  const events = await world.accept(freezing(accountId));
  return (events.find(({ type }) => type === 'AccountFrozen')?.data as { freezeId: string }).freezeId;
}
const vary = (changes: Varied, changeId = 'chg-1'): Promise<void> => varyOrder(world, changes, changeId);
const varyTo = (...subjects: readonly Subject[]): Promise<void> => vary({ subjects });

const types = async (stream: string): Promise<readonly string[]> =>
  (await world.store.read(stream)).map(({ type }) => type);
const namings = async (partyId: string): Promise<readonly string[]> =>
  (await types(`party-${partyId}`)).filter((type) => type.includes('Named'));
async function first(stream: string, type: string): Promise<RecordedEvent> {
  const event = (await world.store.read(stream)).find((each) => each.type === type);
  if (event === undefined) throw new Error(`no ${type} on ${stream}`);
  return event;
}
async function last(stream: string, type: string): Promise<RecordedEvent> {
  const event = (await world.store.read(stream)).findLast((each) => each.type === type);
  if (event === undefined) throw new Error(`no ${type} on ${stream}`);
  return event;
}
const place = ({ stream, revision, id }: RecordedEvent): object => ({
  stream,
  revision: String(revision),
  eventId: id,
});

describe('a freeze through an address, after a variation', () => {
  it('ends when the address is dropped, and the party is no longer named', async () => {
    await order([address('a'), account('acc-2')]);
    const freezeId = await freeze();
    expect(await namings('p-1')).toEqual(['PartyNamed']);
    await varyTo(account('acc-2'));
    const varied = await last(ORDER, 'LegalOrderVaried');
    const lift = (await world.store.read('account-acc-1')).at(-1);
    expect(lift).toMatchObject({
      type: 'AccountUnfrozen',
      data: { freezeId, ground: 'basis-varied', citation: place(varied), requestedBy: 'maker', approvedBy: 'checker' },
    });
    const unnamed = (await world.store.read('party-p-1')).at(-1);
    expect(unnamed).toMatchObject({ type: 'PartyNoLongerNamed', data: { citation: place(varied) } });
    expect((await world.ask(freezing())).status).toBe('rejected');
    await expectQuiet(world);
  });

  it('ends when another address takes its place, whose party can be frozen then', async () => {
    await link('p-2', 'b');
    await order([address('a')]);
    await freeze();
    await varyTo(address('b'));
    expect(await inForce(world)).toEqual([]);
    expect([await namings('p-1'), await namings('p-2')]).toEqual([
      ['PartyNamed', 'PartyNoLongerNamed'],
      ['PartyNamed'],
    ]);
    const freezeId = await freeze('acc-2');
    expect(await inForce(world)).toMatchObject([{ freezeId, accountId: 'acc-2' }]);
    await expectQuiet(world);
  });

  it.each<[string, readonly Subject[]]>([
    ['the address is one of two that stay', [address('a'), address('b')]],
    ['it is spelled otherwise', [{ kind: 'address', chain: 'Bitcoin', address: 'a' }]],
    ['another address of the holder takes its place', [address('b')]],
    ['the holder does', [party('p-1')]],
    ['the account itself does', [account('acc-1'), external]],
  ])('holds, and its citation stays, when %s', async (_what, subjects) => {
    await link('p-1', 'b');
    await order([address('a'), address('c')]);
    const freezeId = await freeze();
    await varyTo(...subjects);
    expect(await inForce(world)).toMatchObject([{ freezeId, citation: freezeId }]);
    expect((await types('account-acc-1')).at(-1)).toBe('AccountFrozen');
    // What varies it later is tied to what the order names then.
    await vary({ scope: keeping('2') }, 'chg-2');
    expect(await inForce(world)).toMatchObject([{ freezeId, scope: { limits: { BTC: '200000000' } } }]);
    await expectQuiet(world);
  });

  it('ends by the first that drops the address, whatever a later one names again', async () => {
    await order([address('a')]);
    const freezeId = await freeze();
    world = await varyOrderUnseen(world, { subjects: [address('c')] }, 'chg-1');
    const dropping = await last(ORDER, 'LegalOrderVaried');
    world = await varyOrderUnseen(world, { subjects: [address('a')] }, 'chg-2');
    const again = await freeze();
    const [lift, frozen] = (await world.store.read('account-acc-1')).slice(-2);
    expect(lift).toMatchObject({ type: 'AccountUnfrozen', data: { freezeId, citation: place(dropping) } });
    expect(frozen).toMatchObject({ type: 'AccountFrozen', data: { freezeId: again } });
    await world.ledger.supervisor.pass();
    expect((await namings('p-1')).slice(-2)).toEqual(['PartyNoLongerNamed', 'PartyNamed']);
    await expectQuiet(world);
  });

  it('follows the scope, and says in what takes its place which link it rests on', async () => {
    await order([address('a')]);
    const freezeId = await freeze();
    await vary({ subjects: [address('b'), address('a')], scope: keeping('3') });
    expect(await inForce(world)).toMatchObject([{ freezeId, scope: { limits: { BTC: '300000000' } } }]);
    const linked = await last('party-p-1', 'AddressLinked');
    const authorised = await last(ORDER, 'FreezeAuthorised');
    expect(authorised.data).toMatchObject({ linkedBy: place(linked), replaces: { eventId: freezeId } });
    await expectQuiet(world);
  });
});

describe('a link', () => {
  const other = 'b';

  it('made before the variation saves the freeze, also where nobody had looked at it yet', async () => {
    await order([address('a')]);
    const freezeId = await freeze();
    await link('p-1', other);
    world = await varyOrderUnseen(world, { subjects: [address(other)] }, 'chg-1');
    await world.ledger.supervisor.pass();
    expect(await inForce(world)).toMatchObject([{ freezeId }]);
    expect(await namings('p-1')).toEqual(['PartyNamed']);
    await expectQuiet(world);
  });

  it('made after the variation saves nothing, also before anybody follows: it names the account anew', async () => {
    await order([address('a')]);
    const freezeId = await freeze();
    world = await varyOrderUnseen(world, { subjects: [address(other)] }, 'chg-1');
    await linkUnseen(other);
    await world.ledger.supervisor.pass();
    expect(await inForce(world)).toEqual([]);
    expect(await last('account-acc-1', 'AccountUnfrozen')).toMatchObject({
      data: { freezeId, ground: 'basis-varied' },
    });
    // To its party, the order named it all the time.
    expect(await namings('p-1')).toEqual(['PartyNamed']);
    const again = await freeze();
    expect(await inForce(world)).toMatchObject([{ freezeId: again }]);
    await expectQuiet(world);
  });

  it('saves the freeze if it was made before the variation, whatever is linked after it', async () => {
    await order([address('a')]);
    const freezeId = await freeze();
    await link('p-1', 'c');
    await varyTo(address('b'), address('c'));
    await link('p-1', 'b');
    await vary({ scope: keeping('1') }, 'chg-2');
    expect(await inForce(world)).toMatchObject([{ freezeId, scope: { limits: { BTC: '100000000' } } }]);
    await expectQuiet(world);
  });

  it('to an address that a variation brought in names the party, before the link is answered', async () => {
    await order([address('a')]);
    await varyTo(address('a'), address('c'));
    await link('p-2', 'c');
    expect(await namings('p-2')).toEqual(['PartyNamed']);
    const fresh = new LedgerWorld({ store: world.store, clock: world.clock });
    world = fresh;
    await world.ledger.supervisor.pass();
    await freeze('acc-2');
    await expectQuiet(world);
  });

  it('to an address that a variation dropped names nobody', async () => {
    await order([address('a'), address('c')]);
    await varyTo(address('a'));
    await link('p-2', 'c');
    expect(await namings('p-2')).toEqual([]);
    expect((await world.ask(freezing('acc-2'))).status).toBe('rejected');
    await expectQuiet(world);
  });

  it('as a deposit address, or of a party that holds another account, saves nothing', async () => {
    await link('p-2', 'b');
    await world.accept(linking('p-1', 'b', 'deposit-address'), { actor: service });
    await order([address('a')]);
    await freeze();
    await varyTo(address('b'));
    expect(await inForce(world)).toEqual([]);
    await expectQuiet(world);
  });
});

describe('what was authorised through an address before a variation and is still open', () => {
  /** A handler that stops between its two appends. */
  async function authoriseOnly(): Promise<void> {
    const attached = await last('party-p-1', 'AccountAttached');
    const linked = await last('party-p-1', 'AddressLinked');
    const tie = { namedBy: place(attached), partyId: 'p-1', linkedBy: place(linked) };
    const data = { orderId: 'ord-1', accountId: 'acc-1', scope: ALL, ...tie, requestedBy: maker.id };
    const key = { caller: maker.id, homeStream: 'account-acc-1', value: 'left' };
    await forceIn(
      world.store,
      ORDER,
      { type: 'FreezeAuthorised', data },
      { recordedAt: RECORDED_AT, key, actor: maker },
    );
    world = new LedgerWorld({ store: world.store, clock: world.clock });
  }

  it.each([
    ['is given up when the variation drops the address', 'c', 'FreezeAbandoned'],
    ['is frozen when it names another of the same holder', 'b', 'AccountFrozen'],
  ])('%s', async (_what, name, outcome) => {
    await order([address('a')]);
    await authoriseOnly();
    await link('p-1', 'b');
    world = await varyOrderUnseen(world, { subjects: [address(name)] }, 'chg-1');
    await world.ledger.supervisor.pass();
    const end = (await world.store.read('account-acc-1')).at(-1);
    expect(end).toMatchObject({ type: outcome, data: outcome === 'FreezeAbandoned' ? { reason: 'basis-varied' } : {} });
    await expectQuiet(world);
  });
});

describe('a variation that is being followed while another process goes on', () => {
  /** A store that lets something else happen before one of its reads, if there are so many. */
  function interrupted(
    target: EventStore,
    before: number,
    interrupt: () => Promise<unknown>,
  ): { readonly store: EventStore; wasInterrupted(): boolean } {
    let reads = 0;
    const store = new Proxy(target, {
      get(_store, name: keyof EventStore) {
        const member = target[name];
        if (typeof member !== 'function') return member;
        const call = (member as (...given: unknown[]) => unknown).bind(target);
        if (name !== 'read') return call;
        return async (...given: unknown[]) => {
          reads += 1;
          if (reads === before) await interrupt();
          return call(...given);
        };
      },
    });
    return { store, wasInterrupted: () => reads >= before };
  }

  const cases: readonly [string, Subject, () => Promise<void>][] = [
    [
      'drops the account and restores it',
      account('acc-1'),
      async () => {
        world = await varyOrderUnseen(world, { subjects: [account('acc-2')] }, 'chg-2');
        world = await varyOrderUnseen(world, { subjects: [account('acc-1')] }, 'chg-3');
      },
    ],
    [
      'drops the address for one that is linked then',
      address('a'),
      async () => {
        world = await varyOrderUnseen(world, { subjects: [address('b')] }, 'chg-2');
        await linkUnseen('b');
      },
    ],
  ];

  it.each(cases)('which %s: the freeze ends, whenever that comes', async (_what, subject, others) => {
    let more = true;
    for (let before = 1; more; before += 1) {
      await begin();
      await order([subject]);
      const freezeId = await freeze();
      await world.accept(variation('chg-1', { scope: keeping('1') }));
      const { store, wasInterrupted } = interrupted(world.store, before, others);
      const following = new LedgerWorld({ store, clock: world.clock });
      await following.accept(
        { type: 'VerifyChange', orderId: 'ord-1', changeId: 'chg-1', method: 'sealed copy' },
        { actor: checker },
      );
      more = wasInterrupted();
      if (more) {
        await world.ledger.supervisor.pass();
        expect(following.failures).toEqual([]);
        expect(await inForce(world)).toEqual([]);
        expect((await last('account-acc-1', 'AccountUnfrozen')).data).toMatchObject({
          freezeId,
          ground: 'basis-varied',
        });
      }
      await expectQuiet(world);
    }
  });
});

describe('a freeze of everything', () => {
  it('is of whom the order names by an address as varied, and of nobody else', async () => {
    await link('p-2', 'b');
    await order([address('a')]);
    await varyTo(address('b'));
    const outcome = await world.freezeAll({ basis, scope: undefined, shares: undefined });
    expect(outcome).toMatchObject({ status: 'answered', parts: [{ accountId: 'acc-2' }] });
    await expectQuiet(world);
  });
});

describe('what was forged', () => {
  const people = { requestedBy: 'maker', approvedBy: 'checker' };

  it('lifts nothing by a variation that names the account by an address still', async () => {
    await link('p-1', 'b');
    await order([address('a')]);
    const freezeId = await freeze();
    await varyTo(address('b'));
    const citation = place(await last(ORDER, 'LegalOrderVaried'));
    const data = { accountId: 'acc-1', freezeId, ground: 'basis-varied', citation, ...people };
    await forceIn(world.store, 'account-acc-1', { type: 'AccountUnfrozen', data }, { recordedAt: RECORDED_AT });
    expect(await violations(world, 'account-acc-1')).toEqual([expect.stringContaining('citation-unresolved')]);
    expect(await inForce(world)).toMatchObject([{ freezeId }]);
  });

  it('undoes no naming by a variation that names the party by an address still', async () => {
    await link('p-1', 'b');
    await order([address('a')]);
    await varyTo(address('b'));
    const { data } = await last('party-p-1', 'PartyNamed');
    const citation = place(await last(ORDER, 'LegalOrderVaried'));
    const unnamed = { type: 'PartyNoLongerNamed', data: { ...(data as object), citation } };
    await forceIn(world.store, 'party-p-1', unnamed, { recordedAt: RECORDED_AT });
    expect(await violations(world, 'party-p-1')).toEqual([expect.stringContaining('citation-unresolved')]);
  });

  it('varies nothing by what was authorised anew after a variation had dropped the address', async () => {
    await order([address('a')]);
    const freezeId = await freeze();
    const authorised = await last(ORDER, 'FreezeAuthorised');
    world = await varyOrderUnseen(world, { subjects: [address('b')], scope: keeping('2') }, 'chg-1');
    const late = await linkUnseen('b');
    const { scope } = (await last(ORDER, 'LegalOrderVaried')).data as { scope: object };
    const replaces = place(authorised);
    const again = { ...(authorised.data as object), linkedBy: place(late), scope, replaces };
    const forged = await forceIn(
      world.store,
      ORDER,
      { type: 'FreezeAuthorised', data: again },
      { recordedAt: RECORDED_AT },
    );
    const effects = { stopped: [], inFlight: [] };
    const data = { accountId: 'acc-1', freezeId, basis, citation: place(forged), replaces, scope, ...effects };
    await forceIn(world.store, 'account-acc-1', { type: 'FreezeVaried', data }, { recordedAt: RECORDED_AT });
    expect(await violations(world, 'account-acc-1')).toEqual([
      expect.stringContaining('a variation had ended the freeze'),
    ]);
  });

  const LATE = testId(9_999_999);
  /** Where the next event of p-1 will stand, with that id. */
  async function later(): Promise<object> {
    const revision = String((await types('party-p-1')).length);
    return { stream: 'party-p-1', revision, eventId: LATE };
  }

  it.each<[string, () => Promise<object>, string]>([
    [
      'the link of an address that the order no longer names',
      async () => place(await first('party-p-1', 'AddressLinked')),
      'no address that the basis names',
    ],
    [
      'the link of another party',
      async () => place(await last('party-p-2', 'AddressLinked')),
      'names neither the account nor a holder of it',
    ],
    [
      'the link of an address given out for deposits',
      async () => place(await last('party-p-1', 'AddressLinked')),
      'no address that the basis names',
    ],
    ['a link that comes later', later, 'is later than the authorisation'],
  ])('freezes nothing by %s', async (_what, linkedBy, problem) => {
    await order([address('a')]);
    await freeze();
    await link('p-2', 'c');
    await world.accept(linking('p-1', 'c', 'deposit-address'), { actor: service });
    await varyTo(address('c'));
    const [authorised, frozen] = [await last(ORDER, 'FreezeAuthorised'), await last('account-acc-1', 'AccountFrozen')];
    const forged = await forceIn(
      world.store,
      ORDER,
      { type: 'FreezeAuthorised', data: { ...(authorised.data as object), linkedBy: await linkedBy() } },
      { recordedAt: RECORDED_AT, actor: maker, key: { caller: maker.id, homeStream: 'account-acc-1', value: 'x' } },
    );
    await linkUnseen('c', LATE);
    const data = { ...(frozen.data as object), freezeId: forged.id, citation: place(forged) };
    const { schemaVersion } = frozen;
    const options = { recordedAt: RECORDED_AT, schemaVersion };
    await forceIn(world.store, 'account-acc-1', { type: 'AccountFrozen', data }, options);
    const found = [...(await violations(world, ORDER)), ...(await violations(world, 'account-acc-1'))];
    expect(found[0]).toContain(problem);
    expect(found.at(-1)).toContain('citation-unresolved');
    expect(await inForce(world)).toEqual([]);
  });
});
