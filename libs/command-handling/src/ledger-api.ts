import type { AccountCommand } from '#accounts';
import type { AssetCommand } from '#assets';
import type { AuthorityRequestCommand } from '#authority-requests';
import type { ApproveLift, RejectLift, RequestLift, Shares } from '#freezes';
import type {
  Actor,
  Asset,
  Basis,
  EventPointer,
  Holder,
  Position,
  Recorded,
  RecordedEvent,
  Rejection,
  RequestedScope,
  Timestamp,
} from '#kernel';
import type { LegalOrderCommand } from '#legal-orders';
import type { IdentifyParty, LinkAddress, RegisterParty } from '#parties';
import type { StateOfKind, StreamState } from '#replay';
import type { SanctionsHitRequest } from '#sanctions';

/** Opens an account for parties that are identified and that no basis names: attach each holder, then open. */
export interface OpenAccount {
  readonly type: 'OpenAccount';
  readonly accountId: string;
  readonly holders: readonly Holder[];
}

/** Freezes one account under one basis: authorise on the basis's stream, then freeze on the account's. */
export interface FreezeAccount {
  readonly type: 'FreezeAccount';
  readonly accountId: string;
  readonly basis: Basis;
  /** Limits are decimals. Absent: the basis's own scope. */
  readonly scope?: RequestedScope | undefined;
  readonly blockedFrom?: Timestamp | undefined;
}

/** Freezes every account that a basis names now, each as one command of its own would. */
export interface FreezeAllNamed {
  readonly type: 'FreezeAllNamed';
  readonly basis: Basis;
  /** Limits are decimals. Absent: the basis's own scope. */
  readonly scope?: RequestedScope | undefined;
  /** What each account is to keep where the basis limits what it freezes, and names several. */
  readonly shares?: Shares | undefined;
}

/** Whatever a person or a service can ask. Lifts name the freeze alone: its account is found. */
export type LedgerCommand =
  | AssetCommand
  | RegisterParty
  | IdentifyParty
  | LinkAddress
  | OpenAccount
  | Exclude<AccountCommand, RequestLift | ApproveLift | RejectLift>
  | Omit<RequestLift, 'accountId'>
  | Omit<ApproveLift, 'accountId'>
  | Omit<RejectLift, 'accountId'>
  | Exclude<LegalOrderCommand, { type: 'ExpireLegalOrder' | 'AuthoriseFreeze' | 'ReauthoriseFreeze' }>
  | SanctionsHitRequest
  | FreezeAccount
  | AuthorityRequestCommand;

/** One command as it came in. */
export interface CommandRequest<Command = LedgerCommand> {
  readonly command: Command;
  readonly actor: Actor;
  readonly correlationId: string;
  /** 1 to 255 visible ASCII, checked by the edge. */
  readonly idempotencyKey: string;
  /** SHA-256 over canonical JSON of method, path and normalised content. */
  readonly commandHash: string;
  /** `If-Match`: the revision that the home stream must have. */
  readonly ifMatch?: number | undefined;
}

export type Outcome =
  | {
      readonly status: 'accepted';
      readonly replayed: boolean;
      /** The command's events on its home stream, in order; their data is checked. Never empty. */
      readonly events: readonly RecordedEvent[];
      /** The last of them: the answer's `streamRevision` and `position`. */
      readonly revision: number;
      readonly position: Position;
      /** Of a freeze: the FreezeAuthorised event on the basis's stream. */
      readonly authorisation?: Recorded<{ readonly type: 'FreezeAuthorised'; readonly data: unknown }>;
    }
  | {
      readonly status: 'rejected';
      readonly replayed: boolean;
      readonly rejection: Rejection;
      /** The correlation id of the first answer, when the refusal was recorded. */
      readonly correlationId?: string;
      /** Home stream's revision after a recorded refusal. */
      readonly revision?: number;
    };

/** One of several freezes failed for a reason that nobody expects, where the freeze alone would have thrown it. */
export interface FailedPart {
  readonly status: 'failed';
  readonly replayed: false;
  readonly error: unknown;
}

/**
 * What a freeze of everything that a basis names came to: an outcome for each account, or why nothing was begun, why none
 * could be judged, or why not all accounts could be found. In the last case those that could may be frozen.
 */
export type OutcomeOfAll =
  | {
      readonly status: 'answered';
      /** At least one part repeats an earlier answer, none did anything now, and none failed. */
      readonly replayed: boolean;
      /** In the order of the accounts' ids. */
      readonly parts: readonly { readonly accountId: string; readonly outcome: Outcome | FailedPart }[];
    }
  | Extract<Outcome, { readonly status: 'rejected' }>;

/** The core as the edge sees it. */
export interface LedgerCommands {
  /**
   * Runs one command to its end. Never throws for an expected reason: infrastructure that fails (store down, queue full,
   * clock wrong, shutting down) comes back as a rejection too (`store-unavailable`, `overloaded`, …).
   */
  execute(request: CommandRequest): Promise<Outcome>;
  /**
   * Runs the freezes of all accounts that a basis names, a few at a time: one that fails keeps no other from being frozen.
   * Never throws for an expected reason, as above.
   */
  freezeAllNamed(request: CommandRequest<FreezeAllNamed>): Promise<OutcomeOfAll>;
  /** An asset's immutable facts, or undefined when it is not registered. */
  asset(code: string): Promise<Asset | undefined>;
  /**
   * What a short stream (asset, party, order, hit, authority request) told after the event at a revision: what an answer is
   * built from. Whatever is a violation has no part in it.
   * @throws Error when the stream is about a thing of another kind: a bug
   */
  stateAsOf<Kind extends StreamState['kind']>(kind: Kind, stream: string, revision: number): Promise<StateOfKind<Kind>>;
  /** One recorded event by its pointer. */
  eventAt(pointer: EventPointer): Promise<RecordedEvent | undefined>;
}
