import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Ledger, until } from '../e2e/support/ledger.ts';
import { PINNED_NODE, startInVain, startService, type RunningService } from '../e2e/support/service.ts';
import { damageTable, flipByte } from './damage.ts';

/** A slow machine starts a service in half a minute. */
const LIMIT_MS = 180_000;

/** A data folder as a stop left it, and one as a kill left it: with events that are in the write-ahead log alone. */
let folder: string;
const stopped = (): string => join(folder, 'stopped');
const killed = (): string => join(folder, 'killed');
let copies = 0;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'writ-start-'));
  const ledger = await Ledger.start({ WRIT_SNAPSHOT_EVERY: '5' });
  await ledger.makeAccount({ accountId: 'acc-1' });
  for (let n = 0; n < 30; n += 1) await ledger.makeDeposit('acc-1', '1');
  await until('a snapshot', () => Promise.resolve(existsSync(join(ledger.dataDir, 'snapshots')) ? true : undefined));
  await ledger.service.kill();
  cpSync(ledger.dataDir, killed(), { recursive: true });
  await ledger.startAgain();
  await ledger.service.stop();
  cpSync(ledger.dataDir, stopped(), { recursive: true });
  await ledger.end();
}, LIMIT_MS);
afterAll(() => rmSync(folder, { recursive: true }));

function copyOf(dataDir: string): string {
  copies += 1;
  const copy = join(folder, `copy-${String(copies)}`);
  cpSync(dataDir, copy, { recursive: true });
  return copy;
}

interface Ended {
  readonly code: number | null;
  readonly printed: string;
}

