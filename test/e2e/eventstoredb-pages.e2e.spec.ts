import { ACCESS_FINDINGS } from '#event-store/eventstoredb';
import { readSeal } from '#event-store/sqlite';
import { startEventStoreDbServer, TEST_CA_FILE, type EventStoreDbServer } from '#testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { promisify } from 'node:util';
import { VARIABLES } from '../../apps/ledger/src/config/config.ts';
import { Page, root } from './support/pages.ts';
import { startService } from './support/service.ts';
import { runTool } from './support/tool.ts';

const LIMIT_MS = 240_000;
/** The address on the page, and its one node that is asked over HTTP. */
const [ADDRESS, NODE] = ['node1:2113,node2:2113,node3:2113', 'https://node1:2113'] as const;
/** A page that tells an operator to set what the service does not know leads him astray. */
const NO_VARIABLE = /\bWRIT_(?!EVENTSTOREDB_…)[A-Z_]+/g;

const guide = new Page('docs/operations/eventstoredb.md');
const moving = new Page('docs/operations/moving.md');
const [makeUsers = '', applyRule = '', checkRule = ''] = guide.textsIn('sh');
const [rehearse = '', seal = '', unseal = '', back = '', backStopped = ''] = moving.textsIn('sh');

/** The project as it was unpacked somewhere, with nothing of anybody in it. */
let project: string;
let server: EventStoreDbServer;
/** What an operator has in his shell. */
const shell: Record<string, string> = {
  ADMIN_PASSWORD: 'changeit',
  LEDGER_PASSWORD: 'of the ledger',
  AUDITOR_PASSWORD: 'of auditors',
};

beforeAll(async () => {
  project = mkdtempSync(join(tmpdir(), 'writ-pages-'));
  cpSync(`${root}scripts`, join(project, 'scripts'), { recursive: true });
  for (const name of ['apps', 'libs', 'dist', 'node_modules', ...BUILT_FROM])
    symlinkSync(root + name, join(project, name));
  cpSync(TEST_CA_FILE, join(project, 'ca.crt'));
  server = await startEventStoreDbServer({ tls: true, nodeCount: 3 });
}, LIMIT_MS);
afterAll(async () => {
  await server.stop();
  rmSync(project, { recursive: true });
});

const BUILT_FROM = ['package.json', 'package-lock.json', 'nest-cli.json', 'tsconfig.json'];

/** Runs lines of a page as they stand, but for the address. @returns what they printed. @throws where one fails */
async function paste(lines: string): Promise<string> {
  const ports = server.ports.map((port) => `localhost:${String(port)}`);
  const script = lines.replaceAll(ADDRESS, ports.join(',')).replaceAll(NODE, `https://${ports[0] ?? ''}`);
  const { PATH = '' } = process.env;
  const { stdout } = await promisify(execFile)('bash', ['--norc', '-euo', 'pipefail', '-c', script], {
    cwd: project,
    env: { PATH, HOME: project, ...shell },
    timeout: LIMIT_MS,
  });
  return stdout;
}

/** A command within a sentence of the page. */
function inText(page: Page, command: string): string {
  expect(page.text).toContain(`\`${command}\``);
  return command;
}

describe('the page on a server', () => {
  it(
    'makes users, sets the rule and checks it, line by line',
    async () => {
      expect(applyRule).toContain(`export WRIT_EVENTSTOREDB_URL=esdb://${ADDRESS} WRIT_EVENTSTOREDB_CA_FILE=ca.crt\n`);
      const printed = await paste(`${makeUsers}${applyRule}${checkRule}`);
      expect(printed).toMatch(/^\$settings\n {2}before nothing\n {2}now {4}\{.*\}\n/m);
      for (const role of ['service', 'auditor']) {
        expect(printed).toContain(`Access of the ${role}, and what may make events disappear: nothing is wrong.\n`);
      }
    },
    LIMIT_MS,
  );

  it('says what to do about each finding of the check, and of no other', () => {
    const rows = [...guide.text.matchAll(/^\| (`[a-z].*?`) +\| \S/gm)].map(([, cell = '']) => cell);
    const codes = rows.flatMap((cell) => [...cell.matchAll(/`([a-z-]+)/g)].map(([, code]) => code));
    expect([...new Set(codes)].sort()).toEqual([...ACCESS_FINDINGS].sort());
  });

  it.each([guide, moving])('names variables that the service knows', ({ text }) => {
    const unknown = new Set([...text.matchAll(NO_VARIABLE)].map(([name]) => name));
    for (const name of VARIABLES) unknown.delete(name);
    unknown.delete('WRIT_EVENTSTOREDB_');
    expect([...unknown]).toEqual([]);
  });
});

describe('the page on moving', () => {
  const data = (): string => join(project, 'data');

  beforeAll(async () => {
    Object.assign(shell, {
      WRIT_EVENTSTOREDB_URL: `esdb://${server.ports.map((port) => `localhost:${String(port)}`).join(',')}`,
      WRIT_EVENTSTOREDB_CA_FILE: 'ca.crt',
      WRIT_EVENTSTOREDB_USER: 'writ',
      WRIT_EVENTSTOREDB_PASSWORD: 'of the ledger',
    });
    mkdirSync(data());
    const loaded = await runTool('load', ['--accounts', '10', '--events', '300', '--data', data()], {
      dataDir: data(),
    });
    expect(loaded).toMatchObject({ code: 0 });
  }, LIMIT_MS);

  it(
    'rehearses, line by line',
    async () => {
      expect(await paste(inText(moving, 'npm run check -- --data data'))).toContain('nothing is wrong');
      expect(await paste(rehearse)).toMatch(/ has \d+ events, each the same as in sqlite:.*data.events\.db, /);
      expect(await paste(inText(moving, 'WRIT_STORE=eventstoredb npm run check'))).toContain('nothing is wrong');
    },
    LIMIT_MS,
  );

  it(
    'cuts over, and calls it off, by the command and by hand',
    async () => {
      expect(await paste(seal)).toContain('is sealed and takes no command any more');
      const byHand = join(project, 'by-hand');
      cpSync(data(), byHand, { recursive: true });
      const [, file = '', sql = ''] = /`sqlite3 data\/(\S+) '([^']+)'`/.exec(moving.text) ?? [];
      const log = new DatabaseSync(join(byHand, file));
      log.exec(sql);
      log.close();
      expect(readSeal(join(byHand, file))).toBeUndefined();
      expect(await paste(unseal)).toContain('is not sealed any more');
      expect(readSeal(join(data(), file))).toBeUndefined();
    },
    LIMIT_MS,
  );

  it(
    'goes home to a new folder, on which the service starts as it says',
    async () => {
      await paste(back);
      expect(await paste(backStopped)).toContain('did not grow while it was watched');
      expect(moving.text).toContain('start the service with `WRIT_DATA_DIR=back`');
      const home = await startService({ dataDir: join(project, 'back') });
      const token = await home.token({ sub: 'eve', roles: ['auditor'] });
      const violations = await home.request('GET', '/v1/audit/violations', { token });
      expect(await home.stop()).toBe(0);
      expect(violations).toMatchObject({ status: 200, body: { items: [] } });
    },
    LIMIT_MS,
  );

  it('runs each of its blocks here', () => {
    expect(moving.blocks.map(({ language }) => language)).toEqual(['sh', 'sh', 'sh', 'sh', 'sh']);
    expect(backStopped).toBe(back.replace(/\n$/, ' --stopped\n'));
  });
});
