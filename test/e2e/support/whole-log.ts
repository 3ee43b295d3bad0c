import { SqliteEventReader } from '#event-store/sqlite';
import type { RecordedEvent } from '#kernel';
import { join } from 'node:path';

const PAGE_EVENTS = 5_000;

/** All events of the log in a data folder, page by page: a page has a bound in bytes, too. */
export async function wholeLog(dataDir: string): Promise<readonly RecordedEvent[]> {
  const reader = new SqliteEventReader(join(dataDir, 'events.db'));
  const events: RecordedEvent[] = [];
  try {
    for (let atEnd = false; !atEnd;) {
      const after = events.at(-1)?.position;
      const page = await reader.readAll({ limit: PAGE_EVENTS, ...(after !== undefined && { after }) });
      events.push(...page.events);
      ({ atEnd } = page);
    }
    return events;
  } finally {
    await reader.close();
  }
}
