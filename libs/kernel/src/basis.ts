import { z } from 'zod';
import { Money, type Asset } from './money.ts';
import { isRejection, reject, rejectField, type Rejection } from './rejection.ts';
import { field } from './schema.ts';

export const BASIS_KINDS = ['legal-order', 'sanctions-hit'] as const;

/** What a freeze cites: one restraining legal order or one sanctions hit. */
export const basisSchema = z.strictObject({ kind: z.enum(BASIS_KINDS), id: field.id });
export type Basis = z.infer<typeof basisSchema>;

const STREAM_PREFIX: Readonly<Record<Basis['kind'], string>> = {
  'legal-order': 'legalOrder-',
  'sanctions-hit': 'sanctionsHit-',
};

/** The stream on which a basis lives: its events, its authorisations, its end. */
export function basisStream(basis: Basis): string {
  return `${STREAM_PREFIX[basis.kind]}${basis.id}`;
}

/** The basis that lives on a stream, or undefined for a stream of anything else. */
export function basisOfStream(stream: string): Basis | undefined {
  const kind = BASIS_KINDS.find((each) => stream.startsWith(STREAM_PREFIX[each]));
  return kind === undefined ? undefined : { kind, id: stream.slice(STREAM_PREFIX[kind].length) };
}

/** What tells freezes apart that rest on one claim: a group that the order names, or by default the basis itself. */
export const claimGroupSchema = z.string().regex(/^([a-z-]{1,32}\/)?[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$/);

/**
 * The claim group of a basis. The default has a slash, which no id can have: a group that somebody names after an order is
 * never taken for that order's own.
 */
export function claimGroupOf(basis: Basis, named: string | undefined): string {
  return named ?? `${basis.kind}/${basis.id}`;
}

/** The way money moves past a restriction: out of the account, or into it. */
export type Direction = 'debit' | 'credit';
/** What a scope can be about: one way, or both. */
export const SCOPE_DIRECTIONS = ['debit', 'credit', 'both'] as const;
/** Most assets that a scope lists, and most that it limits. */
export const MAX_SCOPE_ASSETS = 100;

const coverage = {
  direction: z.enum(SCOPE_DIRECTIONS),
  assets: z.union([z.literal('all'), z.array(field.assetCode).min(1).max(MAX_SCOPE_ASSETS)]),
};

function demandFlawless(scope: RequestedScope, context: z.RefinementCtx): void {
  const flaw = findScopeFlaw(scope);
  if (flaw !== undefined) context.addIssue({ code: 'custom', path: flaw.field.split('.'), message: flaw.message });
}

/**
 * What a freeze covers: a direction, all assets or a list of them, and for `debit` the most that it keeps of an asset, in
 * minor units. An asset of the scope that has no limit is frozen whole.
 */
export const scopeSchema = z
  .strictObject({ ...coverage, limits: z.record(field.assetCode, field.positiveUnits).optional() })
  .superRefine(demandFlawless);

/** As a variation may leave it: a limit is zero where the freezes before it use up all that the basis still keeps. */
export const variedScopeSchema = z
  .strictObject({ ...coverage, limits: z.record(field.assetCode, field.units).optional() })
  .superRefine(demandFlawless);
export type Scope = z.infer<typeof scopeSchema>;

/** A scope as it was asked for: its limits are decimals, as the caller wrote them. */
export interface RequestedScope {
  readonly direction: Scope['direction'];
  readonly assets: Scope['assets'];
  readonly limits?: Readonly<Record<string, string>> | undefined;
}

/** What is wrong with the limits of a scope, whatever their amounts; `field` is relative to the scope. */
export function findScopeFlaw({
  direction,
  assets,
  limits,
}: RequestedScope): { readonly field: string; readonly message: string } | undefined {
  if (limits === undefined) return undefined;
  const codes = Object.keys(limits);
  if (codes.length === 0 || codes.length > MAX_SCOPE_ASSETS) {
    return { field: 'limits', message: `must limit 1 to ${String(MAX_SCOPE_ASSETS)} assets, or be left out` };
  }
  if (direction !== 'debit') return { field: 'limits', message: 'is only for the direction "debit"' };
  const outside = codes.find((code) => assets !== 'all' && !assets.includes(code));
  if (outside !== undefined) return { field: `limits.${outside}`, message: 'is not an asset of the scope' };
  return undefined;
}

/**
 * Reads the limits of a scope exactly, by the scale of each asset.
 * @param assetOf the assets that there are
 * @param path of the scope in the request, named in the rejection
 * @returns `malformed-request` for a flaw or an amount that the asset can't have, `asset-not-found` for a limit of no asset
 */
export function parseScope(
  requested: RequestedScope,
  assetOf: (code: string) => Asset | undefined,
  path = 'scope',
): Scope | Rejection {
  const { direction, assets, limits } = requested;
  const flaw = findScopeFlaw(requested);
  if (flaw !== undefined) return rejectField(`${path}.${flaw.field}`, flaw.message);
  if (limits === undefined) return { direction, assets };
  const units: [string, string][] = [];
  for (const code of Object.keys(limits).sort()) {
    const asset = assetOf(code);
    if (asset === undefined) return reject('asset-not-found', 'a limit names no asset that there is', { asset: code });
    const limit = Money.parse(limits[code] ?? '', asset, `${path}.limits.${code}`);
    if (isRejection(limit)) return limit;
    units.push([code, limit.units.toString()]);
  }
  return { direction, assets, limits: Object.fromEntries(units) };
}

export function scopeCovers(scope: Scope, direction: Direction, asset: string): boolean {
  if (scope.direction !== direction && scope.direction !== 'both') return false;
  return scope.assets === 'all' || scope.assets.includes(asset);
}

/** The most that the scope keeps of an asset, in minor units; undefined where it has no limit. */
export function limitOf({ limits }: Scope, asset: string): bigint | undefined {
  const limit = limits !== undefined && Object.hasOwn(limits, asset) ? limits[asset] : undefined;
  return limit === undefined ? undefined : BigInt(limit);
}

/** True when everything that `inner` covers is covered by `outer`, and kept no higher than `outer` allows. */
export function scopeWithin(inner: Scope, outer: Scope): boolean {
  if (outer.direction !== 'both' && inner.direction !== outer.direction) return false;
  const { assets } = outer;
  if (assets !== 'all' && (inner.assets === 'all' || !inner.assets.every((asset) => assets.includes(asset)))) {
    return false;
  }
  return Object.keys(outer.limits ?? {}).every((asset) => {
    if (inner.assets !== 'all' && !inner.assets.includes(asset)) return true;
    const [limit, most] = [limitOf(inner, asset), limitOf(outer, asset)];
    return limit !== undefined && most !== undefined && limit <= most;
  });
}

/** How a party holds an account. */
export const capacitySchema = z.enum(['owner', 'joint', 'beneficial']);
export const holderSchema = z.strictObject({ partyId: field.id, capacity: capacitySchema });
export type Holder = z.infer<typeof holderSchema>;
/** Most holders of one account. */
export const MAX_HOLDERS = 20;
