import type { Recorded } from '#kernel';
import type { HomeStreamIndex, IndexEntry } from './home-stream-index.ts';
import { indexEntries, type NameKind } from './index-entries.ts';
import type { LedgerEvent } from './judged.ts';

/** The part of the index that knows names. */
export type NamesIndex = Pick<HomeStreamIndex, 'indexedRevision' | 'lookup'>;

export interface NamesOptions {
  /** Where names are found that were forgotten. Without it none ever is. */
  readonly index?: NamesIndex | undefined;
  /** Names kept before the index is relied on. */
  readonly most?: number;
  /** The kinds that are asked for. Default: all. */
  readonly only?: ReadonlySet<NameKind>;
}

/**
 * The names (keys, ids of deposits, of withdrawals, …) of a stream's events up to where it was folded. Beyond a bound they
 * are left to the index, and only up to the revision that it has taken in (ARCHITECTURE, "Idempotent for good").
 */
export class StreamNames {
  readonly #stream: string;
  readonly #options: NamesOptions;
  readonly #names = new Map<string, IndexEntry & { readonly latest: number }>();
  /** Names of revisions up to here may be missing from `#names`: the index knows them. */
  #forgottenUpTo = -1;
  /** Forgetting is tried again when there are more than this: the index is not asked at every event. */
  #bound: number;

  constructor(stream: string, options: NamesOptions = {}) {
    this.#stream = stream;
    this.#options = options;
    this.#bound = options.most ?? Infinity;
  }

  /**
   * Finds a name of this stream, however old. The index may tell of events beyond those folded.
   * @throws RejectionError `read-model-behind` while an index that is needed is being built
   */
  lookup(kind: NameKind, id: string): IndexEntry | undefined {
    const known = this.#names.get(`${kind}\n${id}`);
    if (known !== undefined || this.#forgottenUpTo < 0) return known;
    return this.#options.index?.lookup(this.#stream, kind, id);
  }

  note(event: Recorded<LedgerEvent>): void {
    const latest = event.revision;
    for (const { kind, id, value } of indexEntries(event)) {
      if (this.#options.only?.has(kind) === false) continue;
      const name = `${kind}\n${id}`;
      const known = this.#names.get(name);
      // The first use of a name is the one that counts; a withdrawal's latest state replaces the one before.
      if (known === undefined) this.#names.set(name, { revision: latest, value, latest });
      else if (kind === 'withdrawal') this.#names.set(name, { revision: known.revision, value, latest });
    }
  }

  /** Leaves to the index what it knows, when there is too much. Only once all that was read is noted. */
  forget(): void {
    const { index, most = Infinity } = this.#options;
    if (index === undefined || this.#names.size <= this.#bound) return;
    const indexed = index.indexedRevision(this.#stream);
    if (indexed > this.#forgottenUpTo) {
      for (const [name, entry] of this.#names) if (entry.latest <= indexed) this.#names.delete(name);
      this.#forgottenUpTo = indexed;
    }
    this.#bound = Math.max(most, this.#names.size + most / 4);
  }
}
