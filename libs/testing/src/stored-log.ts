import { MemoryEventStore } from '#event-store/memory';
import type { RecordedEvent } from '#kernel';

/** A store of its own that holds these events, each as it stands in the log, in their order. */
export async function storeOf(log: readonly RecordedEvent[]): Promise<MemoryEventStore> {
  const store = new MemoryEventStore();
  for (const { stream, revision, position: _, ...event } of log) {
    await store.append(stream, revision === 0 ? 'no-stream' : revision - 1, [event]);
  }
  return store;
}
