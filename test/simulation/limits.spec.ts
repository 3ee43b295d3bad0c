import type { EventStore } from '#event-store';
import { MemoryEventStore } from '#event-store/memory';
import { systemClock, toMs, toTimestamp, type EventPointer, type RecordedEvent } from '#kernel';
import { Judge, replayAccount, type JudgedEvent } from '#replay';
import { checker, checkLog, describeBreaches, LedgerWorld, nextTestId, seal, service, type TestClock } from '#testing';
import { beforeEach, describe, expect, it } from '@jest/globals';

const bank = { kind: 'bank', reference: 'r' } as const;
const basis = { kind: 'legal-order', id: 'ord-1' } as const;
const ACCOUNTS = ['acc-1', 'acc-2', 'acc-3'];
const subjects = ACCOUNTS.map((accountId) => ({ kind: 'account', accountId }) as const);

/** Freezes `BTC` of an account under the one order. */
function freeze(accountId: string, limit?: string) {
  const scope = { direction: 'debit', assets: ['BTC'], limits: { BTC: limit ?? '' } } as const;
  return {
    type: 'FreezeAccount',
    accountId,
    basis,
    ...(limit === undefined ? {} : { scope: { ...scope, assets: ['BTC'] } }),
  } as const;
}

describe('an order with limits', () => {
  let store: EventStore;
  let world: LedgerWorld;
  beforeEach(async () => {
    store = new MemoryEventStore();
    world = new LedgerWorld({ store, clock: systemClock as TestClock });
    for (const accountId of ACCOUNTS) {
      await world.openAccount(accountId, `p-${accountId}`);
      const deposit = {
        type: 'Deposit',
        accountId,
        depositId: 'd-1',
        asset: 'BTC',
        amount: '2',
        source: bank,
      } as const;
      await world.accept(deposit, { actor: service });
    }
    await world.putOrder({ subjects, scope: { direction: 'debit', assets: ['BTC'], limits: { BTC: '1.5' } } });
  });

  const reserve = (accountId: string, withdrawalId: string, amount: string) =>
    world.ask(
      { type: 'ReserveWithdrawal', accountId, withdrawalId, asset: 'BTC', amount, destination: bank },
      { actor: service },
    );
  async function place(accountId: string, limit?: string): Promise<string> {
    const [frozen] = await world.accept(freeze(accountId, limit));
    return (frozen?.data as { freezeId: string }).freezeId;
  }
  async function lift(freezeId: string): Promise<RecordedEvent> {
    await world.accept({ type: 'RequestLift', freezeId, requestId: 'r-1', ground: 'placed-in-error', note: 'n' });
    const [lifted] = await world.accept({ type: 'ApproveLift', freezeId, requestId: 'r-1' }, { actor: checker });
    if (lifted === undefined) throw new Error('nothing was lifted');
    return lifted;
  }
  async function judged(stream: string): Promise<readonly JudgedEvent[]> {
    const judge = new Judge(store);
    const verdicts: JudgedEvent[] = [];
    for (const event of await world.log()) verdicts.push({ ...(await judge.judge(event)) });
    return verdicts.filter(({ recorded }) => recorded.stream === stream);
  }
  async function expectWhole(): Promise<void> {
    const log = await world.log();
    expect(describeBreaches(checkLog(log, { quiescent: true }), log)).toBe('');
    expect(world.failures).toEqual([]);
  }

  it('keeps as much as it says, and lets the rest go', async () => {
    await place('acc-1');
    expect(await reserve('acc-1', 'w-1', '0.5')).toMatchObject({ status: 'accepted' });
    expect(await reserve('acc-1', 'w-2', '0.00000001')).toMatchObject({ rejection: { code: 'account-frozen' } });
    await expectWhole();
  });

  it('is spent over the accounts that it names, and never beyond', async () => {
    await place('acc-1', '1');
    expect(await world.ask(freeze('acc-2'))).toMatchObject({ rejection: { code: 'scope-exceeds-basis' } });
    expect(await world.ask(freeze('acc-2', '0.50000001'))).toMatchObject({
      rejection: { code: 'scope-exceeds-basis' },
    });
    await place('acc-2', '0.5');
    expect(await world.ask(freeze('acc-1', '1'))).toMatchObject({ rejection: { code: 'already-exists' } });
    await expectWhole();
  });

  it('is free again for another account once a freeze has ended, and the authorisation says so', async () => {
    const freezeId = await place('acc-1');
    const lifted = await lift(freezeId);
    const outcome = await world.ask(freeze('acc-2'));
    const endedBy = { stream: lifted.stream, revision: String(lifted.revision), eventId: lifted.id };
    expect(outcome).toMatchObject({
      status: 'accepted',
      authorisation: { data: { endedFreezes: [{ freezeId, endedBy }] } },
    });
    expect(await reserve('acc-2', 'w-1', '0.6')).toMatchObject({ rejection: { code: 'account-frozen' } });
    // Whoever loads the account anew comes to the same.
    const fresh = new LedgerWorld({ store, clock: systemClock as TestClock });
    const again = {
      type: 'ReserveWithdrawal',
      accountId: 'acc-2',
      withdrawalId: 'w-2',
      asset: 'BTC',
      amount: '0.6',
    } as const;
    expect(await fresh.ask({ ...again, destination: bank })).toMatchObject({ rejection: { code: 'account-frozen' } });
    await lift((outcome.status === 'accepted' ? outcome.authorisation?.id : undefined) ?? '');
    await place('acc-3');
    await expectWhole();
  });

  it('says nothing of freezes that have ended where there is room without', async () => {
    await lift(await place('acc-1', '0.1'));
    const outcome = await world.ask(freeze('acc-2', '1'));
    expect(outcome).toMatchObject({ status: 'accepted' });
    expect(JSON.stringify(outcome)).not.toContain('endedFreezes');
  });

  it('is not overspent by two who ask at the same time', async () => {
    const outcomes = await Promise.all(ACCOUNTS.map((accountId) => world.ask(freeze(accountId, '0.75'))));
    const codes = outcomes.map((outcome) => (outcome.status === 'accepted' ? 'accepted' : outcome.rejection.code));
    expect(codes.sort()).toEqual(['accepted', 'accepted', 'scope-exceeds-basis']);
    await expectWhole();
  });

  it('is not said to be overspent by a freeze that had ended, whoever else asks at the same time', async () => {
    await lift(await place('acc-2', '1.5'));
    const parts = await Promise.all([freeze('acc-1', '0.75'), freeze('acc-2', '0.75')].map((each) => world.ask(each)));
    expect(parts).toMatchObject([{ status: 'accepted' }, { status: 'accepted' }]);
    await expectWhole();
  });

  describe('of several assets', () => {
    const keep = (limits: Readonly<Record<string, string>>) =>
      ({ direction: 'debit', assets: Object.keys(limits), limits }) as const;
    const several = { kind: 'legal-order', id: 'ord-2' } as const;
    const both = { BTC: '4', EUR: '4' };
    const freezeKeeping = (accountId: string, limits: Readonly<Record<string, string>>) =>
      ({ type: 'FreezeAccount', accountId, basis: several, scope: keep(limits) }) as const;
    beforeEach(async () => {
      await world.accept({ type: 'RegisterAsset', code: 'EUR', scale: 2, kind: 'fiat' });
      await world.putOrder({ orderId: several.id, subjects, scope: keep(both) });
      for (const limits of [{ BTC: '4' }, { EUR: '4' }]) {
        const [frozen] = await world.accept(freezeKeeping('acc-2', limits));
        await lift((frozen?.data as { freezeId: string }).freezeId);
      }
    });

    it('is free again where a freeze of each has ended', async () => {
      const outcome = await world.ask(freezeKeeping('acc-3', { BTC: '1', EUR: '1' }));
      const endedFreezes = [{ freezeId: expect.any(String) }, { freezeId: expect.any(String) }];
      expect(outcome).toMatchObject({ status: 'accepted', authorisation: { data: { endedFreezes } } });
      await expectWhole();
      expect(await violationsOf('account-acc-3')).toEqual([]);
    });

    it('is free for a freeze of everything, but for an account that is frozen already', async () => {
      await world.accept(freezeKeeping('acc-3', { BTC: '1' }));
      const shares = {
        'acc-1': { BTC: '1', EUR: '2' },
        'acc-2': { BTC: '2', EUR: '1' },
        'acc-3': { BTC: '1', EUR: '1' },
      };
      const outcome = await world.freezeAll({ basis: several, shares });
      const alreadyFrozen = { status: 'rejected', rejection: { code: 'already-exists' } };
      expect(outcome).toMatchObject({
        parts: [{ outcome: { status: 'accepted' } }, { outcome: { status: 'accepted' } }, { outcome: alreadyFrozen }],
      });
      await expectWhole();
    });

    it('is not exceeded in any of them', async () => {
      await world.accept(freezeKeeping('acc-3', both));
      for (const limits of [{ BTC: '0.1' }, { EUR: '0.1' }]) {
        expect(await world.ask(freezeKeeping('acc-1', limits))).toMatchObject({
          rejection: { code: 'scope-exceeds-basis' },
        });
      }
      await expectWhole();
    });
  });

  it('refuses a limit that its asset can not have, before any rule', async () => {
    for (const [limit, code] of [
      ['0.000000001', 'malformed-request'],
      ['0', 'malformed-request'],
    ] as const) {
      expect(await world.ask(freeze('acc-1', limit))).toMatchObject({ rejection: { code } });
    }
    const scope = { direction: 'debit', assets: 'all', limits: { ETH: '1' } } as const;
    expect(await world.ask({ ...freeze('acc-1'), scope })).toMatchObject({ rejection: { code: 'asset-not-found' } });
    expect(await world.ask({ ...freeze('acc-9'), scope })).toMatchObject({ rejection: { code: 'account-not-found' } });
    expect((await world.log()).filter(({ type }) => type === 'CommandRefused')).toEqual([]);
  });

  /** Appends an event well sealed, past the service. */
  async function force(
    stream: string,
    type: string,
    data: object,
    options: { readonly schemaVersion?: number; readonly recordedAt?: string | undefined; readonly id?: string } = {},
  ): Promise<EventPointer> {
    const last = (await store.read(stream)).at(-1);
    if (last === undefined) throw new Error(`${stream} is empty`);
    const end = { revision: last.revision, hash: last.metadata.hash };
    const { schemaVersion = 1, id = nextTestId() } = options;
    const sealOptions = { recordedAt: options.recordedAt ?? new Date().toISOString(), schemaVersion, newId: () => id };
    await store.append(stream, last.revision, seal(stream, end, [{ type, data }], sealOptions));
    return { stream, revision: String(last.revision + 1), eventId: id };
  }
  async function forceAuthorisation(
    accountId: string,
    BTC: string,
    endedFreezes?: readonly object[],
    recordedAt?: string,
  ): Promise<EventPointer> {
    const stream = 'legalOrder-ord-1';
    const [registered] = await store.read(stream);
    const scope = { direction: 'debit', assets: ['BTC'], limits: { BTC } };
    const namedBy = { stream, revision: '0', eventId: registered?.id };
    const authorised = { orderId: 'ord-1', accountId, scope, namedBy, requestedBy: 'maker' };
    const data = { ...authorised, ...(endedFreezes === undefined ? {} : { endedFreezes }) };
    return force(stream, 'FreezeAuthorised', data, { recordedAt });
  }
  async function forceFrozen(accountId: string, BTC: string, citation: EventPointer): Promise<void> {
    const scope = { direction: 'debit', assets: ['BTC'], limits: { BTC } };
    const lists = { balancesAtFreeze: [], stopped: [], inFlight: [] };
    const who = { placedBy: 'maker', blockedFrom: new Date().toISOString(), claimGroup: 'legal-order/ord-1' };
    const data = { accountId, freezeId: citation.eventId, basis, citation, scope, ...who, ...lists };
    await force(`account-${accountId}`, 'AccountFrozen', data, { schemaVersion: 2 });
  }
  async function forceFreeze(accountId: string, BTC: string, endedFreezes?: readonly object[]): Promise<void> {
    await forceFrozen(accountId, BTC, await forceAuthorisation(accountId, BTC, endedFreezes));
  }
  const abandoned = (accountId: string, citation: EventPointer, existingFreezeId: string): object => {
    return { accountId, freezeId: citation.eventId, basis, citation, reason: 'already-frozen', existingFreezeId };
  };
  const violationsOf = async (stream: string) =>
    (await judged(stream)).flatMap(({ violation }) => (violation === undefined ? [] : [violation.code]));

  it('restricts nothing by a freeze that was forced in beyond it', async () => {
    await place('acc-1', '1');
    await forceFreeze('acc-2', '100000000');
    expect(await violationsOf('legalOrder-ord-1')).toEqual(['illegal-event']);
    expect(await violationsOf('account-acc-2')).toEqual(['citation-unresolved']);
  });

  it('restricts nothing by a forced freeze that relies on an end which never was', async () => {
    const freezeId = await place('acc-1', '1');
    const frozen = (await store.read('account-acc-1')).at(-1);
    const endedBy = { stream: 'account-acc-1', revision: String(frozen?.revision), eventId: frozen?.id };
    await forceFreeze('acc-2', '100000000', [{ freezeId, endedBy }]);
    expect(await violationsOf('account-acc-2')).toEqual(['citation-unresolved']);
  });

  it('restricts nothing by a forced freeze that relies on a lift which was forced in too', async () => {
    const freezeId = await place('acc-1', '1');
    const people = { requestedBy: 'maker', approvedBy: 'payments', requestId: 'r-1' };
    const citation = { stream: 'account-acc-1', revision: '0', eventId: freezeId };
    const lifted = { accountId: 'acc-1', freezeId, ground: 'placed-in-error', citation, ...people };
    const endedBy = await force('account-acc-1', 'AccountUnfrozen', lifted);
    await forceFreeze('acc-2', '100000000', [{ freezeId, endedBy }]);
    expect(await violationsOf('account-acc-1')).toEqual(['citation-unresolved']);
    expect(await violationsOf('account-acc-2')).toEqual(['citation-unresolved']);
    const replayed = await replayAccount(store, 'acc-2', undefined);
    expect(replayed?.state.freezes.inForce.size).toBe(0);
  });

  it('does restrict by a forced freeze that relies on an end which was: nothing is wrong with it', async () => {
    const lifted = await lift(await place('acc-1', '1'));
    const endedBy = { stream: lifted.stream, revision: String(lifted.revision), eventId: lifted.id };
    const { freezeId } = lifted.data as { freezeId: string };
    await forceFreeze('acc-2', '100000000', [{ freezeId, endedBy }]);
    expect(await violationsOf('account-acc-2')).toEqual([]);
  });

  it('is not satisfied by an end of a later time than the authorisation', async () => {
    const lifted = await lift(await place('acc-1', '1'));
    const endedBy = { stream: lifted.stream, revision: String(lifted.revision), eventId: lifted.id };
    const { freezeId } = lifted.data as { freezeId: string };
    const before = toTimestamp(toMs(lifted.metadata.recordedAt) - 1);
    const citation = await forceAuthorisation('acc-2', '100000000', [{ freezeId, endedBy }], before);
    await forceFrozen('acc-2', '100000000', citation);
    expect(await violationsOf('legalOrder-ord-1')).toEqual([]);
    expect(await violationsOf('account-acc-2')).toEqual(['citation-unresolved']);
  });

  it('is not satisfied by an end on the stream of another account', async () => {
    const freezeId = await place('acc-1', '1');
    const frozen = (await store.read('account-acc-1')).at(-1);
    const { citation } = frozen?.data as { citation: EventPointer };
    const endedBy = await force('account-acc-3', 'FreezeAbandoned', abandoned('acc-3', citation, freezeId));
    await forceFreeze('acc-2', '100000000', [{ freezeId, endedBy }]);
    expect(await violationsOf('account-acc-3')).toEqual(['illegal-event']);
    expect(await violationsOf('account-acc-2')).toEqual(['citation-unresolved']);
  });

  it('is not satisfied by an end that came only after the authorisation', async () => {
    const existingFreezeId = await place('acc-1', '1');
    const open = await forceAuthorisation('acc-1', '100000000');
    const revision = String((await store.read('account-acc-1')).length);
    const endedBy = { stream: 'account-acc-1', revision, eventId: nextTestId() };
    const citation = await forceAuthorisation('acc-2', '100000000', [{ freezeId: open.eventId, endedBy }]);
    await force('account-acc-1', 'FreezeAbandoned', abandoned('acc-1', open, existingFreezeId), {
      id: endedBy.eventId,
    });
    await forceFrozen('acc-2', '100000000', citation);
    expect(await violationsOf('account-acc-1')).toEqual([]);
    expect(await violationsOf('account-acc-2')).toEqual(['citation-unresolved']);
  });

  it('is not satisfied by the end of another freeze than the one it is said to be of', async () => {
    const lifted = await lift(await place('acc-1', '0.1'));
    const freezeId = await place('acc-1', '1');
    const endedBy = { stream: lifted.stream, revision: String(lifted.revision), eventId: lifted.id };
    await forceFreeze('acc-2', '100000000', [{ freezeId, endedBy }]);
    expect(await violationsOf('account-acc-2')).toEqual(['citation-unresolved']);
  });
});

