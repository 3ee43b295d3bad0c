import { uuidv7 } from '#kernel';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BulkLog } from './bulk-log.ts';
import { endOfLog, LogScan, measureLog, partOfStream } from './log-scan.ts';

const STREAMS = ['account-1', 'account-2', 'account-', 'a', 'ä', '€', '\ud7ff', '\ue000', '\ufffd', '😀', '-🦄', '🦄1'];

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'writ-scan-'));
  path = join(folder, 'events.db');
  const log = new BulkLog(path);
  for (const stream of STREAMS)
    log.add(stream, 0, { id: uuidv7(), type: 'T', schemaVersion: 1, data: '1', metadata: '2' });
  log.finish();
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('a log that is read by several', () => {
  it.each([1, 2, 3, 7])('is divided by the end of the names as they say: by %d', (of) => {
    const end = endOfLog(path) ?? '';
    const read = Array.from({ length: of }, (_, index) => {
      const scan = new LogScan(path, { end, part: { index, of } });
      const events = scan.next() ?? [];
      scan.close();
      for (const { stream } of events) expect([stream, partOfStream(stream, of)]).toEqual([stream, index]);
      return events.map(({ stream }) => stream);
    });
    expect(read.flat().sort()).toEqual([...STREAMS].sort());
  });

  it('is counted up to where it ends', () => {
    expect(measureLog(path, endOfLog(path) ?? '')).toEqual({
      events: STREAMS.length,
      gaps: [],
      repeatedIds: [],
      damage: [],
      schema: { foreign: [], missing: [] },
    });
    expect(measureLog(path, '0000000000000003').events).toBe(3);
  });
});
