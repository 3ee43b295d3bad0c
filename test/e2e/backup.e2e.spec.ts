import { SqliteEventReader, SqliteEventStore } from '#event-store/sqlite';
import type { RecordedEvent } from '#kernel';
import { checkLog, LedgerWorld, tellStory } from '#testing';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Answer } from './support/http.ts';
import { valueAt } from './support/json.ts';
import { AUDITOR, depositOf, freezeOf, Ledger, OPS, SERVICE, wellDone, withdrawalOf } from './support/ledger.ts';
import { Page } from './support/pages.ts';
import { runTool } from './support/tool.ts';

const CALLERS = 8;
const ACCOUNTS = 4;
/** Answers that the backup begins and ends in the middle of. */
const ANSWERS_BEFORE = 60;
const LOAD_LIMIT_MS = 60_000;

/** Smaller than the log that is copied. */
const SMALL_DISK_KIB = 64;

const root = fileURLToPath(new URL('../../', import.meta.url));
/** Lines that fail leave no service behind. */
const SAFELY = "trap 'kill $(jobs -p) 2> /dev/null || true' EXIT\n";

let folder: string;
let ledger: Ledger;
beforeAll(async () => {
  ledger = await Ledger.start();
}, 90_000);
afterAll(() => ledger.end());
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'writ-e2e-backup-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

interface Command {
  readonly path: string;
  readonly key: string;
  readonly body: unknown;
  readonly answer: Answer;
}

/** Deposits and withdrawals until it is stopped; keeps what was acknowledged, in the order of the answers. */
class Writers {
  readonly acknowledged: Command[] = [];
  #over = false;

  async run(caller: number): Promise<void> {
    for (let n = 0; !this.#over; n += 1) {
      const [path, key] = [`/v1/accounts/acc-${String(n % ACCOUNTS)}`, `c-${String(caller)}-${String(n)}`];
      if (n % 4 === 3) await this.#send(`${path}/withdrawals`, key, withdrawalOf(key, '0.5'));
      else await this.#send(`${path}/deposits`, key, depositOf(key, '1'));
    }
  }

  stop(): void {
    this.#over = true;
  }

  async until(answers: number): Promise<void> {
    const endMs = performance.now() + LOAD_LIMIT_MS;
    while (this.acknowledged.length < answers) {
      if (performance.now() > endMs) throw new Error('the service does not answer in time');
      await delay(20);
    }
  }

  async #send(path: string, key: string, body: unknown): Promise<void> {
    const answer = await ledger.post(SERVICE, path, body, { key });
    if (answer.status === 201) this.acknowledged.push({ path, key, body, answer });
  }
}

async function logIn(file: string): Promise<readonly RecordedEvent[]> {
  const reader = new SqliteEventReader(file);
  try {
    return (await reader.readAll({ limit: 1_000_000 })).events;
  } finally {
    await reader.close();
  }
}

/** The accounts by replay, as of a position. */
function shownAt(position: string): Promise<readonly unknown[]> {
  const accounts = Array.from({ length: ACCOUNTS }, (_, n) => `/v1/audit/accounts/acc-${String(n)}?at=${position}`);
  return Promise.all(accounts.map((path) => ledger.read(AUDITOR, path)));
}

it('a backup under load holds all that was acknowledged before it began; restored, it answers the same', async () => {
  for (let n = 0; n < ACCOUNTS; n += 1) await ledger.makeAccount({ accountId: `acc-${String(n)}`, btc: '5' });
  await ledger.makeVerifiedOrder({ orderId: 'ord-1', accounts: ['acc-2'] });
  wellDone(await ledger.post(OPS, '/v1/admin/accounts/acc-2/freezes', freezeOf('ord-1')), 'a freeze');

  const writers = new Writers();
  const running = Array.from({ length: CALLERS }, (_, caller) => writers.run(caller));
  await writers.until(ANSWERS_BEFORE);
  const before = [...writers.acknowledged];
  const to = join(folder, 'backups');
  const [first, second] = await Promise.all([1, 2].map(() => runTool('backup', ['--to', to], ledger)));
  await writers.until(writers.acknowledged.length + 1);
  writers.stop();
  await Promise.all(running);
  expect([first, second]).toEqual(Array(2).fill(expect.objectContaining({ code: 0, stderr: '' })));
  const backups = readdirSync(to).sort();
  expect(backups).toHaveLength(2);
  const from = join(to, backups[0] ?? '');

  const whole = await logIn(join(ledger.dataDir, 'events.db'));
  const kept = await logIn(join(from, 'events.db'));
  expect(kept).toEqual(whole.slice(0, kept.length));
  expect(kept.length).toBeLessThan(whole.length);
  expect(checkLog(kept)).toEqual([]);
  const ids = new Set(kept.map(({ id }) => id));
  for (const { answer } of before) {
    for (const { id } of valueAt(answer.body, 'events') as { id: string }[]) expect(ids).toContain(id);
  }

  const end = kept.at(-1)?.position ?? '';
  const answers = await shownAt(end);

  // The machine is lost. What a backup holds is what there is.
  await ledger.service.kill();
  const refused = await runTool('restore', ['--from', from], ledger);
  expect(refused).toMatchObject({ code: 1, stdout: '', stderr: expect.stringMatching(/events\.db is there already/) });
  for (const ending of ['', '-wal', '-shm']) rmSync(join(ledger.dataDir, `events.db${ending}`));
  expect(await runTool('restore', ['--from', from], ledger)).toMatchObject({ code: 0, stderr: '' });
  await ledger.startAgain();

  expect(await logIn(join(ledger.dataDir, 'events.db'))).toEqual(kept);
  expect(await shownAt(end)).toEqual(answers);
  for (const { path, key, body, answer } of before.filter((_, at) => at % 10 === 0)) {
    const repeated = await ledger.post(SERVICE, path, body, { key });
    expect({ status: repeated.status, body: repeated.body }).toEqual({ status: answer.status, body: answer.body });
    expect(repeated.headers['idempotent-replayed']).toBe('true');
  }
  // What came after the backup is not known any more: sent again, it is done anew.
  const lost = writers.acknowledged.findLast(({ answer }) => !ids.has(String(valueAt(answer.body, 'events.0.id'))));
  if (lost === undefined) throw new Error('something was written after the backup');
  const again = await ledger.post(SERVICE, lost.path, lost.body, { key: lost.key });
  expect(again.headers['idempotent-replayed']).toBeUndefined();
}, 300_000);

