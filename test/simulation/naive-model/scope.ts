import type { RequestedScope } from '#kernel';
import type { Step } from './step.ts';

/** What is covered, as far as the model knows assets: everything, or something beside bitcoin. */
export interface NaiveScope {
  readonly debit: boolean;
  readonly credit: boolean;
  readonly bitcoin: boolean;
  /** The most that has to stay of bitcoin: Infinity where nothing may leave. */
  readonly limit: number;
}

/** What a hit freezes, and the most that it can. */
export const ALL_DEBITS: NaiveScope = { debit: true, credit: false, bitcoin: true, limit: Infinity };

export function naiveScopeOf({ scope, amount }: Pick<Step, 'scope' | 'amount'>): NaiveScope {
  switch (scope) {
    case 'debit':
      return ALL_DEBITS;
    case 'credit':
      return { debit: false, credit: true, bitcoin: true, limit: Infinity };
    case 'both':
      return { ...ALL_DEBITS, credit: true };
    case 'limited':
    case 'claimed':
      return { ...ALL_DEBITS, limit: amount };
    case 'elsewhere':
      return { ...ALL_DEBITS, bitcoin: false };
  }
}

/** The same, as a command says it. */
export function scopeOf({ scope, amount }: Pick<Step, 'scope' | 'amount'>): RequestedScope {
  switch (scope) {
    case 'elsewhere':
      return { direction: 'debit', assets: ['ETH'] };
    case 'limited':
    case 'claimed':
      return { direction: 'debit', assets: 'all', limits: { BTC: String(amount) } };
    default:
      return { direction: scope, assets: 'all' };
  }
}

export function isSame(one: NaiveScope, other: NaiveScope): boolean {
  return isWithin(one, other) && isWithin(other, one);
}

/** True when the inner covers nothing that the outer does not, and keeps no more of it. */
export function isWithin(inner: NaiveScope, outer: NaiveScope): boolean {
  if ((inner.debit && !outer.debit) || (inner.credit && !outer.credit)) return false;
  return !inner.bitcoin || (outer.bitcoin && inner.limit <= outer.limit);
}

/** What both cover; undefined when that is nothing. */
export function common(one: NaiveScope, other: NaiveScope): NaiveScope | undefined {
  const debit = one.debit && other.debit;
  const credit = one.credit && other.credit;
  const bitcoin = one.bitcoin && other.bitcoin;
  const limit = bitcoin ? Math.min(one.limit, other.limit) : Infinity;
  return debit || credit ? { debit, credit, bitcoin, limit } : undefined;
}
