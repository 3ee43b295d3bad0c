/** What stands at a dotted path of a JSON value; undefined where the path leads nowhere. */
export function valueAt(value: unknown, path: string): unknown {
  return path.split('.').reduce<unknown>((within, name) => {
    if (typeof within !== 'object' || within === null || !Object.hasOwn(within, name)) return undefined;
    return (within as Readonly<Record<string, unknown>>)[name];
  }, value);
}

/** @throws Error when there is no text */
export function textAt(value: unknown, path: string): string {
  const found = valueAt(value, path);
  if (typeof found === 'string') return found;
  throw new Error(`there is no text at ${path} of ${JSON.stringify(value)}`);
}

/** @throws Error when there is no list */
export function listAt(value: unknown, path: string): readonly unknown[] {
  const found = valueAt(value, path);
  if (Array.isArray(found)) return found as readonly unknown[];
  throw new Error(`there is no list at ${path} of ${JSON.stringify(value)}`);
}

/** A copy of a JSON value with another value at a dotted path; `undefined` leaves the member out. */
export function withValueAt(value: unknown, path: string, replacement: unknown): unknown {
  if (path === '') return replacement;
  const [name = '', ...rest] = path.split('.');
  if (Array.isArray(value)) {
    return value.map((item: unknown, index) => (String(index) === name ? replaced(item, rest, replacement) : item));
  }
  const members = Object.entries(value as object).map(([key, member]: [string, unknown]) =>
    key === name ? [key, replaced(member, rest, replacement)] : [key, member],
  );
  return Object.fromEntries(members) as unknown;
}

function replaced(value: unknown, path: readonly string[], replacement: unknown): unknown {
  return path.length === 0 ? replacement : withValueAt(value, path.join('.'), replacement);
}

/** The dotted paths of everything within a JSON value, by what it is; `''` is the whole. */
export interface Paths {
  readonly objects: readonly string[];
  readonly lists: readonly string[];
  readonly leaves: readonly string[];
}

export function pathsOf(value: unknown): Paths {
  const [objects, lists, leaves]: [string[], string[], string[]] = [[], [], []];
  const visit = (within: unknown, path: string): void => {
    if (typeof within !== 'object' || within === null) {
      leaves.push(path);
      return;
    }
    (Array.isArray(within) ? lists : objects).push(path);
    for (const [name, member] of Object.entries(within) as [string, unknown][]) visit(member, joined(path, name));
  };
  visit(value, '');
  return { objects, lists, leaves };
}

/** A JSON text in which the object at a dotted path has one more member, of whatever name. */
export function textWithMember(value: unknown, path: string, name: string): string {
  const asText = (within: unknown, at: string): string => {
    if (Array.isArray(within)) {
      return `[${within.map((item, index) => asText(item, joined(at, String(index)))).join(',')}]`;
    }
    if (typeof within !== 'object' || within === null) return JSON.stringify(within);
    const members = Object.entries(within).map(
      ([key, member]: [string, unknown]) => `${JSON.stringify(key)}:${asText(member, joined(at, key))}`,
    );
    return `{${[...members, ...(at === path ? [`${JSON.stringify(name)}:1`] : [])].join(',')}}`;
  };
  return asText(value, '');
}

function joined(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`;
}

/** JSON with the members of each object in the order of their names' UTF-16 units, and no blanks (RFC 8785). */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value as Readonly<Record<string, unknown>>)
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, member]) => `${JSON.stringify(name)}:${canonical(member)}`);
  return `{${members.join(',')}}`;
}
