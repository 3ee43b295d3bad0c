import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { decodeValue, encodeValue, type Unencodable } from './value-text.ts';

const { value } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    fc.string({ unit: 'binary' }),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => (Object.is(number, -0) ? 0 : number)),
    fc.bigInt(),
    fc.boolean(),
    fc.constantFrom(null, undefined),
    fc.array(tie('value')),
    fc.dictionary(fc.oneof(fc.constantFrom('$', '__proto__', 'value'), fc.string()), tie('value'), {
      noNullPrototype: true,
    }),
    fc.array(fc.tuple(tie('value'), tie('value'))).map((pairs) => new Map(pairs)),
  ),
}));

describe('the text of a value', () => {
  it('gives an equal value, in the same order', () => {
    fc.assert(
      fc.property(value, (original) => {
        const text = encodeValue(original);
        expect(decodeValue(text)).toStrictEqual(original);
        expect(encodeValue(decodeValue(text))).toBe(text);
      }),
    );
  });

  it.each([
    ['a set', new Set([1])],
    ['a time', new Date(0)],
    ['a function', () => 1],
    ['an object of a class', new RangeError('x')],
    ['minus zero', -0],
    ['no number', Number.NaN],
    ['a symbol', Symbol('x')],
  ])('is not made of %s, however deep it is', (_what, bad) => {
    expect(() => encodeValue({ list: [new Map([['key', bad]])] })).toThrow(TypeError);
  });

  it('is known at compile time to be possible, or not', () => {
    interface Good {
      readonly text?: string;
      readonly units: bigint;
      readonly by: ReadonlyMap<string, readonly { readonly limits: Readonly<Record<string, string>> }[]>;
    }
    interface Bad {
      readonly by: ReadonlyMap<string, { readonly stopped: ReadonlySet<string> }>;
    }
    const good: [Unencodable<Good>] extends [never] ? 'possible' : 'not' = 'possible';
    const bad: [Unencodable<Bad>] extends [never] ? 'possible' : 'not' = 'not';
    expect([good, bad]).toEqual(['possible', 'not']);
  });
});
