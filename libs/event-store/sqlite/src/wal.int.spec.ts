import type { EventStore } from '#event-store';
import type { RecordedEvent } from '#kernel';
import { checkLog, LedgerWorld, service, tellStory } from '#testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SqliteEventStore } from './sqlite-event-store.ts';
import { SqliteLog } from './sqlite-log.ts';

const HEADER_BYTES = 32;
const FRAME_BYTES = 24 + 4096;

/** An append, and how long the write-ahead log was when it was acknowledged. */
interface Acknowledged {
  readonly ids: readonly string[];
  readonly walBytes: number;
}

/** A ledger's whole life, as it stood in the file and in the write-ahead log when the power went. */
interface Recorded {
  readonly file: Buffer;
  readonly wal: Buffer;
  readonly events: readonly RecordedEvent[];
  /** The same as they stand in the file. */
  readonly rows: readonly string[];
  readonly appends: readonly Acknowledged[];
}

let folder: string;
let recorded: Recorded;
let copies = 0;

async function record(): Promise<Recorded> {
  const path = join(folder, 'events.db');
  const store = await SqliteEventStore.open({ path });
  const appends: Acknowledged[] = [];
  const noting = new Proxy<EventStore>(store, {
    get: (target, name) => {
      const member: unknown = Reflect.get(target, name, target);
      if (name !== 'append') return typeof member === 'function' ? (member.bind(target) as unknown) : member;
      const append: EventStore['append'] = async (stream, expected, events) => {
        const answer = await target.append(stream, expected, events);
        appends.push({ ids: events.map(({ id }) => id), walBytes: statSync(`${path}-wal`).size });
        return answer;
      };
      return append;
    },
  });
  let taken: Omit<Recorded, 'rows'>;
  try {
    const world = new LedgerWorld({ store: noting });
    await tellStory(world);
    await depositTogether(world);
    const { events } = await store.readAll({ limit: 10_000 });
    taken = { file: readFileSync(path), wal: readFileSync(`${path}-wal`), events, appends };
  } finally {
    await store.close();
  }
  const log = new SqliteLog({ path });
  const rows = rowsIn(log);
  log.close();
  return { ...taken, rows };
}

/** Appends to several streams that are committed as one. */
async function depositTogether(world: LedgerWorld): Promise<void> {
  const accounts = [...new Set((await world.log()).map(({ stream }) => stream))]
    .filter((stream) => stream.startsWith('account-'))
    .map((stream) => stream.slice('account-'.length));
  expect(accounts.length).toBeGreaterThan(2);
  for (let round = 0; round < 3; round += 1) {
    await Promise.all(
      accounts.map((accountId, nth) => {
        const depositId = `together-${String(round)}-${String(nth)}`;
        const source = { kind: 'onchain', reference: `tx:${depositId}`, chain: 'bitcoin' } as const;
        return world.ask(
          { type: 'Deposit', accountId, depositId, asset: 'BTC', amount: '1', source },
          { actor: service },
        );
      }),
    );
  }
}

beforeAll(async () => {
  // In memory where there is such a folder: what is cut off here has long been on disk.
  folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'writ-wal-'));
  recorded = await record();
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true }));

interface Opened {
  /** What stands in the file, a text for each event. */
  readonly rows: readonly string[];
  readonly notice: string | undefined;
}

/** Opens the ledger with this write-ahead log as the one writer would, and lets it go again. */
function open(wal: Uint8Array, file: Uint8Array = recorded.file): Opened {
  copies += 1;
  const path = join(folder, `copy-${String(copies)}.db`);
  writeFileSync(path, file);
  writeFileSync(`${path}-wal`, wal);
  try {
    const log = new SqliteLog({ path });
    const rows = rowsIn(log);
    const { notice } = log;
    log.close();
    return { rows, notice };
  } finally {
    for (const suffix of ['', '-wal', '-shm', '.lock']) rmSync(path + suffix, { force: true });
  }
}

