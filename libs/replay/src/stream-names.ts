import type { Recorded } from '#kernel';
import type { HomeStreamIndex, IndexEntry } from './home-stream-index.ts';
import { contentEntry, keyEntry, type NamedEntry, type NameKind } from './index-entries.ts';
import type { LedgerEvent } from './judged.ts';

/** The part of the index that knows names. */
export type NamesIndex = Pick<HomeStreamIndex, 'indexedRevision' | 'lookup'>;

/** How many names there are of several streams. */
export interface NamesCount {
  names: number;
}

export interface NamesOptions {
  /** Where names are found that were forgotten. Without it none ever is. */
  readonly index?: NamesIndex | undefined;
  /** Names kept before the index is relied on. */
  readonly most?: number;
  /** Counts them together with those of other streams. */
  readonly count?: NamesCount;
  /**
   * Only names that a judgement can rest on are asked for, and of each only where it stands: for folds of what is stored,
   * where no other event can come to stand there.
   */
  readonly onlyCited?: boolean;
}

/**
 * Kinds that no check keeps from being used a second time by what was forced in: the first use is the one that counts, and
 * it may be among those that were left to the index. Of a withdrawal the latest state counts, and of others there is one use.
 */
const REUSABLE: ReadonlySet<NameKind> = new Set(['key', 'deposit']);
/** The kinds that a judgement can rest on: an account's own, and those that other accounts cite. */
const CITED: ReadonlySet<NameKind> = new Set(['deposit', 'reversal', 'outgoing', 'incoming', 'returned']);

/** A name with what it stands for. */
interface Valued extends Required<IndexEntry> {
  /** Revision of the last event that renewed it. */
  readonly latest: number;
}

/** What is kept of a name: with `onlyCited` the revision of the event that it stands for. There are very many. */
type Name = number | Valued;

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
  #count: NamesCount | undefined;
  /** A kind of which there is none takes no memory: there are many streams, and most have few kinds. */
  readonly #names: Partial<Record<NameKind, Map<string, Name> | undefined>> = {};
  /** How many there are of all kinds. */
  #size = 0;
  /** Names of revisions up to here may be missing from `#names`: the index knows them. */
  #forgottenUpTo = -1;
  /** Forgetting is tried again when there are more than this: the index is not asked at every event. */
  #triedAt = 0;

  constructor(stream: string, options: NamesOptions = {}) {
    this.#stream = stream;
    this.#options = options;
    this.#count = options.count;
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
    const known = entryOf(this.#names[kind]?.get(id));
    if (this.#forgottenUpTo < 0 || (known !== undefined && !REUSABLE.has(kind))) return known;
    return this.#options.index?.lookup(this.#stream, kind, id) ?? known;
  }

  note(event: Recorded<LedgerEvent>): void {
    const { onlyCited = false } = this.#options;
    const key = onlyCited ? undefined : keyEntry(event);
    const content = contentEntry(event);
    if (key !== undefined) this.#noteEntry(key, event.revision);
    if (content !== undefined && (!onlyCited || CITED.has(content.kind))) this.#noteEntry(content, event.revision);
  }

  #noteEntry({ kind, id, value }: NamedEntry, latest: number): void {
    const names = (this.#names[kind] ??= new Map<string, Name>());
    const known = names.get(id);
    // The first use of a name is the one that counts; a withdrawal's latest state replaces the one before.
    if (known === undefined) {
      names.set(id, this.#options.onlyCited === true ? latest : { revision: latest, value, latest });
      this.#grow(1);
    } else if (kind === 'withdrawal' && typeof known !== 'number') names.set(id, { ...known, value, latest });
  }

  /** Leaves to the index what it knows, when there is too much. Only once all that was read is noted. */
  forget(): void {
    const { most = Infinity } = this.#options;
    if (this.#size <= most || this.#size <= this.#triedAt) return;
    this.forgetAll();
    this.#triedAt = this.#size + most / 4;
  }

  /** Leaves to the index all that it knows. */
  forgetAll(): void {
    const { index } = this.#options;
    if (index === undefined || this.#size === 0) return;
    const indexed = index.indexedRevision(this.#stream);
    if (indexed < this.#forgottenUpTo) return;
    const size = this.#size;
    for (const [kind, names] of this.#kinds()) {
      this.#dropUpTo(indexed, names);
      if (names.size === 0) this.#names[kind] = undefined;
    }
    if (this.#size < size) this.#forgottenUpTo = indexed;
  }

  /** Counts no more with those of other streams. */
  uncount(): void {
    if (this.#count !== undefined) this.#count.names -= this.#size;
    this.#count = undefined;
  }

  /** What is to be remembered when the index need not be told again. Undefined when that is more than `most` names. */
  remembered(most: number): RememberedNames | undefined {
    const leftToIndexUpTo = Math.max(this.#forgottenUpTo, this.#options.index?.indexedRevision(this.#stream) ?? -1);
    const remembered = noNames();
    let size = 0;
    for (const [kind, names] of this.#kinds()) {
      for (const [id, name] of names) {
        if (latestUse(name) <= leftToIndexUpTo) continue;
        if (size === most) return undefined;
        remembered[kind].set(id, name);
        size += 1;
      }
    }
    return { leftToIndexUpTo, names: remembered };
  }

  /** Goes on from what another fold of this stream remembered. Only before anything is noted. */
  restore({ leftToIndexUpTo, names }: RememberedNames): void {
    for (const [kind, remembered] of Object.entries(names)) {
      if (remembered.size > 0) this.#names[kind as NameKind] = new Map(remembered);
      this.#grow(remembered.size);
    }
    this.#forgottenUpTo = leftToIndexUpTo;
  }

  #grow(by: number): void {
    this.#size += by;
    if (this.#count !== undefined) this.#count.names += by;
  }

  #kinds(): readonly (readonly [NameKind, Map<string, Name>])[] {
    return Object.entries(this.#names).flatMap(([kind, names]) =>
      names === undefined ? [] : [[kind as NameKind, names] as const],
    );
  }

  #dropUpTo(indexed: number, names: Map<string, Name>): void {
    for (const [id, name] of names) {
      if (latestUse(name) <= indexed && names.delete(id)) this.#grow(-1);
    }
  }
}

function entryOf(name: Name | undefined): IndexEntry | undefined {
  return typeof name === 'number' ? { revision: name } : name;
}

function latestUse(name: Name): number {
  return typeof name === 'number' ? name : name.latest;
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
