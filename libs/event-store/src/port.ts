import type { EventTexts, Position, RecordedEvent, SealedEvent } from '#kernel';
import type { Observable } from 'rxjs';

/** The stream's exact state that an append demands: its last revision, or that it has no event. */
export type ExpectedRevision = number | 'no-stream';

export interface Appended {
  readonly firstRevision: number;
  readonly lastRevision: number;
  /** One for each event, in order. */
  readonly positions: readonly Position[];
}

/** Matches an event whose stream starts with one of `streamPrefixes` and whose type is one of `types`; absent means any. */
export interface EventFilter {
  readonly streamPrefixes?: readonly string[];
  readonly types?: readonly string[];
}

export interface ReadStreamOptions {
  /** First revision of the answer (inclusive). Default: 0 forwards, the last backwards. */
  readonly from?: number;
  /** Last revision of the answer (inclusive), in the direction of reading. Default: to the end. */
  readonly to?: number;
  readonly direction?: 'forwards' | 'backwards';
  /** Most events to answer: there are fewer only where the range has no more. Default: no bound. */
  readonly limit?: number;
}

export interface ReadAllOptions {
  /** Only events after this position (exclusive). Default: from the beginning. */
  readonly after?: Position;
  readonly filter?: EventFilter;
  /** Most events to answer. */
  readonly limit: number;
}

export interface ReadAllPage {
  readonly events: readonly RecordedEvent[];
  /** Everything up to and including this position was looked at: the `after` of the next page. Undefined on an empty log. */
  readonly scannedTo: Position | undefined;
  /** True when `scannedTo` was the end of the log at the time of reading. */
  readonly atEnd: boolean;
}

export interface SubscribeAllOptions {
  /** Only events after this position (exclusive). Default: from the beginning. */
  readonly after?: Position | undefined;
  readonly filter?: EventFilter;
  /**
   * Told now and then that everything up to and including this position was looked at, and what matches was delivered: the
   * `after` of whoever subscribes again, so that what did not match is not looked through once more. It may lie behind
   * the last event of the log, where others write to the same store.
   */
  readonly scanned?: ((position: Position) => void) | undefined;
}

/** What only reads: enough for projections, replay and audit. */
export interface EventReader {
  /** Events of one stream, in the asked order. A stream that does not exist has none. */
  read(stream: string, options?: ReadStreamOptions): Promise<readonly RecordedEvent[]>;
  /** One page of the log in its total order. */
  readAll(options: ReadAllOptions): Promise<ReadAllPage>;
  /** Position of the last event, or undefined on an empty log. Reads from the leader. */
  head(): Promise<Position | undefined>;
  /**
   * Every event after `after` (exclusive) that matches, first those stored, then those to come, in total order, once each.
   * Errors end it; whoever needs more subscribes again from the last event seen. Nothing is read ahead of a slow
   * subscriber beyond one page: delivery is synchronous, and the next page is read when the last one was taken.
   */
  subscribeAll(options: SubscribeAllOptions): Observable<RecordedEvent>;
  close(): Promise<void>;
}

/** An event on its way into a store, with the texts of its data and metadata where who sealed it has them already. */
export interface EventToAppend extends SealedEvent {
  /** A store may keep them instead of writing its own. */
  readonly texts?: EventTexts;
}

/**
 * The store. Semantics are EventStoreDB's: revisions from 0 without gaps, exact expected revision, idempotent by event id,
 * one total order of positions.
 */
export interface EventStore extends EventReader {
  /**
   * True when no other process can append to this store while this one has it open (the store holds a lock): then a state
   * that this process has followed from its own appends is the latest.
   */
  readonly singleWriter: boolean;
  /**
   * Appends all events or none, and answers when they are on disk.
   * Sending the same events (same ids) with the same expected revision again answers as the first time did.
   * @throws StoreError `wrong-expected-revision` (nothing was stored), `duplicate-event-id` (an id stands twice in the
   * append, or where the append would put it with other content, or, in a store that can look through its whole log,
   * anywhere else; nothing was stored), `append-too-large` (nothing was stored), `store-full` (nothing was stored),
   * `log-sealed` (the
   * ledger has moved, and the message says where to; nothing was stored), `outcome-unknown` (send the same again), `store-unavailable` (nothing was stored)
   */
  append(stream: string, expected: ExpectedRevision, events: readonly EventToAppend[]): Promise<Appended>;
}

/** Appends that go into the log in the order in which they are asked for, whatever their streams: for a log that is copied. */
export interface OrderedAppends {
  /**
   * As `EventStore.append`, and tried once. After one that failed no later one is stored, as far as the store can tell: each
   * is rejected with what failed. Ask again on new ones then, after a look at what is stored.
   */
  append(stream: string, expected: ExpectedRevision, events: readonly EventToAppend[]): Promise<void>;
  /** Takes no more, and waits for none: of those under way the outcome is unknown. */
  end(): void;
}

/** A store that a log can be copied into. */
export interface OrderedEventStore extends EventStore {
  /** Whether an append of unknown outcome can be stored later, behind what was sent after it. */
  readonly storesLate: boolean;
  appendInOrder(): OrderedAppends;
}

/** Most bytes of one append, over the JSON of its events: below the 1 MiB of EventStoreDB 24. */
export const MAX_APPEND_BYTES = 1_040_000;
/** Most events of one append. */
export const MAX_APPEND_EVENTS = 2_000;

export type StoreErrorCode =
  | 'wrong-expected-revision'
  | 'duplicate-event-id'
  | 'append-too-large'
  | 'store-full'
  | 'log-sealed'
  | 'outcome-unknown'
  | 'store-unavailable';

/** Recognised by `code`, not by class: adapters live in packages of their own. */
export class StoreError extends Error {
  readonly code: StoreErrorCode;
  /** For `wrong-expected-revision`: the stream's last revision, or `no-stream`. */
  readonly actual: ExpectedRevision | undefined;
  constructor(code: StoreErrorCode, message: string, actual?: ExpectedRevision) {
    super(message);
    this.name = 'StoreError';
    this.code = code;
    this.actual = actual;
  }
}

export function isStoreError(error: unknown, code?: StoreErrorCode): error is StoreError {
  return (
    error instanceof Error && error.name === 'StoreError' && (code === undefined || (error as StoreError).code === code)
  );
}
