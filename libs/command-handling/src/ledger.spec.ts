import { describe, expect, it } from '@jest/globals';
import { checker, LedgerWorld, maker, endingProposal, service } from '#testing';

const deposit = {
  type: 'Deposit',
  accountId: 'acc-1',
  depositId: 'd-1',
  asset: 'BTC',
  amount: '1.5',
  source: { kind: 'bank', reference: 'r' },
} as const;
const withdrawal = {
  type: 'ReserveWithdrawal',
  accountId: 'acc-1',
  withdrawalId: 'w-1',
  asset: 'BTC',
  amount: '1',
  destination: { kind: 'bank', reference: 'r' },
} as const;
const freeze = { type: 'FreezeAccount', accountId: 'acc-1', basis: { kind: 'legal-order', id: 'ord-1' } } as const;

async function typesOf(world: LedgerWorld, stream: string): Promise<string[]> {
  return (await world.store.read(stream)).map((event) => event.type);
}

describe('a freeze from first to last', () => {
  it('stops what is reserved, refuses what comes after, and ends with its basis', async () => {
    const world = new LedgerWorld();
    await world.openAccount();
    await world.accept(deposit, { actor: service });
    await world.accept(withdrawal, { actor: service });
    await world.putOrder();
    const frozen = await world.ask(freeze, { key: 'f-1' });
    expect(frozen).toMatchObject({ status: 'accepted', replayed: false, revision: 4 });
    expect(await world.ask({ ...withdrawal, withdrawalId: 'w-2' })).toMatchObject({
      status: 'rejected',
      rejection: { code: 'account-frozen' },
    });
    await world.endOrder();
    expect(await typesOf(world, 'account-acc-1')).toEqual([
      'AccountOpened',
      'FundsDeposited',
      'WithdrawalReserved',
      'AccountFrozen',
      'WithdrawalStopped',
      'CommandRefused',
      'AccountUnfrozen',
    ]);
    expect(world.failures).toEqual([]);
    await world.accept({ ...withdrawal, withdrawalId: 'w-3' });
    const again = await world.ask(freeze, { key: 'f-1' });
    expect(again).toEqual({ ...frozen, replayed: true });
  });

  it('answers a repeated refusal as the first time', async () => {
    const world = new LedgerWorld();
    await world.openAccount();
    await world.putOrder({}, false);
    const refused = await world.ask(freeze, { key: 'f-1' });
    expect(refused).toMatchObject({ status: 'rejected', rejection: { code: 'basis-not-in-force' }, replayed: false });
    await world.accept({ type: 'VerifyLegalOrder', orderId: 'ord-1', method: 'm' }, { actor: checker });
    expect(await world.ask(freeze, { key: 'f-1' })).toEqual({ ...refused, replayed: true });
    expect(await world.ask({ ...freeze, basis: { kind: 'legal-order', id: 'ord-2' } }, { key: 'f-1' })).toMatchObject({
      rejection: { code: 'idempotency-key-reused' },
    });
    expect(await world.ask(freeze, { key: 'f-2' })).toMatchObject({ status: 'accepted' });
    expect(await world.ask(freeze, { key: 'f-3' })).toMatchObject({ rejection: { code: 'already-exists' } });
  });

  it('turns an order that does not exist, does not name the account, or is to end away', async () => {
    const world = new LedgerWorld();
    await world.openAccount();
    await world.openAccount('acc-2', 'p-2');
    expect(await world.ask(freeze)).toMatchObject({ rejection: { code: 'basis-not-found' } });
    await world.putOrder();
    expect(await world.ask({ ...freeze, accountId: 'acc-2' })).toMatchObject({
      rejection: { code: 'basis-does-not-name-account' },
    });
    await world.accept(endingProposal());
    expect(await world.ask(freeze)).toMatchObject({ rejection: { code: 'basis-not-in-force' } });
    expect(await world.ask({ ...freeze, accountId: 'acc-9' })).toMatchObject({
      rejection: { code: 'account-not-found' },
    });
    expect(await typesOf(world, 'account-acc-1')).toEqual(['AccountOpened', 'CommandRefused', 'CommandRefused']);
  });
});

describe('an order that names a party', () => {
  it('lets no account open, lets those there be frozen, and gives way when it ends', async () => {
    const world = new LedgerWorld();
    await world.openAccount();
    await world.putOrder({ subjects: [{ kind: 'party', partyId: 'p-1' }] });
    const open = { type: 'OpenAccount', accountId: 'acc-2', holders: [{ partyId: 'p-1', capacity: 'owner' }] } as const;
    expect(await world.ask(open, { key: 'o-1' })).toMatchObject({ rejection: { code: 'party-named-by-basis' } });
    expect(await world.ask(freeze)).toMatchObject({ status: 'accepted' });
    await world.endOrder();
    expect(await typesOf(world, 'party-p-1')).toEqual([
      'PartyRegistered',
      'PartyIdentified',
      'AccountAttached',
      'PartyNamed',
      'PartyNoLongerNamed',
    ]);
    expect(await world.ask(open, { key: 'o-1' })).toMatchObject({
      replayed: true,
      rejection: { code: 'party-named-by-basis' },
    });
    expect(await world.ask(open, { key: 'o-2' })).toMatchObject({ status: 'accepted' });
    expect(world.failures).toEqual([]);
  });
});

describe('a lift for a freeze placed in error', () => {
  it('takes two people', async () => {
    const world = new LedgerWorld();
    await world.openAccount();
    await world.putOrder();
    const outcome = await world.ask(freeze);
    if (outcome.status !== 'accepted') throw new Error('the freeze has to stand');
    const freezeId = outcome.authorisation?.id ?? '';
    const asked = {
      type: 'RequestLift',
      freezeId,
      requestId: 'r-1',
      ground: 'placed-in-error',
      note: 'wrong account',
    } as const;
    await world.accept(asked);
    const approve = { type: 'ApproveLift', freezeId, requestId: 'r-1' } as const;
    expect(await world.ask(approve, { actor: maker })).toMatchObject({ rejection: { code: 'maker-is-checker' } });
    await world.accept(approve, { actor: checker });
    expect(await world.ask(withdrawal)).toMatchObject({ rejection: { code: 'insufficient-funds' } });
  });
});
