import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Answer } from './support/http.ts';
import { listAt, textAt, valueAt } from './support/json.ts';
import {
  AUDITOR,
  entryOf,
  freezeOf,
  Ledger,
  OPS,
  SERVICE,
  until,
  wellDone,
  withdrawalOf,
  type Body,
} from './support/ledger.ts';
import { expectFieldRefused, expectProblem } from './support/problems.ts';

const keeping = (limits: Body): Body => ({ direction: 'debit', assets: Object.keys(limits), limits });

let ledger: Ledger;
beforeAll(async () => {
  ledger = await Ledger.start();
});
afterAll(() => ledger.end());

function freezeAll(orderId: string, body: Body = {}, key = ledger.id('key')): Promise<Answer> {
  return ledger.post(OPS, `/v1/admin/legal-orders/${orderId}/freezes`, body, { key });
}
function freezeAllUnderHit(hitId: string, body: Body = {}): Promise<Answer> {
  return ledger.post(OPS, `/v1/admin/sanctions-hits/${hitId}/freezes`, body);
}
/** Of each account: its id, its status, and its problem's code. */
function told(answer: Answer): readonly unknown[] {
  expect(answer.status).toBe(200);
  return listAt(answer.body, 'outcomes').map((outcome) => [
    valueAt(outcome, 'accountId'),
    valueAt(outcome, 'status'),
    ...(valueAt(outcome, 'code') === undefined ? [] : [valueAt(outcome, 'code')]),
  ]);
}
const frozen = (...accountIds: readonly string[]): readonly unknown[] => [...accountIds].sort().map((id) => [id, 201]);
async function link(partyId: string, address: string, role = 'holder-controlled'): Promise<void> {
  const body = { chain: 'bitcoin', address, role };
  wellDone(await ledger.post(SERVICE, `/v1/parties/${partyId}/addresses`, body), 'a link');
}
async function withdrawalStatus(accountId: string): Promise<number> {
  const body = withdrawalOf(ledger.id('wd'), '0.1');
  return (await ledger.post(SERVICE, `/v1/accounts/${accountId}/withdrawals`, body)).status;
}

