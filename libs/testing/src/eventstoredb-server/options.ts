/** What a test asks of the server, and what it is told: plain data that crosses from one process to the other. */

export interface EventStoreDbUser {
  readonly name: string;
  readonly password: string;
  /** Beside `$admins` and `$ops`, any name: an ACL gives rights to it. */
  readonly groups?: readonly string[];
}

export interface EventStoreDbServerOptions {
  /** Where the data is kept. Default: a new folder, gone when the server is stopped. */
  readonly dataDir?: string;
  /** Nothing is written: a restart begins with an empty log. Default: false. */
  readonly inMemory?: boolean;
  /** So many addresses of one cluster, over one log; the first is the leader. Default: 1. */
  readonly nodeCount?: number;
  /** With a certificate for `localhost` and 127.0.0.1 of the CA in `caFile`, and with users. Default: false. */
  readonly tls?: boolean;
  /**
   * Who may come, beside `admin` with the password `changeit`, who is in `$admins`. With `tls` alone, since the client sends
   * no credentials without; a server without `tls` lets anybody do anything, as a real one that is started insecure.
   */
  readonly users?: readonly EventStoreDbUser[];
  /** The bytes of the data of an append's events, together (their metadata is not counted). Default: 1 MiB. */
  readonly maxAppendSizeBytes?: number;
  /**
   * What becomes of a live subscription whose client does not keep up: it falls back to catching up, as from 24.2 on, or is
   * dropped, as by 23.10. Default: `catch-up`.
   */
  readonly slowConsumers?: 'catch-up' | 'drop';
}

/**
 * The calls that a fault may hit. `delete` is a soft delete or a tombstone; metadata are appends; a `search` is a read of
 * all with a filter, which is also a `read`.
 */
export type FaultyCall = 'append' | 'read' | 'search' | 'subscribe' | 'delete';

export type SubscriptionEnd =
  /** Code 10, "Consumer too slow", as 23.10 drops it. */
  | 'consumer-too-slow'
  /** Code 1. */
  | 'cancelled'
  /** Its connection is cut. */
  | 'connection-dropped';

export type FaultKind =
  /** The connection is cut; an append is not stored. */
  | { readonly kind: 'drop-before-commit' }
  /** The append is stored, and the connection cut instead of an answer. For another call: as `drop-before-commit`. */
  | { readonly kind: 'drop-after-commit' }
  /** The append is stored, and answered so much later; another call begins so much later. */
  | { readonly kind: 'delay'; readonly delayMs: number }
  /** The append waits, before it is stored, until the fault is taken back; those that wait are then served as they came. */
  | { readonly kind: 'hold' }
  /** The append of a BatchAppend call is stored, and answered twice. */
  | { readonly kind: 'answer-twice' }
  /** The call is never answered, though its connection lives. */
  | { readonly kind: 'no-answer'; readonly commit: boolean }
  /** Access denied, whoever asks. */
  | { readonly kind: 'deny' }
  /** Not the leader, whatever the node is; the trailers name the leader's address. */
  | { readonly kind: 'not-leader' }
  /** "Server Is Not Ready", as from a node that is starting or without a leader. */
  | { readonly kind: 'not-ready' }
  /**
   * The append is stored or not; then its call is ended, with all that is pending in it: with code 1, or in order, which
   * is the default. Of a call that was ended in order the client notices nothing: its appends stay pending, the next ones
   * too, and `dispose` hangs.
   */
  | { readonly kind: 'end-call'; readonly commit: boolean; readonly as?: 'cancelled' | 'in-order' }
  /** The subscription is dropped when it has given so many events. */
  | { readonly kind: 'drop-subscription'; readonly afterEvents: number; readonly as: SubscriptionEnd };

export type Fault = FaultKind & {
  /** For the next so many calls that it fits, or until it is taken back. Default: 1. */
  readonly times?: number | 'until-cleared';
  /** Default: `append`; for `drop-subscription` it is `subscribe`, always. */
  readonly calls?: readonly FaultyCall[];
  /** Only streams whose names start so; what concerns all streams is named `$all`. */
  readonly streamPrefix?: string;
  /** Only at this node. */
  readonly node?: number;
};

/** What the server was asked since its process started, or since `resetCounts`. */
export interface ServedCounts {
  /** Appends by either call, whatever became of them. */
  readonly appends: number;
  /** Of these, those by the plain Append call. */
  readonly plainAppends: number;
  /** Appends that stored what was not there: no replays, no refusals, no appends of no events. */
  readonly storedAppends: number;
  readonly storedEvents: number;
  /** Appends that were answered with success as replays. */
  readonly replayedAppends: number;
  readonly wrongExpectedRevisions: number;
  readonly reads: number;
  readonly subscriptions: number;
  readonly deletes: number;
}

/** What a test can have its server do while it runs: for each command its argument and its answer. */
export interface Commands {
  readonly inject: { readonly argument: Fault; readonly answer: number };
  /** @returns how many calls the fault hit */
  readonly clearFault: { readonly argument: number; readonly answer: number };
  readonly changeLeader: { readonly argument: number; readonly answer: null };
  readonly lag: { readonly argument: { readonly node: number; readonly lagging: boolean }; readonly answer: null };
  readonly setUp: { readonly argument: { readonly node: number; readonly up: boolean }; readonly answer: null };
  readonly dropConnections: { readonly argument: number | null; readonly answer: null };
  readonly dropSubscriptions: { readonly argument: SubscriptionEnd; readonly answer: number };
  readonly counts: { readonly argument: null; readonly answer: ServedCounts };
  readonly resetCounts: { readonly argument: null; readonly answer: null };
  readonly stop: { readonly argument: null; readonly answer: null };
}

export type CommandName = keyof Commands;

/** What the process is told once, before all else. */
export interface StartOrder {
  readonly options: EventStoreDbServerOptions;
  /** A folder, or null for memory alone. */
  readonly dataDir: string | null;
  /** The ports of a restart; the first time zeros, one for each node. */
  readonly ports: readonly number[];
}

export type ToServer =
  | { readonly kind: 'start'; readonly order: StartOrder }
  | { readonly kind: 'command'; readonly id: number; readonly name: CommandName; readonly argument: unknown };

export type FromServer =
  | { readonly kind: 'started'; readonly ports: readonly number[] }
  | { readonly kind: 'failed'; readonly message: string }
  | { readonly kind: 'answer'; readonly id: number; readonly answer: unknown }
  | { readonly kind: 'refused'; readonly id: number; readonly message: string };
