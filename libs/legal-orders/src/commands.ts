import type { EventPointer, RequestedScope, Scope, Timestamp } from '#kernel';
import type { Ending, Instrument, ReleaseInstrument, Subject } from './events.ts';

/** An instrument as it was asked for: its limits are decimals. */
export type RequestedInstrument = Omit<Instrument, 'scope'> & { readonly scope: RequestedScope };

/** Registers an instrument. Accounts, parties and freezes that it names, and the assets that it limits, must exist: `context` tells. */
export interface RegisterLegalOrder {
  readonly type: 'RegisterLegalOrder';
  readonly orderId: string;
  readonly instrument: RequestedInstrument | ReleaseInstrument;
}

export interface VerifyLegalOrder {
  readonly type: 'VerifyLegalOrder';
  readonly orderId: string;
  readonly method: string;
  readonly note?: string | undefined;
}

export interface RejectLegalOrder {
  readonly type: 'RejectLegalOrder';
  readonly orderId: string;
  readonly reason: string;
}

/** Proposes that the order ends. */
export interface ProposeEnding {
  readonly type: 'ProposeEnding';
  readonly orderId: string;
  readonly changeId: string;
  readonly how: Ending;
  readonly documentSha256: string;
  readonly issuedAt: Timestamp;
  readonly reference: string;
}

/** Proposes that the order runs on until a later time. */
export interface ProposeExtension {
  readonly type: 'ProposeExtension';
  readonly orderId: string;
  readonly changeId: string;
  readonly expiresAt: Timestamp;
  readonly documentSha256: string;
  readonly issuedAt: Timestamp;
  readonly reference: string;
}

/** Proposes that the order names others, or covers something else. At least one of the two. */
export interface ProposeVariation {
  readonly type: 'ProposeVariation';
  readonly orderId: string;
  readonly changeId: string;
  readonly subjects?: readonly Subject[] | undefined;
  readonly scope?: RequestedScope | undefined;
  readonly documentSha256: string;
  readonly issuedAt: Timestamp;
  readonly reference: string;
}

export interface VerifyChange {
  readonly type: 'VerifyChange';
  readonly orderId: string;
  readonly changeId: string;
  readonly method: string;
  readonly note?: string | undefined;
}

export interface RejectChange {
  readonly type: 'RejectChange';
  readonly orderId: string;
  readonly changeId: string;
  readonly reason: string;
}

/** The supervisor records that the order's time ran out; nothing happens before that, or twice. */
export interface ExpireLegalOrder {
  readonly type: 'ExpireLegalOrder';
  readonly orderId: string;
}

/** First half of a freeze, on the order's stream. */
export interface AuthoriseFreeze {
  readonly type: 'AuthoriseFreeze';
  readonly orderId: string;
  readonly accountId: string;
  /** Absent: the order's own. */
  readonly scope?: Scope | undefined;
  readonly blockedFrom?: Timestamp | undefined;
}

/** What a variation changes of a freeze is authorised anew, by the supervisor; nothing happens where it changes nothing. */
export interface ReauthoriseFreeze {
  readonly type: 'ReauthoriseFreeze';
  readonly orderId: string;
  /** The authorisation that the freeze rests on. */
  readonly replaces: EventPointer;
}

export type LegalOrderCommand =
  | RegisterLegalOrder
  | VerifyLegalOrder
  | RejectLegalOrder
  | ProposeEnding
  | ProposeExtension
  | ProposeVariation
  | VerifyChange
  | RejectChange
  | ExpireLegalOrder
  | AuthoriseFreeze
  | ReauthoriseFreeze;
