import type { LedgerCommand } from '#command-handling';
import type { RecordedEvent, RequestedScope } from '#kernel';
import type { Subject } from '#legal-orders';
import { CitationResolver, StreamFold } from '#replay';
import {
  checker,
  endingProposal,
  forceIn as forceInto,
  LedgerWorld,
  maker,
  orderNaming,
  service,
  storeOf,
  variation,
  varyOrder,
  type Varied,
} from '#testing';
import { beforeEach, describe, expect, it } from '@jest/globals';
import {
  account,
  ALL,
  expectQuiet,
  inForce,
  keeping,
  party,
  RECORDED_AT,
  varyOrderUnseen,
  violations,
} from './varied-orders.ts';

const basis = { kind: 'legal-order', id: 'ord-1' } as const;
const forceIn: typeof forceInto = (store, stream, event, options) =>
  forceInto(store, stream, event, { recordedAt: RECORDED_AT, ...options });

let world: LedgerWorld;
beforeEach(async () => {
  world = new LedgerWorld();
  for (const nth of ['1', '2', '3']) {
    await world.openAccount(`acc-${nth}`, `p-${nth}`);
    await deposit(`acc-${nth}`, '10');
  }
});

async function deposit(accountId: string, amount: string): Promise<void> {
  const source = { kind: 'bank', reference: 'r' } as const;
  const depositId = `d-${String((await world.log()).length)}`;
  await world.accept({ type: 'Deposit', accountId, depositId, asset: 'BTC', amount, source }, { actor: service });
}

async function order(subjects: readonly Subject[], scope: RequestedScope = ALL): Promise<void> {
  const instrument = { ...orderNaming({ subjects: [...subjects] }), scope };
  await world.accept({ type: 'RegisterLegalOrder', orderId: 'ord-1', instrument });
  await world.accept({ type: 'VerifyLegalOrder', orderId: 'ord-1', method: 'call-back' }, { actor: checker });
}

const freezing = (accountId: string, scope?: RequestedScope): LedgerCommand => ({
  type: 'FreezeAccount',
  accountId,
  basis,
  scope,
});

async function freeze(accountId: string, scope?: RequestedScope): Promise<string> {
  const events = await world.accept(freezing(accountId, scope));
  const frozen = events.find(({ type }) => type === 'AccountFrozen');
  return (frozen?.data as { freezeId: string }).freezeId;
}

async function lift(freezeId: string): Promise<void> {
  const about = { freezeId, requestId: 'r-1' };
  await world.accept({ type: 'RequestLift', ...about, ground: 'placed-in-error', note: 'wrong account' });
  await world.accept({ type: 'ApproveLift', ...about }, { actor: checker });
}

async function reserve(accountId: string, amount: string, withdrawalId = `w-${amount}`): Promise<string> {
  const destination = { kind: 'bank', reference: 'r' } as const;
  const reservation = {
    type: 'ReserveWithdrawal',
    accountId,
    withdrawalId,
    asset: 'BTC',
    amount,
    destination,
  } as const;
  const outcome = await world.ask(reservation, { actor: service });
  return outcome.status === 'accepted' ? 'accepted' : outcome.rejection.code;
}

const vary = (changes: Varied, changeId = 'chg-1'): Promise<void> => varyOrder(world, changes, changeId);

const types = async (stream: string): Promise<readonly string[]> =>
  (await world.store.read(stream)).map(({ type }) => type);

