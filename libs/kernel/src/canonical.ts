import { hash } from 'node:crypto';

/**
 * JSON in the one form of RFC 8785: equal values give equal bytes. Members that are undefined are left out.
 * @throws TypeError for what is no JSON value: NaN, infinities, lone surrogates, functions, undefined itself
 */
export function canonicalJson(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return quoted(value);
    case 'number':
      if (!Number.isFinite(value)) throw new TypeError(`${value} is no JSON number`);
      // RFC 8785 writes numbers as ECMAScript does.
      return String(value);
    case 'boolean':
      return value ? 'true' : 'false';
    case 'object':
      if (value === null) return 'null';
      return Array.isArray(value) ? arrayText(value) : objectText(value as Readonly<Record<string, unknown>>);
    default:
      throw new TypeError(`a value of type ${typeof value} is not JSON`);
  }
}

/** Whatever may have to be escaped, and lone surrogates (a pair is one character here). */
const SPECIAL = /["\\\p{Cc}\p{Cs}]/u;

function quoted(text: string): string {
  if (!SPECIAL.test(text)) return `"${text}"`;
  if (!text.isWellFormed()) throw new TypeError('a lone surrogate is not JSON');
  return JSON.stringify(text);
}

function arrayText(items: readonly unknown[]): string {
  let text = '[';
  for (const item of items) {
    if (text.length > 1) text += ',';
    text += canonicalJson(item);
  }
  return `${text}]`;
}

/** Members in the order of their names' UTF-16 code units, which is how JavaScript compares strings. */
function objectText(object: Readonly<Record<string, unknown>>): string {
  const names = Object.keys(object);
  if (!areInOrder(names)) names.sort();
  let text = '{';
  for (const name of names) {
    const value = object[name];
    if (value === undefined) continue;
    if (text.length > 1) text += ',';
    text += `${quoted(name)}:${canonicalJson(value)}`;
  }
  return `${text}}`;
}

/** Most objects are made with their members in order: to see that is cheaper than to sort them. */
function areInOrder(names: readonly string[]): boolean {
  for (let at = 1; at < names.length; at += 1) {
    if ((names[at - 1] ?? '') > (names[at] ?? '')) return false;
  }
  return true;
}

/** SHA-256 of a text's UTF-8 bytes, as 64 lower-case hexadecimal digits. */
export function sha256Hex(text: string): string {
  return hash('sha256', text, 'hex');
}
