import { seal } from '#testing';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { join } from 'node:path';
import { forgerOf } from './support/forger.ts';
import type { Answer } from './support/http.ts';
import { valueAt } from './support/json.ts';
import { AUDITOR, Ledger, SERVICE, depositOf } from './support/ledger.ts';
import { expectProblem } from './support/problems.ts';

const HOUR_MS = 3_600_000;
/** Fills up after some dozens of deposits. */
const SMALL_DISK_KIB = 700;

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
    const forger = forgerOf(join(ledger.dataDir, 'events.db'));
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
    forger.close();
    await ledger.startAgain();
    expect((await deposit('d-other', other)).status).toBe(201);
    expectProblem(await deposit('d-now'), 503, 'clock-unreliable');
    expect(await ledger.events(stream)).toHaveLength((last?.revision ?? 0) + 2);
    expect(await ledger.replayed(accountId)).toMatchObject({ balances: [{ available: '2.00000000' }] });
    expect((await ledger.read(AUDITOR, '/v1/audit/violations')) as object).toMatchObject({ items: [] });
  }, 90_000);

  it('a disk that is full: 503 store-unavailable, and all that was acknowledged is there, once', async () => {
    await ledger.service.stop();
    await ledger.startAgain({ fileLimitKiB: SMALL_DISK_KIB });
    const acknowledged: string[] = [];
    let refused: Answer | undefined;
    for (let nth = 0; refused === undefined && nth < 2_000; nth += 1) {
      const depositId = `d-${String(nth)}`;
      const answer = await deposit(depositId);
      if (answer.status === 201) acknowledged.push(depositId);
      else refused = answer;
    }
    if (refused === undefined) throw new Error('the disk is never full');
    expectProblem(refused, 503, 'store-unavailable');
    expect(acknowledged.length).toBeGreaterThan(5);
    await ledger.service.kill();

    await ledger.startAgain();
    // Whoever asks again is told what became of it, whether it had reached the disk or not.
    const depositId = `d-${String(acknowledged.length)}`;
    expect((await deposit(depositId)).status).toBe(201);
    const ids = (await ledger.events(`account-${accountId}`)).flatMap(({ data }) => valueAt(data, 'depositId') ?? []);
    expect(ids.slice(1)).toEqual([...acknowledged, depositId]);
  }, 120_000);
});
