import { StoreError } from '#event-store';

/** Lets so many work at once; others wait for their turn, up to a bound. */
export class Turns {
  readonly #atOnce: number;
  readonly #most: number;
  readonly #queue: (() => void)[] = [];
  #working = 0;

  constructor(atOnce: number, most: number) {
    this.#atOnce = atOnce;
    this.#most = most;
  }

  get waiting(): number {
    return this.#working + this.#queue.length;
  }

  /** @throws StoreError `store-unavailable` when too many wait */
  async run<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.waiting >= this.#most)
      throw new StoreError('store-unavailable', 'too many reads wait for the event store');
    if (this.#working < this.#atOnce) this.#working += 1;
    else await new Promise<void>((resolve) => this.#queue.push(resolve));
    try {
      return await work();
    } finally {
      const next = this.#queue.shift();
      if (next === undefined) this.#working -= 1;
      else next();
    }
  }
}
