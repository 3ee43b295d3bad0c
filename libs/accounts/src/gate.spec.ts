import { describe, expect, it } from '@jest/globals';
import type { Restriction } from '#freezes';
import fc from 'fast-check';
import { frozenUnits, gate } from './gate.ts';

const asset = fc.constantFrom('BTC', 'ETH', 'EUR', 'USD');
const restriction: fc.Arbitrary<Restriction> = fc.record({
  kind: fc.constant('freeze'),
  id: fc.uuid(),
  scope: fc.record({
    direction: fc.constant('debit'),
    assets: fc.oneof(fc.constant('all' as const), fc.array(asset, { minLength: 1, maxLength: 3 })),
  }),
});
const some = fc.array(restriction, { maxLength: 6 });
const units = fc.bigInt({ min: 0n, max: 10n ** 38n - 1n });

describe('the gate', () => {
  it('refuses a debit that any restriction covers, and names them all (invariant 2)', () => {
    fc.assert(
      fc.property(some, asset, units, units, (restrictions, code, amountUnits, availableUnits) => {
        const naming: string[] = [];
        for (const { id, scope } of restrictions) {
          if (scope.assets === 'all') naming.push(id);
          else for (const covered of new Set(scope.assets)) if (covered === code) naming.push(id);
        }
        const verdict = gate(restrictions, { direction: 'debit', asset: code, amountUnits, availableUnits });
        expect(verdict).toEqual(naming.length === 0 ? { ok: true } : { ok: false, freezeIds: naming });
      }),
    );
  });

  it('never opens by one restriction more', () => {
    fc.assert(
      fc.property(some, restriction, asset, units, (restrictions, more, code, availableUnits) => {
        const movement = { direction: 'debit', asset: code, amountUnits: 1n, availableUnits } as const;
        if (gate([...restrictions, more], movement).ok) expect(gate(restrictions, movement).ok).toBe(true);
      }),
    );
  });

  it('keeps all that is available of a frozen asset, and nothing of another', () => {
    fc.assert(
      fc.property(some, asset, units, (restrictions, code, available) => {
        const covered = restrictions.some(({ scope }) => scope.assets === 'all' || scope.assets.includes(code));
        expect(frozenUnits(restrictions, code, available)).toBe(covered ? available : 0n);
      }),
    );
  });
});
