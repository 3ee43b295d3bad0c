import { EventStoreDbEventStore } from '#event-store/eventstoredb';
import { readSeal, SqliteEventReader } from '#event-store/sqlite';
import { StoredEvent, type RecordedEvent } from '#kernel';
import type { EventReader } from '#event-store';
import { checkLog, type EventStoreDbServer, startEventStoreDbServer } from '#testing';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { runCopy } from '../../apps/ledger/src/copy/copy-command.ts';
import type { Answer } from './support/http.ts';
import { valueAt } from './support/json.ts';
import { AUDITOR, depositOf, freezeOf, Ledger, OPS, SERVICE, wellDone, withdrawalOf } from './support/ledger.ts';
import { startInVain, startService } from './support/service.ts';
import { runTool, type Ran } from './support/tool.ts';

const CALLERS = 6;
const ACCOUNTS = 4;
/** Between two commands of a caller: the others need the processor, too. */
const PAUSE_MS = 20;
const KILLS = 3;
const LIMIT_MS = 60_000;
const PINNED_NODE = fileURLToPath(new URL('../../node_modules/node/bin/node', import.meta.url));
const BUILT = fileURLToPath(new URL('../../dist/apps/ledger/src/copy.js', import.meta.url));

let folder: string;
let ledger: Ledger;
let server: EventStoreDbServer;
let variables: Readonly<Record<string, string>>;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'writ-e2e-copy-'));
  [server, ledger] = await Promise.all([startEventStoreDbServer(), Ledger.start({ WRIT_REFUSAL_LIMIT: '1000000' })]);
  variables = { WRIT_EVENTSTOREDB_URL: server.connectionString };
}, 120_000);
afterAll(async () => {
  await Promise.all([ledger.end(), server.stop()]);
  rmSync(folder, { recursive: true });
});

/** Deposits and withdrawals until it is stopped. */
class Load {
  readonly acknowledged: {
    readonly path: string;
    readonly key: string;
    readonly body: unknown;
    readonly answer: Answer;
  }[] = [];
  readonly turnedAway: Answer[] = [];
  #isOver = false;

  async run(caller: number): Promise<void> {
    for (let n = 0; !this.#isOver; n += 1) {
      const [account, key] = [`/v1/accounts/acc-${String(n % ACCOUNTS)}`, `c-${String(caller)}-${String(n)}`];
      const isDeposit = n % 3 !== 2;
      const [path, body] = isDeposit
        ? [`${account}/deposits`, depositOf(key, '1')]
        : [`${account}/withdrawals`, withdrawalOf(key, '0.5')];
      const answer = await ledger.post(SERVICE, path, body, { key });
      if (answer.status < 300) this.acknowledged.push({ path, key, body, answer });
      else if (answer.status === 503) this.turnedAway.push(answer);
      else expect(valueAt(answer.body, 'code')).toBe('account-frozen');
      if (this.turnedAway.length >= CALLERS) this.#isOver = true;
      await delay(PAUSE_MS);
    }
  }

  stop(): void {
    this.#isOver = true;
  }

  /** Waits until so many more are acknowledged. */
  async more(count: number): Promise<void> {
    const wanted = this.acknowledged.length + count;
    for (const endMs = performance.now() + LIMIT_MS; this.acknowledged.length < wanted;) {
      if (performance.now() > endMs) throw new Error('the service does not answer in time');
      await delay(10);
    }
  }
}

async function rowsOf(reader: EventReader): Promise<readonly string[]> {
  return (await eventsOf(reader)).map((event) => {
    const { stream, revision, id, type, schemaVersion } = event;
    return JSON.stringify([stream, revision, id, type, schemaVersion, StoredEvent.textsOf(event)]);
  });
}

async function eventsOf(reader: EventReader): Promise<readonly RecordedEvent[]> {
  try {
    const { events, atEnd } = await reader.readAll({ limit: 50_000 });
    if (!atEnd) throw new Error('the log is longer than this test');
    return events;
  } finally {
    await reader.close();
  }
}

const inFile = (): EventReader => new SqliteEventReader(join(ledger.dataDir, 'events.db'));
const onServer = (): Promise<EventReader> => EventStoreDbEventStore.open({ connectionString: server.connectionString });

