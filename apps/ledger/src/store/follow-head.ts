import type { EventStore } from '#event-store';
import type { Position } from '#kernel';

const LOOK_MS = 1_000;

/**
 * Looks at the end of a log that others write to as well, every second.
 * @param listener told of the position of the last event, when it is another than before
 * @returns what ends it
 */
export function followHead(
  store: Pick<EventStore, 'head'>,
  listener: (head: Position) => void,
  lookMs = LOOK_MS,
): () => void {
  let known: Position | undefined;
  let looking = false;
  const look = async (): Promise<void> => {
    if (looking) return;
    looking = true;
    try {
      const head = await store.head();
      if (head !== undefined && head !== known) listener(head);
      known = head;
    } catch {
      // The store can't be read now: `/health/ready` says so.
    } finally {
      looking = false;
    }
  };
  const timer = setInterval(() => void look(), lookMs).unref();
  return () => clearInterval(timer);
}
