import recorded from './ofac-2022.json' with { type: 'json' };

/** One entry of one edition of the list. */
export interface ListedEntry {
  /** The edition, by its day. */
  readonly list: string;
  readonly uid: string;
  readonly name: string;
  readonly programmes: readonly string[];
  readonly listedOn?: string;
  /** As the list has them: the currency, a blank, the address. */
  readonly addresses?: readonly string[];
  readonly linkedTo?: string;
  readonly sameLineIn?: string;
  readonly absentFrom?: string;
  /** Of `line`. */
  readonly sha256: string;
  readonly line: string;
}

export type EntryName = keyof typeof recorded.entries;

export const ENTRIES: Readonly<Record<EntryName, ListedEntry>> = recorded.entries;
export const EDITIONS: readonly { readonly id: string; readonly version: string; readonly sha256: string }[] =
  recorded.lists;

/** The edition of a day. @throws Error when no fact comes from it */
export function edition(version: string): { readonly id: string; readonly version: string; readonly sha256: string } {
  const found = EDITIONS.find((each) => each.version === version);
  if (found === undefined) throw new Error(`no fact comes from a list of ${version}`);
  return { id: found.id, version: found.version, sha256: found.sha256 };
}

/** The first address that the list has of an entry, without its currency. @throws Error when it has none */
export function firstAddress(name: EntryName): string {
  const [first] = ENTRIES[name].addresses ?? [];
  if (first === undefined) throw new Error(`the list has no address of ${name}`);
  return first.replace(/^\w+ /, '');
}
