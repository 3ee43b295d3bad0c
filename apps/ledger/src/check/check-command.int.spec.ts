import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { SqliteEventStore } from '#event-store/sqlite';
import { LedgerWorld } from '#testing';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { loadLog } from '../load/load-command.ts';
import { checkDataFolder } from './check-command.ts';
import type { FindingCode } from './findings.ts';
import { checkLogFile } from './log-check.ts';

const silent = { stdout: { write: () => true }, stderr: { write: () => true } };
let folder: string;
let clean: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'writ-check-'));
  clean = join(folder, 'clean');
  expect(loadLog(['--accounts', '30', '--events', '2500', '--seed', '3', '--data', clean], {}, silent)).toBe(0);
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A copy of the log, written into by hand. */
function tamper(...statements: readonly string[]): string {
  const data = mkdtempSync(join(folder, 'tampered-'));
  cpSync(clean, data, { recursive: true });
  const db = new DatabaseSync(join(data, 'events.db'));
  db.exec('DROP TRIGGER events_never_change; DROP TRIGGER events_never_go; PRAGMA ignore_check_constraints = 1');
  for (const statement of statements) expect(db.prepare(statement).run().changes).toBeGreaterThan(0);
  db.close();
  return data;
}

async function check(data: string): Promise<{ code: number; out: string; err: string }> {
  const said = { out: '', err: '' };
  const output = {
    stdout: { write: (text: string) => (said.out += text) },
    stderr: { write: (text: string) => (said.err += text) },
  };
  return { code: await checkDataFolder(['--data', data, '--threads', '1'], {}, output), ...said };
}

const THIRD_DEPOSIT = "SELECT position FROM events WHERE type = 'FundsDeposited' ORDER BY position LIMIT 1 OFFSET 2";

