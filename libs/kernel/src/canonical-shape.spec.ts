import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { z } from 'zod';
import { canonicalJson, canonicalShape, field } from './index.ts';
import { withPattern } from './canonical-shape.ts';

const thing = z.strictObject({
  id: field.id,
  at: field.timestamp,
  kind: z.enum(['one', 'other']),
  always: z.literal('so'),
  note: z.string().min(2).max(3).optional(),
  parent: field.uuid.nullable(),
  tags: z.array(z.string().max(2)).min(1).max(2),
  where: z.union([z.strictObject({ x: field.units }), z.strictObject({ y: field.units })]),
});
const good = {
  id: 'a',
  at: '2022-02-15T12:00:00.000Z',
  kind: 'one',
  always: 'so',
  parent: null,
  tags: ['t'],
  where: { y: '0' },
};

/** Members in their order, whatever their values are: canonical JSON refuses some of those. */
const inOrder = (content: object): string =>
  JSON.stringify(content, ['always', 'at', 'id', 'kind', 'note', 'parent', 'tags', 'where', 'x', 'y']);
const textOf = (change: object): string => canonicalJson({ ...good, ...change });

describe('what the shape of a text says', () => {
  it.each<readonly [string, string]>([
    ['the least', textOf({})],
    ['all', textOf({ note: 'abc', parent: '0191b2c3-0000-7000-8000-000000000001', tags: ['a', 'bc'] })],
    ['another of two forms', textOf({ where: { x: '7' } })],
    ['a letter that is no ASCII', textOf({ note: 'äü€' })],
  ])('is that it is canonical and valid: %s', (_, text) => {
    expect(canonicalShape(thing, text)).toBe('valid');
  });

  it.each<readonly [string, string]>([
    ['another order', JSON.stringify(good)],
    ['blanks', textOf({}).replace(',', ', ')],
    ['a line at the end', `${textOf({})}\n`],
    ['a member twice', textOf({}).replace('"always":"so",', '"always":"so","always":"so",')],
    ['a member too many', textOf({ more: 1 })],
    ['a member too few', textOf({ always: undefined })],
    ['a comma at the end', textOf({}).replace(/\}$/, ',}')],
    ['no comma', textOf({}).replace('"so",', '"so"')],
    ['a character that is escaped', textOf({ note: 'a\n' })],
    ['a character that need not be escaped', textOf({ note: 'ab' }).replace('"ab"', '"a\\u0062"')],
    ['a quote', textOf({ note: 'a"' })],
    ['half of a surrogate pair', textOf({ note: 'xx' }).replace('xx', 'x\ud800')],
    ['a pattern that is not met', textOf({ id: ' ' })],
    ['a pattern that is met in a part', textOf({ id: 'a ' })],
    ['a time that is none', textOf({ at: '2022-02-30T12:00:00.000Z' })],
    ['a value that is not listed', textOf({ kind: 'onemore' })],
    ['a text too short', textOf({ note: 'a' })],
    ['a text too long', textOf({ note: 'abcd' })],
    ['no tags', textOf({ tags: [] })],
    ['too many tags', textOf({ tags: ['a', 'b', 'c'] })],
    ['null where nothing may stand', textOf({ note: null })],
    ['both of two forms', textOf({ where: { x: '1', y: '1' } })],
    ['a number for a text', textOf({ id: 1 })],
    ['no object', '"a"'],
    ['nothing', ''],
  ])('is nothing for %s', (_, text) => {
    expect(canonicalShape(thing, text)).toBeUndefined();
  });

  it('counts what a pattern counts', () => {
    const counted = z.strictObject({ a: z.string().regex(/^(a|[0-9]{3})-[A-F]{2,3}(x[yz]{2}){0,2}$/) });
    const parts = fc.array(fc.constantFrom('a', '0', '12', '-', 'AF', 'B', 'xyz', 'xz', 'zz'), { maxLength: 6 });
    const good = ['a-AB', '123-FFA', '007-CDxyz', 'a-ABxyzxzz'];
    for (const a of good) expect(canonicalShape(counted, canonicalJson({ a }))).toBe('valid');
    const spoilt = fc
      .tuple(fc.constantFrom(...good), fc.nat(9), fc.nat(1), parts)
      .map(([a, at, removed, put]) => a.slice(0, at) + put.join('') + a.slice(at + removed));
    fc.assert(
      fc.property(fc.oneof(spoilt, fc.constantFrom(...good)), (a) => {
        const isValid = canonicalShape(counted, canonicalJson({ a })) === 'valid';
        expect([a, isValid]).toEqual([a, counted.safeParse({ a }).success]);
      }),
    );
  });

  it.each<readonly [string, z.ZodType, unknown]>([
    ['rules over a whole object', z.strictObject({ a: z.string() }).superRefine(() => undefined), { a: '' }],
    ['rules over a part', z.strictObject({ a: z.array(z.string()).refine(() => true) }), { a: [] }],
    ['rules in code', z.strictObject({ a: z.string().refine(() => true) }), { a: '' }],
    [
      'rules over what may be missing',
      z.strictObject({
        a: z
          .string()
          .optional()
          .refine(() => true),
      }),
      { a: '' },
    ],
    ['patterns of other characters', z.strictObject({ a: z.string().regex(/^.$/) }), { a: '.' }],
    ['patterns of classes that reach too far', z.strictObject({ a: z.string().regex(/^[0-z]$/) }), { a: '1' }],
    ['patterns that look ahead', z.strictObject({ a: z.string().regex(/^(?=a)a$/) }), { a: 'a' }],
    ['patterns with flags', z.strictObject({ a: z.string().regex(/^a$/i) }), { a: 'a' }],
    ['patterns without an end', z.strictObject({ a: z.string().regex(/^a/) }), { a: 'a' }],
    ['what changes the value', z.strictObject({ a: z.string().trim() }), { a: 'a' }],
    ['numbers', z.strictObject({ a: z.int() }), { a: -12 }],
    ['formats', z.strictObject({ a: z.email() }), { a: 'a@example.com' }],
  ])('is no more than that it is canonical for %s', (_, schema, value) => {
    expect(canonicalShape(schema, canonicalJson(value))).toBe('unchecked');
  });

  it.each<readonly [string, z.ZodType, string]>([
    ['objects that are not strict', z.object({ a: z.string() }), '{"a":""}'],
    ['what has a default', z.strictObject({ a: z.string().default('') }), '{"a":""}'],
    ['whatever there is', z.unknown(), '1'],
    ['numbers that are written otherwise', z.number(), '-0'],
    ['names that would be escaped', z.strictObject({ 'a\n': z.string() }), '{"a\\n":""}'],
  ])('is nothing for %s', (_, schema, text) => {
    expect(canonicalShape(schema, text)).toBeUndefined();
  });

  it('is true of every text that is like one: what it is said to be, it is', () => {
    const units = fc.constantFrom('0', '7', '07', '1'.repeat(38), '1'.repeat(39));
    const value = fc.record(
      {
        id: fc.constantFrom('a', 'acc-1', 'A:b_c.d', 'a'.repeat(64), 'a'.repeat(65)),
        at: fc.oneof(
          fc
            .date({ noInvalidDate: true, min: new Date(0), max: new Date('9999-01-01') })
            .map((date) => date.toISOString()),
          fc
            .tuple(fc.integer({ min: 0, max: 13 }), fc.integer({ min: 0, max: 32 }))
            .map(
              ([month, day]) => `2023-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}T23:59:59.999Z`,
            ),
        ),
        kind: fc.constantFrom('one', 'other'),
        always: fc.constant('so'),
        note: fc.string({ unit: 'binary', maxLength: 4 }),
        parent: fc.option(fc.uuid()),
        tags: fc.array(fc.string({ maxLength: 2 }), { minLength: 1, maxLength: 3 }),
        where: fc.oneof(fc.record({ x: units }), fc.constant({ x: '1', y: '1' })),
      },
      { requiredKeys: ['id', 'at', 'kind', 'always', 'parent', 'tags', 'where'] },
    );
    const spoilt = fc
      .tuple(value, fc.nat(), fc.nat(3), fc.constantFrom('', ' ', '"', '\\', ',', '{', '}', '\u2028', '0'))
      .map(([content, place, removed, put]) => {
        const text = inOrder(content);
        const at = place % (text.length + 1);
        return text.slice(0, at) + put + text.slice(at + removed);
      });
    const whole = value.map((content) => inOrder(content));
    let valid = 0;
    const holds = (text: string): boolean => {
      const says = canonicalShape(thing, text);
      if (says === undefined) return true;
      if (says === 'valid') valid += 1;
      const parsed: unknown = JSON.parse(text);
      return canonicalJson(parsed) === text && (says === 'unchecked' || thing.safeParse(parsed).success);
    };
    fc.assert(fc.property(fc.oneof(whole, spoilt), holds), { numRuns: 2_000 });
    expect(valid).toBeGreaterThan(0);
  });
});

describe('the pattern of a text whose rule is code', () => {
  it.each([/^["]$/, /^a.b$/, /^[^a]$/, /a/, /^a$/u, /^\d$/])('can not be %s', (pattern) => {
    expect(() => withPattern(z.string(), pattern)).toThrow('is not a plain pattern');
  });
});
