/** A person asks for a lift: the freeze was placed in error. */
export interface RequestLift {
  readonly type: 'RequestLift';
  readonly accountId: string;
  readonly freezeId: string;
  readonly requestId: string;
  readonly ground: 'placed-in-error';
  readonly note: string;
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