describe('a variation of the scope', () => {
  it('is followed by a freeze that was placed with the scope of the order: the same freeze, another citation', async () => {
    await order([account('acc-1')], { direction: 'debit', assets: ['ETH'] });
    const freezeId = await freeze('acc-1');
    expect(await reserve('acc-1', '2')).toBe('accepted');
    await vary({ scope: ALL });
    const [varied] = (await world.store.read('account-acc-1')).filter(({ type }) => type === 'FreezeVaried');
    expect(varied?.data).toMatchObject({ freezeId, scope: ALL, stopped: ['w-2'], inFlight: [] });
    const authorised = (await world.store.read('legalOrder-ord-1')).at(-1);
    expect(await inForce(world)).toEqual([
      { freezeId, accountId: 'acc-1', scope: ALL, citation: authorised?.id, placedBy: 'maker' },
    ]);
    expect(await inForce(world, authorised)).toMatchObject([
      { freezeId, scope: { assets: ['ETH'] }, citation: freezeId },
    ]);
    expect(await reserve('acc-1', '1')).toBe('account-frozen');
    await expectQuiet(world);
  });

  it('narrows a freeze, and releases in the same append what nothing holds any longer', async () => {
    await order([account('acc-1')], { direction: 'both', assets: 'all' });
    await freeze('acc-1');
    await deposit('acc-1', '5');
    await vary({ scope: keeping('4') });
    expect((await types('account-acc-1')).slice(-3)).toEqual(['FundsHeld', 'FreezeVaried', 'HeldFundsReleased']);
    expect(await reserve('acc-1', '11')).toBe('accepted');
    expect(await reserve('acc-1', '1')).toBe('account-frozen');
    await expectQuiet(world);
  });

  it('only ever narrows a freeze that was placed narrower', async () => {
    await order([account('acc-1')], ALL);
    const freezeId = await freeze('acc-1', { direction: 'debit', assets: ['BTC', 'ETH'] });
    await vary({ scope: { direction: 'debit', assets: ['BTC', 'EUR'] } }, 'chg-1');
    expect(await inForce(world)).toMatchObject([{ freezeId, scope: { direction: 'debit', assets: ['BTC'] } }]);
    await vary({ scope: ALL }, 'chg-2');
    expect(await inForce(world)).toMatchObject([{ freezeId, scope: { direction: 'debit', assets: ['BTC'] } }]);
    expect((await types('account-acc-1')).filter((type) => type === 'FreezeVaried')).toHaveLength(1);
    await expectQuiet(world);
  });

  it('leaves the party named who controls an address of the order', async () => {
    const address = { chain: 'bitcoin', address: 'bc1qlinked' } as const;
    await world.accept({ type: 'LinkAddress', partyId: 'p-1', ...address, role: 'holder-controlled' });
    await order([{ kind: 'address', ...address }], ALL);
    const freezeId = await freeze('acc-1');
    await vary({ scope: keeping('4') });
    expect(await inForce(world)).toMatchObject([{ freezeId, scope: { limits: { BTC: '400000000' } } }]);
    expect((await types('party-p-1')).filter((type) => type.startsWith('Party'))).toEqual([
      'PartyRegistered',
      'PartyIdentified',
      'PartyNamed',
    ]);
    await expectQuiet(world);
  });

  it('that leaves nothing of a narrower freeze ends it', async () => {
    await order([account('acc-1')], ALL);
    await freeze('acc-1', { direction: 'debit', assets: ['ETH'] });
    await vary({ scope: { direction: 'debit', assets: ['BTC'] } });
    const [lift] = (await world.store.read('account-acc-1')).slice(-1);
    const varied = (await world.store.read('legalOrder-ord-1')).find(({ type }) => type === 'LegalOrderVaried');
    expect(lift).toMatchObject({
      type: 'AccountUnfrozen',
      data: { ground: 'basis-varied', citation: { eventId: varied?.id }, requestedBy: 'maker', approvedBy: 'checker' },
    });
    await expectQuiet(world);
  });

  it('is followed though an ending is proposed, and not by new freezes', async () => {
    await order([account('acc-1'), account('acc-2')], ALL);
    const freezeId = await freeze('acc-1');
    await world.accept(variation('chg-1', { scope: keeping('1') }));
    await world.accept(endingProposal('ord-1', 'chg-2'));
    await world.accept(
      { type: 'VerifyChange', orderId: 'ord-1', changeId: 'chg-1', method: 'sealed copy' },
      { actor: checker },
    );
    expect(await inForce(world)).toMatchObject([{ freezeId, scope: { limits: { BTC: '100000000' } } }]);
    expect((await world.ask(freezing('acc-2'))).status).toBe('rejected');
    await expectQuiet(world);
  });
});

