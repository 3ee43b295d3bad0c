import type { AnswerAuthorityRequest } from '#authority-requests';
import { beforeEach, describe, expect, it } from '@jest/globals';
import type { RecordedEvent } from '#kernel';
import {
  checker,
  checkLog,
  clearing,
  endingProposal,
  hitOfMeasure,
  letterRegistration,
  LedgerWorld,
  maker,
  putHit,
  raising,
  TestClock,
} from '#testing';

const stream = 'authorityRequest-req-1';
const basis = { kind: 'legal-order', id: 'ord-1' } as const;
const grant = {
  type: 'AnswerAuthorityRequest',
  requestId: 'req-1',
  outcome: 'granted',
  reason: 'the order demands it',
  basis,
} as const satisfies AnswerAuthorityRequest;
const refuse = { ...grant, outcome: 'refused', reason: 'no instrument', basis: undefined } as const;
const asChecker = { actor: checker };

let world: LedgerWorld;
beforeEach(async () => {
  world = new LedgerWorld();
  await world.openAccount();
  await world.accept(letterRegistration());
});

async function last(name = stream): Promise<RecordedEvent | undefined> {
  return (await world.store.read(name)).at(-1);
}

/** Expects that the answer is turned down for its basis, and that this is on record with where it was decided. */
async function expectRefused(
  code: string,
  revision: string | null,
  command: AnswerAuthorityRequest = grant,
): Promise<void> {
  const outcome = await world.ask(command, asChecker);
  expect(outcome).toMatchObject({ status: 'rejected', replayed: false, rejection: { code } });
  const decidedOn = { stream: 'legalOrder-ord-1', revision };
  expect(await last()).toMatchObject({ type: 'CommandRefused', data: { code, decidedOn, command: command.type } });
  expect(checkLog(await world.log())).toEqual([]);
}

describe('an answer', () => {
  it('says where the basis that it cites was in force', async () => {
    await world.putOrder();
    await world.accept({ type: 'FreezeAccount', accountId: 'acc-1', basis });
    const [answered] = await world.accept(grant, asChecker);
    expect(answered).toMatchObject({
      type: 'AuthorityRequestAnswered',
      data: {
        outcome: 'granted',
        basis,
        inForceAt: { stream: 'legalOrder-ord-1', revision: '2' },
        answeredBy: 'checker',
      },
    });
    expect(await last('legalOrder-ord-1')).toMatchObject({ revision: 2 });
    expect(checkLog(await world.log())).toEqual([]);
  });

  it('stands when the basis ends, for whoever reads the log later', async () => {
    await world.putOrder();
    const first = await world.ask(grant, { ...asChecker, key: 'a' });
    await world.endOrder();
    const later = new LedgerWorld({ store: world.store, clock: world.clock });
    expect(await later.ask(grant, { ...asChecker, key: 'a' })).toEqual({ ...first, replayed: true });
    expect(await later.ask(refuse, asChecker)).toMatchObject({
      rejection: { code: 'invalid-transition', extra: { state: 'granted' } },
    });
    expect(checkLog(await world.log())).toEqual([]);
  });

  it('freezes nothing, and can be cited by no freeze', async () => {
    await world.putOrder();
    await world.accept(grant, asChecker);
    const source = { kind: 'bank', reference: 'r' } as const;
    const funds = { accountId: 'acc-1', asset: 'BTC', amount: '1' };
    await world.accept({ type: 'Deposit', depositId: 'd-1', ...funds, source });
    await world.accept({ type: 'ReserveWithdrawal', withdrawalId: 'w-1', ...funds, destination: source });
    const freeze = { type: 'FreezeAccount', accountId: 'acc-1', basis: { kind: 'legal-order', id: 'req-1' } } as const;
    expect(await world.ask(freeze)).toMatchObject({ rejection: { code: 'basis-not-found' } });
    expect((await world.store.read(stream)).map(({ type }) => type)).toEqual([
      'AuthorityRequestRegistered',
      'AuthorityRequestAnswered',
    ]);
  });

  it('without a basis looks at none', async () => {
    const [answered] = await world.accept(refuse, asChecker);
    expect(answered?.data).toEqual({
      requestId: 'req-1',
      outcome: 'refused',
      reason: 'no instrument',
      answeredBy: 'checker',
    });
  });
});