describe('a freeze of all that an order names', () => {
  it('freezes the accounts that it names, and all that its parties hold, once each', async () => {
    const [one, other] = [await ledger.makeParty(), await ledger.makeParty()];
    const held = [
      await ledger.makeAccount({ holder: one, btc: '1' }),
      await ledger.makeAccount({ holder: one }),
    ] as const;
    const closed = await ledger.makeAccount({ holder: other });
    wellDone(await ledger.post(SERVICE, `/v1/accounts/${closed}/closure`, { reason: 'asked' }), 'a closure');
    const named = await ledger.makeAccount({ btc: '1' });
    const bystander = await ledger.makeAccount({ btc: '1' });
    const stopped = await ledger.makeWithdrawal(held[0], '0.25');
    const orderId = await ledger.makeVerifiedOrder({ accounts: [named, held[0]], parties: [one, other] });

    const key = ledger.id('key');
    const answer = await freezeAll(orderId, {}, key);
    expect(told(answer)).toEqual(frozen(...held, closed, named));
    const first = listAt(answer.body, 'outcomes').find((outcome) => valueAt(outcome, 'accountId') === held[0]);
    expect(first).toMatchObject({
      accountId: held[0],
      status: 201,
      streamRevision: expect.any(String),
      position: expect.any(String),
      events: [{ type: 'FreezeAuthorised' }, { type: 'AccountFrozen' }, { type: 'WithdrawalStopped' }],
      freeze: {
        accountId: held[0],
        basis: { kind: 'legal-order', id: orderId },
        state: 'in-force',
        placedBy: OPS.sub,
        stopped: [stopped],
      },
    });
    expect(answer.headers['idempotent-replayed']).toBeUndefined();
    expect(await withdrawalStatus(named)).toBe(423);
    expect(await withdrawalStatus(bystander)).toBe(201);

    const before = (await ledger.log()).length;
    const again = await freezeAll(orderId, {}, key);
    expect([again.status, again.body]).toEqual([200, answer.body]);
    expect(again.headers['idempotent-replayed']).toBe('true');
    expect((await ledger.log()).length).toBe(before);
    expectProblem(
      await freezeAll(orderId, { scope: { direction: 'debit', assets: ['BTC'] } }, key),
      422,
      'idempotency-key-reused',
    );

    // Under another key each is told of the freeze that it has.
    const anew = await freezeAll(orderId);
    expect(told(anew)).toEqual([...held, closed, named].sort().map((id) => [id, 409, 'already-exists']));
    const freezeIds = listAt(answer.body, 'outcomes').map((outcome) => textAt(outcome, 'freeze.freezeId'));
    expect(listAt(anew.body, 'outcomes').map((outcome) => valueAt(outcome, 'freezeId'))).toEqual(freezeIds);
    expect(anew.headers['idempotent-replayed']).toBeUndefined();
  });

  it('goes on where it was left, and repeats what was done', async () => {
    const accounts = [await ledger.makeAccount(), await ledger.makeAccount()] as const;
    const orderId = await ledger.makeVerifiedOrder({ accounts });
    const freezeId = await ledger.freeze(accounts[0], orderId);
    const key = ledger.id('key');
    expect(told(await freezeAll(orderId, {}, key))).toEqual([
      [accounts[0], 409, 'already-exists'],
      [accounts[1], 201],
    ]);
    // What was refused without a trace is decided anew; what was done is not done again.
    const requestId = await ledger.requestLift(freezeId);
    const approval = `/v1/admin/freezes/${freezeId}/lift-requests/${requestId}/approval`;
    wellDone(await ledger.post({ sub: 'approver-9', roles: ['approver'] }, approval, {}), 'a lift');
    const again = await freezeAll(orderId, {}, key);
    expect(told(again)).toEqual(frozen(...accounts));
    expect(again.headers['idempotent-replayed']).toBeUndefined();
    expect((await freezeAll(orderId, {}, key)).headers['idempotent-replayed']).toBe('true');
  });

  it('repeats itself after the order has ended, and refuses anew under a new key', async () => {
    const accountId = await ledger.makeAccount();
    const orderId = await ledger.makeVerifiedOrder({ accounts: [accountId] });
    const key = ledger.id('key');
    const first = await freezeAll(orderId, {}, key);
    await ledger.discharge(orderId);
    const again = await freezeAll(orderId, {}, key);
    expect([again.body, again.headers['idempotent-replayed']]).toEqual([first.body, 'true']);
    expectProblem(await freezeAll(orderId), 422, 'basis-not-in-force');
  });

  it('is refused as a whole, on record, while the order is not in force', async () => {
    const accountId = await ledger.makeAccount();
    const orderId = await ledger.makeOrder({ accounts: [accountId] });
    const key = ledger.id('key');
    const refused = await freezeAll(orderId, {}, key);
    expectProblem(refused, 422, 'basis-not-in-force');
    expect((await ledger.events(`legalOrder-${orderId}`)).at(-1)).toMatchObject({
      type: 'CommandRefused',
      data: {
        command: 'FreezeAllNamed',
        code: 'basis-not-in-force',
        request: { basis: { kind: 'legal-order', id: orderId } },
        decidedOn: null,
      },
    });
    expect((await ledger.events(`account-${accountId}`)).map(({ type }) => type)).toEqual(['AccountOpened']);
    await ledger.verify(orderId);
    const again = await freezeAll(orderId, {}, key);
    expectProblem(again, 422, 'basis-not-in-force');
    expect(again.headers['idempotent-replayed']).toBe('true');
    expect(told(await freezeAll(orderId))).toEqual(frozen(accountId));
    const [refusal] = listAt(await ledger.read(AUDITOR, '/v1/audit/refusals?limit=500'), 'items').filter(
      (item) => valueAt(item, 'stream') === `legalOrder-${orderId}`,
    );
    expect(refusal).toMatchObject({ code: 'basis-not-in-force', actor: OPS.sub });
  });

  it('is refused as a whole, on record, where it would cover more than the order', async () => {
    const accountId = await ledger.makeAccount();
    const scope = { direction: 'debit', assets: ['BTC'] };
    const orderId = await ledger.makeVerifiedOrder({ accounts: [accountId], more: { scope } });
    expectProblem(
      await freezeAll(orderId, { scope: { direction: 'debit', assets: 'all' } }),
      422,
      'scope-exceeds-basis',
    );
    expect((await ledger.events(`legalOrder-${orderId}`)).at(-1)?.type).toBe('CommandRefused');
  });

  it('is a 404 for an order that there is not, and leaves no trace', async () => {
    const before = (await ledger.log()).length;
    expectProblem(await freezeAll('ord-nowhere'), 404, 'legal-order-not-found');
    expectProblem(await freezeAllUnderHit('hit-nowhere'), 404, 'sanctions-hit-not-found');
    expect((await ledger.log()).length).toBe(before);
  });

  it('heeds If-Match, the revision of the order', async () => {
    const accountId = await ledger.makeAccount();
    const orderId = await ledger.makeVerifiedOrder({ accounts: [accountId] });
    const path = `/v1/admin/legal-orders/${orderId}/freezes`;
    expectProblem(await ledger.post(OPS, path, {}, { headers: { 'if-match': '"0"' } }), 412, 'revision-mismatch');
    const key = ledger.id('key');
    const matching = { key, headers: { 'if-match': '"1"' } };
    expect(told(await ledger.post(OPS, path, {}, matching))).toEqual(frozen(accountId));
    expect((await ledger.post(OPS, path, {}, matching)).headers['idempotent-replayed']).toBe('true');
  });

  it('takes more accounts than it is busy with at once', async () => {
    const holder = await ledger.makeParty();
    const accounts: string[] = [];
    for (let n = 0; n < 40; n += 1) accounts.push(await ledger.makeAccount({ holder }));
    const orderId = await ledger.makeVerifiedOrder({ parties: [holder] });
    expect(told(await freezeAll(orderId))).toEqual(frozen(...accounts));
    expect(listAt(await ledger.read(AUDITOR, '/v1/audit/violations'), 'items')).toEqual([]);
  });
});

