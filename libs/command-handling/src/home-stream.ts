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

interface Name extends IndexEntry {
  /** Revision of the last event that renewed it. */
  readonly latest: number;
}

/**
 * A stream in memory: its fold, and the names (keys, deposit and withdrawal ids) of its events. Names beyond a bound are
 * left to the index, which is trusted only up to the revision that it has taken in (ARCHITECTURE, "Idempotent for good").
 */
export class HomeStream {
  readonly fold: StreamFold;
  readonly #index: HomeStreamIndex;
  readonly #maxEntries: number;
  readonly #names: Readonly<Record<NamedEntry['kind'], Map<string, Name>>> = {
    key: new Map(),
    deposit: new Map(),
    withdrawal: new Map(),
  };
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

  /**
   * Folds an event that is about to be appended.
   * @returns what to wait for, where a citation has to be looked up
   * @throws Error when it is not legal: a bug, found before it is stored.
   */
  foldOwn(event: RecordedEvent): Promise<void> | undefined {
    const judged = this.fold.applyOwn(event);
    if (judged instanceof Promise) return judged.then((settled) => this.#noteOwn(event, settled));
    this.#noteOwn(event, judged);
    return undefined;
  }

  #noteOwn(event: RecordedEvent, judged: JudgedEvent): void {
    if (judged.violation !== undefined) {
      throw new Error(`${event.type} would be a violation on ${event.stream}: ${judged.violation.detail}`);
    }
    this.#note(judged);
    this.#forget();
  }

  /** Finds a name of this stream, however old. */
  lookup(kind: NamedEntry['kind'], id: string): IndexEntry | undefined {
    const known = this.#names[kind].get(id);
    if (known !== undefined || this.#forgottenUpTo < 0) return known;
    return this.#index.lookup(this.fold.stream, kind, id);
  }

  #note(judged: JudgedEvent): void {
    if (judged.event === undefined) return;
    const latest = judged.event.revision;
    for (const { kind, id, value } of indexEntries(judged.event)) {
      const names = this.#names[kind];
      const known = names.get(id);
      // The first use of a key is the one that counts; a withdrawal's latest state replaces the one before.
      if (known === undefined) names.set(id, { revision: latest, value, latest });
      else if (kind !== 'key') names.set(id, { revision: known.revision, value, latest });
    }
  }

  #forget(): void {
    const { key, deposit, withdrawal } = this.#names;
    if (key.size + deposit.size + withdrawal.size <= this.#maxEntries) return;
    const indexed = this.#index.indexedRevision(this.fold.stream);
    if (indexed <= this.#forgottenUpTo) return;
    for (const names of [key, deposit, withdrawal]) {
      for (const [id, entry] of names) if (entry.latest <= indexed) names.delete(id);
    }
    this.#forgottenUpTo = indexed;
  }
}
