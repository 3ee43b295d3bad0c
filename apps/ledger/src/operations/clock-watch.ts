import type { LedgerCommands, Outcome, OutcomeOfAll } from '#command-handling';

/** For how long a clock that was found behind counts as unreliable. */
const UNRELIABLE_MS = 10_000;

/** Remembers when a command was last put off because the clock is behind what is recorded. */
export class ClockWatch {
  readonly #now: () => number;
  #foundBehindAtMs: number | undefined;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  problem(): string | undefined {
    const foundAt = this.#foundBehindAtMs;
    if (foundAt === undefined || this.#now() - foundAt > UNRELIABLE_MS) return undefined;
    return 'The clock is behind what is recorded already.';
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
      this.#foundBehindAtMs = this.#now();
    }
    return answer;
  }
}
