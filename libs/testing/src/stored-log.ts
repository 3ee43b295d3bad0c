import type { EventReader } from '#event-store';
import { MemoryEventStore } from '#event-store/memory';
import type { RecordedEvent } from '#kernel';

const PAGE_EVENTS = 5_000;

/** A store of its own that holds these events, each as it stands in the log, in their order. */
export async function storeOf(log: readonly RecordedEvent[]): Promise<MemoryEventStore> {
  const store = new MemoryEventStore();
  for (const { stream, revision, position: _, ...event } of log) {
    await store.append(stream, revision === 0 ? 'no-stream' : revision - 1, [event]);
  }
  return store;
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
