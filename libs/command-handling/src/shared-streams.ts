import type { Bound, Clock } from '#kernel';

/** For how long a stream to which another instance was seen to write is taken to be shared, in milliseconds. */
const SHARED_MS = 10_000;
const MAX_STREAMS = 10_000;

/**
 * The streams to which other instances write at this time. They are read before anything is decided on them: that costs less
 * than an append that comes too late, after which the stream is folded anew. It is a guess, and nothing rests on it.
 */
export class SharedStreams {
  readonly #clock: Clock;
  /** Until when; the one noted last comes last. */
  readonly #untilMs = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get bound(): Bound {
    return { what: 'shared-streams', most: MAX_STREAMS, inUse: () => this.#untilMs.size };
  }

  /** Another instance has written to the stream. */
  note(stream: string): void {
    this.#untilMs.delete(stream);
    this.#untilMs.set(stream, this.#clock.now() + SHARED_MS);
    const oldest = this.#untilMs.keys().next();
    if (this.#untilMs.size > MAX_STREAMS && oldest.done !== true) this.#untilMs.delete(oldest.value);
  }

  has(stream: string): boolean {
    const untilMs = this.#untilMs.get(stream);
    if (untilMs === undefined) return false;
    if (this.#clock.now() < untilMs) return true;
    this.#untilMs.delete(stream);
    return false;
  }
}
