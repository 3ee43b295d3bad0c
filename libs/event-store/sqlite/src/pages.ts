import { decodeEvent, type ReadAllPage, type StreamRange } from '#event-store';
import type { RecordedEvent } from '#kernel';
import type { ComparedRow, LogPage, Row, StreamPage } from './log-reader.ts';

/** Most events of one step of a long read: appends get their turn in between. */
const STEP_EVENTS = 1_000;

/** Reads a range of a stream in steps, whatever its length. */
export async function readInSteps(
  { from, to, backwards, limit }: StreamRange,
  readStep: (from: number, to: number, backwards: boolean, limit: number) => Promise<StreamPage>,
): Promise<readonly RecordedEvent[]> {
  const events: RecordedEvent[] = [];
  let start: number | undefined = from;
  while (start !== undefined && events.length < limit) {
    const { rows, more } = await readStep(start, to, backwards, Math.min(STEP_EVENTS, limit - events.length));
    for (const row of rows) events.push(recordedFrom(row));
    start = more ? nextStart(rows, backwards) : undefined;
  }
  return events;
}

export function pageFrom({ rows, scannedTo, atEnd }: LogPage): ReadAllPage {
  return { events: rows.map(recordedFrom), scannedTo, atEnd };
}

export function recordedFrom([position, stream, revision, id, type, schemaVersion, data, metadata]:
  Row | ComparedRow): RecordedEvent {
  return decodeEvent({ id, type, schemaVersion, data, metadata }, { stream, revision, position });
}

function nextStart(rows: readonly Row[], backwards: boolean): number | undefined {
  const revision = rows.at(-1)?.[2];
  if (revision === undefined) return undefined;
  return backwards ? revision - 1 : revision + 1;
}
