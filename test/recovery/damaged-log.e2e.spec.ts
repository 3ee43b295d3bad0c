import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { AUDITOR, depositOf, Ledger, SERVICE, until, withdrawalOf } from '../e2e/support/ledger.ts';
import { expectProblem } from '../e2e/support/problems.ts';
import { changeEvent, removeEvent } from './damage.ts';

/** Kept beside the log, and made of it: all that remembers what was in it. */
const MADE_OF_THE_LOG = ['read-models.db', 'read-models.db-wal', 'read-models.db-shm', 'snapshots', 'supervisor'];

describe('a log with an event removed by hand from the middle of a stream', () => {
  let ledger: Ledger;
  beforeAll(async () => {
    ledger = await Ledger.start();
    await ledger.makeAccount({ accountId: 'acc-1', btc: '1' });
    await ledger.makeAccount({ accountId: 'acc-2', btc: '1' });
    for (let n = 0; n < 3; n += 1) await ledger.makeDeposit('acc-1', '1');
    await ledger.service.stop();
    removeEvent(join(ledger.dataDir, 'events.db'), 'account-acc-1', 2);
    for (const name of MADE_OF_THE_LOG) rmSync(join(ledger.dataDir, name), { recursive: true, force: true });
    await ledger.startAgain();
  }, 180_000);
  afterAll(() => ledger.end());

  it('is served as far as it goes, and the gap is a violation', async () => {
    expect(await ledger.read(AUDITOR, '/v1/audit/violations')).toMatchObject({
      items: [{ code: 'hash-mismatch', stream: 'account-acc-1', revision: '3' }],
    });
    expect(await ledger.read(AUDITOR, '/v1/accounts/acc-2')).toMatchObject({ balances: [{ available: '1.00000000' }] });
    expect((await ledger.ask({ path: '/metrics' })).text).toMatch(/^writ_violations 1$/m);
    expect((await ledger.ask({ path: '/health/ready' })).status).toBe(200);
  });

  it('has nothing decided on what is left of the stream, and the service says so', async () => {
    for (let n = 0; n < 2; n += 1) {
      const debit = await ledger.post(SERVICE, '/v1/accounts/acc-1/withdrawals', withdrawalOf(ledger.id('wd'), '0.1'));
      expectProblem(debit, 503, 'store-unavailable', { detail: expect.stringContaining('events are missing') });
    }
    const credit = await ledger.post(SERVICE, '/v1/accounts/acc-1/deposits', depositOf('d-x', '1'));
    expectProblem(credit, 503, 'store-unavailable');
    const said = (): readonly string[] => ledger.service.logs().match(/^.*events are missing from the log.*$/gm) ?? [];
    await until('a line in the log', () => Promise.resolve(said().length > 0 ? true : undefined));
    expect(said().map((line) => JSON.parse(line) as unknown)).toEqual([
      expect.objectContaining({ level: 50, stream: 'account-acc-1', revision: 2 }),
    ]);
  });

  it('has everything else decided as ever', async () => {
    const paid = await ledger.post(SERVICE, '/v1/accounts/acc-2/deposits', depositOf('d-y', '1'));
    expect(paid.status).toBe(201);
    expect(await ledger.read(AUDITOR, '/v1/accounts/acc-2')).toMatchObject({ balances: [{ available: '2.00000000' }] });
  });
});

describe('a log with events changed after they were recorded, and others taken from the ends of their streams', () => {
  let ledger: Ledger;
  let ordersStream = '';
  beforeAll(async () => {
    ledger = await Ledger.start();
    const accounts = ['acc-0', 'acc-1', 'acc-2', 'acc-3'];
    for (const accountId of accounts) await ledger.makeAccount({ accountId, btc: '1' });
    const orders: string[] = [];
    for (const accountId of accounts.slice(0, 3)) {
      const orderId = await ledger.makeVerifiedOrder({ accounts: [accountId] });
      await ledger.freeze(accountId, orderId);
      // Waits until the read models have taken it in.
      await ledger.read(AUDITOR, `/v1/accounts/${accountId}`);
      orders.push(`legalOrder-${orderId}`);
    }
    ordersStream = orders[2] ?? '';
    await ledger.service.stop();
    const file = join(ledger.dataDir, 'events.db');
    removeEvent(file, 'account-acc-0', 2);
    removeEvent(file, orders[0] ?? '', 2);
    changeEvent(file, 'account-acc-1', 'AccountFrozen');
    changeEvent(file, ordersStream, 'FreezeAuthorised');
    await ledger.startAgain();
  }, 180_000);
  afterAll(() => ledger.end());

  it.each(['acc-1', 'acc-2'])(
    'undoes no freeze: nothing is decided that rests on it, and the service says so (%s)',
    async (accountId) => {
      const path = `/v1/accounts/${accountId}/withdrawals`;
      const debit = await ledger.post(SERVICE, path, withdrawalOf(ledger.id('wd'), '0.1'));
      expectProblem(debit, 503, 'store-unavailable', { detail: expect.stringContaining('was changed') });
      const stream = accountId === 'acc-1' ? 'account-acc-1' : ordersStream;
      const said = (): string | undefined =>
        ledger.service
          .logs()
          .match(/^.*was changed after it was recorded.*$/gm)
          ?.find((line) => line.includes(stream));
      expect(JSON.parse(await until('a line in the log', () => Promise.resolve(said())))).toMatchObject({
        level: 50,
        stream,
      });
    },
  );

  it('undoes no freeze either of which nothing is left in the log', async () => {
    const path = '/v1/accounts/acc-0/withdrawals';
    const debit = await ledger.post(SERVICE, path, withdrawalOf(ledger.id('wd'), '0.1'));
    expectProblem(debit, 503, 'store-unavailable', { detail: expect.stringContaining('events are missing') });
    const said = (): string | undefined =>
      ledger.service
        .logs()
        .match(/^.*events are missing from the log.*$/gm)
        ?.find((line) => line.includes('account-acc-0'));
    expect(JSON.parse(await until('a line in the log', () => Promise.resolve(said())))).toMatchObject({
      level: 50,
      revision: 2,
    });
  });

  it('has everything else decided as ever', async () => {
    const paid = await ledger.post(SERVICE, '/v1/accounts/acc-3/withdrawals', withdrawalOf(ledger.id('wd'), '0.1'));
    expect(paid.status).toBe(201);
  });
});
