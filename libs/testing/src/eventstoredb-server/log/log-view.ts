import { type EventLog } from './event-log.ts';
import { comparePositions, type LogEvent, type LogPosition, positionOf } from './log-event.ts';
import { isSoftDeleted } from './stream-metadata.ts';

/** What of one stream a reader may see now. */
export type VisibleStream =
  | { readonly kind: 'missing' }
  | { readonly kind: 'deleted' }
  | {
      readonly kind: 'events';
      /** By their revisions, hidden ones included. */
      readonly events: readonly LogEvent[];
      readonly isHidden: (event: LogEvent) => boolean;
      /** The lowest revision that counts and truncation leave. */
      readonly firstRevision: number;
      readonly lastRevision: number;
    };

/** The log as one node has it: all of it, or what it had when it began to lag. */
export class LogView {
  readonly #log: EventLog;
  #frozenAt: number | undefined;

  constructor(log: EventLog) {
    this.#log = log;
  }

  /** How many of all events the node has. */
  get length(): number {
    return this.#frozenAt ?? this.#log.all.length;
  }

  get end(): number {
    return this.#frozenAt === undefined ? this.#log.end : (this.#log.all[this.#frozenAt]?.position ?? this.#log.end);
  }

  set lagging(lagging: boolean) {
    this.#frozenAt = lagging ? this.#log.all.length : undefined;
  }

  at(index: number): LogEvent | undefined {
    return index < this.length ? this.#log.all[index] : undefined;
  }

  /** A stream's own events, hidden ones included. */
  eventsOf(stream: string): readonly LogEvent[] {
    const events = this.#log.eventsOf(stream);
    const { length } = this;
    if ((events.at(-1)?.index ?? -1) < length) return events;
    return events.slice(
      0,
      firstWhere(events, (event) => event.index >= length),
    );
  }

  visible(stream: string): VisibleStream {
    if (this.#log.isTombstoned(stream)) return { kind: 'deleted' };
    const events = this.eventsOf(stream);
    const metadata = this.#log.metadataOf(stream);
    if (events.length === 0 || isSoftDeleted(metadata)) return { kind: 'missing' };
    const lastRevision = events.length - 1;
    const keptFrom = metadata.maxCount === undefined ? 0 : lastRevision - metadata.maxCount + 1;
    const firstRevision = Math.max(0, keptFrom, metadata.truncateBefore ?? 0);
    const { maxAgeMs } = metadata;
    const isHidden = (event: LogEvent): boolean =>
      event.revision < firstRevision || (maxAgeMs !== undefined && event.createdMs < Date.now() - maxAgeMs);
    return { kind: 'events', events, isHidden, firstRevision, lastRevision };
  }

  /** The place of the first event at or after the position. */
  indexAtOrAfter(position: LogPosition): number {
    return this.#firstIndex((event) => comparePositions(positionOf(event), position) >= 0);
  }

  /** The place of the first event after the position. */
  indexAfter(position: LogPosition): number {
    return this.#firstIndex((event) => comparePositions(positionOf(event), position) > 0);
  }

  /** How many events have ended at the position: what a read backwards from there begins with is the last of them. */
  endedBefore(position: LogPosition): number {
    return this.#firstIndex(
      ({ endPosition }) => comparePositions({ commit: endPosition, prepare: endPosition }, position) > 0,
    );
  }

  /** A server can begin where a record begins, not within one; beyond the end there is nothing yet. */
  isBoundary({ commit }: LogPosition): boolean {
    if (commit === 0 || commit >= this.end) return true;
    const index = this.#firstIndex((event) => event.position >= commit);
    return this.at(index)?.position === commit || (index > 0 && (this.at(index - 1)?.endPosition ?? commit) <= commit);
  }

  #firstIndex(matches: (event: LogEvent) => boolean): number {
    return Math.min(firstWhere(this.#log.all, matches), this.length);
  }
}

/** The first place of a sorted list that matches; its length when none does. */
function firstWhere(events: readonly LogEvent[], matches: (event: LogEvent) => boolean): number {
  let [low, high] = [0, events.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    const event = events[middle];
    if (event !== undefined && matches(event)) high = middle;
    else low = middle + 1;
  }
  return low;
}