it('the drill of the page goes as it is written', async () => {
  const [variables = '', lines = ''] = new Page('docs/operations/backup-and-restore.md').textsIn('sh').slice(-2);
  expect(variables).toMatch(/^BACKUPS=\S+\nDRILL=\S+\nPORT=\d+\n$/);
  const backups = join(folder, 'backups');
  expect(await runTool('backup', ['--to', backups], ledger)).toMatchObject({ code: 0 });
  const ours = `BACKUPS=${backups}\nDRILL=${join(folder, 'drill')}\nPORT=${String(await freePort())}\n`;
  const { stdout } = await promisify(execFile)('bash', ['--norc', '-euo', 'pipefail', '-c', SAFELY + ours + lines], {
    cwd: root,
    timeout: 240_000,
  });
  expect(stdout).toContain(`"events": ${String((await ledger.log()).length)}`);
  expect(stdout).toMatch(/^ {2}verified +every revision, link and hash$/m);
  expect(stdout).toContain('{"status":"ok","checks":{');
  const [violations = '', balance = ''] = stdout.trimEnd().split('\n').slice(-2);
  expect(JSON.parse(violations)).toMatchObject({ items: [] });
  expect(JSON.parse(balance)).toMatchObject({ items: [{ asset: 'BTC' }, { asset: 'EUR' }] });
}, 300_000);

it('a disk that is full in the middle leaves no half backup and no half restore, and says what to do', async () => {
  const [data, to, restored] = ['data', 'backups', 'restored'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  const store = await SqliteEventStore.open({ path: join(data, 'events.db') });
  await tellStory(new LedgerWorld({ store }));
  await store.close();
  const full = await runTool('backup', ['--to', to], { dataDir: data, fileLimitKiB: SMALL_DISK_KIB });
  expect(full).toMatchObject({ code: 1, stdout: '' });
  expect(full.stderr).toMatch(
    /^the copy \S+events\.db can't be written \(disk I\/O error\)\. Is its disk full, .+ the log is untouched\.\n$/,
  );
  expect(full.stderr).not.toContain(data);
  expect(existsSync(to)).toBe(false);

  expect(await runTool('backup', ['--to', to], { dataDir: data })).toMatchObject({ code: 0 });
  const from = join(to, readdirSync(to)[0] ?? '');
  const cut = await runTool('restore', ['--from', from], { dataDir: restored, fileLimitKiB: SMALL_DISK_KIB });
  expect(cut).toMatchObject({ code: 1, stdout: '' });
  expect(cut.stderr).toMatch(/^There is no room in .+: make room, and try again\.\n$/);
  expect(existsSync(restored)).toBe(false);
  expect(await runTool('restore', ['--from', from], { dataDir: restored })).toMatchObject({ code: 0 });

  const made = join(folder, 'made');
  const load = ['--accounts', '20', '--events', '3000'];
  const short = await runTool('load', load, { dataDir: made, fileLimitKiB: SMALL_DISK_KIB });
  expect(short).toMatchObject({ code: 1, stdout: '' });
  expect(short.stderr).toMatch(/^the log to be \S+events\.db can't be written: .+ nothing of it was kept\.\n$/);
  expect(existsSync(made)).toBe(false);
  expect(await runTool('load', load, { dataDir: made })).toMatchObject({ code: 0 });
}, 240_000);