describe('a variation of limits', () => {
  const limitsOf = async (): Promise<unknown> =>
    Object.fromEntries(
      (await inForce(world)).map((each) => {
        const { accountId, scope } = each as { accountId: string; scope: { limits: { BTC: string } } };
        return [accountId, Number(scope.limits.BTC) / 1e8];
      }),
    );

  it('spends what is lowered over the freezes in the order of their authorisation', async () => {
    await order(
      ['1', '2', '3'].map((nth) => account(`acc-${nth}`)),
      keeping('10'),
    );
    await freeze('acc-2', keeping('4'));
    await freeze('acc-1', keeping('4'));
    await freeze('acc-3', keeping('2'));
    await vary({ scope: keeping('6') });
    expect(await limitsOf()).toEqual({ 'acc-2': 4, 'acc-1': 2, 'acc-3': 0 });
    expect(await reserve('acc-3', '10')).toBe('accepted');
    expect(await reserve('acc-3', '1')).toBe('insufficient-funds');
    expect(await reserve('acc-1', '9')).toBe('account-frozen');
    await expectQuiet(world);
    await vary({ scope: keeping('3') }, 'chg-2');
    expect(await limitsOf()).toEqual({ 'acc-2': 3, 'acc-1': 0, 'acc-3': 0 });
    await expectQuiet(world);
  });

  it('keeps no more than the order does when it is cut between its steps', async () => {
    await order([account('acc-1'), account('acc-2')]);
    await freeze('acc-1');
    await freeze('acc-2');
    await vary({ scope: keeping('5') });
    const log = await world.log();
    const varied = log.findIndex(({ type }) => type === 'LegalOrderVaried');
    for (let count = varied + 1; count <= log.length; count += 1) {
      world = new LedgerWorld({ store: await storeOf(log.slice(0, count)), clock: world.clock });
      await world.ledger.supervisor.pass();
      expect(await limitsOf()).toEqual({ 'acc-1': 5, 'acc-2': 0 });
      await expectQuiet(world);
    }
  });

  it('gives what is raised to a freeze of the whole, as far as no other uses it up', async () => {
    await order(
      ['1', '2'].map((nth) => account(`acc-${nth}`)),
      keeping('5'),
    );
    await freeze('acc-1');
    await vary({ scope: keeping('9') });
    expect(await limitsOf()).toEqual({ 'acc-1': 9 });
    await vary({ scope: keeping('4') }, 'chg-2');
    expect(await limitsOf()).toEqual({ 'acc-1': 4 });
    await vary({ scope: keeping('6') }, 'chg-3');
    expect((await world.ask(freezing('acc-2', keeping('1')))).status).toBe('rejected');
    await expectQuiet(world);
  });

  it('that brings limits in leaves nothing to a freeze that had ended', async () => {
    await order([account('acc-1'), account('acc-2')], { direction: 'debit', assets: ['ETH'] });
    const freezeId = await freeze('acc-1');
    await freeze('acc-2');
    await lift(freezeId);
    await vary({ scope: keeping('7') });
    expect(await limitsOf()).toEqual({ 'acc-2': 7 });
    await expectQuiet(world);
  });

  it('that brings limits in leaves the whole to the first', async () => {
    await order(
      ['1', '2'].map((nth) => account(`acc-${nth}`)),
      { direction: 'debit', assets: ['BTC'] },
    );
    await freeze('acc-1');
    await freeze('acc-2');
    await vary({ scope: keeping('7') });
    expect(await limitsOf()).toEqual({ 'acc-1': 7, 'acc-2': 0 });
    await expectQuiet(world);
  });

  it('has been followed for good by a freeze that keeps less than the whole: what ends later gives it nothing', async () => {
    const subjects = [account('acc-1'), account('acc-2')];
    await order(subjects, { direction: 'debit', assets: ['BTC'] });
    const freezeId = await freeze('acc-1');
    await freeze('acc-2');
    await vary({ scope: keeping('7') });
    await vary({ subjects: [...subjects, { kind: 'external', sha256: 'e'.repeat(64) }] }, 'chg-2');
    await lift(freezeId);
    expect(await limitsOf()).toEqual({ 'acc-2': 0 });
    await expectQuiet(world);
    await vary({ subjects }, 'chg-3');
    expect(await limitsOf()).toEqual({ 'acc-2': 7 });
    await expectQuiet(world);
  });

  it('lowered while the first account is dropped leaves the room to those that stay', async () => {
    await order(
      ['1', '2'].map((nth) => account(`acc-${nth}`)),
      keeping('10'),
    );
    await freeze('acc-1', keeping('6'));
    await freeze('acc-2', keeping('4'));
    await vary({ subjects: [account('acc-2')], scope: keeping('5') });
    expect(await limitsOf()).toEqual({ 'acc-2': 4 });
    await expectQuiet(world);
  });

  it('a limit that a variation freed can be used by another freeze, which says since when', async () => {
    await order(
      ['1', '2'].map((nth) => account(`acc-${nth}`)),
      keeping('10'),
    );
    await freeze('acc-1', keeping('10'));
    await vary({ scope: keeping('4') });
    await vary({ scope: { direction: 'debit', assets: ['BTC'], limits: { BTC: '6' } } }, 'chg-2');
    expect(await limitsOf()).toEqual({ 'acc-1': 6 });
    await vary({ subjects: [account('acc-2')] }, 'chg-3');
    await freeze('acc-2', keeping('6'));
    expect(await limitsOf()).toEqual({ 'acc-2': 6 });
    await expectQuiet(world);
  });
});

