import type { EventStore } from '#event-store';
import type { DomainEvent } from '#kernel';
import { storeWith } from './failing-store.ts';
import { seal } from './log-builder.ts';

/** Adds so many events to a stream that exists, past its rules and well sealed: as one append, recorded when worlds begin. */
export async function lengthen(
  store: EventStore,
  stream: string,
  count: number,
  eventOf: (n: number) => DomainEvent,
): Promise<void> {
  const [last] = await store.read(stream, { direction: 'backwards', limit: 1 });
  if (last === undefined) throw new Error(`${stream} has no event`);
  const events = Array.from({ length: count }, (_, n) => eventOf(n));
  const end = { revision: last.revision, hash: last.metadata.hash };
  await store.append(stream, last.revision, seal(stream, end, events, { recordedAt: '2022-02-15T12:00:00.000Z' }));
}

/** One read of a stream. */
export interface StreamRead {
  readonly stream: string;
  readonly limit: number | undefined;
  /** How many events it answered. */
  readonly events: number;
  /** How many turns the event loop had had since the store was watched, when it was asked for. */
  readonly turn: number;
}

export interface Watched {
  readonly store: EventStore;
  readonly reads: readonly StreamRead[];
  /** Ends the watch: it keeps the event loop busy. */
  readonly end: () => void;
}

/** A store that notes each read of a stream. */
export function watched(inner: EventStore): Watched {
  const reads: StreamRead[] = [];
  let turn = 0;
  let next: NodeJS.Immediate;
  const count = (): void => {
    turn += 1;
    next = setImmediate(count);
  };
  next = setImmediate(count);
  const read: EventStore['read'] = async (stream, options) => {
    const asked = turn;
    const events = await inner.read(stream, options);
    reads.push({ stream, limit: options?.limit, events: events.length, turn: asked });
    return events;
  };
  return { store: storeWith(inner, { read }), reads, end: () => clearImmediate(next) };
}