function rowsIn(log: SqliteLog): readonly string[] {
  return log.reader.readAll(0n, {}, 10_000).rows.map((row) => JSON.stringify(row));
}

/** How many events were acknowledged, or on their way in one write, when the write-ahead log was so long. */
function eventsAt(walBytes: number): number {
  const done = recorded.appends.filter((append) => append.walBytes <= walBytes);
  return done.reduce((sum, { ids }) => sum + ids.length, 0);
}

const judged = new Map<number, unknown>();

/** The first events of the log, with every hash and revision as it should be: `length` is that of whole appends. */
function expectPrefix({ rows }: Opened, length: number): void {
  expect(rows.length).toBe(length);
  const differs = rows.findIndex((row, nth) => row !== recorded.rows[nth]);
  expect(differs).toBe(-1);
  if (!judged.has(length)) judged.set(length, checkLog(recorded.events.slice(0, length)));
  expect(judged.get(length)).toEqual([]);
}

function frames(): number {
  return (recorded.wal.length - HEADER_BYTES) / FRAME_BYTES;
}

/** Where the write-ahead log was after each commit: whatever ends there is whole. */
function commits(): readonly number[] {
  return [...new Set(recorded.appends.map(({ walBytes }) => walBytes))];
}

function garbage(length: number, seed: number): Buffer {
  let state = seed + 1;
  return Buffer.from(Array.from({ length }, () => (state = (state * 48_271) % 2_147_483_647) & 0xff));
}

describe('a write-ahead log that a power cut has cut off', () => {
  it('has appends of several events, and several in one commit', () => {
    expect(recorded.appends.some(({ ids }) => ids.length > 1)).toBe(true);
    expect(commits().length).toBeLessThan(recorded.appends.length);
    expect(frames()).toBeGreaterThan(commits().length);
  });

  it('at any of its frames, opens with all that was acknowledged by then, and says when a write was left unfinished', () => {
    for (let frame = 0; frame <= frames(); frame += 1) {
      const bytes = HEADER_BYTES + frame * FRAME_BYTES;
      const opened = open(recorded.wal.subarray(0, bytes));
      expectPrefix(opened, eventsAt(bytes));
      // The first frame is what the store wrote when it opened the file.
      const isWhole = frame <= 1 || commits().includes(bytes);
      if (isWhole) expect([frame, opened.notice]).toEqual([frame, undefined]);
      else expect(opened.notice).toMatch(/-wal ends in a write that was never finished/);
    }
  }, 240_000);

  it('at any byte, with or without garbage behind it, opens with all that was acknowledged by then', () => {
    const tail = fc.oneof(
      fc.constant(Buffer.alloc(0)),
      fc.nat({ max: 20_000 }).map((length) => Buffer.alloc(length)),
      fc.tuple(fc.nat({ max: 20_000 }), fc.nat()).map(([length, seed]) => garbage(length, seed)),
    );
    // A header that is cut is found below.
    const cut = fc.integer({ min: HEADER_BYTES, max: recorded.wal.length });
    fc.assert(
      fc.property(cut, tail, (bytes, rest) => {
        expectPrefix(open(Buffer.concat([recorded.wal.subarray(0, bytes), rest])), eventsAt(bytes));
      }),
      { numRuns: 40 },
    );
  }, 240_000);

  it('before its first commit was on disk, opens with what the file has', () => {
    for (const bytes of [0, 1, 24, 31]) expectPrefix(open(recorded.wal.subarray(0, bytes)), 0);
    expectPrefix(open(Buffer.alloc(50_000)), 0);
  });

  it('with any part of the last write not on disk, opens with all that was acknowledged before it', () => {
    const [last = 0, before = 0] = commits().toReversed();
    for (let start = before; start < last; start += FRAME_BYTES) {
      const wal = Buffer.from(recorded.wal.subarray(0, last));
      wal.set(garbage(500, start), start + 100);
      expectPrefix(open(wal), eventsAt(before));
      wal.fill(0, start, start + FRAME_BYTES);
      expectPrefix(open(wal), eventsAt(before));
    }
  });
});

