import { SqliteEventStore } from '#event-store/sqlite';
import { LedgerWorld, tellStory } from '#testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { demandLog, filesIn } from '../data-folder.ts';
import { backUp } from './back-up.ts';
import { runBackup, runRestore } from './commands.ts';
import { restoreLog } from './restore-log.ts';
import { sha256OfFile } from './verify.ts';

let folder: string;
let dataDir: string;
let to: string;
/** A log that is made once, and copied for each test. */
let told: string;
beforeAll(async () => {
  told = mkdtempSync(join(tmpdir(), 'writ-told-'));
  const store = await SqliteEventStore.open({ path: join(told, 'events.db') });
  await tellStory(new LedgerWorld({ store }));
  await store.close();
}, 90_000);
afterAll(() => rmSync(told, { recursive: true }));

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'writ-backup-'));
  dataDir = join(folder, 'data');
  to = join(folder, 'backups');
  cpSync(told, dataDir, { recursive: true });
});
afterEach(() => rmSync(folder, { recursive: true }));

function byHand(file: string, sql: string): void {
  const db = new DatabaseSync(file);
  db.exec(sql);
  db.close();
}

const FORGE = `DROP TRIGGER events_never_change; UPDATE events SET data = replace(data, '"amount":"', '"amount":"9')
  WHERE position = (SELECT min(position) FROM events WHERE type = 'FundsDeposited')`;

/** Begins a backup, says so when the log is copied, and goes no further. */
const STOPS = `
  import { writeSync } from 'node:fs';
  const { backUp } = await import('./apps/ledger/src/backup/back-up.ts');
  const onProgress = (what) => {
    if (what !== 'verifying') return;
    writeSync(1, 'copied');
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  };
  await backUp({ dataDir: process.argv[1], to: process.argv[2], onProgress });
`;

/** Begins to put a log into a folder, says so when it is all there but for its name, and goes no further. */
const PUTS = `
  import { writeSync } from 'node:fs';
  const { placeLog } = await import('#event-store/sqlite');
  await placeLog(process.argv[1], process.argv[2], () => {
    writeSync(1, 'copied');
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  });
`;

