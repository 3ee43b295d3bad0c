import { MAX_CLOCK_LAG_MS, type LedgerCommands, type Outcome, type OutcomeOfAll } from '#command-handling';
import { systemClock, toMs, type Clock, type Timestamp } from '#kernel';
import type { Logger } from 'pino';

/** For how long a clock that was found behind counts as unreliable. */
const UNRELIABLE_MS = 10_000;
const LOOK_MS = 1_000;

export interface ClockWatchOptions {
  readonly logger: Pick<Logger, 'error' | 'info'>;
  readonly clock?: Clock;
  /** Time that never goes back, in milliseconds. */
  readonly now?: () => number;
}

/**
 * Remembers the latest time that was recorded, and when the clock was last found behind it, or a command or a step put off for
 * that. On a stream without recent events nothing is put off, however far behind the clock is: so it has to be seen here.
 */
export class ClockWatch {
  readonly #logger: Pick<Logger, 'error' | 'info'>;
  readonly #clock: Clock;
  readonly #now: () => number;
  #latestMs = 0;
  #foundBehindAtMs: number | undefined;
  /** Whether it was told that the clock is behind, and not yet that this is over. */
  #isTold = false;

  constructor({ logger, clock = systemClock, now = () => performance.now() }: ClockWatchOptions) {
    this.#logger = logger;
    this.#clock = clock;
    this.#now = now;
  }

  /** Only for a while after it was found: a log that a clock was ahead of for a moment must not keep the service away for hours. */
  problem(): string | undefined {
    const foundAt = this.#foundBehindAtMs;
    if (foundAt === undefined || this.#now() - foundAt > UNRELIABLE_MS) return undefined;
    return 'The clock is behind what is recorded already.';
  }

  /** Takes note of when an event was recorded. */
  recorded(at: Timestamp | undefined): void {
    const atMs = at === undefined ? NaN : toMs(at);
    if (atMs > this.#latestMs) this.#latestMs = atMs;
    this.look();
  }

  /** By how much the clock is behind the latest time that was recorded; 0 when it is not. */
  behindSeconds(): number {
    return Math.max(0, this.#latestMs - this.#clock.now()) / 1000;
  }

  /** A command or a step was put off. */
  foundBehind(): void {
    this.#foundBehindAtMs = this.#now();
  }

  /** Tells once that the clock is too far behind, and once that it is behind no more. */
  look(): void {
    const behindSeconds = this.behindSeconds();
    if (!this.#isTold && behindSeconds * 1000 > MAX_CLOCK_LAG_MS) {
      this.#isTold = true;
      this.foundBehind();
      this.#logger.error(
        { behindSeconds },
        'the clock is behind what is recorded: it was set back, or it ran ahead before',
      );
    } else if (this.#isTold && behindSeconds === 0) {
      this.#isTold = false;
      this.#logger.info('the clock is not behind what is recorded any more');
    }
  }

  /** Looks every second. @returns what ends it */
  start(): () => void {
    const timer = setInterval(() => this.look(), LOOK_MS).unref();
    return () => clearInterval(timer);
  }

  /** The same core, watched. */
  watching(ledger: LedgerCommands): LedgerCommands {
    return {
      execute: (request) => this.#noting(ledger.execute(request)),
      freezeAllNamed: (request) => this.#noting(ledger.freezeAllNamed(request)),
      asset: (code) => ledger.asset(code),
      stateAsOf: (kind, stream, revision) => ledger.stateAsOf(kind, stream, revision),
      eventAt: (pointer) => ledger.eventAt(pointer),
    };
  }

  /** Of a freeze of all that a basis names the parts are looked at too. */
  async #noting<Answer extends Outcome | OutcomeOfAll>(running: Promise<Answer>): Promise<Answer> {
    const answer = await running;
    const outcomes = answer.status === 'answered' ? answer.parts.map(({ outcome }) => outcome) : [answer];
    if (outcomes.some((each) => each.status === 'rejected' && each.rejection.code === 'clock-unreliable')) {
      this.foundBehind();
    }
    return answer;
  }
}
