import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  basisSchema,
  basisStream,
  claimGroupOf,
  claimGroupSchema,
  isRejection,
  limitOf,
  parseScope,
  scopeCovers,
  scopeSchema,
  scopeWithin,
  type Asset,
  type Direction,
  type RequestedScope,
  type Scope,
} from './index.ts';

const debit = (assets: Scope['assets']): Scope => ({ direction: 'debit', assets });
const CODES = ['BTC', 'ETH', 'EUR', 'JPY'];
const covered = fc.oneof(fc.constant('all' as const), fc.uniqueArray(fc.constantFrom(...CODES), { minLength: 1 }));
const limited = covered.chain((assets): fc.Arbitrary<Scope> => {
  const code = fc.constantFrom(...(assets === 'all' ? CODES : assets));
  const limits = fc.dictionary(code, fc.integer({ min: 1, max: 4 }).map(String), {
    minKeys: 1,
    noNullPrototype: true,
  });
  return limits.map((units) => ({ ...debit(assets), limits: units }));
});
const scopes: fc.Arbitrary<Scope> = fc.oneof(
  fc.record({ direction: fc.constantFrom('debit', 'credit', 'both'), assets: covered }),
  limited,
);

describe('basisStream', () => {
  it('is the stream of the order', () => {
    expect(basisStream({ kind: 'legal-order', id: 'ord-1' })).toBe('legalOrder-ord-1');
  });
});

describe('basisSchema', () => {
  it('knows no other kind of basis: a letter freezes nothing', () => {
    expect(basisSchema.safeParse({ kind: 'legal-order', id: 'ord-1' }).success).toBe(true);
    for (const kind of ['authority-request', 'nationality', '']) {
      expect(basisSchema.safeParse({ kind, id: 'ord-1' }).success).toBe(false);
    }
  });
});

describe('scopeSchema', () => {
  it.each([
    ['no direction', { assets: 'all' }],
    ['another direction', { direction: 'sideways', assets: 'all' }],
    ['no assets', debit([])],
    ['a word for the assets', { direction: 'debit', assets: 'some' }],
    ['limits of credits', { direction: 'credit', assets: ['BTC'], limits: { BTC: '1' } }],
    ['limits of both', { direction: 'both', assets: 'all', limits: { BTC: '1' } }],
    ['a limit of another asset', { ...debit(['BTC']), limits: { ETH: '1' } }],
    ['a limit of nothing', { ...debit(['BTC']), limits: { BTC: '0' } }],
    ['a limit in decimals', { ...debit(['BTC']), limits: { BTC: '1.5' } }],
    ['a limit that is a number', { ...debit(['BTC']), limits: { BTC: 1 } }],
    ['a limit of no asset code', { ...debit('all'), limits: { constructor: '1' } }],
    ['limits of nothing', { ...debit('all'), limits: {} }],
    [
      'limits of 101 assets',
      { ...debit('all'), limits: Object.fromEntries(Array.from({ length: 101 }, (_, n) => [`A${String(n)}`, '1'])) },
    ],
    ['101 assets', debit(Array.from({ length: 101 }, (_, index) => `A${String(index)}`))],
  ])('turns down %s', (_, scope) => {
    expect(scopeSchema.safeParse(scope).success).toBe(false);
  });

  it('takes all assets or a list', () => {
    fc.assert(fc.property(scopes, (scope) => expect(scopeSchema.parse(scope)).toEqual(scope)));
  });
});

describe('scopeCovers', () => {
  it('covers all assets, or those listed', () => {
    expect(scopeCovers(debit('all'), 'debit', 'BTC')).toBe(true);
    expect(scopeCovers(debit(['BTC', 'EUR']), 'debit', 'EUR')).toBe(true);
    expect(scopeCovers(debit(['BTC', 'EUR']), 'debit', 'ETH')).toBe(false);
  });

  it.each<[Scope['direction'], boolean, boolean]>([
    ['debit', true, false],
    ['credit', false, true],
    ['both', true, true],
  ])('covers by direction: %s', (direction, debits, credits) => {
    expect(scopeCovers({ direction, assets: 'all' }, 'debit', 'BTC')).toBe(debits);
    expect(scopeCovers({ direction, assets: ['BTC'] }, 'credit', 'BTC')).toBe(credits);
    expect(scopeCovers({ direction, assets: ['BTC'] }, 'credit', 'ETH')).toBe(false);
  });
});

