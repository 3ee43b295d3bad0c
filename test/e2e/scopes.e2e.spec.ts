import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Answer } from './support/http.ts';
import { listAt, textAt, valueAt } from './support/json.ts';
import {
  APPROVER,
  AUDITOR,
  depositOf,
  freezeOf,
  Ledger,
  OPS,
  orderOf,
  SERVICE,
  withdrawalOf,
} from './support/ledger.ts';
import { expectProblem } from './support/problems.ts';

const ORDERS = '/v1/admin/legal-orders';
const CREDITS = { direction: 'credit', assets: 'all' } as const;
const keeping = (BTC: string, more: object = {}) => ({ direction: 'debit', assets: ['BTC'], limits: { BTC }, ...more });

let ledger: Ledger;
beforeAll(async () => {
  ledger = await Ledger.start();
});
afterAll(() => ledger.end());

const freezes = (accountId: string): string => `/v1/admin/accounts/${accountId}/freezes`;
function reserve(accountId: string, amount: string): Promise<Answer> {
  return ledger.post(SERVICE, `/v1/accounts/${accountId}/withdrawals`, withdrawalOf(ledger.id('wd'), amount));
}
function deposit(accountId: string, depositId: string, amount: string, asset = 'BTC'): Promise<Answer> {
  return ledger.post(SERVICE, `/v1/accounts/${accountId}/deposits`, depositOf(depositId, amount, asset));
}
async function approveLift(freezeId: string): Promise<Answer> {
  const requestId = await ledger.requestLift(freezeId);
  return ledger.post(APPROVER, `/v1/admin/freezes/${freezeId}/lift-requests/${requestId}/approval`, {});
}
/** The errors' fields of a 400. */
function fieldsOf(answer: Answer): readonly string[] {
  expectProblem(answer, 400, 'malformed-request');
  return listAt(answer.body, 'errors').map((error) => textAt(error, 'field'));
}

