import { z } from 'zod';
import { field } from './schema.ts';

/** What a freeze cites: one restraining legal order or (later) one sanctions hit. */
export const basisSchema = z.strictObject({ kind: z.enum(['legal-order']), id: field.id });
export type Basis = z.infer<typeof basisSchema>;

/** The stream on which a basis lives: its events, its authorisations, its end. */
export function basisStream(basis: Basis): string {
  return `legalOrder-${basis.id}`;
}

/** Which way money moves past a restriction: out of the account, or into it. */
export type Direction = 'debit' | 'credit';

/** The way money moves past a restriction: out of the account (`debit`). `credit` and `both` come later. */
export const scopeSchema = z.strictObject({
  direction: z.enum(['debit']),
  assets: z.union([z.literal('all'), z.array(field.assetCode).min(1).max(100)]),
});
/** What a freeze covers: a direction, and all assets or a list of them. */
export type Scope = z.infer<typeof scopeSchema>;

export function scopeCovers(scope: Scope, direction: Direction, asset: string): boolean {
  return sameDirection(scope.direction, direction) && (scope.assets === 'all' || scope.assets.includes(asset));
}

/** True when everything that `inner` covers is covered by `outer`. */
export function scopeWithin(inner: Scope, outer: Scope): boolean {
  if (!sameDirection(inner.direction, outer.direction)) return false;
  if (outer.assets === 'all') return true;
  const allowed = outer.assets;
  return inner.assets !== 'all' && inner.assets.every((asset) => allowed.includes(asset));
}

/** By text: there is one direction today, and there will be others. */
function sameDirection(one: string, other: string): boolean {
  return one === other;
}

/** How a party holds an account. */
export const capacitySchema = z.enum(['owner', 'joint', 'beneficial']);
export const holderSchema = z.strictObject({ partyId: field.id, capacity: capacitySchema });
export type Holder = z.infer<typeof holderSchema>;
/** Most holders of one account. */
export const MAX_HOLDERS = 20;
