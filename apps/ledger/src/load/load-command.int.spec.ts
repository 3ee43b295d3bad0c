import { endOfLog, LogScan, SqliteEventReader } from '#event-store/sqlite';
import type { RecordedEvent } from '#kernel';
import { Judge } from '#replay';
import { checkLog, describeBreaches } from '#testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadLog } from './load-command.ts';
import { leastEvents } from './story.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'writ-load-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** What the command printed, and its exit code. */
function load(args: string): { code: number; out: string; err: string } {
  const said = { out: '', err: '' };
  const output = {
    stdout: { write: (text: string) => (said.out += text) },
    stderr: { write: (text: string) => (said.err += text) },
  };
  return { code: loadLog(args.split(' '), {}, output), ...said };
}

function eventsIn(data: string): readonly RecordedEvent[] {
  const path = join(data, 'events.db');
  const end = endOfLog(path) ?? '';
  const scan = new LogScan(path, { end, part: { index: 0, of: 1 } });
  const events: RecordedEvent[] = [];
  for (let page = scan.next(); page !== undefined; page = scan.next()) events.push(...page);
  scan.close();
  return events;
}

describe('npm run load', () => {
  it.each([
    [1, leastEvents(1), 1],
    [3, 1_000, 2],
    [40, 8_000, 3],
  ])('makes a faultless log of %s accounts and exactly %s events', async (accounts, events, seed) => {
    const data = join(folder, `${String(accounts)}-${String(seed)}`);
    const { code, out } = load(
      `--accounts ${String(accounts)} --events ${String(events)} --seed ${String(seed)} --data ${data}`,
    );
    expect(readdirSync(data).sort()).toEqual(['events.db', 'events.db.lock']);
    expect(statSync(join(data, 'events.db')).mode & 0o777).toBe(0o600);
    expect({ code, out }).toEqual({ code: 0, out: expect.stringContaining(`${events.toLocaleString('en')} events`) });
    const log = eventsIn(data);
    expect(log).toHaveLength(events);
    expect(log.filter(({ type }) => type === 'AccountOpened')).toHaveLength(accounts);
    expect(describeBreaches(checkLog(log, { quiescent: true }), log)).toBe('');
    const reader = new SqliteEventReader(join(data, 'events.db'));
    const judge = new Judge(reader);
    for (const event of log) expect((await judge.judge(event)).violation).toBeUndefined();
    await reader.close();
  });

  it('has a bit of everything that a custodian does', () => {
    const types = new Set(eventsIn(join(folder, '40-3')).map(({ type }) => type));
    const rare = ['AccountFrozen', 'AccountUnfrozen', 'CommandRefused', 'FundsHeld', 'PartyNamed'];
    const common = ['FundsDeposited', 'TransferReceived', 'WithdrawalSettled', 'WithdrawalCancelled'];
    expect([...common, ...rare].filter((type) => !types.has(type))).toEqual([]);
  });

  it('makes the same log from the same numbers, and another from another seed', () => {
    const hashes = ['9', '9', '10'].map((seed, n) => {
      const data = join(folder, `seed-${String(n)}`);
      load(`--accounts 2 --events 200 --seed ${seed} --data ${data}`);
      return eventsIn(data).map(({ metadata }) => metadata.hash);
    });
    expect(hashes[1]).toEqual(hashes[0]);
    expect(hashes[2]).not.toEqual(hashes[0]);
  });

  it('leaves a log that is there as it is', () => {
    const data = join(folder, 'seed-0');
    const before = statSync(join(data, 'events.db')).mtimeMs;
    const { code, err } = load(`--accounts 2 --events 200 --data ${data}`);
    expect({ code, err }).toEqual({ code: 1, err: expect.stringContaining('holds a log already') });
    expect(statSync(join(data, 'events.db')).mtimeMs).toBe(before);
  });

  it.each([
    ['--accounts 5', 'Usage'],
    ['--accounts 5 --events 20', 'at least'],
    ['--accounts zero --events 200', '--accounts must be a whole number'],
    ['--accounts 5 --events 200 --speed 9', 'Usage'],
  ])('refuses %s', (args, expected) => {
    const data = join(folder, 'refused');
    expect(load(`${args} --data ${data}`)).toMatchObject({ code: 1, out: '', err: expect.stringContaining(expected) });
    expect(existsSync(data)).toBe(false);
  });
});
