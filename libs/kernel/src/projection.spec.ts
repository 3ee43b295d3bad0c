import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { addUp, type Addition } from './projection.ts';

const key = { id: 'a' };
const additions: readonly Addition[] = [5n, -7n, 10n ** 40n].map((units, index) => ({
  units,
  position: `0${index + 1}`,
}));

describe('a sum', () => {
  it('begins with zero, and knows the last event in it', () => {
    expect(addUp(key, undefined, additions.slice(0, 2))).toEqual({ id: 'a', units: '-2', position: '02' });
  });

  it('takes in only what comes after its position', () => {
    const known = { units: '-2', position: '02' };
    expect(addUp(key, known, additions)).toEqual({ id: 'a', units: String(10n ** 40n - 2n), position: '03' });
    expect(addUp(key, known, additions.slice(0, 2))).toBeUndefined();
    expect(addUp(key, known, [])).toBeUndefined();
  });

  it('is the same however the events are cut, and whatever comes again', () => {
    const list = fc.array(fc.bigInt({ min: -(10n ** 38n), max: 10n ** 38n }), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(list, fc.array(fc.nat(), { maxLength: 5 }), (units, cuts) => {
        const all = units.map((each, index) => ({ units: each, position: String(index).padStart(2, '0') }));
        let known: { units: string; position: string } | undefined;
        for (const cut of [...cuts.map((at) => at % all.length).sort((a, b) => a - b), all.length]) {
          // Each time from the beginning again.
          known = (addUp(key, known, all.slice(0, cut)) as typeof known) ?? known;
        }
        expect(known?.units).toBe(String(units.reduce((sum, each) => sum + each, 0n)));
      }),
    );
  });
});
