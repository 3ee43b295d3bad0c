import type { IndexEntry, NamedEntry, StreamState } from '#replay';
import type { Actor, CommandKey, RecordedEvent } from '#kernel';

/** An event that a task wants appended: everything but what its place in the stream gives it. */
export interface Draft {
  readonly type: string;
  readonly data: unknown;
  /** The service's own doing, in the same append ahead of the command's first event: it bears no key. */
  readonly isAhead?: boolean;
}

/** Who brings events about, and for which command. */
export interface Origin {
  readonly actor: Actor;
  readonly correlationId: string;
  /** Stands on the first event only. */
  readonly key: CommandKey | null;
  readonly commandHash: string | null;
  /** Cause of the first event; those after it are caused by it. */
  readonly causationId: string | null;
}

/** What a service of ours brings about in its own name because of an event. */
export function causedBy(actor: Actor, eventId: string): Origin {
  return { actor, correlationId: eventId, causationId: eventId, key: null, commandHash: null };
}

/** What a task decided, looking at the exact end of its stream. */
export type Plan<Result> =
  | {
      readonly append: readonly Draft[];
      readonly origin: Origin;
      /** Time of decision and record, from `View.time`. */
      readonly nowMs: number;
      /** Called when the events are on disk. */
      readonly answer: (recorded: readonly RecordedEvent[]) => Result;
    }
  | { readonly append?: undefined; readonly result: Result };

/** What a task sees of its stream. Valid only during the call: the state moves on afterwards. */
export interface View {
  readonly stream: string;
  readonly contents: StreamState;
  /** Revision of the last event, or -1. */
  readonly revision: number;
  /** Refusals among the last events: decided in the same turn, and stored with what is decided now or not at all. */
  readonly unstoredRefusals: number;
  /** Finds a name of this stream, however old. */
  lookup(kind: NamedEntry['kind'], id: string): IndexEntry | undefined;
  /**
   * The one time for the decision and the record: no earlier than the stream's last event and every event cited
   * (milliseconds).
   * @throws RejectionError `clock-unreliable` when the clock is more than 5 s behind those
   */
  time(...citedMs: readonly number[]): number;
}

/**
 * Where a task waits for its stream: behind all that came before it, or ahead of the movements of funds that wait. What they
 * would be decided on is not decided yet, so a freeze that goes ahead of them takes effect when it is recorded, as ever.
 */
export type Turn = 'in-line' | 'ahead';

/** One decision on one stream. May be called again when another writer came first; must not keep anything of the view. */
export type Task<Result> = (view: View) => Plan<Result> | Promise<Plan<Result>>;
