import { canonicalJson, sha256Hex, type RecordedEvent } from '#kernel';
import { EXPECTED_VIOLATION, FORGERY_NAMES, forgeAll, type ForgeryName, type LogForger } from '#testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { LedgerClient, type Body } from './support/ledger-client.ts';
import { startService, type RunningService } from './support/service.ts';

const accounts = Object.fromEntries(FORGERY_NAMES.map((name) => [name, `acc-${name}`])) as Record<ForgeryName, string>;

/** Writes into the log's file with nothing of the service in between. */
function forgerOf(path: string): LogForger & { close(): void } {
  const db = new DatabaseSync(path);
  const read = db.prepare('SELECT * FROM events WHERE stream = ? ORDER BY revision');
  const insert = db.prepare(
    'INSERT INTO events (stream, revision, id, type, schema_version, data, metadata) VALUES (?, ?, ?, ?, ?, ?, ?)',
  );
  return {
    read: (stream) =>
      Promise.resolve(
        read.all(stream).map((row) => {
          const { revision, id, type, data, metadata } = row as Record<string, string>;
          const parsed = {
            data: JSON.parse(String(data)) as unknown,
            metadata: JSON.parse(String(metadata)) as unknown,
          };
          return {
            stream,
            revision: Number(revision),
            id,
            type,
            position: '',
            schemaVersion: 1,
            ...parsed,
          } as RecordedEvent;
        }),
      ),
    write: (stream, expected, events) => {
      for (const [at, { id, type, schemaVersion, data, metadata }] of events.entries()) {
        const revision = (expected === 'no-stream' ? 0 : expected + 1) + at;
        insert.run(stream, revision, id, type, schemaVersion, JSON.stringify(data), JSON.stringify(metadata));
      }
      return Promise.resolve();
    },
    close: () => {
      db.close();
    },
  };
}

describe('events written straight into the file while the service is stopped', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'writ-enforcement-'));
  let service: RunningService;
  let client: LedgerClient;
  const lifted = accounts.liftedWithoutApproval;

  beforeAll(async () => {
    const before = await startService({ dataDir });
    const honest = new LedgerClient(before);
    await honest.registerBitcoin();
    for (const accountId of [...Object.values(accounts), 'acc-real']) {
      await honest.openAccount(accountId);
      await honest.deposit(accountId, 'd-1', '2');
    }
    await honest.putOrder('ord-1', [lifted, 'acc-real']);
    await honest.putOrder('ord-2', [accounts.forgedPair], false);
    for (const accountId of [lifted, 'acc-real']) expect((await honest.freeze(accountId, 'ord-1')).status).toBe(201);
    expect(await before.stop()).toBe(0);

    const forger = forgerOf(join(dataDir, 'events.db'));
    await forgeAll(forger, { accounts, verifiedOrder: 'ord-1', unverifiedOrder: 'ord-2' });
    forger.close();
    service = await startService({ dataDir });
    client = new LedgerClient(service);
  }, 120_000);

  afterAll(async () => {
    await service.stop();
    rmSync(dataDir, { recursive: true });
  });

  it.each(FORGERY_NAMES)('%s is listed as a violation', async (name) => {
    const { items } = await client.read('auditor', '/v1/audit/violations?limit=500');
    const found = (items as Body[]).filter(({ stream }) => stream === `account-${accounts[name]}`);
    expect(found.map(({ code }) => code)).toEqual([EXPECTED_VIOLATION[name]]);
  });

  it.each(FORGERY_NAMES.filter((name) => name !== 'liftedWithoutApproval'))('%s restricts nothing', async (name) => {
    const { freezes, balances } = await client.read('auditor', `/v1/accounts/${accounts[name]}`);
    expect({ freezes, balances }).toMatchObject({
      freezes: [],
      balances: [{ available: '2.00000000', frozen: '0.00000000' }],
    });
    expect((await client.reserve(accounts[name], 'w-1', '1')).status).toBe(201);
  });

  it('a lift without approval frees nothing, and a real freeze holds beside them', async () => {
    for (const accountId of [lifted, 'acc-real']) {
      const answer = await client.reserve(accountId, 'w-1', '1');
      expect({ status: answer.status, body: answer.body }).toMatchObject({
        status: 423,
        body: { code: 'account-frozen' },
      });
    }
  });

  it('none of them stands in the register', async () => {
    const { items } = await client.read('auditor', '/v1/admin/freezes?limit=500');
    const inForce = (items as Body[]).filter(({ state }) => state === 'in-force');
    expect(inForce.map(({ accountId }) => accountId).sort()).toEqual([lifted, 'acc-real'].sort());
    expect(items).toHaveLength(2);
  });

  it('none of them is among the freezes by replay of the log, now or as of a time', async () => {
    const now = await client.read('auditor', '/v1/audit/freezes');
    expect((now['items'] as Body[]).map(({ accountId }) => accountId)).toEqual([lifted, 'acc-real']);
    const at = new Date().toISOString();
    expect(await client.read('auditor', `/v1/audit/freezes?at=${at}`)).toEqual(now);
  });

  it('moves nothing in the trial balance', async () => {
    const { items } = await client.read('auditor', '/v1/trial-balance');
    const paidIn = 2 * (FORGERY_NAMES.length + 1);
    expect(items).toMatchObject([{ asset: 'BTC', external: `-${String(paidIn)}.00000000`, sum: '0.00000000' }]);
  });

  it('the metric counts them and the log names them', async () => {
    const { items } = await client.read('auditor', '/v1/audit/violations?limit=500');
    const metrics = await service.request('GET', '/metrics');
    const count = /^writ_violations\S* (\d+)$/m.exec(metrics.text)?.[1];
    expect(Number(count)).toBe((items as unknown[]).length);
    for (const { eventId } of items as Body[]) expect(service.logs()).toContain(String(eventId));
  });

  it('an account with a malformed event goes on', async () => {
    const answer = await client.deposit(accounts.malformed, 'd-2', '1');
    expect(answer.status).toBe(201);
    const { balances } = await client.read('auditor', `/v1/audit/accounts/${accounts.malformed}`);
    expect(balances).toMatchObject([{ available: '2.00000000', reserved: '1.00000000' }]);
  });

  it('keeps what was forged in the log, as it was written', async () => {
    const { items } = await client.read('auditor', `/v1/audit/streams/account-${accounts.malformed}`);
    const malformed = (items as Body[]).find(({ type, revision }) => type === 'FundsDeposited' && revision === '2');
    expect(sha256Hex(canonicalJson(malformed?.['data']))).toBe(
      sha256Hex(canonicalJson({ amount: 'a lot', ['__proto__x']: [null] })),
    );
  });
});
