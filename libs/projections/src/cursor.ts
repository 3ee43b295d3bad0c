import { MalformedCursorError } from './queries-api.ts';

/** The key of a list's last item: where the next page begins. */
export type CursorKey = readonly (string | number)[];

/** Opaque, URL-safe text for a place in the list of this name. */
export function encodeCursor(list: string, key: CursorKey): string {
  return Buffer.from(JSON.stringify([list, ...key])).toString('base64url');
}

/**
 * @param shape an example of the key: as many parts, of the same types
 * @throws MalformedCursorError for whatever `encodeCursor` did not make for this list
 */
export function decodeCursor<Key extends CursorKey>(list: string, cursor: string, shape: Key): Key {
  const [name, ...key] = parseArray(Buffer.from(cursor, 'base64url').toString());
  const fits = key.length === shape.length && shape.every((part, index) => typeof part === typeof key[index]);
  if (name !== list || !fits || encodeCursor(list, key as CursorKey) !== cursor) throw new MalformedCursorError();
  return key as unknown as Key;
}

function parseArray(text: string): readonly unknown[] {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? value : [];
  } catch {
    return [];
  }
}
