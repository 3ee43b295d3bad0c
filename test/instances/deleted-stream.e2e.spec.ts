import { startEventStoreDbServer, type EventStoreDbServer } from '#testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { valueAt } from '../e2e/support/json.ts';
import { AUDITOR, depositOf, Ledger, SERVICE } from '../e2e/support/ledger.ts';

const LIMIT_MS = 120_000;

describe('the service, when an admin of the server has deleted a stream for good', () => {
  let server: EventStoreDbServer;
  let ledger: Ledger;

  beforeAll(async () => {
    server = await startEventStoreDbServer();
    ledger = await Ledger.start({ WRIT_STORE: 'eventstoredb', WRIT_EVENTSTOREDB_URL: server.connectionString });
    await ledger.makeAccount({ accountId: 'acc-1', btc: '1' });
    await ledger.makeAccount({ accountId: 'acc-gone', btc: '1' });
    await server.tombstone('account-acc-gone');
  }, LIMIT_MS);
  afterAll(async () => {
    await ledger.end();
    await server.stop();
  });

  async function demandReport(): Promise<void> {
    const reported = { items: [expect.objectContaining({ stream: 'account-acc-gone', code: 'hash-mismatch' })] };
    await ledger.makeDeposit('acc-1', '1');
    expect(await ledger.read(AUDITOR, '/v1/audit/violations')).toMatchObject(reported);
    expect((await ledger.ask({ path: '/metrics' })).text).toMatch(/^writ_violations 1$/m);
    const asked = await ledger.post(SERVICE, '/v1/accounts/acc-gone/deposits', depositOf('d-gone', '1'));
    expect([asked.status, valueAt(asked.body, 'code')]).toEqual([503, 'store-unavailable']);
  }

  it('reports it, decides nothing on that stream, and has everything else go on', demandReport, LIMIT_MS);

  it(
    'does so after a start, too, and with read models that are made anew',
    async () => {
      await ledger.service.stop();
      for (const name of readdirSync(ledger.dataDir).filter((file) => file.startsWith('read-models'))) {
        rmSync(join(ledger.dataDir, name));
      }
      await ledger.startAgain();
      await demandReport();
    },
    LIMIT_MS,
  );
});
