import type { NaiveScope } from './scope.ts';

/** What a step has to come to: `accepted`, or a code. Of a freeze of all, that of each account. */
export type Expected = string;

export interface NaiveAccount {
  readonly holder: number;
  available: number;
  held: number;
  closed: boolean;
  readonly deposits: Map<number, { amount: number; isHeld: boolean; reversed: boolean }>;
  readonly transfers: Set<number>;
  readonly withdrawals: Map<number, { amount: number; state: WithdrawalState }>;
  /** By basis, the latest under each. */
  readonly freezes: Map<string, NaiveFreeze>;
}

export type WithdrawalState = 'reserved' | 'dispatched' | 'settled' | 'cancelled' | 'stopped';

export interface NaiveFreeze {
  readonly freezeId: string;
  /** Freezes of one claim keep the highest of their limits, not the sum. */
  readonly claim: string;
  scope: NaiveScope;
  /** It was placed with the order's own scope, and takes whatever that becomes. */
  readonly follows: boolean;
  ended: boolean;
  readonly requests: Map<number, NaiveRequest>;
}

export interface NaiveRequest {
  state: 'requested' | 'approved' | 'rejected';
  /** The order of release that it relies on; undefined for a freeze placed in error. */
  readonly release: number | undefined;
}

export interface NaiveSubjects {
  readonly accounts: readonly number[];
  readonly parties: readonly number[];
  readonly addresses: readonly number[];
}

export interface NaiveOrder {
  state: 'registered' | 'verified' | 'rejected' | 'discharged' | 'expired';
  subjects: NaiveSubjects;
  scope: NaiveScope;
  readonly isClaimed: boolean;
  /** Undefined for an order that restrains. One that releases names nobody. */
  readonly releases: { readonly account: number } | { readonly freezeId: string } | undefined;
  /** The day from which on it is no longer in force. */
  expires: number;
  readonly changes: Map<number, NaiveChange>;
}

export type NaiveChange = { state: 'proposed' | 'verified' | 'rejected' } & (
  | { readonly kind: 'ending' }
  | { readonly kind: 'extension'; readonly expires: number }
  | {
      readonly kind: 'variation';
      readonly subjects: NaiveSubjects | undefined;
      readonly scope: NaiveScope | undefined;
    }
);

export interface NaiveHit {
  state: 'raised' | 'confirmed' | 'dismissed' | 'cleared';
  readonly subjects: NaiveSubjects;
  readonly entry: number;
  readonly freezes: boolean;
  readonly clearances: Map<number, 'proposed' | 'approved' | 'rejected'>;
}

export interface NaiveState {
  /** Days since the beginning. */
  day: number;
  readonly accounts: Map<number, NaiveAccount>;
  /** By party, the addresses that it controls. */
  readonly addresses: Map<number, Set<number>>;
  readonly orders: Map<number, NaiveOrder>;
  readonly hits: Map<number, NaiveHit>;
  /** True for a letter that was answered. */
  readonly letters: Map<number, boolean>;
}

export function newAccount(holder: number): NaiveAccount {
  const things = { deposits: new Map(), transfers: new Set<number>(), withdrawals: new Map(), freezes: new Map() };
  return { holder, available: 0, held: 0, closed: false, ...things };
}

export function accountAt({ accounts }: NaiveState, index: number): NaiveAccount {
  const account = accounts.get(index);
  if (account === undefined) throw new Error(`no account ${index} in the script`);
  return account;
}
