import type { Scope, Timestamp } from '#kernel';
import type { Ending, Instrument, ReleaseInstrument, Subject } from './events.ts';

export const ORDER_STATES = [
  'registered',
  'verified',
  'rejected',
  'expired',
  'discharged',
  'revoked',
  'set-aside',
] as const;
export type OrderState = (typeof ORDER_STATES)[number];

interface AnyChangeView {
  readonly orderId: string;
  readonly changeId: string;
  readonly state: 'proposed' | 'verified' | 'rejected';
  readonly documentSha256: string;
  readonly issuedAt: Timestamp;
  readonly reference: string;
  readonly proposedBy: string;
  readonly decidedBy: string | null;
  readonly reason: string | null;
  readonly createdAt: Timestamp;
  readonly updatedAt: Timestamp;
}

/** A change as it is shown. */
export type ChangeView = AnyChangeView &
  (
    | { readonly kind: 'ending'; readonly how: Ending }
    /** `expiresAt` is the time that is asked for. */
    | { readonly kind: 'extension'; readonly expiresAt: Timestamp }
    /** What is not there stays as it is. */
    | {
        readonly kind: 'variation';
        readonly subjects?: readonly Subject[] | undefined;
        readonly scope?: Scope | undefined;
      }
  );

/** An order as it is shown: the instrument, its life, and who did what. */
export type LegalOrderView = (Instrument | ReleaseInstrument) & OrderLife;

interface OrderLife {
  readonly state: OrderState;
  readonly registeredBy: string;
  readonly verification: {
    readonly method: string;
    readonly note: string | null;
    readonly verifiedBy: string;
    readonly verifiedAt: Timestamp;
  } | null;
  readonly rejection: { readonly reason: string; readonly rejectedBy: string; readonly rejectedAt: Timestamp } | null;
  readonly endedAt: Timestamp | null;
  readonly changes: readonly ChangeView[];
  readonly createdAt: Timestamp;
  readonly updatedAt: Timestamp;
}