describe('shares of the limits of an order', () => {
  const scope = keeping({ BTC: '1.5', EUR: '100' });

  async function limited(count: number): Promise<{ readonly orderId: string; readonly accounts: readonly string[] }> {
    const accounts: string[] = [];
    for (let n = 0; n < count; n += 1) accounts.push(await ledger.makeAccount({ btc: '2' }));
    return { accounts, orderId: await ledger.makeVerifiedOrder({ accounts, more: { scope } }) };
  }

  it('divide them over the accounts', async () => {
    const { orderId, accounts } = await limited(2);
    const [one = '', other = ''] = accounts;
    const shares = { [one]: { BTC: '1', EUR: '99.99' }, [other]: { BTC: '0.5', EUR: '0.01' } };
    const key = ledger.id('key');
    const answer = await freezeAll(orderId, { shares }, key);
    expect(told(answer)).toEqual(frozen(...accounts));
    const scopes = listAt(answer.body, 'outcomes').map((outcome) => valueAt(outcome, 'freeze.scope'));
    expect(scopes).toEqual([keeping({ BTC: '1.00000000', EUR: '99.99' }), keeping({ BTC: '0.50000000', EUR: '0.01' })]);
    const otherwise = { [other]: { EUR: '0.01', BTC: '0.50' }, [one]: { EUR: '99.99', BTC: '1.0' } };
    const again = await freezeAll(orderId, { shares: otherwise }, key);
    expect([again.body, again.headers['idempotent-replayed']]).toEqual([answer.body, 'true']);
  });

  it('are not needed for one account, and may be less than the limit', async () => {
    const whole = await limited(1);
    const answer = await freezeAll(whole.orderId);
    expect(valueAt(answer.body, 'outcomes.0.freeze.scope.limits')).toEqual({ BTC: '1.50000000', EUR: '100.00' });
    const part = await limited(1);
    const shares = { [part.accounts[0] ?? '']: { BTC: '0.1', EUR: '1' } };
    const less = await freezeAll(part.orderId, { shares });
    expect(valueAt(less.body, 'outcomes.0.freeze.scope.limits')).toEqual({ BTC: '0.10000000', EUR: '1.00' });
  });

  it('are of the scope that was asked for', async () => {
    const { orderId, accounts } = await limited(2);
    const [one = '', other = ''] = accounts;
    const narrow = keeping({ BTC: '1' });
    const shares = { [one]: { BTC: '0.5' }, [other]: { BTC: '0.6' } };
    expectFieldRefused(await freezeAll(orderId, { scope: narrow, shares }), 'shares');
    const answer = await freezeAll(orderId, { scope: narrow, shares: { ...shares, [other]: { BTC: '0.5' } } });
    expect(valueAt(answer.body, 'outcomes.0.freeze.scope')).toEqual(keeping({ BTC: '0.50000000' }));
  });

  const whole = { BTC: '0.1', EUR: '1' };
  const wrong: [string, (one: string, other: string) => Body, (one: string, other: string) => string][] = [
    ['missing', () => ({}), () => 'shares'],
    ['of one account only', (one) => ({ shares: { [one]: whole } }), (_, other) => `shares.${other}`],
    [
      'of one asset only',
      (one, other) => ({ shares: { [one]: whole, [other]: { BTC: '0.1' } } }),
      (_, other) => `shares.${other}.EUR`,
    ],
    [
      'of an account that is not named',
      (one, other) => ({ shares: { [one]: whole, [other]: whole, 'acc-x': whole } }),
      () => 'shares.acc-x',
    ],
    [
      'of an asset that is not limited',
      (one, other) => ({ shares: { [one]: whole, [other]: { ...whole, XRP: '1' } } }),
      (_, other) => `shares.${other}.XRP`,
    ],
    [
      'that add up to more',
      (one, other) => ({ shares: { [one]: { ...whole, BTC: '1.5' }, [other]: { ...whole, BTC: '0.00000001' } } }),
      () => 'shares',
    ],
    ['too fine', (one) => ({ shares: { [one]: { BTC: '0.000000001' } } }), (one) => `shares.${one}.BTC`],
    ['of nothing', (one) => ({ shares: { [one]: { BTC: '0' } } }), (one) => `shares.${one}.BTC`],
    ['a number', (one) => ({ shares: { [one]: { BTC: 1 } } }), (one) => `shares.${one}.BTC`],
    ['a text', () => ({ shares: '1' }), () => 'shares'],
    ['a list', () => ({ shares: [] }), () => 'shares'],
    ['a list for an account', (one) => ({ shares: { [one]: ['1'] } }), (one) => `shares.${one}`],
    ['of no id', () => ({ shares: { __proto: {}, ['__proto__']: whole, '': {} } }), () => 'shares.__proto__'],
    ['of no asset code', (one) => ({ shares: { [one]: { constructor: '1' } } }), (one) => `shares.${one}.constructor`],
  ];
  it.each(wrong)('that are %s are a 400 that names them, and leave no trace', async (_name, body, field) => {
    if (!(await ledger.log('?types=AssetRegistered')).some(({ data }) => data['code'] === 'XRP')) {
      await ledger.makeAsset('XRP', 6);
    }
    const { orderId, accounts } = await limited(2);
    const [one = '', other = ''] = accounts;
    const before = (await ledger.log()).length;
    expectFieldRefused(await freezeAll(orderId, body(one, other)), field(one, other));
    expect((await ledger.log()).length).toBe(before);
  });

  it('of an asset that there is not are a 404', async () => {
    const { orderId, accounts } = await limited(1);
    const shares = { [accounts[0] ?? '']: { DOGE: '1' } };
    expectProblem(await freezeAll(orderId, { shares }), 404, 'asset-not-found');
  });

  it('are refused where nothing is limited', async () => {
    const accountId = await ledger.makeAccount();
    const orderId = await ledger.makeVerifiedOrder({ accounts: [accountId] });
    expectFieldRefused(await freezeAll(orderId, { shares: { [accountId]: { BTC: '1' } } }), `shares.${accountId}.BTC`);
  });

  it('that freezes placed before leave no room for are refused for that account alone', async () => {
    const { orderId, accounts } = await limited(2);
    const [one = '', other = ''] = accounts;
    const scopeOfOne = keeping({ BTC: '1.5', EUR: '100' });
    wellDone(await ledger.post(OPS, `/v1/admin/accounts/${one}/freezes`, freezeOf(orderId, scopeOfOne)), 'a freeze');
    const answer = await freezeAll(orderId, { shares: { [one]: whole, [other]: whole } });
    expect(told(answer)).toEqual(
      [
        [one, 409, 'already-exists'],
        [other, 422, 'scope-exceeds-basis'],
      ].sort(),
    );
  });
});