describe('a variation of the subjects', () => {
  it('ends the freeze of an account that it drops, also when a later one names it again', async () => {
    await order([account('acc-1'), account('acc-2')]);
    const freezeId = await freeze('acc-1');
    // Both stand on the order's stream before anybody follows them.
    await varyUnseen({ subjects: [account('acc-2')] }, 'chg-1');
    await varyUnseen({ subjects: [account('acc-1'), account('acc-2')] }, 'chg-2');
    await world.ledger.supervisor.pass();
    expect(await inForce(world)).toEqual([]);
    const lift = (await world.store.read('account-acc-1')).at(-1);
    expect(lift).toMatchObject({ type: 'AccountUnfrozen', data: { freezeId, ground: 'basis-varied' } });
    const again = await freeze('acc-1');
    expect(await inForce(world)).toMatchObject([{ freezeId: again }]);
    await expectQuiet(world);
  });

  it('does not hold up a freeze of an account that was dropped and restored: one append lifts and freezes', async () => {
    await order([account('acc-1'), account('acc-2')]);
    const freezeId = await freeze('acc-1');
    await varyUnseen({ subjects: [account('acc-2')] }, 'chg-1');
    await varyUnseen({ subjects: [account('acc-1')] }, 'chg-2');
    const events = await world.accept(freezing('acc-1'), { key: 'again' });
    expect(events.map(({ type }) => type)).toEqual(['AccountFrozen']);
    const [lift, frozen] = (await world.store.read('account-acc-1')).slice(-2);
    expect(lift).toMatchObject({ type: 'AccountUnfrozen', data: { freezeId, ground: 'basis-varied' } });
    expect(lift?.metadata).toMatchObject({ key: null, recordedAt: frozen?.metadata.recordedAt });
    const repeated = await world.ask(freezing('acc-1'), { key: 'again' });
    expect(repeated).toMatchObject({ status: 'accepted', replayed: true, authorisation: { type: 'FreezeAuthorised' } });
    await world.ledger.supervisor.pass();
    await expectQuiet(world);
  });

  it('leaves a freeze whose account it names in another way', async () => {
    await order([account('acc-1')]);
    const freezeId = await freeze('acc-1');
    await vary({ subjects: [party('p-1')] });
    expect(await inForce(world)).toMatchObject([{ freezeId }]);
    expect((await types('account-acc-1')).at(-1)).toBe('AccountFrozen');
    await vary({ scope: keeping('2') }, 'chg-2');
    expect(await inForce(world)).toMatchObject([{ freezeId, scope: { limits: { BTC: '200000000' } } }]);
    await expectQuiet(world);
  });

  it('lets what it adds be frozen, tied to the order by the variation', async () => {
    await order([account('acc-1')]);
    expect((await world.ask(freezing('acc-2'))).status).toBe('rejected');
    await vary({ subjects: [account('acc-1'), account('acc-2')] });
    await freeze('acc-2');
    const varied = (await world.store.read('legalOrder-ord-1')).find(({ type }) => type === 'LegalOrderVaried');
    const authorised = (await world.store.read('legalOrder-ord-1')).at(-1);
    expect(authorised?.data).toMatchObject({ accountId: 'acc-2', namedBy: { eventId: varied?.id } });
    await expectQuiet(world);
  });

  it('names the parties that it adds, and no longer those that it drops, each time anew', async () => {
    await order([party('p-1')]);
    await vary({ subjects: [party('p-2')] }, 'chg-1');
    await vary({ subjects: [party('p-1'), party('p-2')] }, 'chg-2');
    await vary({ subjects: [party('p-2')] }, 'chg-3');
    const named = async (partyId: string): Promise<readonly string[]> =>
      (await types(`party-${partyId}`)).filter((type) => type.includes('Named'));
    expect(await named('p-1')).toEqual(['PartyNamed', 'PartyNoLongerNamed', 'PartyNamed', 'PartyNoLongerNamed']);
    expect(await named('p-2')).toEqual(['PartyNamed']);
    const open = { type: 'OpenAccount', accountId: 'acc-9' } as const;
    const refused = await world.ask({ ...open, holders: [{ partyId: 'p-2', capacity: 'owner' }] }, { actor: service });
    expect(refused).toMatchObject({ status: 'rejected', rejection: { code: 'party-named-by-basis' } });
    await world.accept({ ...open, holders: [{ partyId: 'p-1', capacity: 'owner' }] }, { actor: service });
    await expectQuiet(world);
    await world.endOrder('ord-1', 'chg-4');
    expect(await named('p-2')).toEqual(['PartyNamed', 'PartyNoLongerNamed']);
    await expectQuiet(world);
  });

  it('names a party anew that was dropped and restored before anybody looked, in one append', async () => {
    await order([party('p-1')]);
    await varyUnseen({ subjects: [party('p-2')] }, 'chg-1');
    await varyUnseen({ subjects: [party('p-1')] }, 'chg-2');
    await world.ledger.supervisor.pass();
    const events = (await world.store.read('party-p-1')).slice(-2);
    expect(events.map(({ type }) => type)).toEqual(['PartyNoLongerNamed', 'PartyNamed']);
    expect(events[0]?.metadata.recordedAt).toBe(events[1]?.metadata.recordedAt);
    await expectQuiet(world);
  });

  it('undoes a naming that comes late as often as it comes', async () => {
    await order([party('p-1'), party('p-2')]);
    const [named] = (await world.store.read('party-p-1')).filter(({ type }) => type === 'PartyNamed');
    await vary({ subjects: [party('p-2')] });
    for (const times of [2, 3]) {
      // What a process wrote that had read the order before the variation.
      await forceIn(world.store, 'party-p-1', { type: 'PartyNamed', data: named?.data });
      const fresh = new LedgerWorld({ store: world.store, clock: world.clock });
      await fresh.ledger.supervisor.pass();
      const undone = (await types('party-p-1')).filter((type) => type === 'PartyNoLongerNamed');
      expect(undone).toHaveLength(times);
    }
    await expectQuiet(world);
  });
});