describe('a write-ahead log that is damaged where it was on disk', () => {
  it('is refused wherever more than one commit follows, and nothing is changed', () => {
    const known = commits();
    const lastSafe = known.at(-3) ?? 0;
    fc.assert(
      fc.property(fc.integer({ min: 0, max: lastSafe - 1 }), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const wal = Buffer.from(recorded.wal);
        wal[at] = (wal[at] ?? 0) ^ change;
        let opened: Opened | undefined;
        try {
          opened = open(wal);
        } catch (error) {
          expect(error).toMatchObject({ code: 'store-unavailable' });
          expect(String(error)).toMatch(/copy-\d+\.db-wal is damaged at byte \d+, and what was acknowledged/);
        }
        // The header's own words of no meaning to the sums, such as how often it was begun anew, are summed too: none is free.
        expect(opened).toBeUndefined();
      }),
      { numRuns: 40 },
    );
  }, 240_000);

  it('opens with a prefix, whatever is done to its end', () => {
    const [last = 0] = commits().toReversed();
    const from = commits().at(-3) ?? 0;
    for (let at = from; at < last; at += 997) {
      const wal = Buffer.from(recorded.wal);
      wal[at] = (wal[at] ?? 0) ^ 0x55;
      let opened: Opened | undefined;
      try {
        opened = open(wal);
      } catch {
        continue;
      }
      expect(commits().map(eventsAt)).toContain(opened.rows.length);
      expectPrefix(opened, opened.rows.length);
    }
  }, 120_000);
});

describe('a file whose write-ahead log is elsewhere', () => {
  const refusal = (path: string, spoil: () => void): unknown => {
    writeFileSync(path, recorded.file);
    writeFileSync(`${path}-wal`, recorded.wal);
    spoil();
    try {
      new SqliteLog({ path }).close();
      return 'opened';
    } catch (error) {
      return (error as Error).message;
    }
  };

  it('is refused when the -shm says that there was one', () => {
    const path = join(folder, 'without.db');
    const spoil = (): void => {
      writeFileSync(`${path}-shm`, '');
      rmSync(`${path}-wal`);
    };
    expect(refusal(path, spoil)).toBe(`${path}-wal is gone, and with it what was not merged into ${path} yet`);
    rmSync(`${path}-shm`);
    new SqliteLog({ path }).close();
  });

  it.each(['emptied', 'deleted'])('is refused when the file itself is %s: SQLite would delete the log', (how) => {
    const path = join(folder, `${how}.db`);
    const spoil = (): void => (how === 'emptied' ? writeFileSync(path, '') : rmSync(path));
    expect(refusal(path, spoil)).toBe(`${path} is gone or empty, and ${path}-wal, which belongs to it, is there`);
    expect(readFileSync(`${path}-wal`).equals(recorded.wal)).toBe(true);
    expect(existsSync(`${path}-shm`)).toBe(false);
  });

  it('is refused when pages are cut off that the log does not have', () => {
    const path = join(folder, 'cut.db');
    expect(refusal(path, () => undefined)).toBe('opened');
    const log = new SqliteLog({ path });
    const event = { id: 'one-more', type: 'T', schemaVersion: 1, data: '{}', metadata: '{}' };
    expect(log.appendGroup([{ stream: 'account-new', expected: -1, events: [event] }])).toHaveLength(1);
    const [file, wal] = [readFileSync(path), readFileSync(`${path}-wal`)];
    log.close();
    const half = Math.floor(file.length / 8192) * 4096;
    const reopen = (cutFile: Buffer): unknown => {
      writeFileSync(path, cutFile);
      writeFileSync(`${path}-wal`, wal);
      try {
        new SqliteLog({ path }).close();
        return 'opened';
      } catch (error) {
        return (error as Error).message;
      }
    };
    expect(reopen(file.subarray(0, half))).toBe(`${path} is cut off after ${String(half)} bytes`);
    expect(reopen(file)).toBe('opened');
  });
});
