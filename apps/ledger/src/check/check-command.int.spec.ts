import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
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
    expect(out).toMatch(/ findings\.\n$/);
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