describe('npm run check', () => {
  it('says nothing is wrong with a log in which nothing is', async () => {
    const { code, out } = await check(clean);
    expect({ code, out }).toEqual({ code: 0, out: expect.stringMatching(/2,500 events .* nothing is wrong\.\n$/) });
    expect(out.split('\n')).toHaveLength(2);
  });

  it.each<[what: string, code: FindingCode, statements: readonly string[], detail: RegExp]>([
    [
      'an amount that was changed',
      'hash-mismatch',
      [`UPDATE events SET data = json_set(data, '$.amount', '1') WHERE position = (${THIRD_DEPOSIT})`],
      /^hash-mismatch: account-acc-\d+@\d+ at position [0-9a-f]{16}: hash is not that of the content\. .*restore/m,
    ],
    [
      'metadata that were changed',
      'hash-mismatch',
      [`UPDATE events SET metadata = json_set(metadata, '$.actor.id', 'me') WHERE position = (${THIRD_DEPOSIT})`],
      /hash is not that of the content/,
    ],
    [
      'an amount that stands twice',
      'hash-mismatch',
      [
        `UPDATE events SET data = replace(data, '"amount":', '"amount":"1","amount":') WHERE position = (${THIRD_DEPOSIT})`,
      ],
      /^hash-mismatch: account-acc-\d+@\d+ at position [0-9a-f]{16}: the text of its data or metadata is not /m,
    ],
    [
      'a time that stands twice',
      'hash-mismatch',
      [
        `UPDATE events SET metadata = replace(metadata, '"recordedAt":', '"recordedAt":"2020-01-01T00:00:00.000Z","recordedAt":')
         WHERE position = (${THIRD_DEPOSIT})`,
      ],
      /the text of its data or metadata is not /,
    ],
    [
      'an event of no known shape',
      'malformed-event',
      [`UPDATE events SET data = '{}' WHERE position = (${THIRD_DEPOSIT})`],
      /^malformed-event: account-/m,
    ],
    [
      'an event that was taken out of its stream',
      'revision-gap',
      [`DELETE FROM events WHERE position = (${THIRD_DEPOSIT})`],
      /revision \d+ should stand here/,
    ],
    [
      'an event that was taken out of the log',
      'position-gap',
      ['DELETE FROM events WHERE position = 2000'],
      /position-gap: the log: the position after 00000000000007cf is missing/,
    ],
    [
      'a receipt of a transfer that never was',
      'citation-unresolved',
      [
        `UPDATE events SET type = 'FundsDeposited',
           data = json_object('accountId', substr(stream, 9), 'depositId', 'x', 'asset', 'BTC', 'amount', '1', 'source',
                              json_object('kind', 'bank', 'reference', 'x'))
         WHERE position = (SELECT position FROM events WHERE type = 'TransferSent' ORDER BY position LIMIT 1)`,
      ],
      /^citation-unresolved: account-/m,
    ],
    [
      'a page of the file that is damaged',
      'damaged-file',
      ["UPDATE sqlite_schema SET sql = replace(sql, 'data TEXT', 'data INTEGER') WHERE name = 'events'"],
      /damaged-file: the log: /,
    ],
    [
      'an id that stands twice, in a table that allows it',
      'repeated-id',
      [
        'CREATE TABLE other AS SELECT * FROM events; DROP TABLE events; ALTER TABLE other RENAME TO events',
        'UPDATE events SET id = (SELECT id FROM events WHERE position = 5) WHERE position = 9',
      ],
      /^repeated-id: the log: the id [0-9a-f-]{36} stands twice/m,
    ],
  ])('finds %s', async (_, code, statements, detail) => {
    const isOfSchema = code === 'damaged-file' || code === 'repeated-id';
    const data = isOfSchema ? damageSchema(statements) : tamper(...statements);
    const { code: exit, out } = await check(data);
    expect(exit).toBe(1);
    expect(out).toMatch(detail);
    expect(out).toMatch(/ findings?\.\n$/);
  });

  /** What an INTEGER column of a STRICT table may not hold: SQLite finds text in it. */
  function damageSchema(statements: readonly string[]): string {
    const data = mkdtempSync(join(folder, 'tampered-'));
    cpSync(clean, data, { recursive: true });
    const db = new DatabaseSync(join(data, 'events.db'), { defensive: false });
    db.exec('PRAGMA writable_schema = 1');
    for (const statement of statements) db.exec(statement);
    db.close();
    return data;
  }

  it.each([1, 2])('with %s threads names each guard that is missing, and what is none of ours', async (threads) => {
    const data = mkdtempSync(join(folder, 'schema-'));
    cpSync(clean, data, { recursive: true });
    const path = join(data, 'events.db');
    const db = new DatabaseSync(path);
    db.exec(`DROP TRIGGER events_never_go; DROP INDEX events_by_type;
      CREATE TRIGGER swallow BEFORE INSERT ON events WHEN NEW.type = 'FundsDeposited'
        BEGIN SELECT RAISE(IGNORE); END`);
    db.close();
    const { findings } = await checkLogFile({ path, threads });
    expect(findings.map(({ code, detail }) => `${code}: ${detail}`)).toEqual([
      "foreign-schema: the trigger swallow is none of Writ's",
      'missing-guard: the index events_by_type is missing',
      'missing-guard: the trigger events_never_go is missing',
    ]);
  });

  it('names what is none of ours in a log without an event', async () => {
    const data = mkdtempSync(join(folder, 'empty-'));
    const path = join(data, 'events.db');
    await (await SqliteEventStore.open({ path })).close();
    const db = new DatabaseSync(path);
    db.exec('CREATE TRIGGER swallow BEFORE INSERT ON events BEGIN SELECT RAISE(IGNORE); END');
    db.close();
    const { code, out } = await check(data);
    expect({ code, out }).toEqual({
      code: 1,
      out: expect.stringMatching(/^foreign-schema: the log: the trigger swallow is none of Writ's\. The service /),
    });
  });

  it.each([1, 2])('with %s threads names an event that an index hides, for one bit of it', async (threads) => {
    const data = mkdtempSync(join(folder, 'hidden-'));
    cpSync(clean, data, { recursive: true });
    const path = join(data, 'events.db');
    const db = new DatabaseSync(path, { readOnly: true });
    const pages = db.prepare("SELECT pgoffset AS start FROM dbstat WHERE name = 'sqlite_autoindex_events_2'").all();
    // Of a revision that takes one byte.
    const lasts =
      'SELECT stream, max(revision) AS revision FROM events GROUP BY stream HAVING max(revision) BETWEEN 2 AND 63';
    const last = db.prepare(lasts).get() ?? {};
    db.close();
    const key = Buffer.from(`${String(last['stream'])}${String.fromCharCode(Number(last['revision']))}`);
    const file = readFileSync(path);
    const found = pages.map(({ start }) => file.subarray(Number(start), Number(start) + 4096).lastIndexOf(key));
    const page = found.findIndex((at) => at >= 0);
    const place = Number(pages[page]?.['start']) + Number(found[page]) + key.length - 1;
    file[place] = Number(file[place]) ^ 0x40;
    writeFileSync(path, file);
    const { findings } = await checkLogFile({ path, threads });
    expect(findings).toContainEqual({
      code: 'damaged-file',
      stream: last['stream'],
      revision: last['revision'],
      position: expect.stringMatching(/^[0-9a-f]{16}$/),
      detail: 'the file is damaged: its index does not find this event by stream and revision',
    });
  });

  it.each([
    [2, 'finds the same', `UPDATE events SET data = '{}' WHERE type = 'TransferSent'`],
    [3, 'finds the same', 'DELETE FROM events WHERE position = 2000'],
  ])('with %s threads %s', async (threads, _, statement) => {
    const data = tamper(statement);
    const path = join(data, 'events.db');
    const [alone, shared] = [await checkLogFile({ path, threads: 1 }), await checkLogFile({ path, threads })];
    expect(shared).toEqual(alone);
    expect(alone.findings.length).toBeGreaterThan(0);
  });

  it('names each finding, however many there are', async () => {
    const data = tamper("UPDATE events SET data = '{}' WHERE position > 1000");
    const { out } = await check(data);
    for (let position = 1_001; position <= 2_500; position += 1) {
      const named = `at position ${position.toString(16).padStart(16, '0')}: `;
      expect(out.split('\n').filter((line) => line.includes(named))).toHaveLength(1);
    }
    expect(out).not.toContain('…');
  });

  it('keeps ten thousand findings, and says how many there are beyond them', async () => {
    const data = mkdtempSync(join(folder, 'large-'));
    rmSync(data, { recursive: true });
    expect(loadLog(['--accounts', '30', '--events', '10200', '--data', data], {}, silent)).toBe(0);
    const db = new DatabaseSync(join(data, 'events.db'));
    const { sql } = db.prepare("SELECT sql FROM sqlite_schema WHERE name = 'events_never_change'").get() ?? {};
    db.exec(`DROP TRIGGER events_never_change; UPDATE events SET data = '{}'; ${String(sql)}`);
    db.close();
    const { out } = await check(data);
    const lines = out.split('\n');
    expect(lines.filter((line) => line.startsWith('malformed-event: '))).toHaveLength(10_000);
    expect(lines.slice(10_000)).toEqual([
      '… and 200 more, of which only the number is kept.',
      expect.stringMatching(/10,200 events .*: 10,200 findings\.$/),
      '',
    ]);
  });

  it('finds nothing wrong with several threads either', async () => {
    const result = await checkLogFile({ path: join(clean, 'events.db'), threads: 3 });
    expect(result).toMatchObject({ events: 2500, findings: [], moreFindings: 0 });
  });

  it('says what is wrong when there is no log', async () => {
    const { code, out, err } = await check(join(folder, 'nowhere'));
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toMatch(/events\.db can't be opened.*\n$/);
  });
});

describe('npm run check of a log that was cut short', () => {
  /** A log as a kill leaves it: nothing of it is merged into its file yet. */
  async function killed(): Promise<{ data: string; path: string }> {
    const data = mkdtempSync(join(folder, 'killed-'));
    const store = await SqliteEventStore.open({ path: join(folder, 'live.db') });
    try {
      await new LedgerWorld({ store }).openAccount();
      for (const end of ['', '-wal', '-shm']) cpSync(join(folder, `live.db${end}`), join(data, `events.db${end}`));
    } finally {
      await store.close();
      rmSync(join(folder, 'live.db'));
    }
    return { data, path: join(data, 'events.db') };
  }

  function overwrite(path: string, at: number, bytes: number): void {
    const file = readFileSync(path);
    file.fill(0xff, at, at + bytes);
    writeFileSync(path, file);
  }

  it('takes what was not merged yet for what it is', async () => {
    const { data } = await killed();
    expect(await check(data)).toMatchObject({ code: 0, out: expect.stringContaining('nothing is wrong') });
  });

  it('refuses one whose write-ahead log is gone, and leaves that to be seen', async () => {
    const { data, path } = await killed();
    rmSync(`${path}-wal`);
    for (let times = 0; times < 2; times += 1) {
      const { code, out, err } = await check(data);
      expect({ code, out }).toEqual({ code: 1, out: '' });
      expect(err).toContain(`${path}-wal is gone, and with it what was not merged`);
    }
    expect(existsSync(`${path}-wal`)).toBe(false);
  });

  it('says where the write-ahead log is damaged, and judges what stands before that', async () => {
    const { data, path } = await killed();
    overwrite(`${path}-wal`, Math.floor(readFileSync(`${path}-wal`).length / 2), 16);
    const { code, out } = await check(data);
    expect(code).toBe(1);
    expect(out).toMatch(/^damaged-file: the log: .*events\.db-wal is damaged at byte \d+, .* restore/m);
    expect(out).toMatch(/: \d events .* checked in .*: 1 finding\./);
  });

  it.each([
    ['the head of a page', 0, 8],
    ['the content of a page', 2_000, 2_000],
  ])('names %s that is damaged, and judges what stands before it', async (_, at, bytes) => {
    const data = mkdtempSync(join(folder, 'damaged-'));
    cpSync(clean, data, { recursive: true });
    const path = join(data, 'events.db');
    const db = new DatabaseSync(path, { readOnly: true });
    const leaf = 'SELECT max(pageno) AS page FROM dbstat WHERE name = ? AND pagetype = ?';
    const { page } = db.prepare(leaf).get('events', 'leaf') ?? {};
    db.close();
    overwrite(path, (Number(page) - 1) * 4_096 + at, bytes);
    const { code, out, err } = await check(data);
    expect({ code, err }).toEqual({ code: 1, err: expect.stringMatching(/^(checking: .*\n)*$/) });
    expect(out).toMatch(/^damaged-file: the log: (.*malformed|.*\n.*page \d+)/);
    expect(out).toMatch(/^not-read: the log: 2500 events are counted, and 2\d{3} were read/m);
    expect(out).toContain(`${path}: 2,500 events`);
  });

  it('names the file where not even its end can be found', async () => {
    const data = mkdtempSync(join(folder, 'damaged-'));
    cpSync(clean, data, { recursive: true });
    const path = join(data, 'events.db');
    // The roots of the table and of its indexes.
    overwrite(path, 4_096, 4 * 4_096);
    const { code, out, err } = await check(data);
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toMatch(/^.*events\.db is damaged \(.*\)\. .*\n$/);
  });
});
