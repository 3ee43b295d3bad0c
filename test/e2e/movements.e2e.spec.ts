import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Answer } from './support/http.ts';
import { listAt, textAt, valueAt } from './support/json.ts';
import { depositOf, Ledger, SERVICE, transferOf, until, withdrawalOf } from './support/ledger.ts';
import { expectProblem } from './support/problems.ts';

let ledger: Ledger;
beforeAll(async () => {
  ledger = await Ledger.start();
});
afterAll(() => ledger.end());

/** A deposit of so many BTC. @returns its path */
async function deposit(accountId: string, depositId: string, amount: string): Promise<string> {
  const path = `/v1/accounts/${accountId}/deposits`;
  expect((await ledger.post(SERVICE, path, depositOf(depositId, amount))).status).toBe(201);
  return `${path}/${depositId}`;
}

async function freeze(accountId: string): Promise<string> {
  return ledger.freeze(accountId, await ledger.makeVerifiedOrder({ accounts: [accountId] }));
}

async function balanceOf(accountId: string, after: Answer): Promise<unknown> {
  const account = await ledger.read(SERVICE, `/v1/accounts/${accountId}`, textAt(after.body, 'position'));
  return listAt(account, 'balances')[0];
}

const balance = (available: string, reserved = '0.00000000'): object => {
  return { asset: 'BTC', available, reserved, held: '0.00000000' };
};

describe('a deposit is reversed', () => {
  const orphaned = { cause: 'reorganisation', reason: 'the block was orphaned' };

  it('because it never was: whatever is frozen, as far as it is there', async () => {
    const accountId = await ledger.makeAccount();
    const path = await deposit(accountId, 'dep', '2');
    await ledger.makeWithdrawal(accountId, '0.5');
    await ledger.dispatch(accountId, await ledger.makeWithdrawal(accountId, '0.25'));
    await freeze(accountId);
    const reversed = await ledger.post(SERVICE, `${path}/reversal`, orphaned);
    expect(reversed.status).toBe(200);
    expect(valueAt(reversed.body, 'events')).toEqual([{ id: expect.any(String), type: 'DepositReversed' }]);
    const shown = valueAt(reversed.body, 'deposit');
    expect(shown).toMatchObject({
      ...{ accountId, ...depositOf('dep', '2'), amount: '2.00000000', state: 'reversed', ...orphaned },
      ...{ taken: '1.75000000', shortfall: '0.25000000' },
    });
    expect(await ledger.read(SERVICE, path, textAt(reversed.body, 'position'))).toEqual(shown);
    expect(await balanceOf(accountId, reversed)).toEqual(balance('0.00000000', '0.25000000'));
    const [entry] = listAt(await ledger.read(SERVICE, `/v1/accounts/${accountId}/entries`), 'items').slice(-1);
    expect(entry).toMatchObject({
      type: 'DepositReversed',
      reference: 'dep',
      amount: '-1.75000000',
      balance: '0.00000000',
    });
  });

  it('because it was a mistake: by a debit, that a freeze or an empty account refuses', async () => {
    const accountId = await ledger.makeAccount();
    const path = await deposit(accountId, 'dep', '2');
    await deposit(accountId, 'other', '1');
    const mistake = { cause: 'mistake', reason: 'booked to the wrong account' };
    await ledger.post(SERVICE, `/v1/accounts/${accountId}/withdrawals`, withdrawalOf('wd', '1.5'));
    expectProblem(await ledger.post(SERVICE, `${path}/reversal`, mistake), 422, 'insufficient-funds');
    const freezeId = await freeze(accountId);
    const refused = await ledger.post(SERVICE, `${path}/reversal`, mistake, { key: 'frozen' });
    expectProblem(refused, 423, 'account-frozen', { freezeIds: [freezeId] });
    const again = await ledger.post(SERVICE, `${path}/reversal`, mistake, { key: 'frozen' });
    expect(again.headers['idempotent-replayed']).toBe('true');
    expect(again.body).toEqual(refused.body);

    const second = await ledger.makeAccount();
    const its = await deposit(second, 'dep', '2');
    const reversed = await ledger.post(SERVICE, `${its}/reversal`, mistake);
    expect(valueAt(reversed.body, 'deposit')).toMatchObject({ taken: '2.00000000', shortfall: '0.00000000' });
    expect(await balanceOf(second, reversed)).toEqual(balance('0.00000000'));
  });

  it('once', async () => {
    const accountId = await ledger.makeAccount();
    const path = await deposit(accountId, 'dep', '2');
    await ledger.post(SERVICE, `${path}/reversal`, orphaned);
    await deposit(accountId, 'other', '2');
    for (const cause of ['reorganisation', 'bank-recall', 'mistake']) {
      const again = await ledger.post(SERVICE, `${path}/reversal`, { cause, reason: 'r' });
      expectProblem(again, 422, 'invalid-transition', { state: 'reversed' });
    }
    const taken = await ledger.post(SERVICE, `/v1/accounts/${accountId}/deposits`, depositOf('dep', '2'));
    expectProblem(taken, 409, 'already-exists', { depositId: 'dep' });
  });
});

