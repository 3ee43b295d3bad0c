/** What a value of this type has that `encodeValue` can't write: `never` when there is nothing. For checks at compile time. */
export type Unencodable<Value> = Value extends string | number | boolean | bigint | null | undefined
  ? never
  : Value extends ReadonlyMap<infer Key, infer Item>
    ? Unencodable<Key> | Unencodable<Item>
    : Value extends readonly (infer Item)[]
      ? Unencodable<Item>
      : Value extends (...args: never[]) => unknown
        ? Value
        : Value extends object
          ? { [Name in keyof Value]-?: Unencodable<Value[Name]> }[keyof Value]
          : Value;

/** Whatever JSON does not know is an object with this one member, which names what it is. */
const TAG = '$';

/**
 * JSON text of plain objects, arrays, maps, bigints, strings, numbers, booleans, null and undefined, all of it as it is, in
 * its order: `decodeValue` gives an equal value. Nothing can be left out, because nothing is named here.
 * @throws TypeError for anything else
 */
export function encodeValue(value: unknown): string {
  return JSON.stringify(toJson(value));
}

/** @param text of `encodeValue`, unharmed: it is not checked */
export function decodeValue(text: string): unknown {
  return fromJson(JSON.parse(text));
}

function toJson(value: unknown): unknown {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value;
    case 'number':
      if (!Number.isFinite(value) || Object.is(value, -0)) throw new TypeError(`${value} can't be encoded`);
      return value;
    case 'bigint':
      return { [TAG]: 'bigint', value: String(value) };
    case 'undefined':
      return { [TAG]: 'undefined' };
    case 'object':
      return value === null ? null : objectToJson(value);
    default:
      throw new TypeError(`a ${typeof value} can't be encoded`);
  }
}

function objectToJson(value: object): unknown {
  if (Array.isArray(value)) return value.map(toJson);
  if (value instanceof Map) return { [TAG]: 'map', entries: pairsToJson(value) };
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype) throw new TypeError('an object of a class can not be encoded');
  if (Object.hasOwn(value, TAG)) return { [TAG]: 'object', entries: pairsToJson(Object.entries(value)) };
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, toJson(item)]));
}

function pairsToJson(pairs: Iterable<[unknown, unknown]>): unknown {
  return Array.from(pairs, ([key, item]) => [toJson(key), toJson(item)]);
}

function fromJson(json: unknown): unknown {
  if (typeof json !== 'object' || json === null) return json;
  if (Array.isArray(json)) return json.map(fromJson);
  if (Object.hasOwn(json, TAG)) return untagged(json as Tagged);
  return Object.fromEntries(Object.entries(json).map(([name, item]) => [name, fromJson(item)]));
}

type Tagged =
  | { readonly $: 'bigint'; readonly value: string }
  | { readonly $: 'undefined' }
  | { readonly $: 'map' | 'object'; readonly entries: readonly (readonly [unknown, unknown])[] };

function untagged(json: Tagged): unknown {
  switch (json.$) {
    case 'bigint':
      return BigInt(json.value);
    case 'undefined':
      return undefined;
    case 'map':
      return new Map(json.entries.map(([key, item]) => [fromJson(key), fromJson(item)]));
    case 'object':
      return Object.fromEntries(json.entries.map(([key, item]) => [fromJson(key), fromJson(item)]));
  }
}
