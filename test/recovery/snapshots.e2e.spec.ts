import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { textAt } from '../e2e/support/json.ts';
import {
  AUDITOR,
  depositOf,
  Ledger,
  SERVICE,
  type AccountOptions,
  until,
  wellDone,
  withdrawalOf,
} from '../e2e/support/ledger.ts';

const EVERY = { WRIT_SNAPSHOT_EVERY: '10' };
const ACCOUNT: AccountOptions = { accountId: 'acc-long', btc: '1' };
const DEPOSITS = 24;

/** What the service says of its snapshots since its start. */
async function counts(ledger: Ledger): Promise<Readonly<Record<string, number>>> {
  const { text } = await ledger.ask({ path: '/metrics' });
  const lines = text.matchAll(/^writ_snapshots_total\{outcome="([^"]+)"\} (\d+)$/gm);
  return Object.fromEntries(Array.from(lines, ([, outcome, count]) => [String(outcome), Number(count)]));
}

function filesOf(ledger: Ledger): readonly string[] {
  const folder = join(ledger.dataDir, 'snapshots');
  return existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : [];
}

/** A service with one long account, a part of it frozen, and a snapshot of it. */
async function startWithSnapshot(): Promise<{ readonly ledger: Ledger; readonly freezeId: string }> {
  const ledger = await Ledger.start(EVERY);
  const accountId = await ledger.makeAccount(ACCOUNT);
  const orderId = await ledger.makeVerifiedOrder({ accounts: [accountId] });
  const freezeId = await ledger.freeze(accountId, orderId);
  for (let n = 0; n < DEPOSITS; n += 1) await deposit(ledger, `d-${String(n)}`);
  await until('a snapshot', async () => (((await counts(ledger))['written'] ?? 0) > 0 ? true : undefined));
  return { ledger, freezeId };
}

async function deposit(ledger: Ledger, depositId: string): Promise<void> {
  const path = '/v1/accounts/acc-long/deposits';
  wellDone(await ledger.post(SERVICE, path, depositOf(depositId, '1'), { key: depositId }), 'a deposit');
}

/** The account is what its events say, for commands as for whoever replays it. */
async function demandUnchanged(ledger: Ledger, freezeId: string): Promise<void> {
  const refused = await ledger.post(SERVICE, '/v1/accounts/acc-long/withdrawals', withdrawalOf(ledger.id('wd'), '1'));
  expect(refused.body).toMatchObject({ code: 'account-frozen', freezeIds: [freezeId] });
  const again = await ledger.post(SERVICE, '/v1/accounts/acc-long/deposits', depositOf('d-0', '1'), { key: 'd-0' });
  expect(again.headers['idempotent-replayed']).toBe('true');
  const taken = await ledger.post(SERVICE, '/v1/accounts/acc-long/deposits', depositOf('d-1', '1'));
  expect(taken.body).toMatchObject({ code: 'already-exists' });
  const replayed = await ledger.read(AUDITOR, '/v1/audit/accounts/acc-long');
  expect(textAt(replayed, 'balances.0.available')).toBe(`${String(DEPOSITS + 1)}.00000000`);
}

describe('snapshots in a data folder', () => {
  let ledger: Ledger;
  let freezeId: string;
  beforeAll(async () => {
    ({ ledger, freezeId } = await startWithSnapshot());
  }, 120_000);
  afterAll(() => ledger.end());

  it('are for their owner alone', () => {
    expect(filesOf(ledger)).toHaveLength(1);
    for (const file of filesOf(ledger)) expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it('are gone on from after a kill', async () => {
    await ledger.service.kill();
    await ledger.startAgain();
    await demandUnchanged(ledger, freezeId);
    expect(await counts(ledger)).toMatchObject({ used: 1 });
  }, 60_000);

  it('that are damaged are ignored, told of once, and replaced', async () => {
    await ledger.service.kill();
    for (const file of filesOf(ledger))
      writeFileSync(file, readFileSync(file, 'utf8').replace('"revision"', '"revisiom"'));
    await ledger.startAgain();
    await demandUnchanged(ledger, freezeId);
    await until('another snapshot', async () => ((await counts(ledger))['written'] === 1 ? true : undefined));
    const { damaged, used } = await counts(ledger);
    expect({ damaged, used }).toEqual({ damaged: 1, used: undefined });
    expect(ledger.service.logs().match(/a snapshot is ignored, as it is damaged/g)).toHaveLength(1);

    await ledger.service.stop();
    await ledger.startAgain();
    await demandUnchanged(ledger, freezeId);
    expect(await counts(ledger)).toMatchObject({ used: 1 });
  }, 90_000);

  it('that were made of another log are ignored', async () => {
    const other = await startWithSnapshot();
    await other.ledger.service.kill();
    await ledger.service.kill();
    cpSync(join(other.ledger.dataDir, 'snapshots'), join(ledger.dataDir, 'snapshots'), { recursive: true });
    await other.ledger.end();
    await ledger.startAgain();
    await demandUnchanged(ledger, freezeId);
    expect(await counts(ledger)).toMatchObject({ 'other-log': 1 });
  }, 90_000);

  it('may be deleted, and their folder with them', async () => {
    await ledger.service.kill();
    rmSync(join(ledger.dataDir, 'snapshots'), { recursive: true });
    await ledger.startAgain();
    await demandUnchanged(ledger, freezeId);
    await until('another snapshot', async () => ((await counts(ledger))['written'] === 1 ? true : undefined));
    expect(filesOf(ledger)).toHaveLength(1);
  }, 60_000);

  it('are used only once the read models have come as far', async () => {
    await ledger.service.kill();
    for (const name of readdirSync(ledger.dataDir)) {
      if (name.startsWith('read-models.db')) rmSync(join(ledger.dataDir, name));
    }
    await ledger.startAgain();
    await demandUnchanged(ledger, freezeId);
    expect(await counts(ledger)).toMatchObject({ used: 1 });
  }, 60_000);
});

describe('without snapshots', () => {
  it('none is made', async () => {
    const ledger = await Ledger.start({ WRIT_SNAPSHOT_EVERY: '0' });
    await ledger.makeAccount(ACCOUNT);
    for (let n = 0; n < DEPOSITS; n += 1) await deposit(ledger, `d-${String(n)}`);
    expect(await counts(ledger)).toEqual({});
    expect(filesOf(ledger)).toEqual([]);
    await ledger.end();
  }, 60_000);
});
