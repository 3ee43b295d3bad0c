import { parsePosition } from '#event-store';
import { damageIn, SqliteEventReader } from '#event-store/sqlite';
import type { Position, RecordedEvent } from '#kernel';
import { ChainCheck, type ChainFault } from '#replay';
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { BackupError } from './backup-error.ts';

const PAGE_EVENTS = 5_000;
/** Faults that are told one by one; all are counted. */
const MOST_FAULTS = 1_000;

/** What a log holds, and what is wrong with its chains. */
export interface LogContents {
  readonly events: number;
  readonly last: RecordedEvent | undefined;
  readonly faultCount: number;
  readonly faults: readonly ChainFault[];
}

/**
 * Reads a log's file from its first event to its last and checks every revision, link and hash.
 * @param damaged what to say of a damaged file
 * @throws BackupError when the file is damaged
 */
export async function readThrough(
  path: string,
  onEvents: (events: number, total: number) => void,
  damaged = (damage: string) => `${path} is damaged (${damage}).`,
): Promise<LogContents> {
  const damage = damageIn(path);
  if (damage !== undefined) throw new BackupError(damaged(damage));
  const reader = new SqliteEventReader(path);
  const chains = new ChainCheck();
  const faults: ChainFault[] = [];
  let [events, faultCount] = [0, 0];
  let last: RecordedEvent | undefined;
  let after: Position | undefined;
  try {
    const head = await reader.head();
    // Positions count the events of a log that nobody else has written into.
    const total = head === undefined ? 0 : Number(parsePosition(head));
    for (let atEnd = false; !atEnd;) {
      const page = await reader.readAll({ ...(after === undefined ? {} : { after }), limit: PAGE_EVENTS });
      for (const event of page.events) {
        const fault = chains.take(event);
        if (fault === undefined) continue;
        faultCount += 1;
        if (faults.length < MOST_FAULTS) faults.push(fault);
      }
      events += page.events.length;
      last = page.events.at(-1) ?? last;
      after = page.scannedTo;
      atEnd = page.atEnd;
      onEvents(events, total);
    }
  } finally {
    await reader.close();
  }
  return { events, last, faultCount, faults };
}

export async function sha256OfFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}
