import { startEventStoreDbServer, TEST_CA_FILE, type EventStoreDbServer } from '#testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { valueAt } from '../e2e/support/json.ts';
import { AUDITOR, depositOf, Ledger, SERVICE, until } from '../e2e/support/ledger.ts';
import { startInVain } from '../e2e/support/service.ts';
import { runTool } from '../e2e/support/tool.ts';

const LIMIT_MS = 120_000;
const PASSWORD = 'hunter2';

describe('the service on EventStoreDB', () => {
  let server: EventStoreDbServer;
  let ledger: Ledger;
  let environment: Readonly<Record<string, string>>;

  beforeAll(async () => {
    server = await startEventStoreDbServer({
      tls: true,
      users: [{ name: 'writ', password: PASSWORD, groups: ['$admins'] }],
    });
    environment = {
      WRIT_STORE: 'eventstoredb',
      WRIT_EVENTSTOREDB_URL: `esdb://localhost:${String(server.ports[0])}`,
      WRIT_EVENTSTOREDB_CA_FILE: TEST_CA_FILE,
      WRIT_EVENTSTOREDB_USER: 'writ',
      WRIT_EVENTSTOREDB_PASSWORD: PASSWORD,
      WRIT_EVENTSTOREDB_PREFIX: 'ledger-1.',
    };
    ledger = await Ledger.start(environment);
    await ledger.makeAccount({ accountId: 'acc-1', btc: '5' });
  }, LIMIT_MS);
  afterAll(async () => {
    await ledger.end();
    await server.stop();
  });

  it(
    'starts with one line, and without the password, when it can not',
    async () => {
      const lines: string[] = [];
      for (const changed of [
        { WRIT_EVENTSTOREDB_URL: 'esdb://127.0.0.1:1' },
        { WRIT_EVENTSTOREDB_PASSWORD: `${PASSWORD}${PASSWORD}` },
      ]) {
        const { code, printed } = await startInVain({ ...environment, ...changed });
        expect(code).toBe(1);
        expect(printed).toMatch(/^[^\n]+\n$/);
        expect(printed).not.toContain(PASSWORD);
        expect(printed).toContain('docs/operations.md');
        lines.push(printed);
      }
      expect(lines).toEqual([expect.stringContaining("can't be reached"), expect.stringContaining('password')]);
    },
    LIMIT_MS,
  );

  it(
    'has its data folder for itself, and refuses an empty server when it knows a log',
    async () => {
      const taken = await startInVain(environment, { dataDir: ledger.dataDir });
      expect(taken.printed).toContain('is in use by another process');
      await ledger.service.stop();
      const elsewhere = { ...environment, WRIT_EVENTSTOREDB_PREFIX: 'another.' };
      const refused = await startInVain(elsewhere, { dataDir: ledger.dataDir });
      expect(refused.printed).toContain('WRIT_EVENTSTOREDB_PREFIX');
      await ledger.startAgain();
    },
    LIMIT_MS,
  );

  it(
    'says that it is not ready while the server is gone, and recovers by itself',
    async () => {
      const path = '/v1/accounts/acc-1/deposits';
      const checks = async (): Promise<unknown> => (await ledger.ask({ path: '/health/ready' })).body;
      await server.kill();
      const down = await until('not being ready', async () =>
        valueAt(await checks(), 'code') === undefined ? undefined : checks(),
      );
      expect(valueAt(down, 'checks.store')).not.toBe('ok');
      const asked = await ledger.post(SERVICE, path, depositOf('d-down', '1'), { key: 'd-down' });
      expect([asked.status, valueAt(asked.body, 'code')]).toEqual([503, 'store-unavailable']);
      await server.restart();
      const up = async (): Promise<true | undefined> =>
        (await ledger.ask({ path: '/health/ready' })).status === 200 ? true : undefined;
      await until('being ready', up, 60_000);
      const again = await ledger.post(SERVICE, path, depositOf('d-down', '1'), { key: 'd-down' });
      expect(again.status).toBe(201);
      const account = await ledger.read(AUDITOR, '/v1/accounts/acc-1');
      expect(valueAt(account, 'balances.0.available')).toBe('6.00000000');
    },
    LIMIT_MS,
  );

  it(
    'is checked and rebuilt by the same commands; what is for files says so',
    async () => {
      const folder = mkdtempSync(join(tmpdir(), 'writ-tool-'));
      try {
        const at = { dataDir: folder, environment };
        const checked = await runTool('check', [], at);
        expect([checked.code, checked.stdout]).toEqual([0, expect.stringContaining('nothing is wrong')]);
        const rebuilt = await runTool('rebuild', [], at);
        expect([rebuilt.code, rebuilt.stderr]).toEqual([0, expect.any(String)]);
        const busy = await runTool('rebuild', [], { ...at, dataDir: ledger.dataDir });
        expect([busy.code, busy.stderr]).toEqual([1, expect.stringContaining('is in use by another process')]);
        for (const [tool, args] of [
          ['backup', ['--to', folder]],
          ['restore', ['--from', folder]],
          ['load', ['--accounts', '10', '--events', '1000']],
        ] as const) {
          const refused = await runTool(tool, args, at);
          expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('The log is on EventStoreDB')]);
        }
      } finally {
        rmSync(folder, { recursive: true });
      }
    },
    LIMIT_MS,
  );
});
