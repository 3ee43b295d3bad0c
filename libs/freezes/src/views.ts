import type { Basis, EventPointer, Scope, Timestamp } from '#kernel';
import type { BalanceSnapshot, LiftGround, LiftRequestGround } from './events.ts';

/** A freeze as ops, approvers and auditors see it. Amounts are minor units. */
export interface FreezeView {
  readonly freezeId: string;
  readonly accountId: string;
  readonly state: 'in-force' | 'lifted' | 'abandoned';
  /** What it covers now, and what it rests on now: a variation of the basis changes both. */
  readonly scope: Scope | null;
  readonly basis: Basis;
  readonly citation: EventPointer;
  readonly placedBy: string;
  readonly placedAt: Timestamp;
  readonly blockedFrom: Timestamp | null;
  /** As it began. */
  readonly balancesAtFreeze: readonly BalanceSnapshot[];
  /** Withdrawals that it stopped: as it began, then with each variation. */
  readonly stopped: readonly string[];
  /** Withdrawals that were dispatched already as it began or was varied, whatever became of them. */
  readonly inFlight: readonly string[];
  readonly lift: {
    readonly ground: LiftGround;
    readonly citation: EventPointer;
    readonly requestedBy: string;
    readonly approvedBy: string;
    readonly liftedAt: Timestamp;
  } | null;
  readonly createdAt: Timestamp;
  readonly updatedAt: Timestamp;
}

export interface LiftRequestView {
  readonly freezeId: string;
  readonly accountId: string;
  readonly requestId: string;
  readonly ground: LiftRequestGround;
  /** The order of release that is relied on; null where the freeze was placed in error. */
  readonly orderId: string | null;
  readonly note: string | null;
  readonly state: 'requested' | 'approved' | 'rejected';
  readonly requestedBy: string;
  readonly decidedBy: string | null;
  readonly reason: string | null;
  readonly createdAt: Timestamp;
  readonly updatedAt: Timestamp;
}
