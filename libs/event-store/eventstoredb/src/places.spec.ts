import { isPosition } from '#kernel';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { isPlace, placeOf, positionAt } from './places.ts';

const number = fc.bigInt({ min: 0n, max: 2n ** 63n - 1n });

describe('a place among all events', () => {
  it('is text and back, and compares as commit, then prepare', () => {
    fc.assert(
      fc.property(fc.tuple(number, number), fc.tuple(number, number), (one, other) => {
        const [first, second] = [one, other].map(([commit, prepare]) => positionAt(`${commit}`, `${prepare}`) ?? '');
        expect(isPosition(first ?? '')).toBe(true);
        expect(placeOf(first ?? '')).toEqual({ commit: `${one[0]}`, prepare: `${one[1]}` });
        const isBefore = one[0] < other[0] || (one[0] === other[0] && one[1] < other[1]);
        expect((first ?? '') < (second ?? '')).toBe(isBefore);
      }),
    );
  });

  it('is none where the server says so', () => {
    expect(positionAt(`${2n ** 64n - 1n}`, `${2n ** 64n - 1n}`)).toBeUndefined();
    expect(positionAt('1', `${2n ** 63n}`)).toBeUndefined();
  });

  it.each([
    '0000000000000000-0000000000000000',
    '00000000000000ff-00000000000000fe',
    '7fffffffffffffff-7fffffffffffffff',
  ])('can be %j', (text) => {
    expect(isPlace(text)).toBe(true);
  });

  it.each(['', '0000000000000001', '0000000000000001-', '000000000000000G-0000000000000001', 'x'])(
    'is not %j',
    (text) => {
      expect(isPlace(text)).toBe(false);
      expect(() => placeOf(text)).toThrow(RangeError);
    },
  );

  it('can be beyond all that there can be: it comes after every event', () => {
    const last = String(2n ** 63n - 1n);
    expect(isPlace('ffffffffffffffff-8000000000000000')).toBe(true);
    expect(placeOf('ffffffffffffffff-8000000000000000')).toEqual({ commit: last, prepare: last });
  });

  it('is not before what it commits', () => {
    expect(isPlace('00000000000000fe-00000000000000ff')).toBe(false);
  });
});
