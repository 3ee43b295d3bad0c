import { uuidv7 } from '#kernel';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  closeSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { copyLog, placeLog } from './backup.ts';
import { damageIn } from './file.ts';
import { openForReading } from './file.ts';
import { SqliteLog } from './sqlite-log.ts';

const PAGE_BYTES = 4_096;

let folder: string;
let path: string;
let copy: string;
let log: SqliteLog;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'writ-copy-'));
  path = join(folder, 'data', 'events.db');
  copy = join(folder, 'copy.db');
  log = new SqliteLog({ path });
});
afterEach(() => {
  log.close();
  rmSync(folder, { recursive: true });
});

let revision = -1;
beforeEach(() => {
  revision = -1;
});

/** So many events of 2 KB on one stream. */
function append(count: number): void {
  const events = Array.from({ length: count }, () => {
    const data = JSON.stringify('x'.repeat(2_000));
    return { id: uuidv7(), type: 'FundsDeposited', schemaVersion: 1, data, metadata: '{}' };
  });
  expect(log.appendGroup([{ stream: 'a', expected: revision, events }])).toEqual([expect.any(Array)]);
  revision += count;
}

function eventsIn(file: string): unknown {
  const db = openForReading(file);
  try {
    return db.prepare('SELECT count(*) AS events FROM events').get()?.['events'];
  } finally {
    db.close();
  }
}

function tear(file: string, page: number): void {
  const descriptor = openSync(file, 'r+');
  writeSync(descriptor, Buffer.alloc(PAGE_BYTES, 0xa5), 0, PAGE_BYTES, page * PAGE_BYTES);
  closeSync(descriptor);
}

describe('a log of which acknowledged events are gone', () => {
  /** As a kill leaves it: its events are in the write-ahead log. */
  function killed(): string {
    for (let appends = 0; appends < 9; appends += 1) append(1);
    const left = join(folder, 'left.db');
    for (const end of ['', '-wal', '-shm']) cpSync(path + end, left + end);
    return left;
  }

  it('is copied where nothing of it is missing', async () => {
    await copyLog(killed(), copy);
    expect(eventsIn(copy)).toBe(9);
  });

  it('is not copied, and stays to be seen, where its write-ahead log is gone', async () => {
    const left = killed();
    rmSync(`${left}-wal`);
    for (let times = 0; times < 2; times += 1) {
      await expect(copyLog(left, copy)).rejects.toThrow(`${left}-wal is gone, and with it what was not merged`);
    }
    expect([`${left}-wal`, copy].filter((each) => existsSync(each))).toEqual([]);
  });

  it('is not copied where its write-ahead log is damaged', async () => {
    const left = killed();
    const wal = readFileSync(`${left}-wal`);
    wal.fill(0xff, wal.length / 2, wal.length / 2 + 16);
    writeFileSync(`${left}-wal`, wal);
    await expect(copyLog(left, copy)).rejects.toThrow(`${left}-wal is damaged at byte`);
    expect(existsSync(copy)).toBe(false);
  });
});