describe('a freeze with limits', () => {
  it('keeps as much as the order says, and lets the rest go', async () => {
    const accountId = await ledger.makeAccount({ btc: '2' });
    const orderId = await ledger.makeVerifiedOrder({ accounts: [accountId], more: { scope: keeping('1.5') } });
    const answer = await ledger.post(OPS, freezes(accountId), freezeOf(orderId));
    const scope = { direction: 'debit', assets: ['BTC'], limits: { BTC: '1.50000000' } };
    expect(answer).toMatchObject({ status: 201, body: { freeze: { scope, stopped: [] } } });
    expect((await reserve(accountId, '0.5')).status).toBe(201);
    const refused = await reserve(accountId, '0.00000001');
    expectProblem(refused, 423, 'account-frozen');
    expect(valueAt(refused.body, 'freezeIds')).toEqual([textAt(answer.body, 'freeze.freezeId')]);
    // What is both frozen and uncovered is frozen.
    expectProblem(await reserve(accountId, '5'), 423, 'account-frozen');

    const atLeast = textAt(answer.body, 'position');
    const shown = (await ledger.read(AUDITOR, `/v1/accounts/${accountId}`, atLeast)) as object;
    expect(shown).toMatchObject({
      balances: [{ asset: 'BTC', frozen: '1.50000000' }],
      freezes: [{ direction: 'debit', assets: ['BTC'], scope }],
    });
    expect(await ledger.replayed(accountId)).toMatchObject({ freezes: [{ scope }] });
    expect(
      await ledger.read(OPS, `/v1/admin/freezes/${textAt(answer.body, 'freeze.freezeId')}`, atLeast),
    ).toMatchObject({
      scope,
    });
    expect(await ledger.read(OPS, `${ORDERS}/${orderId}`, atLeast)).toMatchObject({ scope });
    expect(await ledger.read(OPS, `${ORDERS}?accountId=${accountId}`, atLeast)).toMatchObject({ items: [{ scope }] });
  });

  it('is seen by a service as a direction and assets, without limits or sums', async () => {
    const accountId = await ledger.makeAccount({ btc: '2' });
    const orderId = await ledger.makeVerifiedOrder({ accounts: [accountId], more: { scope: keeping('1.5') } });
    const freezeId = await ledger.freeze(accountId, orderId);
    const account = await ledger.read(SERVICE, `/v1/accounts/${accountId}`);
    expect(valueAt(account, 'freezes')).toEqual([{ freezeId, direction: 'debit', assets: ['BTC'] }]);
    expect(JSON.stringify(account)).not.toMatch(/"1\.50*"|frozen/);
  });

  it('stops whole withdrawals, the latest first, until enough is available', async () => {
    const accountId = await ledger.makeAccount({ btc: '1' });
    const [first, second, third] = [
      await ledger.makeWithdrawal(accountId, '0.3'),
      await ledger.makeWithdrawal(accountId, '0.3'),
      await ledger.makeWithdrawal(accountId, '0.2'),
    ];
    const orderId = await ledger.makeVerifiedOrder({ accounts: [accountId], more: { scope: keeping('0.5') } });
    const answer = await ledger.post(OPS, freezes(accountId), freezeOf(orderId));
    expect(valueAt(answer.body, 'freeze.stopped')).toEqual([third, second]);
    await ledger.dispatch(accountId, first);
  });

  it('adds up over orders, but for those over one claim', async () => {
    const accountId = await ledger.makeAccount({ btc: '10' });
    const ofClaim = (BTC: string, claimGroup?: string): Promise<string> =>
      ledger.makeVerifiedOrder({
        accounts: [accountId],
        more: { scope: keeping(BTC), ...(claimGroup === undefined ? {} : { claimGroup }) },
      });
    const [one, other, apart] = [await ofClaim('2', 'claim-1'), await ofClaim('3', 'claim-1'), await ofClaim('4')];
    expect(await ledger.read(OPS, `${ORDERS}/${one}`)).toMatchObject({ claimGroup: 'claim-1' });
    expect(await ledger.read(OPS, `${ORDERS}/${apart}`)).not.toHaveProperty('claimGroup');
    for (const [orderId, frozen] of [
      [one, '2.00000000'],
      [other, '3.00000000'],
      [apart, '7.00000000'],
    ] as const) {
      await ledger.freeze(accountId, orderId);
      expect(await ledger.replayed(accountId)).toMatchObject({ balances: [{ frozen }] });
    }
    expect((await reserve(accountId, '3')).status).toBe(201);
    expectProblem(await reserve(accountId, '0.00000001'), 423, 'account-frozen');
  });

  it('never keeps more than its order over all accounts, and is free again when one has ended', async () => {
    const accounts = [await ledger.makeAccount({ btc: '2' }), await ledger.makeAccount({ btc: '2' })] as const;
    const orderId = await ledger.makeVerifiedOrder({ accounts, more: { scope: keeping('1.5') } });
    const freezeId = await ledger.freeze(accounts[0], orderId);
    const tooMuch = await ledger.post(OPS, freezes(accounts[1]), freezeOf(orderId, keeping('0.1')));
    expectProblem(tooMuch, 422, 'scope-exceeds-basis');
    expect((await approveLift(freezeId)).status).toBe(200);
    const again = await ledger.post(OPS, freezes(accounts[1]), freezeOf(orderId));
    expect(again.status).toBe(201);
    const [authorised] = (await ledger.events(`legalOrder-${orderId}`)).filter(({ data }) => 'endedFreezes' in data);
    expect(valueAt(authorised?.data, 'endedFreezes')).toMatchObject([{ freezeId }]);
    const second = await ledger.post(OPS, freezes(accounts[1]), freezeOf(orderId));
    expectProblem(second, 409, 'already-exists');
    expect(valueAt(second.body, 'freezeId')).toBe(textAt(again.body, 'freeze.freezeId'));
  });

  it('is the same command however its limits are written', async () => {
    const accountId = await ledger.makeAccount();
    const scope = { direction: 'debit', assets: 'all', limits: { EUR: '7', BTC: '1.5' } };
    const orderId = await ledger.makeVerifiedOrder({ accounts: [accountId], more: { scope } });
    const key = ledger.id('key');
    const first = await ledger.post(OPS, freezes(accountId), freezeOf(orderId, scope), { key });
    const limits = { BTC: '1.50', EUR: '7.0' };
    const again = await ledger.post(OPS, freezes(accountId), freezeOf(orderId, { ...scope, limits }), { key });
    expect(again).toMatchObject({ status: 201, body: first.body as object });
    expect(again.headers['idempotent-replayed']).toBe('true');
    const other = await ledger.post(OPS, freezes(accountId), freezeOf(orderId, { ...scope, limits: { BTC: '1.5' } }), {
      key,
    });
    expectProblem(other, 422, 'idempotency-key-reused');
  });
});

