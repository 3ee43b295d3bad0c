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

/** Whatever may have to be escaped: quotes, backslashes, and all that comes before the blank; and surrogates. */
const SPECIAL = /["\\]|[^ -\ud7ff\ue000-\uffff]/;

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
  const members = Object.keys(object);
  if (!areInOrder(members)) members.sort();
  let text = '{';
  for (const name of members) {
    const value = object[name];
    if (value === undefined) continue;
    if (text.length > 1) text += ',';
    text += nameText(name);
    text += canonicalJson(value);
  }
  return `${text}}`;
}

/** Members have few names: those seen first are kept as they are written. Some names are a caller's: hence the bounds. */
const MAX_NAMES = 1_000;
const MAX_NAME_LENGTH = 64;
const names = new Map<string, string>();

function nameText(name: string): string {
  let text = names.get(name);
  if (text === undefined) {
    text = `${quoted(name)}:`;
    if (names.size < MAX_NAMES && name.length <= MAX_NAME_LENGTH) names.set(name, text);
  }
  return text;
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
