import type { AccountEvent, AccountState } from '#accounts';
import type { AssetEvent, AssetState } from '#assets';
import type { AuthorityRequestEvent, AuthorityRequestState } from '#authority-requests';
import type { Recorded, RecordedEvent } from '#kernel';
import type { LegalOrderEvent, LegalOrderState } from '#legal-orders';
import type { PartyEvent, PartyState } from '#parties';
import type { SanctionsHitEvent, SanctionsHitState } from '#sanctions';

/** The state of a stream, by what the stream is about. */
export type StreamState =
  | { readonly kind: 'asset'; state: AssetState }
  | { readonly kind: 'party'; state: PartyState }
  | { readonly kind: 'account'; state: AccountState }
  | { readonly kind: 'legalOrder'; state: LegalOrderState }
  | { readonly kind: 'sanctionsHit'; state: SanctionsHitState }
  | { readonly kind: 'authorityRequest'; state: AuthorityRequestState };

/** The state of a stream of a known kind. */
export type StateOfKind<Kind extends StreamState['kind']> = Extract<StreamState, { readonly kind: Kind }>['state'];

export type LedgerEvent =
  AssetEvent | PartyEvent | AccountEvent | LegalOrderEvent | SanctionsHitEvent | AuthorityRequestEvent;

/** Why an event should never be. It stays in the log, changes nothing, and is reported. */
export interface Violation {
  readonly code: ViolationCode;
  readonly detail: string;
}
export type ViolationCode =
  /** Not an event that the registry knows on this stream, or its data or metadata break their schema. */
  | 'malformed-event'
  /** Its hash, or its link to the event before it, is not what its content demands; or the event before it is not there. */
  | 'hash-mismatch'
  /** A freeze, an authorisation abandoned, a lift, the naming of a party, or an answer to a letter, whose citation does not resolve. */
  | 'citation-unresolved'
  /** Well formed, but the state of its stream does not allow it. */
  | 'illegal-event';

/** A recorded event after it was checked against the registry, the chain, its citations and the state of its stream. */
export type JudgedEvent = {
  readonly recorded: RecordedEvent;
  /** The stream's state after the event: unchanged when it is a violation. Owned by the judge: read it, don't keep it. */
  readonly after: StreamState | undefined;
} & (
  | { readonly event: Recorded<LedgerEvent>; readonly violation: undefined }
  | { readonly event: undefined; readonly violation: Violation }
);
