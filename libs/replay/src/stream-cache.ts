import type { NamesCount, StreamNames } from './stream-names.ts';

export interface StreamCacheOptions<Kept> {
  /** Most streams. */
  readonly streams: number;
  /** Most names of all streams together; `Infinity` where no index would know those that are forgotten. */
  readonly names: number;
  readonly namesOf: (kept: Kept) => StreamNames;
}

/** From this share of the names on, streams are asked to leave theirs to the index. */
const CROWDED = 0.75;
/** So many at a time: whoever wants a stream waits for it. */
const ASKED_AT_ONCE = 16;
/** Found at one look through all of them, since that takes a while. */
const FOUND_AT_ONCE = 1_000;

/**
 * The streams that are kept in memory, folded: at most so many, with at most so many names in all. What is too much falls out
 * with the stream used longest ago, which is folded again when it is needed; before that streams give up names, one after the
 * other, that the index knows.
 */
export class StreamCache<Kept extends object> {
  /** To be given to the names of each stream that is put in. */
  readonly count: NamesCount = { names: 0 };
  readonly #options: StreamCacheOptions<Kept>;
  /** The one used last comes last. */
  readonly #kept = new Map<string, Kept>();
  /** Those to be asked next, the one used longest ago first. */
  #toAsk: string[] = [];

  constructor(options: StreamCacheOptions<Kept>) {
    this.#options = options;
  }

  get size(): number {
    return this.#kept.size;
  }

  /** Without using it. */
  peek(stream: string): Kept | undefined {
    return this.#kept.get(stream);
  }

  get(stream: string): Kept | undefined {
    const kept = this.#kept.get(stream);
    if (kept !== undefined) {
      this.#kept.delete(stream);
      this.#kept.set(stream, kept);
    }
    this.#makeRoom();
    return kept;
  }

  /** Takes the place of what was kept of this stream. */
  set(stream: string, kept: Kept): void {
    this.delete(stream);
    this.#kept.set(stream, kept);
    this.#makeRoom();
  }

  delete(stream: string): void {
    const kept = this.#kept.get(stream);
    if (kept === undefined) return;
    this.#kept.delete(stream);
    // Whoever uses it still may go on; it counts no more.
    this.#options.namesOf(kept).uncount();
  }

  #makeRoom(): void {
    const { streams, names } = this.#options;
    if (this.count.names > names * CROWDED) this.#leaveNames(names * CROWDED);
    // The one that is about to be used stays in any case.
    while (this.#kept.size > 1 && (this.#kept.size > streams || this.count.names > names)) this.#dropOldest();
  }

  #leaveNames(most: number): void {
    for (let asked = 0; asked < ASKED_AT_ONCE && this.count.names > most; asked += 1) {
      if (this.#toAsk.length === 0) this.#toAsk = this.#oldestWithNames().reverse();
      const kept = this.#kept.get(this.#toAsk.pop() ?? '');
      if (kept !== undefined) this.#options.namesOf(kept).forgetAll();
    }
  }

  #oldestWithNames(): string[] {
    const found: string[] = [];
    for (const [stream, kept] of this.#kept) {
      if (this.#options.namesOf(kept).size > 0 && found.push(stream) === FOUND_AT_ONCE) break;
    }
    return found;
  }

  #dropOldest(): void {
    const oldest = this.#kept.keys().next();
    if (oldest.done !== true) this.delete(oldest.value);
  }
}
