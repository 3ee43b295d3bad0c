import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { basisSchema, basisStream, scopeCovers, scopeSchema, scopeWithin, type Scope } from './index.ts';

const debit = (assets: Scope['assets']): Scope => ({ direction: 'debit', assets });
const CODES = ['BTC', 'ETH', 'EUR', 'JPY'];
const scopes = fc.oneof(
  fc.constant(debit('all')),
  fc.uniqueArray(fc.constantFrom(...CODES), { minLength: 1 }).map(debit),
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
    ['a credit freeze', { direction: 'credit', assets: 'all' }],
    ['both directions', { direction: 'both', assets: 'all' }],
    ['no assets', debit([])],
    ['a word for the assets', { direction: 'debit', assets: 'some' }],
    ['limits', { ...debit(['BTC']), limits: { BTC: '1' } }],
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

  it('covers nothing in another direction', () => {
    expect(scopeCovers({ direction: 'credit', assets: 'all' } as unknown as Scope, 'debit', 'BTC')).toBe(false);
  });
});

describe('scopeWithin', () => {
  it('is what covering says: whatever the inner covers, the outer does', () => {
    fc.assert(
      fc.property(scopes, scopes, (inner, outer) => {
        // A code that no list has stands for all the assets yet to come.
        const assets = [...CODES, 'NEW'];
        const within = assets.every(
          (asset) => !scopeCovers(inner, 'debit', asset) || scopeCovers(outer, 'debit', asset),
        );
        expect(scopeWithin(inner, outer)).toBe(within);
      }),
    );
  });

  it('holds for no other direction', () => {
    const credit = { direction: 'credit', assets: ['BTC'] } as unknown as Scope;
    expect(scopeWithin(credit, debit('all'))).toBe(false);
    expect(scopeWithin(debit(['BTC']), { ...credit, assets: 'all' })).toBe(false);
  });
});
