import { MemoryEventStore } from '#event-store/memory';
import type { EventStore, ReadAllPage } from '#event-store';
import type { RecordedEvent } from '#kernel';
import { mergeMap } from 'rxjs';

/** A log from which one event was removed by hand, and to which can be appended. */
export function logWithGap(log: readonly RecordedEvent[], removed: Pick<RecordedEvent, 'id'>): EventStore {
  return damagedLog(log, (event) => (event.id === removed.id ? [] : [event]));
}

/** A log of which one event was changed by hand, but for its hash, and to which can be appended. */
export function logWithChange(log: readonly RecordedEvent[], changed: Pick<RecordedEvent, 'id'>): EventStore {
  return damagedLog(log, (event) => {
    if (event.id !== changed.id) return [event];
    const { id, type, schemaVersion, data, stream, revision, position } = event;
    const metadata = { ...event.metadata, correlationId: 'another' };
    return [{ id, type, schemaVersion, data, metadata, stream, revision, position }];
  });
}

function damagedLog(
  log: readonly RecordedEvent[],
  leave: (event: RecordedEvent) => readonly RecordedEvent[],
): EventStore {
  const inner = new MemoryEventStore({ log });
  return {
    singleWriter: true,
    append: (stream, expected, events) => inner.append(stream, expected, events),
    read: async (stream, options) => (await inner.read(stream, options)).flatMap(leave),
    readAll: async (options): Promise<ReadAllPage> => {
      const page = await inner.readAll(options);
      return { ...page, events: page.events.flatMap(leave) };
    },
    head: () => inner.head(),
    subscribeAll: (options) => inner.subscribeAll(options).pipe(mergeMap(leave)),
    close: () => inner.close(),
  };
}

/** The events that others of their stream come after. */
export function inTheMiddle(log: readonly RecordedEvent[]): readonly RecordedEvent[] {
  const ends = new Map(log.map((event) => [event.stream, event.id]));
  return log.filter(({ id, stream }) => ends.get(stream) !== id);
}