describe('held funds', () => {
  it('stay held when a forged lift does not resolve, even if a forged release follows', async () => {
    const store = new MemoryEventStore();
    const world = new LedgerWorld({ store, clock: systemClock as TestClock });
    await world.openAccount();
    await world.putOrder({ scope: { direction: 'credit', assets: 'all' } });
    const [frozen] = await world.accept({ type: 'FreezeAccount', accountId: 'acc-1', basis });
    const { freezeId } = frozen?.data as { freezeId: string };
    const deposit = { type: 'Deposit', accountId: 'acc-1', asset: 'BTC', amount: '1', source: bank } as const;
    expect(await world.accept({ ...deposit, depositId: 'd-1' })).toMatchObject([{ type: 'FundsHeld' }]);
    const stream = 'account-acc-1';
    const last = (await store.read(stream)).at(-1);
    const citation = { stream, revision: '0', eventId: freezeId };
    const people = { requestedBy: 'maker', approvedBy: 'payments', requestId: 'r-1' };
    const lifted = { accountId: 'acc-1', freezeId, ground: 'placed-in-error', citation, ...people };
    const released = { accountId: 'acc-1', asset: 'BTC', amount: '100000000', freezeId };
    const events = seal(
      stream,
      { revision: last?.revision ?? -1, hash: last?.metadata.hash ?? null },
      [
        { type: 'AccountUnfrozen', data: lifted },
        { type: 'HeldFundsReleased', data: released },
      ],
      { recordedAt: new Date().toISOString() },
    );
    await store.append(stream, last?.revision ?? -1, events);
    const replayed = await replayAccount(store, 'acc-1', undefined);
    expect(replayed?.state.balances.get('BTC')).toEqual({ available: 0n, reserved: 0n, held: 100_000_000n });
    // Beside them the account goes on, and a real lift releases all.
    const fresh = new LedgerWorld({ store, clock: systemClock as TestClock });
    await fresh.accept({ ...deposit, depositId: 'd-2' });
    await fresh.accept({ type: 'RequestLift', freezeId, requestId: 'r-2', ground: 'placed-in-error', note: 'n' });
    const approval = await fresh.accept({ type: 'ApproveLift', freezeId, requestId: 'r-2' }, { actor: checker });
    expect(approval.map(({ type, data }) => [type, (data as { amount?: string }).amount])).toEqual([
      ['AccountUnfrozen', undefined],
      ['HeldFundsReleased', '200000000'],
    ]);
  });
});
