/** Where a command writes to. */
export interface Output {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown; readonly isTTY?: boolean | undefined };
}

/** On a terminal a line that is written over; elsewhere a line now and then. */
const REDRAWN_EVERY_MS = 200;
const LINE_EVERY_MS = 5_000;
const BAR_WIDTH = 24;

/** Shows on standard error how far a long piece of work has come: part, rate, and the time that is left. */
export class Progress {
  readonly #output: Output['stderr'];
  readonly #what: string;
  readonly #total: number;
  readonly #startMs = performance.now();
  #shownMs = performance.now();

  /** @param what is counted, in the plural */
  constructor(output: Output['stderr'], what: string, total: number) {
    this.#output = output;
    this.#what = what;
    this.#total = total;
  }

  /** Says how many are done; shown when it is time again. */
  at(done: number): void {
    const nowMs = performance.now();
    const isTerminal = this.#output.isTTY === true;
    if (nowMs - this.#shownMs < (isTerminal ? REDRAWN_EVERY_MS : LINE_EVERY_MS)) return;
    this.#shownMs = nowMs;
    const text = progressText(this.#what, done, this.#total, nowMs - this.#startMs);
    this.#output.write(isTerminal ? `\r\u001b[K${bar(done / this.#total)} ${text}` : `${text}\n`);
  }

  /** Clears the line. @returns seconds since the start */
  end(): number {
    if (this.#output.isTTY === true) this.#output.write('\r\u001b[K');
    return (performance.now() - this.#startMs) / 1_000;
  }
}

/** In words, e.g. `1,200,000 of 5,000,000 events (24%), 61,000/s, 1 min 2 s left`. */
export function progressText(what: string, done: number, total: number, elapsedMs: number): string {
  const rate = elapsedMs === 0 ? 0 : (done / elapsedMs) * 1_000;
  const percent = Math.floor((100 * done) / Math.max(1, total));
  const left = rate === 0 ? '' : `, ${durationText((total - done) / rate)} left`;
  return `${grouped(done)} of ${grouped(total)} ${what} (${percent}%), ${grouped(Math.round(rate))}/s${left}`;
}

export function grouped(count: number): string {
  return count.toLocaleString('en');
}

function durationText(seconds: number): string {
  const whole = Math.ceil(seconds);
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

function bar(part: number): string {
  const full = Math.round(Math.min(1, part) * BAR_WIDTH);
  return `[${'#'.repeat(full)}${'.'.repeat(BAR_WIDTH - full)}]`;
}