/** A start that must fail: code 1, and one line, in which the folder stands as `DIR`. */
function demandLine({ code, printed }: Ended, dataDir: string): string {
  expect(code).toBe(1);
  expect(printed).toMatch(/^[^\n]+\n$/);
  expect(printed).not.toMatch(/\bat .*[:(]\d+/);
  return printed.trimEnd().replaceAll(dataDir, 'DIR');
}

/** As `npm start` does it. */
async function lineOf(dataDir: string, unprivileged = false): Promise<string> {
  return demandLine(await startInVain({}, { dataDir, unprivileged }), dataDir);
}

const SEE = 'see "When it does not start" in docs/operations.md.';

describe('a start on what it can not use ends in one line', () => {
  let starts: Starts;
  beforeAll(() => {
    starts = new Starts();
  });
  afterAll(async () => {
    // Nothing was said past the host, by a logger or by Node.
    expect(await starts.end()).toBe('');
  });

  it.each<readonly [string, () => string, (dataDir: string) => void, string]>([
    [
      'a page of the log is damaged',
      stopped,
      (dir) => damageTable(join(dir, 'events.db'), 'events'),
      `DIR/events.db is damaged (Tree 2 page 2: btreeInitPage() returns error code 11). Restore a backup: ${SEE}`,
    ],
    [
      'the log is cut off',
      stopped,
      (dir) => truncateSync(join(dir, 'events.db'), 3 * 4096),
      `DIR/events.db is damaged (database disk image is malformed). Restore a backup: ${SEE}`,
    ],
    [
      'the log is empty, and its write-ahead log is not',
      killed,
      (dir) => truncateSync(join(dir, 'events.db')),
      `DIR/events.db is gone or empty, and DIR/events.db-wal, which belongs to it, is there. Put it back, or restore a backup: ${SEE}`,
    ],
    [
      'the write-ahead log is gone',
      killed,
      (dir) => rmSync(join(dir, 'events.db-wal')),
      `DIR/events.db-wal is gone, and with it what was not merged into DIR/events.db yet. Put it back, or restore a backup: ${SEE}`,
    ],
    [
      'the write-ahead log is damaged where it was on disk',
      killed,
      (dir) => flipByte(join(dir, 'events.db-wal'), 32 + 24 + 7),
      `DIR/events.db-wal is damaged at byte 32, and what was acknowledged after that can't be read. Restore a backup: ${SEE}`,
    ],
    [
      'the log is gone, and the read models are not',
      stopped,
      (dir) => rmSync(join(dir, 'events.db')),
      'DIR/events.db is gone, and DIR/read-models.db and DIR/snapshots and DIR/supervisor, made from it, is there. Put it back, or restore it from a backup; to begin an empty log, delete what was made from the old one.',
    ],
    [
      'a restore was cut off',
      stopped,
      (dir) => renameSync(join(dir, 'events.db'), join(dir, 'events.db.unfinished')),
      'DIR/events.db.unfinished is there, and DIR/events.db is not: a restore or a load was cut off, or is still at work. Let it end, or give the same command again; to begin an empty log, delete that file.',
    ],
    [
      'the log is of a newer format',
      stopped,
      (dir) => sql(join(dir, 'events.db'), 'PRAGMA user_version = 2'),
      'DIR/events.db has format 2, and this version of Writ knows format 1 only. Start the version of Writ that wrote it, or a newer one.',
    ],
    [
      'the log is something else',
      stopped,
      (dir) => writeFileSync(join(dir, 'events.db'), 'no database '.repeat(1000)),
      'DIR/events.db is not an event log of Writ. Set WRIT_DATA_DIR to another folder, or restore the file from a backup.',
    ],
    [
      'the lock is something else',
      stopped,
      (dir) => writeFileSync(join(dir, 'events.db.lock'), 'no database '.repeat(1000)),
      'DIR/events.db.lock is not the lock of an event log. Delete it: nothing is kept in it.',
    ],
    [
      'the log is a folder',
      stopped,
      (dir) => {
        rmSync(join(dir, 'events.db'));
        cpSync(join(dir, 'snapshots'), join(dir, 'events.db'), { recursive: true });
      },
      `DIR/events.db can't be opened (disk I/O error). Make it and its folder readable and writable for the service's user.`,
    ],
  ])(
    'when %s',
    async (_, source, spoil, expected) => {
      const dataDir = copyOf(source());
      spoil(dataDir);
      const left = readdirSync(dataDir);
      expect(demandLine(await starts.inVain(dataDir), dataDir)).toBe(expected);
      expect(readdirSync(dataDir)).toEqual(expect.arrayContaining(left));
    },
    LIMIT_MS,
  );

  it.each([
    ['the folder', '.', `DIR/events.db can't be written (attempt to write a readonly database).`],
    ['the log', 'events.db', `DIR/events.db can't be written (attempt to write a readonly database).`],
    ['the lock', 'events.db.lock', `DIR/events.db.lock can't be written (attempt to write a readonly database).`],
  ])(
    'when %s is read-only',
    async (_, name, expected) => {
      const dataDir = copyOf(stopped());
      chmodSync(join(dataDir, name), name === '.' ? 0o500 : 0o400);
      expect(await lineOf(dataDir, true)).toBe(
        `${expected} Make it and its folder readable and writable for the service's user.`,
      );
      chmodSync(join(dataDir, name), 0o700);
    },
    LIMIT_MS,
  );

  it(
    'when another process has the folder, which goes on',
    async () => {
      const service = await startService({ dataDir: copyOf(stopped()) });
      try {
        expect(await lineOf(service.dataDir)).toBe(
          'DIR/events.db is in use by another process, which holds DIR/events.db.lock. Stop that one, or set WRIT_DATA_DIR to another folder.',
        );
        expect((await service.request('GET', '/health/ready')).status).toBe(200);
      } finally {
        await service.stop();
      }
    },
    LIMIT_MS,
  );
});

describe('a start that goes on without something says so', () => {
  let service: RunningService | undefined;
  const startOn = async (dataDir: string): Promise<RunningService> => (service = await startService({ dataDir }));
  const stop = async (): Promise<void> => {
    await service?.stop();
    service = undefined;
  };
  const metric = async (name: string): Promise<string | undefined> => {
    const { text } = (await service?.request('GET', '/metrics')) ?? { text: '' };
    return text.split('\n').find((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`));
  };
  afterAll(stop);

  it(
    'a write-ahead log with an unfinished end',
    async () => {
      const dataDir = copyOf(killed());
      const wal = join(dataDir, 'events.db-wal');
      truncateSync(wal, 32 + 40 * (24 + 4096) + 1000);
      const { events } = await checked(dataDir);
      expect(events).toBeGreaterThan(0);
      expect(service?.logs()).toMatch(/events\.db-wal ends in a write that was never finished, and never acknowledged/);
      await stop();
    },
    LIMIT_MS,
  );

  /** Starts on the folder. @returns how many deposits the account has */
  async function checked(dataDir: string): Promise<{ readonly events: number }> {
    const started = await startOn(dataDir);
    const token = await started.token({ sub: 'auditor-1', roles: ['auditor'] });
    const { text, status } = await started.request('GET', '/v1/audit/events?stream=account-acc-1', {
      token,
      headers: { accept: 'application/x-ndjson' },
    });
    expect(status).toBe(200);
    expect((await started.request('GET', '/health/ready')).status).toBe(200);
    return { events: text.split('\n').filter((line) => line.includes('FundsDeposited')).length };
  }

  it.each<readonly [string, (dataDir: string) => void, string]>([
    ['deleted', (dir) => rmSync(join(dir, 'read-models.db')), 'missing'],
    ['damaged', (dir) => damageTable(join(dir, 'read-models.db'), 'readModel'), 'damaged'],
    ['no database', (dir) => writeFileSync(join(dir, 'read-models.db'), 'no database '.repeat(1000)), 'damaged'],
  ])(
    'read models that are %s',
    async (_, spoil, cause) => {
      const dataDir = copyOf(stopped());
      spoil(dataDir);
      expect(await checked(dataDir)).toEqual({ events: 30 });
      expect(await metric('writ_read_model_rebuilds_total')).toBe(`writ_read_model_rebuilds_total{cause="${cause}"} 1`);
      expect(service?.logs()).toMatch(new RegExp(`"cause":"${cause}".*built`));
      expect(await metric('writ_events_missing')).toBe('writ_events_missing 0');
      await stop();
    },
    LIMIT_MS,
  );

  it(
    'read models of another log',
    async () => {
      const other = await Ledger.start();
      await other.service.stop();
      const dataDir = copyOf(stopped());
      copyFileSync(join(other.dataDir, 'read-models.db'), join(dataDir, 'read-models.db'));
      await other.end();
      expect(await checked(dataDir)).toEqual({ events: 30 });
      expect(await metric('writ_read_model_rebuilds_total')).toBe(
        'writ_read_model_rebuilds_total{cause="other-log"} 1',
      );
      expect(await metric('writ_events_missing')).toBe('writ_events_missing 0');
      await stop();
    },
    LIMIT_MS,
  );

  it(
    'read models ahead of the log: events that were acknowledged are missing, and what knows of them is kept',
    async () => {
      const dataDir = copyOf(killed());
      // All that was not merged yet is lost, and nothing beside the log says that there was more.
      for (const suffix of ['-wal', '-shm']) rmSync(join(dataDir, `events.db${suffix}`));
      const before = readdirSync(dataDir);
      expect(before).toContain('read-models.db');
      const { events } = await checked(dataDir);
      expect(events).toBe(0);
      expect(await metric('writ_read_model_rebuilds_total')).toBe(
        'writ_read_model_rebuilds_total{cause="ahead-of-log"} 1',
      );
      // As many as the read models had taken in when the process was killed.
      expect(Number((await metric('writ_events_missing'))?.split(' ')[1])).toBeGreaterThan(0);
      expect(service?.logs()).toMatch(
        /"level":50.*"missingEvents":\d+.*events that were acknowledged are not in the log/,
      );
      await stop();
      const kept = new DatabaseSync(join(dataDir, 'read-models.db.ahead'), { readOnly: true });
      expect(kept.prepare("SELECT count(*) AS n FROM accounts WHERE accountId = 'acc-1'").get()).toEqual({ n: 1 });
      kept.close();
    },
    LIMIT_MS,
  );
});

/** Starts the built service where its environment says, for a host that is none, again and again. */
const STARTS_IN_VAIN = `
  import { start } from '${new URL('../../dist/apps/ledger/src/start.js', import.meta.url).href}';
  process.on('message', async (env) => {
    const printed = [];
    const code = await new Promise((exit, fail) => {
      const host = { env, exit, stderr: { write: (text) => printed.push(text) }, on: () => undefined };
      start(host).then(() => exit(null), fail);
    });
    process.send({ code, printed: printed.join('') });
  });
  process.send('loaded');
`;

/** A process that loads the service once, and starts it wherever it is told. */
class Starts {
  readonly #child: ChildProcess;
  readonly #loaded: Promise<unknown>;
  readonly #ended: Promise<unknown>;
  #output = '';

  constructor() {
    const script = join(folder, 'starts-in-vain.mjs');
    writeFileSync(script, STARTS_IN_VAIN);
    this.#child = spawn(PINNED_NODE, [script], { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
    this.#loaded = once(this.#child, 'message');
    this.#ended = once(this.#child, 'close');
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => (this.#output += text));
    }
  }

  /** A start that must fail. */
  async inVain(dataDir: string): Promise<Ended> {
    await this.#loaded;
    const answered = once(this.#child, 'message', { signal: AbortSignal.timeout(LIMIT_MS) });
    this.#child.send({ PORT: '0', WRIT_DATA_DIR: dataDir });
    return ((await answered) as [Ended])[0];
  }

  /** @returns what it printed by itself */
  async end(): Promise<string> {
    this.#child.kill('SIGKILL');
    await this.#ended;
    return this.#output;
  }
}

function sql(file: string, statement: string): void {
  const db = new DatabaseSync(file);
  db.exec(statement);
  db.close();
}
