import type { Scope, Timestamp } from '#kernel';
import type { Clearance, Hit } from './events.ts';

/** Raises a potential match. The party that it names must exist, and the match must be a new one: `context` tells. */
export interface RaiseSanctionsHit {
  readonly type: 'RaiseSanctionsHit';
  readonly hitId: string;
  readonly hit: Hit;
}

export interface ConfirmSanctionsHit {
  readonly type: 'ConfirmSanctionsHit';
  readonly hitId: string;
  readonly note?: string | undefined;
}

export interface DismissSanctionsHit {
  readonly type: 'DismissSanctionsHit';
  readonly hitId: string;
  readonly reason: string;
}

/** Proposes that a confirmed hit ends. */
export interface ProposeClearance extends Clearance {
  readonly type: 'ProposeClearance';
  readonly hitId: string;
}

export interface ApproveClearance {
  readonly type: 'ApproveClearance';
  readonly hitId: string;
  readonly clearanceId: string;
  readonly note?: string | undefined;
}

export interface RejectClearance {
  readonly type: 'RejectClearance';
  readonly hitId: string;
  readonly clearanceId: string;
  readonly reason: string;
}

/** First half of a freeze, on the hit's stream. */
export interface AuthoriseFreezeUnderHit {
  readonly type: 'AuthoriseFreezeUnderHit';
  readonly hitId: string;
  readonly accountId: string;
  /** Absent: every debit. */
  readonly scope?: Scope | undefined;
  readonly blockedFrom?: Timestamp | undefined;
}

/** What a person or a service asks of a hit. */
export type SanctionsHitRequest =
  RaiseSanctionsHit | ConfirmSanctionsHit | DismissSanctionsHit | ProposeClearance | ApproveClearance | RejectClearance;

export type SanctionsHitCommand = SanctionsHitRequest | AuthoriseFreezeUnderHit;
