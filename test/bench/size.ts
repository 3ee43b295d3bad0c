import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { inFolder } from './folder.ts';
import type { Job, Report } from './open-loop.ts';
import { median, perSecond } from './rounds.ts';
import { FEW_ARENAS, freePort, HEAP_FLAGS } from './service.ts';

/** A first start builds the read models. */
const READY_MS = 60 * 60_000;
/** Of the call that asks for a key. */
const KEY_WARM_UPS = 200;
const KEY_ROUNDS = 50;
/** Accounts that are not in memory are folded first. */
const TOUCH_SECONDS = 15 * 60;
const ROWS_A_TRANSACTION = 20_000;
const MIB = 1024 * 1024;

const entry = (name: string): string =>
  fileURLToPath(new URL(`../../dist/apps/ledger/src/${name}.js`, import.meta.url));

export interface SizeOptions {
  readonly accounts: number;
  readonly events: number;
  /** A folder with a log that `npm run load` made; it stays, and grows by a deposit to each account. Absent: one is made, and goes. */
  readonly dataDir: string | undefined;
  readonly say: (line: string) => void;
}

/** Prints what a large log costs: to make it, to check it, to build its read models, to start on it, to hold it. */
export function size({ dataDir, ...options }: SizeOptions): Promise<void> {
  if (dataDir !== undefined) return measure(dataDir, options);
  return inFolder((folder) => measure(folder, options));
}

async function measure(dataDir: string, { accounts, events, say }: Omit<SizeOptions, 'dataDir'>): Promise<void> {
  const file = join(dataDir, 'events.db');
  if (!existsSync(file)) {
    const asked = ['--accounts', String(accounts), '--events', String(events), '--data', dataDir];
    say(rate('load: events made', events, await run('load', asked)));
  }
  const count = eventsIn(file);
  say(`the log: ${count.toLocaleString('en')} events`);
  const checked = await run('check', ['--data', dataDir]);
  say(`${rate('check: events judged', count, checked)}   (target ${seconds(60)} for 5,000,000)`);
  removeDerived(dataDir);
  const built = await run('rebuild', [], { WRIT_DATA_DIR: dataDir });
  const plain = plainInserts(join(dataDir, 'read-models.db'));
  const ratio = plain.seconds / built.seconds;
  say(`${rate('rebuild of all read models: events', count, built)}   (target 100,000/s, or a ratio of 0.60)`);
  say(
    `  plain inserts of the same ${plain.rows.toLocaleString('en')} rows: ${seconds(plain.seconds)}; ratio ${ratio.toFixed(2)}`,
  );
  await starts(dataDir, say);
}

interface Cost {
  readonly seconds: number;
  /** Of all processors that worked on it. */
  readonly cpuSeconds: number;
}