describe('what was authorised before a variation and is still open', () => {
  it('is given up when the variation drops its account', async () => {
    await order([account('acc-1'), account('acc-2')]);
    await authoriseOnly('acc-1');
    await vary({ subjects: [account('acc-2')] });
    const last = (await world.store.read('account-acc-1')).at(-1);
    expect(last).toMatchObject({ type: 'FreezeAbandoned', data: { reason: 'basis-varied' } });
    await expectQuiet(world);
  });

  it('is frozen first, then varied', async () => {
    await order([account('acc-1')]);
    await authoriseOnly('acc-1');
    await vary({ scope: keeping('2') });
    expect((await types('account-acc-1')).slice(-2)).toEqual(['AccountFrozen', 'FreezeVaried']);
    await expectQuiet(world);
  });

  /** A handler that stops between its two appends. */
  async function authoriseOnly(accountId: string): Promise<void> {
    const stream = 'legalOrder-ord-1';
    const [registered] = await world.store.read(stream);
    const namedBy = { stream, revision: '0', eventId: registered?.id };
    const data = { orderId: 'ord-1', accountId, scope: ALL, namedBy, requestedBy: maker.id };
    const key = { caller: maker.id, homeStream: `account-${accountId}`, value: 'left' };
    await forceIn(world.store, stream, { type: 'FreezeAuthorised', data }, { key, actor: maker });
    world = new LedgerWorld({ store: world.store, clock: world.clock });
  }
});

