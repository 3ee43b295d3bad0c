import { limitOf, scopeWithin, type Scope } from './basis.ts';

/** True when both cover the same, and keep the same of it. */
export function sameScope(one: Scope, other: Scope): boolean {
  return scopeWithin(one, other) && scopeWithin(other, one);
}

/**
 * What two scopes both cover: the direction and the assets that they have in common, and of each asset the lower limit. A
 * scope without a limit for an asset keeps all of it, so the limit of the other counts.
 * @returns undefined when they have no direction or no asset in common
 */
export function narrowScope(one: Scope, other: Scope): Scope | undefined {
  const direction = one.direction === 'both' ? other.direction : one.direction;
  if (other.direction !== 'both' && other.direction !== direction) return undefined;
  const assets = commonAssets(one, other);
  if (assets !== 'all' && assets.length === 0) return undefined;
  const limits = lowerLimits(one, other).filter(([asset]) => assets === 'all' || assets.includes(asset));
  return limits.length === 0 ? { direction, assets } : { direction, assets, limits: Object.fromEntries(limits) };
}

function commonAssets({ assets }: Scope, { assets: others }: Scope): Scope['assets'] {
  if (assets === 'all') return others;
  return others === 'all' ? assets : assets.filter((asset) => others.includes(asset));
}

function lowerLimits(one: Scope, other: Scope): [asset: string, units: string][] {
  const codes = new Set([...Object.keys(one.limits ?? {}), ...Object.keys(other.limits ?? {})]);
  return [...codes].sort().map((asset) => {
    const limits = [limitOf(one, asset), limitOf(other, asset)].filter((limit) => limit !== undefined);
    return [asset, limits.reduce((low, limit) => (limit < low ? limit : low)).toString()];
  });
}
