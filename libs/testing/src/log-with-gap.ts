import { MemoryEventStore } from '#event-store/memory';
import type { EventStore, ReadAllPage } from '#event-store';
import type { RecordedEvent } from '#kernel';
import { filter } from 'rxjs';

/** A log from which one event was removed by hand, and to which can be appended. */
export function logWithGap(log: readonly RecordedEvent[], removed: Pick<RecordedEvent, 'id'>): EventStore {
  const inner = new MemoryEventStore({ log });
  const without = (events: readonly RecordedEvent[]): readonly RecordedEvent[] =>
    events.filter(({ id }) => id !== removed.id);
  return {
    singleWriter: true,
    append: (stream, expected, events) => inner.append(stream, expected, events),
    read: async (stream, options) => without(await inner.read(stream, options)),
    readAll: async (options): Promise<ReadAllPage> => {
      const page = await inner.readAll(options);
      return { ...page, events: without(page.events) };
    },
    head: () => inner.head(),
    subscribeAll: (options) => inner.subscribeAll(options).pipe(filter(({ id }) => id !== removed.id)),
    close: () => inner.close(),
  };
}

/** The events that others of their stream come after. */
export function inTheMiddle(log: readonly RecordedEvent[]): readonly RecordedEvent[] {
  const ends = new Map(log.map((event) => [event.stream, event.id]));
  return log.filter(({ id, stream }) => ends.get(stream) !== id);
}