/** Starts a copy and kills it the moment it is somewhere in its work. */
async function copyKilled(afterMs: number): Promise<void> {
  const child = spawn(PINNED_NODE, [BUILT, '--from', `sqlite:${ledger.dataDir}`, '--to', 'eventstoredb'], {
    env: { ...process.env, ...variables, NODE_OPTIONS: '' },
    stdio: 'ignore',
  });
  const ended = once(child, 'exit');
  const before = (await server.counts()).appends;
  for (const endMs = performance.now() + LIMIT_MS; (await server.counts()).appends <= before + 1;) {
    if (performance.now() > endMs || child.exitCode !== null) break;
  }
  await delay(afterMs);
  child.kill('SIGKILL');
  await ended;
}

const move = (...more: string[]): ReturnType<typeof runTool> =>
  runTool('copy', ['--from', `sqlite:${ledger.dataDir}`, '--to', 'eventstoredb', ...more], {
    dataDir: folder,
    environment: variables,
  });

it('moves a ledger that serves: killed and gone on with, sealed, called off, sealed again, and served from the server', async () => {
  for (let n = 0; n < ACCOUNTS; n += 1) await ledger.makeAccount({ accountId: `acc-${String(n)}`, btc: '500' });
  await ledger.makeVerifiedOrder({ orderId: 'ord-1', accounts: ['acc-3'] });
  wellDone(await ledger.post(OPS, '/v1/admin/accounts/acc-3/freezes', freezeOf('ord-1')), 'a freeze');
  const load = new Load();
  const callers = Array.from({ length: CALLERS }, (_, caller) => load.run(caller));
  await load.more(200);

  for (let kill = 0; kill < KILLS; kill += 1) {
    await copyKilled(kill * 40);
    const [whole, copied] = [await rowsOf(inFile()), await rowsOf(await onServer())];
    // Nothing twice, nothing missing, nothing out of its order, at whatever moment it was killed.
    expect(copied).toEqual(whole.slice(0, copied.length));
  }
  const rehearsed = await move();
  expect(rehearsed).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/ has [\d,]+ events, each the same as in /),
  });
  expect(rehearsed.stdout).toContain('with --seal for the cut-over');
  await load.more(20);

  const sealed = await move('--seal');
  expect(sealed).toMatchObject({ code: 0, stdout: expect.stringMatching(/is sealed and takes no command any more/) });
  await Promise.all(callers);
  expect(load.turnedAway.length).toBeGreaterThan(0);
  for (const { body } of load.turnedAway) {
    expect(body).toMatchObject({
      code: 'store-unavailable',
      detail: 'this log is sealed: the ledger has moved; ask there',
    });
    // Where to may be a path: it is for who operates the service.
    expect(JSON.stringify(body)).not.toContain('EventStoreDB');
  }
  const [events, rows] = [await eventsOf(inFile()), await rowsOf(inFile())];
  expect(await rowsOf(await onServer())).toEqual(rows);
  expect(checkLog(events)).toEqual([]);
  const ids = events.map(({ id }) => id);
  for (const { answer } of load.acknowledged) {
    for (const { id } of valueAt(answer.body, 'events') as { id: string }[])
      expect(ids.filter((each) => each === id)).toHaveLength(1);
  }

  const ready = await ledger.get(AUDITOR, '/health/ready');
  expect(ready).toMatchObject({
    status: 503,
    body: { code: 'store-unavailable', detail: expect.stringContaining('The ledger has moved: this log is sealed.') },
  });
  expect(ready.text).not.toContain('EventStoreDB');
  expect(await ledger.replayed('acc-1')).toMatchObject({ accountId: 'acc-1' });
  expect((await runTool('backup', ['--to', join(folder, 'backups')], ledger)).code).toBe(0);
  expect((await runTool('check', [], ledger)).stdout).toContain('nothing is wrong');

  // Called off: the very service that runs goes on. Then for good.
  expect(await move('--unseal')).toMatchObject({ code: 0, stdout: expect.stringContaining('takes commands again') });
  await ledger.makeDeposit('acc-0', '1');
  expect((await move('--seal')).code).toBe(0);
  const atTheEnd = await rowsOf(inFile());
  expect(await rowsOf(await onServer())).toEqual(atTheEnd);
  await ledger.service.stop();
  expect(ledger.service.logs()).toContain('EventStoreDB at 127.0.0.1');
  expect(await startInVain({}, { dataDir: ledger.dataDir })).toMatchObject({
    code: 1,
    printed: expect.stringMatching(
      /^\S+events\.db: this log is sealed: the ledger has moved to EventStoreDB at 127\.0\.0\.1:\d+\. .+\n$/,
    ),
  });

  // On the same folder: what was made of the file is seen to be of another log, and made anew.
  const env = { ...variables, WRIT_STORE: 'eventstoredb' };
  const moved = await startService({ dataDir: ledger.dataDir, env });
  try {
    const token = await moved.token({ sub: AUDITOR.sub, roles: AUDITOR.roles });
    const shown = await moved.request('GET', '/v1/audit/violations', { token });
    expect(shown.body).toMatchObject({ items: [] });
    expect(moved.logs()).toContain('other-log');
    expect(moved.logs()).not.toContain('ahead-of-log');
    const [first] = load.acknowledged;
    if (first === undefined) throw new Error('nothing was acknowledged');
    const payments = await moved.token({ sub: SERVICE.sub, roles: SERVICE.roles });
    const headers = { 'idempotency-key': first.key };
    const repeated = await moved.request('POST', first.path, { token: payments, body: first.body, headers });
    expect({ status: repeated.status, replayed: repeated.headers.get('idempotent-replayed') }).toEqual({
      status: first.answer.status,
      replayed: 'true',
    });
    const next = { 'idempotency-key': 'after-the-move' };
    const path = '/v1/accounts/acc-0/deposits';
    const fresh = await moved.request('POST', path, { token: payments, body: depositOf('after', '1'), headers: next });
    expect(fresh.status).toBe(201);
  } finally {
    await moved.stop();
  }

  // The destination goes its own way: nothing brings the sealed file back. It goes home as a copy.
  const forked = await move('--unseal');
  expect(forked).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^The destination has more than the source: .+\n$/),
  });
  expect(readSeal(join(ledger.dataDir, 'events.db'))).toBeDefined();
  const home = join(folder, 'home');
  const back = ['--from', 'eventstoredb', '--to', `sqlite:${home}`, '--stopped'];
  const returned = await runTool('copy', back, { dataDir: folder, environment: variables });
  expect(returned).toMatchObject({ code: 0, stdout: expect.stringContaining('did not grow while it was watched') });
  expect(await rowsOf(new SqliteEventReader(join(home, 'events.db')))).toEqual(await rowsOf(await onServer()));
  expect((await runTool('check', [], { dataDir: home })).stdout).toContain('nothing is wrong');
}, 300_000);