/** Runs one of the commands to its end. @throws Error when it fails */
async function run(name: string, args: readonly string[], environment: NodeJS.ProcessEnv = {}): Promise<Cost> {
  const start = performance.now();
  const child = spawn(process.execPath, [MEASURED, entry(name), ...args], {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let cpuText = '';
  child.stdout.on('data', (text: Buffer) => (cpuText += text.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`${name} ended with ${String(code)}: ${cpuText}`);
  const cpuSeconds = Number(/cpu-seconds ([0-9.]+)/.exec(cpuText)?.[1]);
  return { seconds: (performance.now() - start) / 1_000, cpuSeconds };
}

/** Runs a command in its process, and says at the end how much processor time it took. */
const MEASURED = fileURLToPath(new URL('measured.mjs', import.meta.url));

function rate(what: string, count: number, { seconds: took, cpuSeconds }: Cost): string {
  const each = ((cpuSeconds / count) * 1e6).toFixed(1);
  return `${what.padEnd(40)} ${perSecond(count / took).padStart(12)}  in ${seconds(took)}, ${each} µs of processor time each`;
}

function seconds(count: number): string {
  return `${count.toFixed(1)} s`;
}

function eventsIn(file: string): number {
  const db = new DatabaseSync(file, { readOnly: true });
  const { events } = db.prepare('SELECT count(*) AS events FROM events').get() ?? {};
  db.close();
  return Number(events);
}

function accountsIn(file: string): number {
  const db = new DatabaseSync(file, { readOnly: true });
  const { accounts } = db.prepare("SELECT count(*) AS accounts FROM events WHERE type = 'AccountOpened'").get() ?? {};
  db.close();
  return Number(accounts);
}

function removeDerived(dataDir: string): void {
  for (const suffix of ['', '-wal', '-shm']) rmSync(join(dataDir, `read-models.db${suffix}`), { force: true });
  for (const name of ['snapshots', 'supervisor']) rmSync(join(dataDir, name), { recursive: true, force: true });
}

/** The rows of a file of read models, put into the same tables of another, as node:sqlite does it without anything around it. */
function plainInserts(file: string): { readonly rows: number; readonly seconds: number } {
  const from = new DatabaseSync(file, { readOnly: true });
  const copy = `${file}.plain`;
  rmSync(copy, { force: true });
  const to = new DatabaseSync(copy);
  to.exec('PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF; PRAGMA cache_size = -65536');
  const schema = from
    .prepare('SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY type DESC')
    .all();
  let rows = 0;
  let ms = 0;
  for (const { type, name, sql } of schema) {
    if (type !== 'table') continue;
    to.exec(String(sql));
    const columns = from.prepare(`PRAGMA table_info(${String(name)})`).all();
    const insert = to.prepare(`INSERT INTO ${String(name)} VALUES (${columns.map(() => '?').join(', ')})`);
    const select = from.prepare(`SELECT * FROM ${String(name)} ORDER BY ${orderOf(columns)}`);
    select.setReturnArrays(true);
    let batch: unknown[][] = [];
    const flush = (): void => {
      const start = performance.now();
      to.exec('BEGIN');
      for (const row of batch) insert.run(...(row as string[]));
      to.exec('COMMIT');
      ms += performance.now() - start;
      batch = [];
    };
    for (const row of select.iterate()) {
      rows += 1;
      if (batch.push(row as unknown as unknown[]) === ROWS_A_TRANSACTION) flush();
    }
    flush();
  }
  const start = performance.now();
  for (const { type, sql } of schema) if (type === 'index') to.exec(String(sql));
  to.close();
  ms += performance.now() - start;
  from.close();
  rmSync(copy, { force: true });
  return { rows, seconds: ms / 1_000 };
}

/** Rows come in the order of the log where they tell it: in that of their keys no page would be changed twice. */
function orderOf(columns: readonly Record<string, unknown>[]): string {
  const names = columns.map(({ name }) => String(name));
  return ['position', 'createdPosition', 'revision'].find((name) => names.includes(name)) ?? '1';
}

/** The first start makes what it then remembers; the second is that of every day. An empty log tells what the machine costs. */
export async function starts(dataDir: string, say: (line: string) => void): Promise<void> {
  const first = await start(dataDir);
  await first.stop();
  const service = await start(dataDir);
  try {
    await inFolder(async (folder) => {
      const empty = await start(folder);
      const rest = `an empty log: ${readyText(empty)}, ${mib(empty)}`;
      say(`start: ready in ${readyText(service)}, resident ${mib(service)}   (target 3.0 s, 400 MiB; ${rest})`);
      const { firstMs, ms } = await firstKey(service.url, dataDir);
      const recent = await firstKey(empty.url, folder);
      await empty.stop();
      const known = `the key of the first event: recognised in ${ms.toFixed(1)} ms, median of ${String(KEY_ROUNDS)}`;
      const atOnce = `the first time, with nothing compiled yet, in ${firstMs.toFixed(1)} ms`;
      say(`${known}; ${atOnce}   (target 5 ms; a key of an empty log: ${recent.ms.toFixed(1)} ms)`);
    });
    const { accepted, seconds: took } = await touchAll(service.url, dataDir);
    say(
      `a deposit to each account: ${perSecond(accepted / took)}; resident then ${mib(service)}   (target 400 MiB; accounts kept in memory: ${KEPT})`,
    );
    say(`first start after the rebuild: ready in ${readyText(first)}`);
  } finally {
    await service.stop();
  }
}

function readyText({ readySeconds, readyCpuSeconds }: Started): string {
  return `${seconds(readySeconds)} (${seconds(readyCpuSeconds)} of processor time)`;
}

function mib({ residentMib }: Started): string {
  return `${residentMib().toFixed(0)} MiB`;
}

interface Started {
  readonly url: string;
  readonly readySeconds: number;
  readonly readyCpuSeconds: number;
  readonly residentMib: () => number;
  readonly stop: () => Promise<void>;
}

async function start(dataDir: string): Promise<Started> {
  const port = await freePort();
  const own = { PORT: String(port), HOST: '127.0.0.1', WRIT_DATA_DIR: dataDir, WRIT_LOG_LEVEL: 'warn' };
  const env = { ...process.env, ...FEW_ARENAS, ...own };
  const began = performance.now();
  const child = spawn(process.execPath, [...HEAP_FLAGS, entry('main')], { env, stdio: 'ignore' });
  const stop = async (): Promise<void> => {
    if (child.exitCode !== null) return;
    child.kill('SIGTERM');
    await once(child, 'exit');
  };
  const url = `http://127.0.0.1:${String(port)}`;
  while (performance.now() - began < READY_MS && child.exitCode === null) {
    const response = await fetch(`${url}/health/ready`).catch(() => undefined);
    const readySeconds = (performance.now() - began) / 1_000;
    if (response?.ok === true) {
      return { url, readySeconds, readyCpuSeconds: cpuSeconds(child), residentMib: () => residentMib(child), stop };
    }
    await delay(20);
  }
  await stop();
  throw new Error('the service is not ready in time');
}

/** As Linux tells it, in ticks of a hundredth of a second; the name, which comes before, may hold anything. */
function cpuSeconds({ pid }: ChildProcess): number {
  const text = readFileSync(`/proc/${String(pid)}/stat`, 'utf8');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** As Linux tells it. */
function residentMib({ pid }: ChildProcess): number {
  const status = readFileSync(`/proc/${String(pid)}/status`, 'utf8');
  return (Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) * 1_024) / MIB;
}

interface Recognised {
  /** The first answer. */
  readonly firstMs: number;
  /** Median of later ones: what both sides run is compiled by then. */
  readonly ms: number;
}

/** Sends the very first command of the log again and again. */
async function firstKey(url: string, dataDir: string): Promise<Recognised> {
  const token = await makeToken(dataDir);
  const ms: number[] = [];
  for (let round = 0; round < 1 + KEY_WARM_UPS + KEY_ROUNDS; round += 1) {
    const began = performance.now();
    const response = await fetch(`${url}/v1/assets`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', 'idempotency-key': 'load-1' },
      body: JSON.stringify({ code: 'BTC', scale: 8, kind: 'crypto' }),
    });
    await response.arrayBuffer();
    ms.push(performance.now() - began);
    // To an empty log the first is news.
    if (round > 0 && response.headers.get('idempotent-replayed') !== 'true')
      throw new Error('the first key is not known');
  }
  return { firstMs: ms[0] ?? NaN, ms: median(ms.slice(-KEY_ROUNDS)) };
}

/** As many streams as `WRIT_STREAMS_IN_MEMORY` says. */
const KEPT = process.env['WRIT_STREAMS_IN_MEMORY'] ?? '10,000';

/** Makes a deposit to every account, so that the log grows by them: what is kept in memory is full then. */
async function touchAll(
  url: string,
  dataDir: string,
): Promise<{ readonly accepted: number; readonly seconds: number }> {
  const accounts = accountsIn(join(dataDir, 'events.db'));
  const job: Job = {
    port: Number(new URL(url).port),
    token: await makeToken(dataDir, 'service'),
    run: `touch-${String(Date.now())}`,
    seconds: TOUCH_SECONDS,
    requests: accounts,
    perSecond: 0,
    connections: 64,
    accounts,
    firstAccount: 1,
    hotOneIn: 0,
  };
  const script = fileURLToPath(new URL('open-loop.ts', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [script, JSON.stringify(job)]);
  const { rest, seconds: took } = JSON.parse(stdout) as Report;
  return { accepted: rest.accepted.count, seconds: took };
}

async function makeToken(dataDir: string, role = 'ops'): Promise<string> {
  const env = { ...process.env, WRIT_DATA_DIR: dataDir };
  const child = spawn(process.execPath, [entry('token'), '--sub', 'maker', '--roles', role], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let token = '';
  child.stdout.on('data', (text: Buffer) => (token += text.toString()));
  await once(child, 'close');
  return token.trim();
}