describe('two authorisations that replace the same one', () => {
  /** As two processes leave them that each followed another variation, and stopped before the account's stream. */
  async function bothOpen(): Promise<{ freezeId: string; later: RecordedEvent }> {
    await order([account('acc-1')]);
    const freezeId = await freeze('acc-1');
    const first = (await world.store.read('legalOrder-ord-1')).at(-1) as RecordedEvent;
    await varyUnseen({ scope: keeping('1') }, 'chg-1');
    await replacing(first);
    await varyUnseen({ scope: keeping('2') }, 'chg-2');
    return { freezeId, later: await replacing(first) };
  }
  async function replacing({ stream, revision, id, data }: RecordedEvent): Promise<RecordedEvent> {
    const varied = (await world.store.read(stream)).findLast(({ type }) => type === 'LegalOrderVaried');
    const { scope } = varied?.data as { scope: object };
    const replaces = { stream, revision: String(revision), eventId: id };
    return forceIn(world.store, stream, { type: 'FreezeAuthorised', data: { ...(data as object), scope, replaces } });
  }

  it('vary the freeze once, by the one that comes first, and the supervisor goes on from there', async () => {
    const { freezeId } = await bothOpen();
    await world.ledger.supervisor.pass();
    expect(world.failures).toEqual([]);
    const events = (await world.store.read('account-acc-1')).slice(-3);
    expect(events.map(({ type }) => type)).toEqual(['FreezeVaried', 'FreezeAbandoned', 'FreezeVaried']);
    expect(events[1]?.data).toMatchObject({ reason: 'superseded' });
    expect(await inForce(world)).toMatchObject([{ freezeId, scope: { limits: { BTC: '200000000' } } }]);
    await expectQuiet(world);
  });

  it('the second is no citation of the freeze, whoever writes that it is', async () => {
    const { later } = await bothOpen();
    const fresh = new LedgerWorld({ store: world.store, clock: world.clock });
    await fresh.ledger.supervisor.pass();
    const varied = (await world.store.read('account-acc-1')).find(({ type }) => type === 'FreezeVaried');
    const { citation: _, ...data } = varied?.data as { citation: object; scope: object };
    const citation = { stream: later.stream, revision: String(later.revision), eventId: later.id };
    const { scope } = later.data as { scope: object };
    const stream = 'account-acc-1';
    // In the place of the abandonment.
    const upTo = (await world.store.read(stream)).findIndex(({ type }) => type === 'FreezeAbandoned');
    const fold = new StreamFold(stream, new CitationResolver(world.store));
    for (const event of (await world.store.read(stream)).slice(0, upTo)) await fold.apply(event);
    const forged = await forceIn(world.store, stream, { type: 'FreezeVaried', data: { ...data, scope, citation } });
    const judged = await fold.applyOwn({ ...forged, revision: upTo });
    expect(judged.violation).toMatchObject({ code: 'illegal-event', detail: expect.stringContaining('does not rest') });
  });
});

