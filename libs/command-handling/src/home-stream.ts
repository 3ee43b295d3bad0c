import type { EventReader } from '#event-store';
import type { RecordedEvent } from '#kernel';
import {
  indexEntries,
  StreamFold,
  type CitationResolver,
  type HomeStreamIndex,
  type IndexEntry,
  type JudgedEvent,
  type NamedEntry,
} from '#replay';

/**
 * A stream in memory: its fold, and the names (keys, deposit and withdrawal ids) of its events. Names beyond a bound are
 * left to the index, which is trusted only up to the revision that it has taken in (ARCHITECTURE, "Idempotent for good").
 */
export class HomeStream {
  readonly fold: StreamFold;
  readonly #index: HomeStreamIndex;
  readonly #maxEntries: number;
  readonly #names = new Map<string, IndexEntry & { readonly latest: number }>();
  /** Names of revisions up to here may be missing from `#names`: the index knows them. */
  #forgottenUpTo = -1;

  constructor(stream: string, resolver: CitationResolver, index: HomeStreamIndex, maxEntries: number) {
    this.fold = new StreamFold(stream, resolver);
    this.#index = index;
    this.#maxEntries = maxEntries;
  }

  /** Folds all that the store has beyond what is known. @returns how many events were new */
  async catchUp(reader: EventReader): Promise<number> {
    const events = await reader.read(this.fold.stream, { from: this.fold.revision + 1 });
    for (const event of events) this.#note(await this.fold.apply(event));
    this.#forget();
    return events.length;
  }

  /** Folds an event that is about to be appended. @throws Error when it is not legal: a bug, found before it is stored. */
  async foldOwn(event: RecordedEvent): Promise<void> {
    const judged = this.fold.applyOwn(event);
    const settled = judged instanceof Promise ? await judged : judged;
    if (settled.violation !== undefined) {
      throw new Error(`${event.type} would be a violation on ${event.stream}: ${settled.violation.detail}`);
    }
    this.#note(settled);
    this.#forget();
  }

  /** Finds a name of this stream, however old. */
  lookup(kind: NamedEntry['kind'], id: string): IndexEntry | undefined {
    const known = this.#names.get(`${kind}\n${id}`);
    if (known !== undefined || this.#forgottenUpTo < 0) return known;
    return this.#index.lookup(this.fold.stream, kind, id);
  }

  #note(judged: JudgedEvent): void {
    if (judged.event === undefined) return;
    const latest = judged.event.revision;
    for (const { kind, id, value } of indexEntries(judged.event)) {
      const name = `${kind}\n${id}`;
      const known = this.#names.get(name);
      // The first use of a key is the one that counts; a withdrawal's latest state replaces the one before.
      if (known === undefined) this.#names.set(name, { revision: latest, value, latest });
      else if (kind !== 'key') this.#names.set(name, { revision: known.revision, value, latest });
    }
  }

  #forget(): void {
    if (this.#names.size <= this.#maxEntries) return;
    const indexed = this.#index.indexedRevision(this.fold.stream);
    if (indexed <= this.#forgottenUpTo) return;
    for (const [name, entry] of this.#names) if (entry.latest <= indexed) this.#names.delete(name);
    this.#forgottenUpTo = indexed;
  }
}
