import type { Position, RecordedEvent } from '#kernel';
import type { Observable, Subscriber } from 'rxjs';
import type { EventFilter, ReadAllOptions, ReadAllPage, SubscribeAllOptions } from './port.ts';

/** Most events that a subscription reads ahead of its subscriber. */
const PAGE_EVENTS = 500;

/** What a subscription needs of a store. */
export interface FollowedLog {
  readonly readAll: (options: ReadAllOptions) => Promise<ReadAllPage>;
  /** Tells after each commit that there may be more; completes when the store closes and fails when it breaks. */
  readonly commits: Observable<unknown>;
}

/**
 * What `subscribeAll` does when somebody subscribes: pages until the end of the log, then again after each commit.
 * @returns how to stop it
 */
export function followLog(
  log: FollowedLog,
  options: SubscribeAllOptions,
  subscriber: Subscriber<RecordedEvent>,
): () => void {
  let after = options.after;
  let reading = false;
  let committedMeanwhile = false;
  // The compiler takes what it knows of a member for true after a call, too.
  const isOpen = (): boolean => !subscriber.closed;

  async function readOn(): Promise<void> {
    committedMeanwhile = true;
    if (reading) return;
    reading = true;
    try {
      let atEnd = false;
      while (isOpen() && (committedMeanwhile || !atEnd)) {
        committedMeanwhile = false;
        const page = await log.readAll(pageOptions(after, options.filter));
        for (const event of page.events) subscriber.next(event);
        if (page.scannedTo !== undefined && isOpen()) options.scanned?.(page.scannedTo);
        after = page.scannedTo ?? after;
        atEnd = page.atEnd;
      }
    } catch (error) {
      subscriber.error(error);
    } finally {
      reading = false;
    }
  }

  const commits = log.commits.subscribe({
    next: () => void readOn(),
    error: (error: unknown) => subscriber.error(error),
    complete: () => subscriber.complete(),
  });
  void readOn();
  return () => commits.unsubscribe();
}

function pageOptions(after: Position | undefined, filter: EventFilter | undefined): ReadAllOptions {
  return { limit: PAGE_EVENTS, ...(after !== undefined && { after }), ...(filter !== undefined && { filter }) };
}