describe('limits that are not right', () => {
  const scopes: [string, object, string][] = [
    ['too many decimals', keeping('1.000000001'), 'scope.limits.BTC'],
    ['nothing', keeping('0.0'), 'scope.limits.BTC'],
    ['a number', { ...keeping('1'), limits: { BTC: 1 } }, 'scope.limits.BTC'],
    ['a sign', keeping('-1'), 'scope.limits.BTC'],
    ['an asset out of scope', { ...keeping('1'), limits: { EUR: '1' } }, 'scope.limits.EUR'],
    ['no asset code', { direction: 'debit', assets: 'all', limits: { constructor: '1' } }, 'scope.limits.constructor'],
    ['a list', { ...keeping('1'), limits: ['1'] }, 'scope.limits'],
    ['none', { ...keeping('1'), limits: {} }, 'scope.limits'],
    ['limits of credits', keeping('1', { direction: 'credit' }), 'scope.limits'],
    ['limits of both directions', keeping('1', { direction: 'both' }), 'scope.limits'],
    ['another direction', { direction: 'sideways', assets: 'all' }, 'scope.direction'],
  ];
  it.each(scopes)('are a 400 that names the field, for an order and for a freeze: %s', async (_what, scope, field) => {
    const accountId = await ledger.makeAccount();
    const orderId = await ledger.makeVerifiedOrder({ accounts: [accountId] });
    const order = orderOf(ledger.id('ord'), { accounts: [accountId], more: { scope } });
    const before = (await ledger.log()).length;
    expect(fieldsOf(await ledger.post(OPS, ORDERS, order))).toEqual([field]);
    expect(fieldsOf(await ledger.post(OPS, freezes(accountId), freezeOf(orderId, scope)))).toEqual([field]);
    expect((await ledger.log()).length).toBe(before);
  });

  it('name an asset that there is not: 404', async () => {
    const accountId = await ledger.makeAccount();
    const orderId = await ledger.makeVerifiedOrder({ accounts: [accountId] });
    const scope = { direction: 'debit', assets: 'all', limits: { DOGE: '1' } };
    const order = orderOf(ledger.id('ord'), { accounts: [accountId], more: { scope } });
    expectProblem(await ledger.post(OPS, ORDERS, order), 404, 'asset-not-found');
    expectProblem(await ledger.post(OPS, freezes(accountId), freezeOf(orderId, scope)), 404, 'asset-not-found');
  });

  it('go beyond the order: on record', async () => {
    const accountId = await ledger.makeAccount();
    const orderId = await ledger.makeVerifiedOrder({ accounts: [accountId], more: { scope: keeping('1') } });
    for (const scope of [keeping('1.00000001'), { direction: 'debit', assets: ['BTC'] }, CREDITS]) {
      const answer = await ledger.post(OPS, freezes(accountId), freezeOf(orderId, scope));
      expectProblem(answer, 422, 'scope-exceeds-basis');
    }
    const refused = (await ledger.events(`account-${accountId}`)).filter(({ type }) => type === 'CommandRefused');
    expect(refused).toHaveLength(3);
  });
});

