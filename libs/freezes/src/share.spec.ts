import { isRejection, type Asset, type RequestedScope, type Scope } from '#kernel';
import { describe, expect, it } from '@jest/globals';
import { findShareFlaw, missingShare, parseShares, scopeOfShare, sharedAssets, type Shares } from './share.ts';

const widest: Scope = { direction: 'debit', assets: ['BTC', 'EUR', 'XRP'], limits: { BTC: '150', EUR: '1000' } };
const assetOf = (code: string): Asset | undefined => (code === 'DOGE' ? undefined : { code, scale: 2 });

function flawOf(shares: Shares | undefined, accountIds = ['a', 'b'], requested?: RequestedScope): unknown {
  const units = parseShares(shares, assetOf);
  if (isRejection(units)) return units.extra['errors'] ?? units.code;
  return findShareFlaw({ requested, shares, widest }, units, widest, accountIds)?.extra['errors'];
}
const at = (field: string): unknown => [{ field, message: expect.any(String) }];

describe('shares of what a basis limits', () => {
  const whole = { BTC: '0.75', EUR: '5' };

  it('are right where each account has one of each limit, and they add up to no more', () => {
    expect(flawOf({ a: whole, b: whole })).toBeUndefined();
    expect(flawOf({ a: { ...whole, BTC: '1.49' }, b: { ...whole, BTC: '0.01' } })).toBeUndefined();
    expect(flawOf({ a: { ...whole, BTC: '1.5' }, b: { ...whole, BTC: '0.01' } })).toEqual(at('shares'));
  });

  it('are needed by several accounts, and not by one', () => {
    expect(flawOf(undefined)).toEqual(at('shares'));
    expect(flawOf(undefined, ['a'])).toBeUndefined();
    expect(flawOf({ a: whole })).toEqual(at('shares.b'));
    expect(flawOf({ a: whole, b: { BTC: '1' } })).toEqual(at('shares.b.EUR'));
    expect(flawOf({ a: { BTC: '1' } }, ['a'])).toEqual(at('shares.a.EUR'));
  });

  it('are of nothing else', () => {
    expect(flawOf({ a: whole, b: whole, c: whole })).toEqual(at('shares.c'));
    expect(flawOf({ a: whole, b: { ...whole, XRP: '1' } })).toEqual(at('shares.b.XRP'));
    expect(flawOf({ a: { DOGE: '1' } })).toBe('asset-not-found');
    expect(flawOf({ a: { BTC: '0.001' } })).toEqual(at('shares.a.BTC'));
    expect(flawOf({ constructor: whole }, ['constructor', 'toString'])).toEqual(at('shares.toString'));
  });

  it('are only of the assets that the freezes are to cover', () => {
    const requested: RequestedScope = { direction: 'debit', assets: ['BTC', 'XRP'], limits: { BTC: '1', XRP: '3' } };
    const division = { requested, shares: { a: { BTC: '0.5' } }, widest };
    expect(sharedAssets(division)).toEqual(['BTC']);
    expect(flawOf({ a: { BTC: '0.5' }, b: { BTC: '0.5' } }, ['a', 'b'], requested)).toBeUndefined();
    expect(scopeOfShare(division, 'a')).toEqual({ ...requested, limits: { BTC: '0.5', XRP: '3' } });
  });

  it('take the place of the limits, and leave the scope as it is without them', () => {
    expect(scopeOfShare({ requested: undefined, shares: { a: whole }, widest }, 'a')).toEqual({
      ...widest,
      limits: whole,
    });
    expect(scopeOfShare({ requested: undefined, shares: undefined, widest }, 'a')).toBeUndefined();
    expect(
      missingShare({ requested: undefined, shares: undefined, widest: { direction: 'debit', assets: 'all' } }, 'a'),
    ).toBe(undefined);
  });
});