const asProcess = (args: readonly string[]): Promise<Ran> =>
  runTool('copy', args, { dataDir: folder, environment: variables });

/** The command without a process of its own. */
async function asked(args: readonly string[]): Promise<Ran> {
  const said = { stdout: '', stderr: '' };
  const code = await runCopy(args, variables, {
    stdout: { write: (text: string) => (said.stdout += text) },
    stderr: { write: (text: string) => (said.stderr += text) },
  });
  return { code, ...said };
}

it('says in one line what is wrong with what it was given, and no password', async () => {
  const data = join(folder, 'none');
  const cases: [readonly string[], RegExp][] = [
    [[], /^Usage: npm run copy/],
    [['--from', `sqlite:${data}`, '--to', 'eventstoredb'], /events\.db can't be opened \(there is no such file\)/],
    [['--from', 'file', '--to', 'eventstoredb'], /^--from is sqlite:<data folder>, esdb/],
    [['--from', `sqlite:${data}`, '--to', `sqlite:${data}/`], /are the same log/],
    [['--from', 'eventstoredb', '--to', 'esdb://b:1'], /One of --from and --to is sqlite/],
    [['--from', 'eventstoredb', '--to', `sqlite:${data}`, '--seal'], /Stop every instance .*--stopped/],
    [['--from', `sqlite:${data}`, '--to', 'eventstoredb', '--stopped'], /--seal instead of --stopped/],
    [
      ['--from', `sqlite:${data}`, '--to', 'esdb://u:secretpw@127.0.0.1:1?tls=maybe'],
      /^the connection string .* tls is true or false/,
    ],
  ];
  for (const [args, said] of cases) {
    const ran = args.some((arg) => arg.includes('secretpw')) ? await asProcess(args) : await asked(args);
    expect({ code: ran.code, stdout: ran.stdout, stderr: ran.stderr }).toEqual({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(said),
    });
    if (args.length > 0) expect(ran.stderr.trim().split('\n')).toHaveLength(1);
    expect(ran.stderr).not.toContain('secretpw');
  }
  expect(existsSync(data)).toBe(false);
}, 120_000);
