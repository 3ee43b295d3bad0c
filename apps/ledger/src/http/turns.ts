import type { Bound } from '#kernel';

export interface TurnsOptions {
  /** The name of the bound. */
  readonly what: string;
  /** So many are worked on at once. */
  readonly most: number;
  /** So many of them, and of those who are next, may be about one account, or of one caller. */
  readonly mostOfOne: number;
  /** Who waited for longer is not worked on: its sender may be gone by the time that it is answered. */
  readonly longestMs: number;
}

/** One that is worked on, or waits for it. */
export class Turn {
  /** The account that it is about, or the caller whose it is; undefined where it is of nobody's share. */
  readonly whose: string | undefined;
  /** Called when it is its turn; late when it waited for too long. */
  readonly begin: (isLate: boolean) => void;
  readonly sinceMs = performance.now();
  /** Where it waits; undefined before, and from its beginning on. */
  line: Set<Turn> | undefined;
  isOver = false;

  constructor(whose: string | undefined, begin: (isLate: boolean) => void) {
    this.whose = whose;
    this.begin = begin;
  }
}

/** What is under way or next of one account or caller, and what waits until one of these is over. */
interface OfOne {
  ahead: number;
  readonly behind: Set<Turn>;
}

/**
 * Works on few commands at once, in the order in which they came, whatever is let in: as many as keep the processor and
 * the disk busy. More side by side would all take longer, and what each of them has in memory for so long costs more time to
 * look through than the work itself. Of one account, or caller, no more than a share are worked on or next, so that the
 * others do not wait for it.
 */
export class Turns {
  readonly #options: TurnsOptions;
  readonly #line = new Set<Turn>();
  readonly #ofOne = new Map<string, OfOne>();
  #working = 0;
  #isHandingOut = false;

  constructor(options: TurnsOptions) {
    this.#options = options;
  }

  get bound(): Bound {
    return { what: this.#options.what, most: this.#options.most, inUse: () => this.#working };
  }

  /** Begins it when it is its turn, which may be at once. Once only. */
  take(turn: Turn): void {
    turn.line = this.#lineFor(turn.whose);
    turn.line.add(turn);
    if (turn.line === this.#line) this.#handOut();
  }

  /** Says that the work on one that was taken is done, or that nobody waits for it any more. More than once does nothing. */
  end(turn: Turn): void {
    if (turn.isOver) return;
    turn.isOver = true;
    turn.line?.delete(turn);
    const wasBehind = turn.line !== undefined && turn.line !== this.#line;
    if (turn.line === undefined) this.#working -= 1;
    if (!wasBehind && turn.whose !== undefined) this.#follow(turn.whose);
    this.#handOut();
  }

  /** Where the next one of an account or caller has to wait. */
  #lineFor(whose: string | undefined): Set<Turn> {
    if (whose === undefined) return this.#line;
    const known = this.#ofOne.get(whose);
    if (known === undefined) this.#ofOne.set(whose, { ahead: 1, behind: new Set() });
    else if (known.ahead >= this.#options.mostOfOne) return known.behind;
    else known.ahead += 1;
    return this.#line;
  }

  /** One of the account or caller is over: the first that waited behind it comes next, in its turn among all. */
  #follow(whose: string): void {
    const known = this.#ofOne.get(whose);
    if (known === undefined) return;
    const [next] = known.behind;
    if (next !== undefined) {
      known.behind.delete(next);
      this.#line.add(next);
      next.line = this.#line;
      return;
    }
    known.ahead -= 1;
    if (known.ahead === 0) this.#ofOne.delete(whose);
  }

  /** What begins may end before it returns: its place is handed on by whoever handed it out. */
  #handOut(): void {
    if (this.#isHandingOut) return;
    this.#isHandingOut = true;
    try {
      for (const turn of this.#line) {
        if (this.#working >= this.#options.most) return;
        this.#line.delete(turn);
        turn.line = undefined;
        this.#working += 1;
        turn.begin(performance.now() - turn.sinceMs > this.#options.longestMs);
      }
    } finally {
      this.#isHandingOut = false;
    }
  }
}
