import fc from 'fast-check';
import type { ApiDocument, Schema } from './document.ts';

/** Ids and the like that stand for something in the service under test, by the name of the field that takes them. */
export type Known = Readonly<Record<string, readonly string[]>>;

const TIMES = ['2022-02-15T00:00:00Z', '2022-03-01T12:00:00.123Z', '2024-02-29T23:59:59Z', '2099-12-31T23:59:59.999Z'];
const AMOUNTS = ['1', '0.5', '0.50', '0.01', '0.00000001', '1000000', '12345678901234567890', '9'.repeat(38)];
/** Characters of all sorts, halves of characters included. */
const anyText = fc
  .array(fc.oneof(fc.integer({ min: 0x20, max: 0x7e }), fc.nat(0xffff), fc.nat(0x10ffff)), { maxLength: 60 })
  .map((points) => String.fromCodePoint(...points));

const MAX_DEPTH = 6;
/** What may be left out by its schema, and is needed most of the time. */
const USUAL = ['subjects', 'scope', 'note'];

/** Values that the schemas of the document allow, and values that look like them and are wrong. */
export class Values {
  readonly #document: ApiDocument;
  readonly #known: Known;

  constructor(document: ApiDocument, known: Known) {
    this.#document = document;
    this.#known = known;
  }

  /** @param name of the field that the value is for: where one is known, it is taken most of the time */
  valid(schema: Schema, name = '', depth = 0): fc.Arbitrary<unknown> {
    const known = this.#known[name];
    if (known !== undefined && schema['type'] === 'string') {
      return fc.oneof(
        { weight: 8, arbitrary: fc.constantFrom(...known) },
        { weight: 1, arbitrary: this.#ofType(schema, name, depth) },
      );
    }
    return this.#ofType(schema, name, depth);
  }

  /** A valid value with one thing wrong. */
  nearlyValid(schema: Schema): fc.Arbitrary<unknown> {
    return fc
      .tuple(this.valid(schema), fc.nat(), wrong)
      .map(([value, place, change]) => changedAt(value, place, change));
  }

  #ofType(schema: Schema, name: string, depth: number): fc.Arbitrary<unknown> {
    const { $ref: reference, allOf, const: only, enum: words, type } = schema;
    const choices = (schema['oneOf'] ?? schema['anyOf']) as readonly Schema[] | undefined;
    if (typeof reference === 'string') return this.valid(this.#document.resolve(reference), name, depth);
    if (Array.isArray(allOf)) return this.valid(allOf[0] as Schema, name, depth);
    if (choices !== undefined) return fc.oneof(...choices.map((choice) => this.valid(choice, name, depth)));
    if (only !== undefined) return fc.constant(only);
    if (Array.isArray(words)) return fc.constantFrom(...(words as readonly unknown[]));
    if (type === 'object') return this.#object(schema, depth + 1);
    if (type === 'array') return this.#list(schema, name, depth + 1);
    if (type === 'integer') return fc.integer(rangeOf(schema));
    if (type === 'number') return fc.constantFrom(0.01, 0.5, 1);
    return type === 'boolean' ? fc.boolean() : text(schema, name);
  }

  #object({ properties, required = [], additionalProperties }: Schema, depth: number): fc.Arbitrary<unknown> {
    if (typeof additionalProperties === 'object' && additionalProperties !== null) {
      const keys = fc.constantFrom(...(this.#known[depth === 2 ? 'accountId' : 'asset'] ?? ['x']), 'BTC', 'EUR');
      const member = this.valid(additionalProperties as Schema, 'amount', depth);
      return fc.dictionary(keys, member, { maxKeys: 3, noNullPrototype: true });
    }
    const members = Object.entries((properties ?? {}) as Readonly<Record<string, Schema>>);
    const needed = required as readonly string[];
    // What may be left out mostly is, so that what is there fits together now and then.
    const drawn = members.map(([name, schema]): [string, fc.Arbitrary<unknown>] => {
      const arbitrary = this.valid(schema, name, depth);
      const absent = { weight: USUAL.includes(name) ? 1 : 8, arbitrary: fc.constant(undefined) };
      return [name, needed.includes(name) ? arbitrary : fc.oneof({ weight: 4, arbitrary }, absent)];
    });
    return fc.record(Object.fromEntries(drawn), { noNullPrototype: true }).map(withoutAbsent);
  }

  #list(
    { items, minItems = 0, maxItems = 3, uniqueItems }: Schema,
    name: string,
    depth: number,
  ): fc.Arbitrary<unknown> {
    const [minLength, most] = [Number(minItems), depth > MAX_DEPTH ? 1 : 3];
    const bounds = { minLength, maxLength: Math.max(minLength, Math.min(Number(maxItems), most)) };
    const item = this.valid(items as Schema, SINGULAR[name] ?? name, depth);
    return uniqueItems === true ? fc.uniqueArray(item, bounds) : fc.array(item, bounds);
  }
}

const SINGULAR: Readonly<Record<string, string>> = { freezeIds: 'freezeId', accountIds: 'accountId', assets: 'asset' };

function withoutAbsent(value: object): object {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined));
}