describe('a credit freeze', () => {
  it('holds what arrives, lets debits go, and releases all when the last one ends', async () => {
    const accountId = await ledger.makeAccount({ btc: '1' });
    const scope = { direction: 'both', assets: ['BTC'] };
    const credits = await ledger.makeVerifiedOrder({ accounts: [accountId], more: { scope: CREDITS } });
    const both = await ledger.makeVerifiedOrder({ accounts: [accountId], more: { scope } });
    const freezeId = await ledger.freeze(accountId, credits);
    expect((await reserve(accountId, '0.25')).status).toBe(201);
    const second = await ledger.freeze(accountId, both);
    expectProblem(await reserve(accountId, '0.25'), 423, 'account-frozen');

    const depositId = ledger.id('dep');
    const held = await deposit(accountId, depositId, '0.5');
    expect(held).toMatchObject({
      status: 201,
      body: { deposit: { depositId, state: 'held' }, events: [{ type: 'FundsHeld' }] },
    });
    expectProblem(await deposit(accountId, depositId, '0.5'), 409, 'already-exists');
    const path = `/v1/accounts/${accountId}/deposits/${depositId}`;
    expect(await ledger.read(SERVICE, path, textAt(held.body, 'position'))).toMatchObject({ state: 'held' });
    expect(await ledger.replayed(accountId)).toMatchObject({
      balances: [{ asset: 'BTC', available: '1.00000000', reserved: '0.00000000', held: '0.50000000' }],
      freezes: [
        { freezeId, direction: 'credit', assets: 'all' },
        { freezeId: second, direction: 'both', assets: ['BTC'] },
      ],
    });

    await ledger.discharge(both);
    expect(await ledger.replayed(accountId)).toMatchObject({ balances: [{ held: '0.50000000' }] });
    const lifted = await approveLift(freezeId);
    expect(listAt(lifted.body, 'events').map((event) => textAt(event, 'type'))).toEqual([
      'AccountUnfrozen',
      'HeldFundsReleased',
    ]);
    const atLeast = textAt(lifted.body, 'position');
    expect(await ledger.read(SERVICE, path, atLeast)).toMatchObject({ state: 'deposited' });
    expect(await ledger.read(SERVICE, `/v1/accounts/${accountId}/deposits`, atLeast)).toMatchObject({
      items: [{ depositId, state: 'deposited' }, { state: 'deposited' }],
    });
    expect(await ledger.read(SERVICE, `/v1/accounts/${accountId}`)).toMatchObject({
      balances: [{ available: '1.50000000', held: '0.00000000' }],
    });
    const entries = listAt(await ledger.read(SERVICE, `/v1/accounts/${accountId}/entries`), 'items');
    expect(entries.slice(-3)).toMatchObject([
      { type: 'FundsHeld', ledgerAccount: 'held', amount: '0.50000000', balance: '0.50000000', reference: depositId },
      { type: 'HeldFundsReleased', ledgerAccount: 'held', amount: '-0.50000000', reference: freezeId },
      { type: 'HeldFundsReleased', ledgerAccount: 'available', amount: '0.50000000', balance: '1.50000000' },
    ]);
    // A later credit freeze is of later deposits.
    await ledger.freeze(accountId, credits);
    const later = await deposit(accountId, ledger.id('dep'), '0.1');
    expect(await ledger.read(SERVICE, path, textAt(later.body, 'position'))).toMatchObject({ state: 'deposited' });
    expect(listAt(await ledger.read(AUDITOR, '/v1/audit/violations'), 'items')).toEqual([]);
  });

  it('holds a deposit to a closed account, which is open then', async () => {
    const accountId = await ledger.makeAccount();
    const orderId = await ledger.makeVerifiedOrder({ accounts: [accountId], more: { scope: CREDITS } });
    expect((await ledger.post(SERVICE, `/v1/accounts/${accountId}/closure`, { reason: 'asked' })).status).toBe(200);
    await ledger.freeze(accountId, orderId);
    expect(await ledger.read(SERVICE, `/v1/accounts/${accountId}`)).toMatchObject({ state: 'closed' });
    const held = await deposit(accountId, ledger.id('dep'), '0.5');
    expect(held).toMatchObject({ status: 201, body: { deposit: { state: 'held' } } });
    expect(await ledger.read(SERVICE, `/v1/accounts/${accountId}`)).toMatchObject({
      state: 'open',
      balances: [{ available: '0.00000000', held: '0.50000000' }],
    });
  });

  it('leaves other assets alone', async () => {
    const accountId = await ledger.makeAccount();
    const scope = { direction: 'credit', assets: ['BTC'] };
    await ledger.freeze(accountId, await ledger.makeVerifiedOrder({ accounts: [accountId], more: { scope } }));
    expect(await deposit(accountId, ledger.id('dep'), '5', 'EUR')).toMatchObject({
      body: { deposit: { state: 'deposited' } },
    });
  });
});
