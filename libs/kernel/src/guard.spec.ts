import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { accepts, field } from './index.ts';

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

describe('what a guard takes', () => {
  it.each<readonly [string, unknown]>([
    ['the least', good],
    ['all', { ...good, note: 'abc', parent: '0191b2c3-0000-7000-8000-000000000001', tags: ['a', 'bc'] }],
    ['another of two forms', { ...good, where: { x: '7' } }],
  ])('is %s', (_, value) => {
    expect(accepts(thing, value)).toBe(true);
    expect(thing.parse(value)).toEqual(value);
  });
});

describe('what a guard leaves to the schema', () => {
  it.each<readonly [string, unknown]>([
    ['nothing', undefined],
    ['null', null],
    ['an array', [good]],
    ['a text', 'thing'],
    ['too little', { ...good, id: undefined }],
    ['one field too many', { ...good, more: 1 }],
    ['a field of the prototype', JSON.parse(JSON.stringify(good).replace('{', '{"__proto__":{},')) as unknown],
    ['a field that is missing', Object.fromEntries(Object.entries(good).filter(([name]) => name !== 'always'))],
    ['a pattern that is not met', { ...good, id: ' ' }],
    ['a time of another form', { ...good, at: '2022-02-15T12:00:00Z' }],
    ['a value that is not listed', { ...good, kind: 'third' }],
    ['another literal', { ...good, always: 'not' }],
    ['a text too short', { ...good, note: 'a' }],
    ['a text too long', { ...good, note: 'abcd' }],
    ['null where nothing may stand', { ...good, note: null }],
    ['no tags', { ...good, tags: [] }],
    ['too many tags', { ...good, tags: ['a', 'b', 'c'] }],
    ['a tag too long', { ...good, tags: ['abc'] }],
    ['an object for an array', { ...good, tags: { 0: 'a', length: 1 } }],
    ['neither of two forms', { ...good, where: { z: '1' } }],
    ['both of two forms', { ...good, where: { x: '1', y: '1' } }],
    ['a number for a text', { ...good, id: 1 }],
  ])('is %s', (_, value) => {
    expect(accepts(thing, value)).toBe(false);
    expect(thing.safeParse(value).success).toBe(false);
  });

  it.each<readonly [string, z.ZodType, unknown]>([
    ['objects that are not strict', z.object({ a: z.string() }), { a: '' }],
    ['what changes the value', z.strictObject({ a: z.string().trim() }), { a: '' }],
    ['what has a default', z.strictObject({ a: z.string().default('') }), { a: '' }],
    ['what is turned into a text', z.coerce.string(), ''],
    ['formats', z.email(), 'a@example.com'],
    ['patterns that remember', z.string().regex(/a/g), 'a'],
    ['rules over a whole object', z.strictObject({ a: z.string() }).superRefine(() => undefined), { a: '' }],
    ['numbers', z.int(), 1],
    ['whatever there is', z.unknown(), 1],
  ])('are %s', (_, schema, value) => {
    expect(schema.safeParse(value).success).toBe(true);
    expect(accepts(schema, value)).toBe(false);
    expect(accepts(z.array(schema), [value])).toBe(false);
  });

  it('are rules that are not met, wherever they stand', () => {
    const never = (): boolean => false;
    for (const schema of [
      z.string().refine(never),
      z.string().nullable().refine(never),
      z.array(z.string()).refine(never),
      z.enum(['a']).refine(never),
      z.union([z.string(), z.literal('a')]).refine(never),
      z.strictObject({}).refine(never),
      z.strictObject({ a: z.string().optional().refine(never) }),
    ]) {
      for (const value of ['a', [], {}, { a: 'a' }]) {
        expect(accepts(schema, value) && !schema.safeParse(value).success).toBe(false);
      }
    }
  });
});
