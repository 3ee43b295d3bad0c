import type { Recorded } from '#kernel';
import type { HomeStreamIndex, IndexEntry } from './home-stream-index.ts';
import { indexEntries, type NameKind } from './index-entries.ts';
import type { LedgerEvent } from './judged.ts';

/** The part of the index that knows names. */
export type NamesIndex = Pick<HomeStreamIndex, 'indexedRevision' | 'lookup'>;

export interface NamesOptions {
  /** Where names are found that were forgotten. Without it none ever is. */
  readonly index?: NamesIndex | undefined;
  /** Names kept before the index is relied on, as of now. */
  readonly most?: number | (() => number);
  /** The kinds that are asked for. Default: all. */
  readonly only?: ReadonlySet<NameKind>;
}

/**
 * Kinds that no check keeps from being used a second time by what was forced in: the first use is the one that counts, and
 * it may be among those that were left to the index. Of a withdrawal the latest state counts, and of others there is one use.
 */
const REUSABLE: ReadonlySet<NameKind> = new Set(['key', 'deposit']);

interface Name extends IndexEntry {
  /** Revision of the last event that renewed it. */
  readonly latest: number;
}

/** Names as a snapshot keeps them: those that the index had not taken in. */
export interface RememberedNames {
  /** The index knows those of revisions up to here, or -1 when none are left to it. */
  readonly leftToIndexUpTo: number;
  readonly names: Readonly<Record<NameKind, ReadonlyMap<string, Name>>>;
}

/**
 * The names (keys, ids of deposits, of withdrawals, …) of a stream's events up to where it was folded. Beyond a bound they
 * are left to the index, and only up to the revision that it has taken in (ARCHITECTURE, "Idempotent for good").
 */
export class StreamNames {
  readonly #stream: string;
  readonly #options: NamesOptions;
  readonly #names: Readonly<Record<NameKind, Map<string, Name>>> = noNames();
  /** How many there are of all kinds. */
  #size = 0;
  /** Names of revisions up to here may be missing from `#names`: the index knows them. */
  #forgottenUpTo = -1;
  /** Forgetting is tried again when there are more than this: the index is not asked at every event. */
  #triedAt = 0;

  constructor(stream: string, options: NamesOptions = {}) {
    this.#stream = stream;
    this.#options = options;
  }

  /** How many are in memory. */
  get size(): number {
    return this.#size;
  }

  /**
   * Finds a name of this stream, however old. The index may tell of events beyond those folded.
   * @throws RejectionError `read-model-behind` while an index that is needed is being built
   */
  lookup(kind: NameKind, id: string): IndexEntry | undefined {
    const known = this.#names[kind].get(id);
    if (this.#forgottenUpTo < 0 || (known !== undefined && !REUSABLE.has(kind))) return known;
    return this.#options.index?.lookup(this.#stream, kind, id) ?? known;
  }

  note(event: Recorded<LedgerEvent>): void {
    const latest = event.revision;
    const { only } = this.#options;
    for (const { kind, id, value } of indexEntries(event, only?.has('key') !== false)) {
      if (only?.has(kind) === false) continue;
      const names = this.#names[kind];
      const known = names.get(id);
      // The first use of a name is the one that counts; a withdrawal's latest state replaces the one before.
      if (known === undefined) {
        names.set(id, { revision: latest, value, latest });
        this.#size += 1;
      } else if (kind === 'withdrawal') names.set(id, { revision: known.revision, value, latest });
    }
  }

  /** Leaves to the index what it knows, when there is too much. Only once all that was read is noted. */
  forget(): void {
    const { index } = this.#options;
    const { most: given = Infinity } = this.#options;
    const most = typeof given === 'number' ? given : given();
    if (index === undefined || this.#size <= most || this.#size <= this.#triedAt) return;
    const indexed = index.indexedRevision(this.#stream);
    if (indexed > this.#forgottenUpTo) {
      for (const names of Object.values(this.#names)) this.#dropUpTo(indexed, names);
      this.#forgottenUpTo = indexed;
    }
    this.#triedAt = this.#size + most / 4;
  }

  /** What is to be remembered when the index need not be told again. Undefined when that is more than `most` names. */
  remembered(most: number): RememberedNames | undefined {
    const leftToIndexUpTo = Math.max(this.#forgottenUpTo, this.#options.index?.indexedRevision(this.#stream) ?? -1);
    const remembered = noNames();
    let size = 0;
    for (const [kind, names] of Object.entries(this.#names)) {
      for (const [id, name] of names) {
        if (name.latest <= leftToIndexUpTo) continue;
        if (size === most) return undefined;
        remembered[kind as NameKind].set(id, name);
        size += 1;
      }
    }
    return { leftToIndexUpTo, names: remembered };
  }

  /** Goes on from what another fold of this stream remembered. Only before anything is noted. */
  restore({ leftToIndexUpTo, names }: RememberedNames): void {
    for (const [kind, remembered] of Object.entries(names)) {
      for (const [id, name] of remembered) this.#names[kind as NameKind].set(id, name);
      this.#size += remembered.size;
    }
    this.#forgottenUpTo = leftToIndexUpTo;
  }

  #dropUpTo(indexed: number, names: Map<string, Name>): void {
    for (const [id, { latest }] of names) {
      if (latest <= indexed && names.delete(id)) this.#size -= 1;
    }
  }
}

function noNames(): Record<NameKind, Map<string, Name>> {
  return {
    key: new Map(),
    deposit: new Map(),
    reversal: new Map(),
    withdrawal: new Map(),
    outgoing: new Map(),
    incoming: new Map(),
    returned: new Map(),
  };
}