describe('an answer under a sanctions hit', () => {
  const underHit = { ...grant, basis: { kind: 'sanctions-hit', id: 'hit-1' } } as const;
  const refusedFor = async (code: string, revision: string | null): Promise<void> => {
    expect(await world.ask(underHit, asChecker)).toMatchObject({ status: 'rejected', rejection: { code } });
    const decidedOn = { stream: 'sanctionsHit-hit-1', revision };
    expect(await last()).toMatchObject({ type: 'CommandRefused', data: { code, decidedOn } });
    expect(checkLog(await world.log())).toEqual([]);
  };

  it('says where the hit was in force', async () => {
    await putHit(world);
    const [answered] = await world.accept(underHit, asChecker);
    expect(answered?.data).toMatchObject({
      basis: underHit.basis,
      inForceAt: { stream: 'sanctionsHit-hit-1', revision: '1' },
    });
    for (const [command, actor = maker] of clearing) await world.accept(command, { actor });
    expect(checkLog(await world.log())).toEqual([]);
  });

  it('is turned down for one that there is not, and for one that is only raised', async () => {
    await refusedFor('basis-not-found', null);
    await world.accept(raising());
    await refusedFor('basis-not-in-force', '0');
  });

  it('is turned down while a clearance is proposed, and after it', async () => {
    await putHit(world);
    for (const [nth, [command, actor = maker]] of clearing.entries()) {
      await world.accept(command, { actor });
      await refusedFor('basis-not-in-force', String(nth + 2));
    }
  });

  it('is turned down for a hit of a lesser measure', async () => {
    await putHit(world, hitOfMeasure('trading-ban'));
    await refusedFor('basis-not-in-force', '1');
  });
});

describe('an answer whose basis is not in force', () => {
  it('is turned down for an order that there is not', async () => {
    await expectRefused('basis-not-found', null);
  });

  it('is turned down for one that is not verified, whatever the answer is', async () => {
    await world.putOrder({}, false);
    await expectRefused('basis-not-in-force', '0');
    await expectRefused('basis-not-in-force', '0', { ...refuse, basis });
    await expectRefused('basis-not-in-force', '0', { ...grant, outcome: 'withdrawn' });
  });

  it('is turned down while an ending is proposed, and after it', async () => {
    await world.putOrder();
    await world.accept(endingProposal());
    await expectRefused('basis-not-in-force', '2');
    await world.accept({ type: 'VerifyChange', orderId: 'ord-1', changeId: 'chg-1', method: 'sealed copy' }, asChecker);
    await expectRefused('basis-not-in-force', '3');
  });

  it('is turned down before the first and from the last instant of the order, and taken between them', async () => {
    const [effectiveAt, expiresAt] = ['2022-02-15T12:00:10.000Z', '2022-02-15T12:00:20.000Z'];
    await world.putOrder({ effectiveAt, expiresAt });
    world.clock.advance(9_999);
    await expectRefused('basis-not-in-force', '1');
    world.clock.advance(1);
    await world.accept(grant, asChecker);
    world.clock.advance(9_999);
    await world.accept(letterRegistration('req-2'));
    await world.accept({ ...grant, requestId: 'req-2' }, asChecker);
    await world.accept(letterRegistration('req-3'));
    world.clock.advance(1);
    expect(await world.ask({ ...grant, requestId: 'req-3' }, asChecker)).toMatchObject({
      rejection: { code: 'basis-not-in-force' },
    });
    expect(checkLog(await world.log())).toEqual([]);
  });

  it('is decided at the latest of all times that it rests on', async () => {
    const expiresAt = '2022-02-15T12:00:02.000Z';
    await world.putOrder({ expiresAt });
    world.clock.advance(2_000);
    await world.accept(letterRegistration('req-2'));
    // Another process, whose clock is two seconds behind what stands on the letter's stream.
    const behind = new LedgerWorld({ store: world.store, clock: new TestClock('2022-02-15T12:00:00.000Z') });
    expect(await behind.ask({ ...grant, requestId: 'req-2' }, asChecker)).toMatchObject({
      rejection: { code: 'basis-not-in-force' },
    });
    expect(checkLog(await world.log())).toEqual([]);
  });

  it('is answered the same when it is repeated, and may be given anew once the order is verified', async () => {
    await world.putOrder({}, false);
    const refused = await world.ask(grant, { ...asChecker, key: 'a' });
    await world.accept({ type: 'VerifyLegalOrder', orderId: 'ord-1', method: 'm' }, asChecker);
    expect(await world.ask(grant, { ...asChecker, key: 'a' })).toEqual({ ...refused, replayed: true });
    expect(await world.ask(refuse, { ...asChecker, key: 'a' })).toMatchObject({
      rejection: { code: 'idempotency-key-reused' },
    });
    expect(await world.ask(grant, { ...asChecker, key: 'b' })).toMatchObject({ status: 'accepted' });
  });
});

describe('before the basis is looked at', () => {
  it('the letter is there, the revision is right, and another person answers', async () => {
    expect(await world.ask({ ...grant, requestId: 'req-9' }, asChecker)).toMatchObject({
      rejection: { code: 'authority-request-not-found' },
    });
    expect(await world.store.read('authorityRequest-req-9')).toEqual([]);
    expect(await world.ask(grant, { ...asChecker, ifMatch: 7 })).toMatchObject({
      rejection: { code: 'revision-mismatch' },
    });
    expect(await world.ask({ ...grant, basis: undefined }, { ...asChecker, ifMatch: 7 })).toMatchObject({
      rejection: { code: 'malformed-request' },
    });
    expect(await world.store.read(stream)).toHaveLength(1);
    expect(await world.ask(grant, { actor: maker })).toMatchObject({ rejection: { code: 'maker-is-checker' } });
    expect(await last()).toMatchObject({ type: 'CommandRefused', data: { code: 'maker-is-checker', decidedOn: null } });
    expect(checkLog(await world.log())).toEqual([]);
  });
});
