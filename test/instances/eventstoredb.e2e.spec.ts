import { newStreamPrefix, openTunnel, startEventStoreDbServer, TEST_CA_FILE } from '#testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { valueAt } from '../e2e/support/json.ts';
import { AUDITOR, depositOf, Ledger, SERVICE, until } from '../e2e/support/ledger.ts';
import { startInVain } from '../e2e/support/service.ts';
import { serverOfServices } from '../e2e/support/store.ts';
import { runTool } from '../e2e/support/tool.ts';

const LIMIT_MS = 120_000;
const PASSWORD = 'hunter2';
const NOBODY_THERE = 'esdb://127.0.0.1:1';
/** By no tunnel, in which nobody is told that a server is not there. */
const DIRECTLY = { grpc_proxy: '' };
const PASSWORD_IN_URL = /^([a-z+]+:\/\/[^:@]+:)([^@]+)(?=@)/;

type Environment = Readonly<Record<string, string>>;

/** The server, as a service is told of it, and what can befall it. */
interface Place {
  readonly environment: Environment;
  /** In place of what stands in the environment; undefined where nobody is asked for a password. */
  readonly wrongPassword: Environment | undefined;
  /** Not to be printed by anybody. */
  readonly password: string | undefined;
  /** Nobody reaches it any more, and it hears of nobody. */
  readonly vanish: () => Promise<void>;
  readonly comeBack: () => Promise<void>;
  readonly stop: () => Promise<void>;
}

async function serverOfTheTests(): Promise<Place> {
  const users = [{ name: 'writ', password: PASSWORD, groups: ['$admins'] }];
  const server = await startEventStoreDbServer({ tls: true, users });
  return {
    environment: {
      WRIT_STORE: 'eventstoredb',
      WRIT_EVENTSTOREDB_URL: `esdb://127.0.0.1:${String(server.ports[0])}`,
      WRIT_EVENTSTOREDB_CA_FILE: TEST_CA_FILE,
      WRIT_EVENTSTOREDB_USER: 'writ',
      WRIT_EVENTSTOREDB_PASSWORD: PASSWORD,
      WRIT_EVENTSTOREDB_PREFIX: 'ledger-1.',
    },
    wrongPassword: { WRIT_EVENTSTOREDB_PASSWORD: `${PASSWORD}${PASSWORD}` },
    password: PASSWORD,
    vanish: () => server.kill(),
    comeBack: () => server.restart(),
    stop: () => server.stop(),
  };
}

/** Of somebody's server nothing can be asked: it vanishes by the way to it. */
async function serverThatIsNamed(named: NonNullable<typeof serverOfServices>): Promise<Place> {
  const tunnel = await openTunnel();
  const url = named.settings.connectionString;
  const password = PASSWORD_IN_URL.exec(url)?.[2];
  return {
    environment: { ...named.environment, WRIT_EVENTSTOREDB_PREFIX: newStreamPrefix(), ...tunnel.environment },
    wrongPassword:
      password === undefined ? undefined : { WRIT_EVENTSTOREDB_URL: url.replace(PASSWORD_IN_URL, '$1nobody-has-this') },
    password: password === undefined ? undefined : decodeURIComponent(password),
    vanish: () => {
      tunnel.refuse();
      tunnel.cut();
      return Promise.resolve();
    },
    comeBack: () => {
      tunnel.accept();
      return Promise.resolve();
    },
    stop: () => tunnel.close(),
  };
}

describe('the service on EventStoreDB', () => {
  let place: Place;
  let ledger: Ledger;
  let environment: Environment;

  beforeAll(async () => {
    place = await (serverOfServices === undefined ? serverOfTheTests() : serverThatIsNamed(serverOfServices));
    environment = place.environment;
    ledger = await Ledger.start(environment);
    await ledger.makeAccount({ accountId: 'acc-1', btc: '5' });
  }, LIMIT_MS);
  afterAll(async () => {
    await ledger.end();
    await place.stop();
  });

  async function lineOf(changed: Environment): Promise<string> {
    const { code, printed } = await startInVain({ ...environment, ...DIRECTLY, ...changed });
    expect(code).toBe(1);
    expect(printed).toMatch(/^[^\n]+\n$/);
    expect(printed).not.toContain(place.password ?? 'nothing to hide');
    expect(printed).toContain('docs/operations.md');
    return printed;
  }

  it(
    'starts with one line, and without the password, when it can not',
    async () => {
      expect(await lineOf({ WRIT_EVENTSTOREDB_URL: NOBODY_THERE })).toContain("can't be reached");
      if (place.wrongPassword !== undefined) expect(await lineOf(place.wrongPassword)).toContain('password');
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
      await place.vanish();
      const down = await until('not being ready', async () =>
        valueAt(await checks(), 'code') === undefined ? undefined : checks(),
      );
      expect(valueAt(down, 'checks.store')).not.toBe('ok');
      const asked = await ledger.post(SERVICE, path, depositOf('d-down', '1'), { key: 'd-down' });
      expect([asked.status, valueAt(asked.body, 'code')]).toEqual([503, 'store-unavailable']);
      await place.comeBack();
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
    'builds its read models anew where they were deleted, and everything keeps its position',
    async () => {
      const position = await ledger.makeDeposit('acc-1', '1');
      const paths = ['/v1/accounts/acc-1', '/v1/accounts/acc-1/entries', '/v1/trial-balance', '/v1/audit/events'];
      const views = (): Promise<unknown> => Promise.all(paths.map((path) => ledger.read(AUDITOR, path, position)));
      const before = await views();
      await ledger.service.stop();
      const made = readdirSync(ledger.dataDir).filter((name) => /^read-models\.db|^snapshots$/.test(name));
      expect(made).toContain('read-models.db');
      for (const name of made) rmSync(join(ledger.dataDir, name), { recursive: true });
      await ledger.startAgain();
      expect(await views()).toEqual(before);
      const entries = await ledger.log('?stream=account-acc-1');
      expect(entries.at(-1)).toMatchObject({ type: 'FundsDeposited', position });
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
