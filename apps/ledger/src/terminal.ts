/** Where a command writes to. */
export interface Output {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: Terminal;
}

interface Terminal {
  readonly isTTY?: boolean | undefined;
  write(text: string): unknown;
}

/** Between two lines of progress: on a terminal each replaces the last, in a log they stay. */
const TERMINAL_MS = 500;
const LOG_MS = 10_000;
const BAR_WIDTH = 24;

/** Tells how far a long work has come, how fast it is, and how long it will still take. */
export class Progress {
  readonly #output: Terminal;
  readonly #label: string;
  readonly #now: () => number;
  readonly #startedMs: number;
  #toldMs: number;

  /** @param label what is done, e.g. `verifying` */
  constructor(output: Terminal, label: string, now: () => number = () => performance.now()) {
    this.#output = output;
    this.#label = label;
    this.#now = now;
    this.#startedMs = this.#now();
    this.#toldMs = this.#startedMs;
  }

  /** Says it, unless that was done a moment ago. @param unit of what is counted, e.g. `events` */
  at(done: number, total: number, unit: string): void {
    const nowMs = this.#now();
    const isTerminal = this.#output.isTTY === true;
    if (nowMs - this.#toldMs < (isTerminal ? TERMINAL_MS : LOG_MS)) return;
    this.#toldMs = nowMs;
    const text = progressText(done, total, (nowMs - this.#startedMs) / 1_000, unit);
    this.#output.write(
      isTerminal ? `\r\u001b[K${this.#label} ${bar(done, total)} ${text}` : `${this.#label}: ${text}\n`,
    );
  }

  /** Clears the line, where it is one that is replaced. @returns seconds since the beginning */
  end(): number {
    if (this.#output.isTTY === true) this.#output.write('\r\u001b[K');
    return (this.#now() - this.#startedMs) / 1_000;
  }
}

/** E.g. `1,200,000 of 5,000,000 events (24%), 100,000/s, 38 s left`. */
export function progressText(done: number, total: number, seconds: number, unit: string): string {
  const rate = seconds > 0 ? done / seconds : 0;
  const left = rate > 0 ? `, ${durationText(Math.max(0, total - done) / rate)} left` : '';
  const percent = String(Math.floor(100 * partOf(done, total)));
  return `${grouped(done)} of ${grouped(total)} ${unit} (${percent}%), ${grouped(Math.round(rate))}/s${left}`;
}

/** A whole number with its thousands set apart. */
export function grouped(count: number): string {
  return count.toLocaleString('en');
}

/** So many of something, whose plural has an s. */
export function counted(count: number, what: string): string {
  return `${grouped(count)} ${what}${count === 1 ? '' : 's'}`;
}

function durationText(seconds: number): string {
  return seconds < 120 ? `${String(Math.ceil(seconds))} s` : `${String(Math.ceil(seconds / 60))} min`;
}

function bar(done: number, total: number): string {
  const full = Math.round(partOf(done, total) * BAR_WIDTH);
  return `[${'#'.repeat(full)}${'.'.repeat(BAR_WIDTH - full)}]`;
}

function partOf(done: number, total: number): number {
  return total > 0 ? Math.min(1, done / total) : 1;
}