/** Runs a script that stops in the middle, and kills it once `meanwhile` is done. */
async function killed(script: string, args: readonly string[], meanwhile: () => unknown): Promise<void> {
  const child = spawn(process.execPath, ['--conditions=writ-source', '--input-type=module', '-e', script, ...args], {
    cwd: fileURLToPath(new URL('../../../../', import.meta.url)),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'close');
  try {
    await once(child.stdout, 'data');
    await meanwhile();
  } finally {
    child.kill('SIGKILL');
    await ended;
  }
}

type Run = typeof runBackup;
async function run(command: Run, ...args: readonly string[]): Promise<{ code: number; out: string; err: string }> {
  let [out, err] = ['', ''];
  const output = {
    stdout: { write: (text: string) => (out += text) },
    stderr: { write: (text: string) => (err += text) },
  };
  return { code: await command(args, { WRIT_DATA_DIR: dataDir }, output), out, err };
}

describe('a backup', () => {
  it('tells what it holds, in words and in a manifest, and is for its owner only', async () => {
    const { code, out, err } = await run(runBackup, '--to', to);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    const [name = ''] = readdirSync(to);
    const made = join(to, name);
    expect(readdirSync(made).sort()).toEqual(['events.db', 'manifest.json']);
    const manifest = JSON.parse(readFileSync(join(made, 'manifest.json'), 'utf8')) as Record<string, unknown>;
    expect(manifest).toMatchObject({
      format: 1,
      faults: 0,
      sha256: await sha256OfFile(join(made, 'events.db')),
      sizeBytes: statSync(join(made, 'events.db')).size,
      lastRecordedAt: expect.stringMatching(/^2022-/),
    });
    for (const field of ['madeAt', 'lastPosition', 'lastRecordedAt', 'sha256'])
      expect(out).toContain(String(manifest[field]));
    for (const each of ['events.db', 'manifest.json']) expect(statSync(join(made, each)).mode & 0o777).toBe(0o600);
    for (const each of [to, made]) expect(statSync(each).mode & 0o777).toBe(0o700);
  });

  it('never takes the place of an earlier one', async () => {
    const now = (): Date => new Date('2022-03-01T00:00:00.000Z');
    const first = await backUp({ dataDir, to, now });
    const before = readFileSync(join(first.folder, 'manifest.json'), 'utf8');
    await expect(backUp({ dataDir, to, now })).rejects.toThrow(/is there already, and stays as it is/);
    expect(readdirSync(to)).toEqual(['2022-03-01T00-00-00.000Z']);
    expect(readFileSync(join(first.folder, 'manifest.json'), 'utf8')).toBe(before);
  });

  it('removes what one left that was killed, and never one that is being made', async () => {
    await killed(STOPS, [dataDir, to], async () => {
      const making = readdirSync(to);
      expect(making).toHaveLength(2);
      await backUp({ dataDir, to });
      expect(readdirSync(to)).toEqual(expect.arrayContaining(making));
    });
    expect(await run(runBackup, '--to', to)).toMatchObject({ code: 0, err: '' });
    expect(readdirSync(to).filter((name) => name.startsWith('unfinished'))).toEqual([]);
    expect(readdirSync(to)).toHaveLength(2);
  });

  it('tells of what was not finished and has no lock, and leaves it', async () => {
    const left = join(to, 'unfinished-aB3xYz');
    mkdirSync(left, { recursive: true });
    const { code, err } = await run(runBackup, '--to', to);
    expect({ code, err }).toEqual({
      code: 0,
      err: `${left} is a backup that was not finished: delete it when no backup runs.\n`,
    });
    expect(existsSync(left)).toBe(true);
  });

  it('may be made twice at once', async () => {
    const at = (ms: number) => (): Date => new Date(ms);
    const made = await Promise.all([backUp({ dataDir, to, now: at(0) }), backUp({ dataDir, to, now: at(1) })]);
    expect(made[0].manifest.sha256).toBe(made[1].manifest.sha256);
    expect(readdirSync(to)).toHaveLength(2);
  });

  it.each([
    ['the data folder', () => dataDir],
    ['a folder in it', () => join(dataDir, 'backups')],
    [
      'a link to it',
      () => {
        symlinkSync(dataDir, join(folder, 'link'));
        return join(folder, 'link');
      },
    ],
  ])('is not kept in %s', async (_, place) => {
    const { code, err } = await run(runBackup, '--to', place());
    expect({ code, lines: err.split('\n').length }).toEqual({ code: 1, lines: 2 });
    expect(err).toMatch(/is in the data folder .* name another folder\.$/m);
    expect(readdirSync(dataDir).filter((name) => name.startsWith('unfinished') || name === 'backups')).toEqual([]);
  });

  it('of a log that was forged is made all the same, and says so', async () => {
    byHand(join(dataDir, 'events.db'), FORGE);
    const { code, out, err } = await run(runBackup, '--to', to);
    expect(code).toBe(0);
    expect(err).toMatch(/^1 event of the log itself does not hold, and is in the .*hash is not that of the content/);
    const [name = ''] = readdirSync(to);
    const restored = await run(runRestore, '--from', join(to, name), '--data', join(folder, 'restored'));
    for (const said of [out, restored.out]) {
      expect(said).toMatch(/^ {2}verified, but for 1 event of the log itself: docs\/operations\/violation-seen\.md$/m);
      expect(said).not.toContain('every revision, link and hash');
    }
  });

  it('of a log that is damaged, or not there, is not made, and leaves nothing', async () => {
    const file = readFileSync(join(dataDir, 'events.db'));
    file.fill(0xa5, file.length - 4_096);
    writeFileSync(join(dataDir, 'events.db'), file);
    const damaged = await run(runBackup, '--to', to);
    const log = join(dataDir, 'events.db');
    expect(damaged).toMatchObject({ code: 1, out: '', err: expect.stringMatching(/^\S+events\.db is damaged.+\n$/) });
    expect(damaged.err).toContain(`${log} is damaged`);
    expect(damaged.err).not.toContain(to);
    expect(existsSync(to)).toBe(false);
    const absent = await run(runBackup, '--to', to, '--data', join(folder, 'none'));
    expect(absent).toMatchObject({
      code: 1,
      out: '',
      err: expect.stringMatching(/none\/events\.db can't be opened.*\n$/),
    });
    expect(existsSync(to)).toBe(false);
  });

  it('of a log with a damaged page names the log, and not the copy that is gone', async () => {
    const log = join(dataDir, 'events.db');
    const file = readFileSync(log);
    const middle = Math.floor(file.length / 4_096 / 2) * 4_096;
    writeFileSync(log, file.fill(0xa5, middle, middle + 4_096));
    const { code, err } = await run(runBackup, '--to', to);
    expect({ code, lines: err.split('\n').length }).toEqual({ code: 1, lines: 2 });
    expect(err).toMatch(/events\.db is damaged \(.+\), or was copied wrongly: npm run check tells which\.$/m);
    expect(err).toContain(log);
    expect(err).not.toContain(to);
  });

  it('that came to nothing leaves the folders that were there, and those alone', async () => {
    const none = ['--data', join(folder, 'none')] as const;
    expect((await run(runBackup, '--to', join(to, 'of', 'today'), ...none)).code).toBe(1);
    expect(existsSync(to)).toBe(false);
    mkdirSync(to);
    expect((await run(runBackup, '--to', to, ...none)).code).toBe(1);
    expect((await run(runBackup, '--to', join(to, 'of', 'today'), ...none)).code).toBe(1);
    expect(readdirSync(to)).toEqual([]);
  });

  it('tells how it is used', async () => {
    for (const args of [[], ['--to'], ['--to', ''], ['--elsewhere', 'x'], ['x']]) {
      expect(await run(runBackup, ...args)).toMatchObject({
        code: 1,
        err: expect.stringMatching(/Usage: npm run backup/),
      });
    }
    expect(await run(runRestore)).toMatchObject({ code: 1, err: expect.stringMatching(/^Usage: npm run restore/) });
  });
});

describe('a restore', () => {
  let made: string;
  let restored: string;
  beforeEach(async () => {
    ({ folder: made } = await backUp({ dataDir, to }));
    restored = join(folder, 'restored');
  });

  it('puts the log where there is none, and removes nothing but what the supervisor remembers', async () => {
    mkdirSync(join(restored, 'supervisor'), { recursive: true });
    writeFileSync(join(restored, 'supervisor', 'supervisor'), 'of another log');
    writeFileSync(join(restored, 'read-models.db'), 'of another log');
    const { code, out, err } = await run(runRestore, '--from', made, '--data', restored);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toMatch(/is restored in/);
    expect(out).toMatch(/^ {2}made at +20\d\d-\S+Z$/m);
    expect(readFileSync(join(restored, 'events.db')).equals(readFileSync(join(made, 'events.db')))).toBe(true);
    expect(readFileSync(join(restored, 'read-models.db'), 'utf8')).toBe('of another log');
    expect(existsSync(join(restored, 'supervisor'))).toBe(false);
  });

  it.each<[string, (file: string, manifest: string) => void, RegExp]>([
    [
      'one byte of it is another',
      (file) => {
        const bytes = readFileSync(file);
        bytes.writeUInt8(bytes.readUInt8(9_000) ^ 1, 9_000);
        writeFileSync(file, bytes);
      },
      /is not as it was made/,
    ],
    ['it ends too soon', (file) => writeFileSync(file, readFileSync(file).subarray(0, 8_192)), /is not as it was made/],
    ['its file is gone', (file) => rmSync(file), /can't be read \(ENOENT\)/],
    ['it has no manifest', (_, manifest) => rmSync(manifest), /is no backup: it has no manifest\.json/],
    ['its manifest is half', (_, manifest) => writeFileSync(manifest, '{"format":1,'), /manifest\.json can't be read/],
    [
      'its manifest is of another version',
      (_, manifest) => writeFileSync(manifest, readFileSync(manifest, 'utf8').replace('"format": 1', '"format": 2')),
      /not a manifest of this version of Writ \(format\)/,
    ],
  ])('is refused when %s', async (_, spoil, message) => {
    spoil(join(made, 'events.db'), join(made, 'manifest.json'));
    const { code, err } = await run(runRestore, '--from', made, '--data', restored);
    expect(err).toMatch(message);
    expect(err.trimEnd()).not.toContain('\n');
    expect(code).toBe(1);
    expect(existsSync(restored)).toBe(false);
  });

  it('that was killed leaves what keeps a start from beginning another log, and is given again', async () => {
    const files = filesIn(restored);
    await killed(PUTS, [join(made, 'events.db'), files.events], () => undefined);
    expect(readdirSync(restored).sort()).toEqual(['events.db.lock', 'events.db.unfinished']);
    expect(() => demandLog(files)).toThrow(/a restore or a load was cut off/);
    expect(await run(runRestore, '--from', made, '--data', restored)).toMatchObject({ code: 0, err: '' });
    expect(readdirSync(restored).sort()).toEqual(['events.db', 'events.db.lock']);
    expect(() => demandLog(files)).not.toThrow();
  });

  it('of a folder of backups names the newest', async () => {
    const { folder: newest } = await backUp({ dataDir, to, now: () => new Date('2099-01-01T00:00:00.000Z') });
    const { code, err } = await run(runRestore, '--from', to, '--data', restored);
    expect({ code, err }).toEqual({ code: 1, err: expect.stringContaining(`the newest is ${newest}.\n`) });
  });

  it('is refused when a hash does not hold, though the manifest was made to fit', async () => {
    byHand(join(made, 'events.db'), FORGE);
    const sha256 = await sha256OfFile(join(made, 'events.db'));
    const manifest = JSON.parse(readFileSync(join(made, 'manifest.json'), 'utf8')) as object;
    writeFileSync(join(made, 'manifest.json'), JSON.stringify({ ...manifest, sha256 }));
    await expect(restoreLog({ from: made, dataDir: restored })).rejects.toThrow(/does not hold what its manifest says/);
  });

  it('overwrites no log, and leaves a running service alone', async () => {
    const before = readFileSync(join(dataDir, 'events.db'));
    const { code, err } = await run(runRestore, '--from', made);
    expect(code).toBe(1);
    expect(err).toMatch(/events\.db is there already: a restore overwrites nothing\. .*--data\.\n$/);
    expect(readFileSync(join(dataDir, 'events.db')).equals(before)).toBe(true);

    const store = await SqliteEventStore.open({ path: join(restored, 'events.db') });
    for (const ending of ['', '-wal', '-shm']) rmSync(join(restored, `events.db${ending}`));
    await expect(restoreLog({ from: made, dataDir: restored })).rejects.toThrow(/in use by another process/);
    await store.close();
    for (const ending of ['', '-wal', '-shm']) rmSync(join(restored, `events.db${ending}`), { force: true });
    copyFileSync(join(made, 'events.db'), join(restored, 'events.db-wal'));
    await expect(restoreLog({ from: made, dataDir: restored })).rejects.toThrow(/events\.db-wal is there already/);
  });
});