describe('an account is closed', () => {
  it('when nothing is in it and nothing under way, and no freeze is in force, which is said first', async () => {
    const accountId = await ledger.makeAccount({ btc: '1' });
    const close = (): Promise<Answer> => ledger.post(SERVICE, `/v1/accounts/${accountId}/closure`, { reason: 'asked' });
    const orderId = await ledger.makeVerifiedOrder({ accounts: [accountId] });
    const freezeId = await ledger.freeze(accountId, orderId);
    expectProblem(await close(), 423, 'account-frozen', { freezeIds: [freezeId] });
    await ledger.discharge(orderId);
    expectProblem(await close(), 422, 'account-not-empty');
    const withdrawalId = await ledger.makeWithdrawal(accountId, '1');
    expectProblem(await close(), 422, 'account-not-empty');
    await ledger.dispatch(accountId, withdrawalId);
    const path = `/v1/accounts/${accountId}/withdrawals/${withdrawalId}`;
    await ledger.post(SERVICE, `${path}/settlement`, { reference: 'tx' });
    expect(valueAt((await close()).body, 'account')).toMatchObject({
      state: 'closed',
      balances: [balance('0.00000000')],
    });
    expectProblem(await close(), 422, 'invalid-transition', { state: 'closed' });
    expect(await ledger.replayed(accountId)).toMatchObject({ state: 'closed' });
  });

  it('and can be frozen then: what comes in opens it, and stays', async () => {
    const accountId = await ledger.makeAccount();
    await ledger.post(SERVICE, `/v1/accounts/${accountId}/closure`, { reason: 'asked' });
    const freezeId = await freeze(accountId);
    await deposit(accountId, 'dep', '1');
    expect(await ledger.replayed(accountId)).toMatchObject({ state: 'open', freezes: [{ freezeId }] });
    const withdrawal = await ledger.post(SERVICE, `/v1/accounts/${accountId}/withdrawals`, withdrawalOf('wd', '1'));
    expectProblem(withdrawal, 423, 'account-frozen', { freezeIds: [freezeId] });
  });
});

describe('a transfer', () => {
  /** How it went on, once it went on. */
  function ended(from: string, transferId: string): Promise<unknown> {
    return until('the transfer to end', async () => {
      const { body, status } = await ledger.get(SERVICE, `/v1/accounts/${from}/transfers/${transferId}`);
      return status !== 200 || valueAt(body, 'state') === 'sent' ? undefined : body;
    });
  }

  it('arrives, and stands in both statements', async () => {
    const [from, to] = [await ledger.makeAccount({ btc: '3' }), await ledger.makeAccount()];
    const sent = await ledger.post(SERVICE, `/v1/accounts/${from}/transfers`, transferOf('tr', to, '2'), { key: 'k' });
    expect(await ended(from, 'tr')).toMatchObject({ state: 'received', reason: null });
    expect(await balanceOf(from, sent)).toEqual(balance('1.00000000'));
    expect(await ledger.replayed(to)).toMatchObject({ balances: [balance('2.00000000')] });
    for (const [accountId, amount] of [
      [from, '-2.00000000'],
      [to, '2.00000000'],
    ] as const) {
      const [line] = listAt(await ledger.read(SERVICE, `/v1/accounts/${accountId}/entries`), 'items').slice(-1);
      expect(line).toMatchObject({ ledgerAccount: 'available', reference: 'tr', amount });
    }
    const again = await ledger.post(SERVICE, `/v1/accounts/${from}/transfers`, transferOf('tr', to, '2'), { key: 'k' });
    expect([again.text, again.status]).toEqual([sent.text, sent.status]);
    expect(again.headers['idempotent-replayed']).toBe('true');
  });

  it('comes back from a closed account, also to one that was closed meanwhile, which is open again', async () => {
    const [from, to] = [await ledger.makeAccount({ btc: '3' }), await ledger.makeAccount()];
    await ledger.post(SERVICE, `/v1/accounts/${to}/closure`, { reason: 'asked' });
    const sent = await ledger.post(SERVICE, `/v1/accounts/${from}/transfers`, transferOf('tr', to, '3'));
    expect(valueAt(sent.body, 'transfer')).toMatchObject({ state: 'sent', reason: null });
    expect(await ended(from, 'tr')).toMatchObject({ state: 'returned', reason: 'closed' });
    expect(await ledger.replayed(from)).toMatchObject({ state: 'open', balances: [{ available: '3.00000000' }] });
    expect((await ledger.events(`account-${to}`)).map(({ type }) => type)).toEqual([
      'AccountOpened',
      'AccountClosed',
      'TransferRefused',
    ]);
  });

  it('is gated as a debit, and never to the account itself or to nobody', async () => {
    const [from, to] = [await ledger.makeAccount({ btc: '3' }), await ledger.makeAccount()];
    const path = `/v1/accounts/${from}/transfers`;
    const send = (other: string, amount: string): Promise<Answer> =>
      ledger.post(SERVICE, path, transferOf('tr', other, amount));
    expectProblem(await send(from, '1'), 400, 'malformed-request');
    expectProblem(await send('nobody', '1'), 404, 'account-not-found');
    expectProblem(await send(to, '3.00000001'), 422, 'insufficient-funds');
    const freezeId = await freeze(from);
    expectProblem(await send(to, '1'), 423, 'account-frozen', { freezeIds: [freezeId] });
    const third = await ledger.makeAccount({ btc: '1' });
    const arriving = await ledger.post(SERVICE, `/v1/accounts/${third}/transfers`, transferOf('tr', from, '1'));
    expect(arriving.status).toBe(201);
    expect(await ended(third, 'tr')).toMatchObject({ state: 'received' });
    const taken = await ledger.post(SERVICE, `/v1/accounts/${third}/transfers`, transferOf('tr', to, '1'));
    expectProblem(taken, 409, 'already-exists', { transferId: 'tr' });
  });
});
