/** Counts by times that grow by 5 % from one to the next: minutes of load in a few hundred numbers. */
const STEP = Math.log(1.05);
const SMALLEST_MS = 0.05;
const COUNTS = 400;

export interface Summary {
  readonly count: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/** How long things took. */
export class Latencies {
  readonly #counts = new Array<number>(COUNTS).fill(0);
  #count = 0;
  #maxMs = 0;

  add(ms: number): void {
    const at = Math.ceil(Math.log(Math.max(ms, SMALLEST_MS) / SMALLEST_MS) / STEP);
    const index = Math.min(at, COUNTS - 1);
    this.#counts[index] = (this.#counts[index] ?? 0) + 1;
    this.#count += 1;
    this.#maxMs = Math.max(this.#maxMs, ms);
  }

  summary(): Summary {
    return { count: this.#count, p50Ms: this.#quantileMs(0.5), p99Ms: this.#quantileMs(0.99), maxMs: this.#maxMs };
  }

  #quantileMs(share: number): number {
    let left = this.#count * share;
    for (const [index, count] of this.#counts.entries()) {
      left -= count;
      if (left <= 0 && this.#count > 0) return SMALLEST_MS * Math.exp(index * STEP);
    }
    return 0;
  }
}