function rangeOf({ minimum = 0, maximum = 1_000_000 }: Schema): { min: number; max: number } {
  return { min: Number(minimum), max: Number(maximum) };
}

function text({ pattern, format, minLength = 0, maxLength = 200 }: Schema, name: string): fc.Arbitrary<unknown> {
  if (name === 'amount') return fc.constantFrom(...AMOUNTS);
  if (format === 'uuid') return fc.uuid();
  if (format === 'date') return fc.constantFrom('2022-04-05', '2024-02-29', '1999-12-31');
  if (format === 'date-time') return fc.constantFrom(...TIMES);
  if (typeof pattern === 'string') return fc.stringMatching(new RegExp(pattern));
  const least = Number(minLength);
  return fc.oneof(
    fc.constantFrom('a', 'why not', 'x-1'),
    anyText.map((drawn) => drawn.slice(0, Number(maxLength)).padEnd(least, 'x')),
  );
}

/** What no field takes, or hardly any. */
export const hostileValue: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    true,
    0,
    -1,
    1e308,
    0.1,
    '',
    ' ',
    '\u0000',
    '\ud800',
    '\u202e',
    '../../etc/passwd',
    "'; DROP TABLE events; --",
    '${7*7}',
    '<script>alert(1)</script>',
    '%00',
    '1e9',
    '-1',
    '+1',
    '00',
    '0x10',
    '9'.repeat(400),
    'x'.repeat(70_000),
    '2022-02-30T00:00:00Z',
    '0000-01-01T00:00:00Z',
    '2022-02-15T00:00:00+25:00',
    [],
    {},
    [[[[[]]]]],
    { toString: 1 },
    { length: 1e9 },
  ),
  anyText,
  fc.jsonValue({ maxDepth: 3 }),
);

type Change = (value: unknown) => unknown;
const ODD_NAMES = [
  '__proto__',
  'constructor',
  'toString',
  'extra',
  'frozen',
  'state',
  'verifiedBy',
  '',
  'roles',
  'kind',
];

/** One thing that can be wrong with a value; `undefined` leaves it out. */
const wrong: fc.Arbitrary<Change> = fc.oneof(
  fc.constantFrom<Change>(
    () => undefined,
    (value) => [value],
    (value) => ({ value }),
    (value) => String(value),
    (value) => (typeof value === 'string' ? Number(value) || value.repeat(40) : value),
    (value) => (typeof value === 'string' ? value.slice(0, -1) : value),
    (value) => (typeof value === 'string' ? ` ${value}` : value),
    (value) => (typeof value === 'string' ? value.toUpperCase() : value),
    (value) => (Array.isArray(value) ? Array.from({ length: 1_001 }, () => (value as unknown[])[0]) : value),
    (value) => (Array.isArray(value) ? [...(value as unknown[]), ...(value as unknown[])] : value),
  ),
  hostileValue.map(
    (value): Change =>
      () =>
        value,
  ),
  fc.tuple(fc.constantFrom(...ODD_NAMES), hostileValue).map(([name, member]): Change => {
    return (value) => (isObject(value) ? withMember(value, name, member) : member);
  }),
);

/** Not by assignment: `__proto__` has to become a member like any other. */
function withMember(value: object, name: string, member: unknown): object {
  return Object.fromEntries([...Object.entries(value), [name, member]]);
}

/** @param place counts the value itself, and all that is in it, one by one */
function changedAt(value: unknown, place: number, change: Change): unknown {
  const target = place % sizeOf(value);
  let at = -1;
  const visit = (within: unknown): unknown => {
    at += 1;
    if (at === target) return change(within);
    if (Array.isArray(within)) return within.map(visit);
    if (!isObject(within)) return within;
    return withoutAbsent(Object.fromEntries(Object.entries(within).map(([name, member]) => [name, visit(member)])));
  };
  return visit(value);
}

function sizeOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 1;
  return Object.values(value).reduce<number>((sum, member) => sum + sizeOf(member), 1);
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
