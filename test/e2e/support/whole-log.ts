import type { EventReader } from '#event-store';
import type { RecordedEvent } from '#kernel';
import { openLog } from './store.ts';

const PAGE_EVENTS = 5_000;

/** All events of the log of a service on a data folder. */
export async function wholeLog(dataDir: string): Promise<readonly RecordedEvent[]> {
  const reader = await openLog(dataDir);
  try {
    return await allEvents(reader);
  } finally {
    await reader.close();
  }
}

/** All events of a log, page by page: a page has a bound in bytes, too. */
export async function allEvents(reader: Pick<EventReader, 'readAll'>): Promise<readonly RecordedEvent[]> {
  const events: RecordedEvent[] = [];
  for (let atEnd = false; !atEnd;) {
    const after = events.at(-1)?.position;
    const page = await reader.readAll({ limit: PAGE_EVENTS, ...(after !== undefined && { after }) });
    events.push(...page.events);
    ({ atEnd } = page);
  }
  return events;
}
