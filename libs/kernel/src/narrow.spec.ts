import { describe, expect, it } from '@jest/globals';
import type { Scope } from './basis.ts';
import { narrowScope, sameScope } from './narrow.ts';

const both: Scope = { direction: 'both', assets: 'all' };
const debit = (assets: Scope['assets'], limits?: Record<string, string>): Scope =>
  limits === undefined ? { direction: 'debit', assets } : { direction: 'debit', assets, limits };
const credit: Scope = { direction: 'credit', assets: 'all' };

describe('narrowScope', () => {
  it.each<[string, Scope, Scope, Scope | undefined]>([
    ['both directions and one', both, credit, credit],
    ['debits and credits', debit('all'), credit, undefined],
    ['all assets and some', debit('all'), debit(['BTC', 'EUR']), debit(['BTC', 'EUR'])],
    ['some assets and others', debit(['BTC', 'EUR']), debit(['EUR', 'ETH']), debit(['EUR'])],
    ['assets that have nothing in common', debit(['BTC']), debit(['EUR']), undefined],
    ['a limit and a lower one', debit('all', { BTC: '9' }), debit('all', { BTC: '10' }), debit('all', { BTC: '9' })],
    ['a limit and none', debit(['BTC']), debit('all', { BTC: '5', EUR: '1' }), debit(['BTC'], { BTC: '5' })],
    ['a limit of debits and both directions', debit(['BTC'], { BTC: '5' }), both, debit(['BTC'], { BTC: '5' })],
    ['a limit of debits and credits', debit(['BTC'], { BTC: '5' }), credit, undefined],
  ])('of %s is what they have in common', (_, one, other, common) => {
    expect(narrowScope(one, other)).toEqual(common);
    expect(narrowScope(other, one)).toEqual(common);
  });

  it('of a scope and itself is that scope', () => {
    for (const scope of [both, credit, debit(['BTC'], { BTC: '0' })]) expect(narrowScope(scope, scope)).toEqual(scope);
  });
});

describe('sameScope', () => {
  it('looks at what is covered, not at how it is written', () => {
    expect(sameScope(debit(['BTC', 'EUR']), debit(['EUR', 'BTC', 'EUR']))).toBe(true);
    expect(sameScope(debit(['BTC']), debit(['BTC'], { BTC: '1' }))).toBe(false);
    expect(sameScope(debit('all'), both)).toBe(false);
  });
});
