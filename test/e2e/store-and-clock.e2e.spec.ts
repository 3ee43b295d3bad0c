import { seal } from '#testing';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { forgerOf } from './support/forger.ts';
import type { Answer } from './support/http.ts';
import { AUDITOR, Ledger, SERVICE, depositOf } from './support/ledger.ts';
import { expectProblem } from './support/problems.ts';

const HOUR_MS = 3_600_000;

describe('what a command can not rely on', () => {
  let ledger: Ledger;
  let accountId: string;
  const deposit = (depositId: string, to = accountId): Promise<Answer> =>
    ledger.post(SERVICE, `/v1/accounts/${to}/deposits`, depositOf(depositId, '1'), { key: depositId });

  beforeEach(async () => {
    ledger = await Ledger.start();
    accountId = await ledger.makeAccount({ btc: '1' });
  }, 90_000);
  afterEach(() => ledger.end());

  it('a clock that is behind its stream: 503 clock-unreliable, and no other stream minds', async () => {
    const other = await ledger.makeAccount();
    await ledger.service.stop();
    const forger = await forgerOf(ledger.dataDir);
    const stream = `account-${accountId}`;
    const last = (await forger.read(stream)).at(-1);
    const data = { ...depositOf('d-ahead', '100000000'), accountId };
    const recordedAt = new Date(Date.now() + HOUR_MS).toISOString();
    const end = last && { revision: last.revision, hash: last.metadata.hash };
    const key = { caller: SERVICE.sub, value: 'd-ahead' };
    await forger.write(
      stream,
      last?.revision ?? -1,
      seal(stream, end, [{ type: 'FundsDeposited', data }], { recordedAt, key }),
    );
    await forger.close();
    await ledger.startAgain();
    expect(ledger.service.logs()).toContain('the clock is behind what is recorded');
    const [, behindSeconds] =
      /^writ_clock_behind_seconds (\S+)$/m.exec((await ledger.ask({ path: '/metrics' })).text) ?? [];
    expect(Number(behindSeconds)).toBeGreaterThan(3_000);
    expect((await deposit('d-other', other)).status).toBe(201);
    expectProblem(await deposit('d-now'), 503, 'clock-unreliable');
    expect(await ledger.events(stream)).toHaveLength((last?.revision ?? 0) + 2);
    expect(await ledger.replayed(accountId)).toMatchObject({ balances: [{ available: '2.00000000' }] });
    expect((await ledger.read(AUDITOR, '/v1/audit/violations')) as object).toMatchObject({ items: [] });
  }, 90_000);
});