describe('a copy of a log', () => {
  it('holds the log as it was when it began, however much is written meanwhile', async () => {
    for (let n = 0; n < 4; n += 1) append(1_000);
    const before = revision + 1;
    let steps = 0;
    await copyLog(path, copy, () => {
      steps += 1;
      append(1);
    });
    // It comes to an end although the log changed between any two of its steps.
    expect(steps).toBeGreaterThan(3);
    expect(eventsIn(copy)).toBe(before);
    expect(eventsIn(path)).toBe(before + steps);
  });

  it('is one file, for its owner only, that needs nothing beside it', async () => {
    append(10);
    await copyLog(path, copy);
    expect(statSync(copy).mode & 0o777).toBe(0o600);
    expect(eventsIn(copy)).toBe(10);
    expect(readdirSync(folder).sort()).toEqual(['copy.db', 'data']);
    expect(damageIn(copy)).toBeUndefined();
  });

  it('can be made of a log that was left as it stood by a process that was killed', async () => {
    append(10);
    const left = join(folder, 'left.db');
    // What the file lacks stands in the write-ahead log.
    for (const ending of ['', '-wal']) writeFileSync(left + ending, readFileSync(path + ending));
    await copyLog(left, copy);
    expect(eventsIn(copy)).toBe(10);
  });

  it('is not made of what is no log, is not there, or is damaged', async () => {
    await expect(copyLog(join(folder, 'none.db'), copy)).rejects.toThrow(/none\.db can't be opened/);
    const text = join(folder, 'text.db');
    writeFileSync(text, 'not a database, whatever its name says. '.repeat(200));
    await expect(copyLog(text, copy)).rejects.toThrow(/text\.db is not an event log of Writ/);
    expect(existsSync(copy)).toBe(false);
  });
});

it('damage is found in the pages of the table, of an index, and in a file that ends too soon', async () => {
  append(500);
  await copyLog(path, copy);
  const whole = readFileSync(copy);
  const pages = whole.length / PAGE_BYTES;
  for (const page of [Math.floor(pages / 2), pages - 1]) {
    writeFileSync(copy, whole);
    tear(copy, page);
    expect(damageIn(copy)).toMatch(/./);
  }
  writeFileSync(copy, whole.subarray(0, whole.length / 2));
  expect(() => damageIn(copy)).toThrow(/copy\.db is damaged/);
});

describe('a log is put in its place', () => {
  const confirmed = (): Promise<void> => Promise.resolve();
  let place: string;
  beforeEach(async () => {
    append(10);
    await copyLog(path, copy);
    place = join(folder, 'new', 'data', 'events.db');
  });

  it('in a folder made for it, and is as the copy was', async () => {
    await placeLog(copy, place, confirmed);
    expect(readFileSync(place).equals(readFileSync(copy))).toBe(true);
    expect(readdirSync(join(folder, 'new', 'data')).sort()).toEqual(['events.db', 'events.db.lock']);
    expect(statSync(place).mode & 0o777).toBe(0o600);
    expect(statSync(join(folder, 'new', 'data')).mode & 0o777).toBe(0o700);
    new SqliteLog({ path: place }).close();
  });

  it('not where one is, nor where a write-ahead log was left, which would be merged into it', async () => {
    for (const ending of ['', '-wal', '-journal']) {
      const taken = `${join(folder, `taken${ending}`, 'events.db')}${ending}`;
      await placeLog(copy, join(folder, `taken${ending}`, 'events.db'), confirmed);
      rmSync(join(folder, `taken${ending}`, 'events.db'));
      writeFileSync(taken, 'what was left');
      await expect(placeLog(copy, join(folder, `taken${ending}`, 'events.db'), confirmed)).rejects.toThrow(
        `${taken} is there already`,
      );
      expect(readFileSync(taken, 'utf8')).toBe('what was left');
    }
  });

  it('not while another process has the place, even if the file is gone', async () => {
    const other = new SqliteLog({ path: place });
    rmSync(place);
    rmSync(`${place}-wal`);
    await expect(placeLog(copy, place, confirmed)).rejects.toThrow(/in use by another process/);
    other.close();
  });

  it('not when it is not confirmed: then nothing has its name, and a second try is free to', async () => {
    await expect(placeLog(copy, place, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(existsSync(join(folder, 'new'))).toBe(false);
    mkdirSync(join(folder, 'new'));
    await expect(placeLog(copy, place, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(readdirSync(join(folder, 'new'))).toEqual([]);
    mkdirSync(join(folder, 'new', 'data'));
    await expect(placeLog(copy, place, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    // Others may wait for it already.
    expect(readdirSync(join(folder, 'new', 'data'))).toEqual(['events.db.lock']);
    await placeLog(copy, place, confirmed);
    expect(eventsIn(place)).toBe(10);
  });
});
