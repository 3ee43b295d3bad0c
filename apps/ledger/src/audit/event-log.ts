import type { EventFilter } from '#event-store';
import type { Position, RecordedEvent } from '#kernel';
import type { LogReader } from './audit.dto.ts';

/** How events are shown to whoever reads. */
export type ShowEvents = (events: readonly RecordedEvent[]) => Promise<readonly object[]>;

/** What an auditor wants of the log. */
export interface LogSelection {
  /** Exclusive. */
  readonly after?: Position | undefined;
  readonly types?: readonly string[] | undefined;
  readonly stream?: string | undefined;
}

const READ_AT_ONCE = 200;
/** Pages of the store that one JSON answer looks through, when most events are not wanted. */
const MAX_READS = 100;

/**
 * One page of the log, in order.
 * @returns the events, and the position to go on from, or null at the end of the log
 */
export async function readPage(
  reader: LogReader,
  selection: LogSelection,
  limit: number,
): Promise<{ events: readonly RecordedEvent[]; next: Position | null }> {
  const events: RecordedEvent[] = [];
  let { after } = selection;
  for (let reads = 0; reads < MAX_READS; reads += 1) {
    const page = await readAllFrom(reader, selection, after, limit - events.length);
    events.push(...page.events.filter((event) => isWanted(event, selection)));
    after = page.scannedTo ?? after;
    if (page.atEnd) return { events, next: null };
    if (events.length >= limit) break;
  }
  return { events, next: after ?? null };
}

/**
 * The log as lines of JSON, up to where it ended when the reading began. Nothing is read before the last page was taken,
 * so a slow reader holds no more than one.
 */
export async function* readLines(
  reader: LogReader,
  selection: LogSelection,
  limit: number | undefined,
  show: ShowEvents,
): AsyncGenerator<string> {
  const end = await reader.head();
  if (end === undefined) return;
  let { after } = selection;
  let left = limit ?? Number.POSITIVE_INFINITY;
  while (left > 0) {
    const page = await readAllFrom(reader, selection, after, Math.min(READ_AT_ONCE, left));
    const wanted = page.events.filter((event) => event.position <= end && isWanted(event, selection));
    left -= wanted.length;
    const shown = await show(wanted);
    if (shown.length > 0) yield shown.map((event) => `${JSON.stringify(event)}\n`).join('');
    after = page.scannedTo ?? after;
    if (page.atEnd || after === undefined || after >= end) return;
  }
}

function readAllFrom(
  reader: LogReader,
  { types, stream }: LogSelection,
  after: Position | undefined,
  limit: number,
): ReturnType<LogReader['readAll']> {
  const filter: EventFilter = {
    ...(types === undefined ? {} : { types }),
    ...(stream === undefined ? {} : { streamPrefixes: [stream] }),
  };
  return reader.readAll({ limit, filter, ...(after === undefined ? {} : { after }) });
}

/** The store filters by the beginning of a stream's name: `account-a` lets `account-ab` through. */
function isWanted(event: RecordedEvent, { stream }: LogSelection): boolean {
  return stream === undefined || event.stream === stream;
}
