import { forceIn } from '#testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  AUDITOR,
  Ledger,
  OPS,
  SERVICE,
  depositOf,
  freezeOf,
  wellDone,
  withdrawalOf,
  type Body,
} from './support/ledger.ts';
import { openStore } from './support/store.ts';

const accountId = 'acc-1';
const nowhere = { asset: 'NOWHERE', minorUnits: true };
const MINOR_UNITS = '1234567';

describe('a deposit of an asset that nobody registered, written straight into the log', () => {
  let ledger: Ledger;
  let orderId: string;

  beforeAll(async () => {
    ledger = await Ledger.start();
    await ledger.makeAccount({ accountId, btc: '2' });
    orderId = await ledger.makeVerifiedOrder({ accounts: [accountId] });
    expect(await ledger.service.stop()).toBe(0);
    const store = await openStore(ledger.dataDir);
    const source = { kind: 'bank', reference: 'none' };
    const data = { accountId, depositId: 'd-forged', asset: nowhere.asset, amount: MINOR_UNITS, source };
    await forceIn(store, `account-${accountId}`, { type: 'FundsDeposited', data });
    await store.close();
    await ledger.startAgain();
  }, 120_000);
  afterAll(() => ledger.end());

  const read = async (path: string): Promise<Body> => (await ledger.read(AUDITOR, path)) as Body;

  it.each([`/v1/accounts/${accountId}`, `/v1/audit/accounts/${accountId}`])(
    '%s shows minor units, and says so',
    async (path) => {
      const nothing = '0.00000000';
      expect((await read(path))['balances']).toEqual([
        { asset: 'BTC', available: '2.00000000', reserved: nothing, held: nothing, frozen: nothing },
        { ...nowhere, available: MINOR_UNITS, reserved: '0', held: '0', frozen: '0' },
      ]);
    },
  );

  it('so do lists, the deposit, the statement and the trial balance', async () => {
    const { balances } = (await ledger.read(SERVICE, `/v1/accounts/${accountId}`)) as { balances: Body[] };
    expect(balances[1]).toEqual({ ...nowhere, available: MINOR_UNITS, reserved: '0', held: '0' });
    expect(await read('/v1/accounts')).toMatchObject({ items: [{ accountId }] });
    expect(await read(`/v1/accounts/${accountId}/deposits/d-forged`)).toMatchObject({ amount: MINOR_UNITS });
    expect(await read(`/v1/accounts/${accountId}/deposits`)).toMatchObject({ items: [{ amount: MINOR_UNITS }, {}] });
    expect(await read(`/v1/accounts/${accountId}/entries`)).toMatchObject({ items: [{}, { balance: MINOR_UNITS }] });
    expect(await read('/v1/trial-balance')).toMatchObject({
      items: [{ asset: 'BTC' }, { asset: 'EUR' }, { asset: nowhere.asset, available: MINOR_UNITS, sum: '0' }],
    });
  });

  it('no command moves it, and the account is frozen with it', async () => {
    const path = `/v1/accounts/${accountId}`;
    const deposit = depositOf('d-more', '1', nowhere.asset);
    expect((await ledger.post(SERVICE, `${path}/deposits`, deposit)).status).toBe(404);
    const withdrawal = withdrawalOf('w-1', '1', nowhere.asset);
    expect((await ledger.post(SERVICE, `${path}/withdrawals`, withdrawal)).status).toBe(404);
    const freeze = await ledger.post(OPS, `/v1/admin/accounts/${accountId}/freezes`, freezeOf(orderId));
    const balancesAtFreeze = [{ asset: 'BTC' }, { asset: nowhere.asset, available: MINOR_UNITS }];
    expect(wellDone(freeze, 'a freeze').body).toMatchObject({ freeze: { balancesAtFreeze } });
    for (const list of ['/v1/admin/freezes', '/v1/audit/freezes']) {
      expect(await read(list)).toMatchObject({ items: [{ balancesAtFreeze }] });
    }
    expect((await read(path))['balances']).toMatchObject([{}, { ...nowhere, frozen: MINOR_UNITS }]);
  });
});

describe('a freeze that limits an asset of which the account never had any', () => {
  it('is shown with its limit, also by replay', async () => {
    const ledger = await Ledger.start();
    try {
      await ledger.makeAccount({ accountId, btc: '2' });
      const scope = { direction: 'debit', assets: ['EUR'], limits: { EUR: '3.50' } };
      await ledger.freeze(accountId, await ledger.makeVerifiedOrder({ accounts: [accountId], more: { scope } }));
      for (const list of ['/v1/admin/freezes', '/v1/audit/freezes']) {
        expect(await ledger.read(AUDITOR, list)).toMatchObject({ items: [{ scope }] });
      }
    } finally {
      await ledger.end();
    }
  });
});
