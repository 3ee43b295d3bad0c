import { type ServedCounts } from './options.ts';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** What was served, for tests of how many calls a thing takes. */
export class Counts {
  readonly #counts: Mutable<ServedCounts> = none();

  add(what: keyof ServedCounts, by = 1): void {
    this.#counts[what] += by;
  }

  get served(): ServedCounts {
    return { ...this.#counts };
  }

  reset(): void {
    Object.assign(this.#counts, none());
  }
}

const none = (): Mutable<ServedCounts> => ({
  appends: 0,
  plainAppends: 0,
  storedAppends: 0,
  storedEvents: 0,
  replayedAppends: 0,
  wrongExpectedRevisions: 0,
  reads: 0,
  subscriptions: 0,
  deletes: 0,
});
