import type { Timestamp } from '#kernel';
import type { Clearance, Hit } from './events.ts';

export const HIT_STATES = ['raised', 'confirmed', 'dismissed', 'cleared'] as const;
export type HitState = (typeof HIT_STATES)[number];

export const CLEARANCE_STATES = ['proposed', 'approved', 'rejected'] as const;

export interface ClearanceView extends Clearance {
  readonly hitId: string;
  readonly state: (typeof CLEARANCE_STATES)[number];
  readonly proposedBy: string;
  readonly decidedBy: string | null;
  /** Of an approval. */
  readonly note: string | null;
  /** Of a rejection. */
  readonly reason: string | null;
  readonly createdAt: Timestamp;
  readonly updatedAt: Timestamp;
}

/** A hit as it is shown: the match, its life, and who did what. */
export interface SanctionsHitView extends Hit {
  readonly state: HitState;
  readonly raisedBy: string;
  readonly confirmation: {
    readonly note: string | null;
    readonly confirmedBy: string;
    readonly confirmedAt: Timestamp;
  } | null;
  readonly dismissal: { readonly reason: string; readonly dismissedBy: string; readonly dismissedAt: Timestamp } | null;
  readonly clearedAt: Timestamp | null;
  readonly clearances: readonly ClearanceView[];
  readonly createdAt: Timestamp;
  readonly updatedAt: Timestamp;
}
