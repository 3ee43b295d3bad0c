import type { LiftRequestGround } from './events.ts';

/** A person asks for a lift: the freeze was placed in error, or an order of release names it. */
export interface RequestLift {
  readonly type: 'RequestLift';
  readonly accountId: string;
  readonly freezeId: string;
  readonly requestId: string;
  readonly ground: LiftRequestGround;
  /** Needed where the freeze was placed in error. */
  readonly note?: string | undefined;
  /** Of `release-ordered`: the order of release. */
  readonly orderId?: string | undefined;
}

export interface ApproveLift {
  readonly type: 'ApproveLift';
  readonly accountId: string;
  readonly freezeId: string;
  readonly requestId: string;
  readonly note?: string | undefined;
}

export interface RejectLift {
  readonly type: 'RejectLift';
  readonly accountId: string;
  readonly freezeId: string;
  readonly requestId: string;
  readonly reason: string;
}

export type FreezeCommand = RequestLift | ApproveLift | RejectLift;
