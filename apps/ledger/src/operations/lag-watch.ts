import type { Position } from '#kernel';

/** Tells for how long the read models have been behind the log. */
export class LagWatch {
  readonly #now: () => number;
  #head: Position = '';
  #takenIn: Position = '';
  #behindSinceMs: number | undefined;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  appended(head: Position): void {
    if (head > this.#head) this.#head = head;
    if (this.#takenIn < this.#head) this.#behindSinceMs ??= this.#now();
  }

  takenIn(position: Position): void {
    this.#takenIn = position;
    // Still behind, but only since what was taken in just now.
    this.#behindSinceMs = position >= this.#head ? undefined : this.#now();
  }

  seconds(): number {
    return this.#behindSinceMs === undefined ? 0 : (this.#now() - this.#behindSinceMs) / 1000;
  }
}
