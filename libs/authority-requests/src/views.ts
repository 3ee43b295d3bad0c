import type { AsOf, Basis, Timestamp } from '#kernel';
import type { AnswerOutcome, Letter } from './events.ts';

export const REQUEST_STATES = ['registered', 'refused', 'granted', 'withdrawn'] as const;
export type RequestState = (typeof REQUEST_STATES)[number];

/** A letter as it is shown: what it asks, and what was answered. */
export interface AuthorityRequestView extends Letter {
  readonly state: RequestState;
  readonly registeredBy: string;
  /** Null until it is answered. */
  readonly answer: {
    readonly outcome: AnswerOutcome;
    readonly reason: string;
    readonly basis: Basis | null;
    /** Where the basis was in force. */
    readonly inForceAt: AsOf | null;
    readonly answeredBy: string;
    readonly answeredAt: Timestamp;
  } | null;
  readonly createdAt: Timestamp;
  readonly updatedAt: Timestamp;
}
