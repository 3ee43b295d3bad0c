import type { Bound } from '#kernel';

/** Callers that are kept in mind at once; of more, those that were idle longest are forgotten, and begin anew. */
const MAX_CALLERS = 10_000;

interface Bucket {
  tokens: number;
  filledAtMs: number;
}

/** Lets each caller send so many requests a second, and as many at once after a pause. */
export class RateLimiter {
  readonly #perSecond: number;
  readonly #now: () => number;
  readonly #buckets = new Map<string, Bucket>();

  /** @param perSecond 0 for no limit */
  constructor(perSecond: number, now: () => number = () => performance.now()) {
    this.#perSecond = perSecond;
    this.#now = now;
  }

  get bound(): Bound {
    return { what: 'callers-remembered', most: MAX_CALLERS, inUse: () => this.#buckets.size };
  }

  /** @returns undefined when the request may go on, else the seconds after which the caller may ask again */
  take(caller: string): number | undefined {
    if (this.#perSecond === 0) return undefined;
    const now = this.#now();
    const bucket = this.#refilled(caller, now);
    if (bucket.tokens < 1) return Math.max(1, Math.ceil((1 - bucket.tokens) / this.#perSecond));
    bucket.tokens -= 1;
    return undefined;
  }

  #refilled(caller: string, now: number): Bucket {
    const known = this.#buckets.get(caller);
    // Moved to the end: the first of the map is always the one that was idle longest.
    this.#buckets.delete(caller);
    const bucket = known ?? { tokens: this.#perSecond, filledAtMs: now };
    bucket.tokens = Math.min(this.#perSecond, bucket.tokens + ((now - bucket.filledAtMs) / 1000) * this.#perSecond);
    bucket.filledAtMs = now;
    this.#buckets.set(caller, bucket);
    this.#forgetOldest();
    return bucket;
  }

  #forgetOldest(): void {
    if (this.#buckets.size <= MAX_CALLERS) return;
    const oldest = this.#buckets.keys().next();
    if (oldest.done !== true) this.#buckets.delete(oldest.value);
  }
}