describe('scopeWithin', () => {
  it('is what covering says: whatever the inner covers, the outer does', () => {
    fc.assert(
      fc.property(scopes, scopes, (inner, outer) => {
        // A code that no list has stands for all the assets yet to come.
        const assets = [...CODES, 'NEW'];
        const within = assets.every((asset) =>
          (['debit', 'credit'] as const).every(
            (direction) => keeps(inner, direction, asset) <= keeps(outer, direction, asset),
          ),
        );
        expect(scopeWithin(inner, outer)).toBe(within);
      }),
      { numRuns: 2_000 },
    );
  });
});

/** How much a scope keeps of an asset: nothing, up to a limit, or all. */
function keeps(scope: Scope, direction: Direction, asset: string): number {
  if (!scopeCovers(scope, direction, asset)) return 0;
  const limit = limitOf(scope, asset);
  return limit === undefined ? Infinity : Number(limit);
}

describe('limitOf', () => {
  it('is a limit that the scope names, and no property of objects', () => {
    const scope: Scope = { ...debit('all'), limits: { BTC: '5' } };
    expect(limitOf(scope, 'BTC')).toBe(5n);
    expect(limitOf(scope, 'ETH')).toBeUndefined();
    expect(limitOf(scope, 'toString')).toBeUndefined();
    expect(limitOf(debit('all'), 'BTC')).toBeUndefined();
  });
});

describe('parseScope', () => {
  const known: Record<string, Asset> = { BTC: { code: 'BTC', scale: 8 }, EUR: { code: 'EUR', scale: 2 } };
  const parse = (scope: RequestedScope) => parseScope(scope, (code) => known[code]);

  it('reads limits by the scale of their asset', () => {
    const limits = { EUR: '7', BTC: '0.5' };
    expect(parse({ ...debit('all'), limits })).toEqual({ ...debit('all'), limits: { BTC: '50000000', EUR: '700' } });
    expect(parse({ direction: 'both', assets: ['XRP'] })).toEqual({ direction: 'both', assets: ['XRP'] });
  });

  it.each<[string, RequestedScope, string, RegExp]>([
    ['too many decimals', { ...debit('all'), limits: { EUR: '1.001' } }, 'scope.limits.EUR', /2 decimals/],
    ['nothing', { ...debit('all'), limits: { BTC: '0.00' } }, 'scope.limits.BTC', /more than zero/],
    ['a limit outside the scope', { ...debit(['BTC']), limits: { EUR: '1' } }, 'scope.limits.EUR', /not an asset/],
    ['limits of credits', { direction: 'credit', assets: 'all', limits: { EUR: '1' } }, 'scope.limits', /only for/],
    ['no limits', { ...debit('all'), limits: {} }, 'scope.limits', /left out/],
  ])('turns down %s, and names the field', (_, scope, field, message) => {
    const rejection = parse(scope);
    if (!isRejection(rejection)) throw new Error('the scope was taken');
    expect(rejection).toMatchObject({ code: 'malformed-request', extra: { errors: [{ field }] } });
    expect(rejection.detail).toMatch(message);
  });

  it('knows only assets that there are', () => {
    expect(parse({ ...debit('all'), limits: { XRP: '1' } })).toMatchObject({
      code: 'asset-not-found',
      extra: { asset: 'XRP' },
    });
  });
});

describe('claimGroupOf', () => {
  it('is the basis itself by default, by a name that no group can be given', () => {
    const own = claimGroupOf({ kind: 'legal-order', id: 'ord-1' }, undefined);
    expect(own).toBe('legal-order/ord-1');
    expect(claimGroupOf({ kind: 'legal-order', id: 'ord-1' }, 'claim-1')).toBe('claim-1');
    expect(
      [own, 'claim-1', 'legal-order/', '/ord-1', ''].map((group) => claimGroupSchema.safeParse(group).success),
    ).toEqual([true, true, false, false, false]);
  });
});