describe('a freeze of all that a hit names', () => {
  it('freezes all that the party holds', async () => {
    const holder = await ledger.makeParty();
    const accounts = [await ledger.makeAccount({ holder }), await ledger.makeAccount({ holder })];
    const hitId = await ledger.makeHit(holder);
    expectProblem(await freezeAllUnderHit(hitId), 422, 'basis-not-in-force');
    expect((await ledger.events(`sanctionsHit-${hitId}`)).at(-1)?.type).toBe('CommandRefused');
    wellDone(
      await ledger.post(
        { sub: 'approver-1', roles: ['approver'] },
        `/v1/admin/sanctions-hits/${hitId}/confirmation`,
        {},
      ),
      'a confirmation',
    );
    expect(told(await freezeAllUnderHit(hitId))).toEqual(frozen(...accounts));
  });

  it('freezes what the parties hold that control the address, and nothing else', async () => {
    const address = `bc1q${ledger.id('address')}`;
    const [one, other, depositor] = [await ledger.makeParty(), await ledger.makeParty(), await ledger.makeParty()];
    const accounts = [await ledger.makeAccount({ holder: one }), await ledger.makeAccount({ holder: other })];
    await ledger.makeAccount({ holder: depositor });
    const subject = { kind: 'address', chain: 'bitcoin', address };
    await link(one, address);
    await link(depositor, address, 'deposit-address');
    const hitId = await ledger.makeConfirmedHit(one, { subject, route: 'address' });
    await link(other, address);
    expect(told(await freezeAllUnderHit(hitId))).toEqual(frozen(...accounts));
  });

  it('freezes nothing where nobody is named yet', async () => {
    const subject = { kind: 'address', chain: 'bitcoin', address: `bc1q${ledger.id('address')}` };
    const hitId = await ledger.makeConfirmedHit('nobody', { subject, route: 'address' });
    expect(await freezeAllUnderHit(hitId)).toMatchObject({ status: 200, body: { outcomes: [] } });
  });

  it('of a lesser measure is refused', async () => {
    const holder = await ledger.makeParty();
    await ledger.makeAccount({ holder });
    const entry = entryOf('b'.repeat(64), 'service-restriction');
    expectProblem(await freezeAllUnderHit(await ledger.makeConfirmedHit(holder, { entry })), 422, 'basis-not-in-force');
  });
});

describe('a service that is killed', () => {
  it('has frozen nothing half, and a repeat freezes the rest', async () => {
    const own = await Ledger.start();
    try {
      const holder = await own.makeParty();
      const accounts: string[] = [];
      for (let n = 0; n < 60; n += 1) accounts.push(await own.makeAccount({ holder }));
      const orderId = await own.makeVerifiedOrder({ parties: [holder] });
      const path = `/v1/admin/legal-orders/${orderId}/freezes`;
      const lost = own.post(OPS, path, {}, { key: 'all' }).catch(() => undefined);
      await until('a freeze', async () => (await own.log('?types=AccountFrozen')).at(0));
      await own.service.kill();
      await lost;
      await own.startAgain();
      const answer = await own.post(OPS, path, {}, { key: 'all' });
      expect(told(answer)).toEqual(frozen(...accounts));
      const placed = (await own.log('?types=AccountFrozen,FreezeAuthorised')).map(({ type }) => type);
      expect(placed.filter((type) => type === 'AccountFrozen')).toHaveLength(accounts.length);
      expect(placed).toHaveLength(2 * accounts.length);
    } finally {
      await own.end();
    }
  });
});