describe('what was forged', () => {
  const last = async (stream: string, type: string): Promise<RecordedEvent> => {
    const event = (await world.store.read(stream)).findLast((each) => each.type === type);
    if (event === undefined) throw new Error(`no ${type} on ${stream}`);
    return event;
  };
  const place = ({ stream, revision, id }: RecordedEvent): object => ({
    stream,
    revision: String(revision),
    eventId: id,
  });

  beforeEach(async () => {
    await order([account('acc-1'), account('acc-2')], keeping('5'));
    await freeze('acc-1');
    await vary({ scope: keeping('3') });
    await freeze('acc-2', keeping('1')).catch(() => undefined);
  });

  it('varies nothing by a citation that is spent, and nothing by one of another account', async () => {
    const { data } = await last('account-acc-1', 'FreezeVaried');
    await forceIn(world.store, 'account-acc-1', { type: 'FreezeVaried', data });
    expect(await violations(world, 'account-acc-1')).toEqual([expect.stringContaining('illegal-event')]);
  });

  it('varies nothing by an authorisation that places a freeze, nor to another scope', async () => {
    const varied = await last('account-acc-1', 'FreezeVaried');
    const { citation, freezeId } = varied.data as { citation: object; freezeId: string };
    const first = (await world.store.read('legalOrder-ord-1')).find(({ id }) => id === freezeId);
    const again = { ...(varied.data as object), citation: place(first as RecordedEvent), replaces: citation };
    await forceIn(world.store, 'account-acc-1', { type: 'FreezeVaried', data: again });
    expect(await violations(world, 'account-acc-1')).toHaveLength(1);
    expect(await inForce(world)).toMatchObject([{ scope: { limits: { BTC: '300000000' } } }]);
  });

  it('varies nothing by an authorisation that no variation asks for', async () => {
    const authorised = await last('legalOrder-ord-1', 'FreezeAuthorised');
    const varied = await last('account-acc-1', 'FreezeVaried');
    const scope = { direction: 'debit', assets: ['BTC'], limits: { BTC: '1' } };
    const replaces = place(authorised);
    const forged = await forceIn(world.store, 'legalOrder-ord-1', {
      type: 'FreezeAuthorised',
      data: { ...(authorised.data as object), scope, replaces },
    });
    const data = { ...(varied.data as object), scope, replaces, citation: place(forged) };
    await forceIn(world.store, 'account-acc-1', { type: 'FreezeVaried', data });
    expect(await violations(world, 'legalOrder-ord-1')).toEqual([expect.stringContaining('no variation asks')]);
    expect(await violations(world, 'account-acc-1')).toEqual([expect.stringContaining('citation-unresolved')]);
    expect(await inForce(world)).toMatchObject([{ scope: { limits: { BTC: '300000000' } } }]);
  });

  it('lifts nothing by a variation that did not drop the account', async () => {
    const variation = await last('legalOrder-ord-1', 'LegalOrderVaried');
    const { freezeId } = (await last('account-acc-1', 'FreezeVaried')).data as { freezeId: string };
    const people = { requestedBy: 'maker', approvedBy: 'checker' };
    const data = { accountId: 'acc-1', freezeId, ground: 'basis-varied', citation: place(variation), ...people };
    await forceIn(world.store, 'account-acc-1', { type: 'AccountUnfrozen', data });
    expect(await violations(world, 'account-acc-1')).toEqual([expect.stringContaining('citation-unresolved')]);
    expect(await inForce(world)).toHaveLength(1);
  });

  it('abandons nothing for a variation that was not, or a citation that stands', async () => {
    await world.accept(variation('chg-2', { scope: keeping('2') }));
    const authorised = await last('legalOrder-ord-1', 'FreezeAuthorised');
    const citation = place(authorised);
    for (const reason of ['basis-varied', 'superseded']) {
      const data = { accountId: 'acc-2', freezeId: authorised.id, basis, citation, reason };
      await forceIn(world.store, 'account-acc-2', { type: 'FreezeAbandoned', data });
    }
    expect(await violations(world, 'account-acc-2')).toHaveLength(2);
  });

  it('varies no order by what nobody proposed, or the maker verified', async () => {
    await world.accept(variation('chg-2', { scope: keeping('2') }));
    const people = { method: 'm', proposedBy: 'maker', verifiedBy: 'checker' };
    const { scope } = (await last('legalOrder-ord-1', 'LegalOrderChangeProposed')).data as { scope: object };
    const data = { orderId: 'ord-1', changeId: 'chg-2', scope, ...people };
    const wider = { ...data, scope: { direction: 'both', assets: 'all' } };
    await forceIn(world.store, 'legalOrder-ord-1', { type: 'LegalOrderVaried', data: wider });
    await forceIn(world.store, 'legalOrder-ord-1', {
      type: 'LegalOrderVaried',
      data: { ...data, verifiedBy: 'maker' },
    });
    expect(await violations(world, 'legalOrder-ord-1')).toEqual([
      expect.stringContaining('not the one that was proposed'),
      expect.stringContaining('also decided it'),
    ]);
  });
});

/** Verified by a process that dies before it does anything about it; another goes on. */
async function varyUnseen(changes: Varied, changeId: string): Promise<void> {
  world = await varyOrderUnseen(world, changes, changeId);
}
