interface Terminal {
  readonly isTTY?: boolean | undefined;
  write(text: string): unknown;
}

/** Between two lines of progress: on a terminal each replaces the last, in a log they stay. */
const TERMINAL_MS = 500;
const LOG_MS = 10_000;

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
    if (nowMs - this.#toldMs < (this.#output.isTTY === true ? TERMINAL_MS : LOG_MS)) return;
    this.#toldMs = nowMs;
    const line = `${this.#label}: ${progressText(done, total, (nowMs - this.#startedMs) / 1000, unit)}`;
    this.#output.write(this.#output.isTTY === true ? `\r\u001b[K${line}` : `${line}\n`);
  }

  /** Clears the line, where it is one that is replaced. */
  end(): void {
    if (this.#output.isTTY === true) this.#output.write('\r\u001b[K');
  }
}

/** E.g. `1,200,000 of 5,000,000 events (24%), 100,000/s, 38 s left`. */
export function progressText(done: number, total: number, seconds: number, unit: string): string {
  const rate = seconds > 0 ? done / seconds : 0;
  const part = total > 0 ? Math.min(100, Math.floor((100 * done) / total)) : 100;
  const left = rate > 0 ? `, ${durationText(Math.max(0, total - done) / rate)} left` : '';
  return `${count(done)} of ${count(total)} ${unit} (${String(part)}%), ${count(Math.round(rate))}/s${left}`;
}

function durationText(seconds: number): string {
  return seconds < 120 ? `${String(Math.ceil(seconds))} s` : `${String(Math.ceil(seconds / 60))} min`;
}

function count(value: number): string {
  return value.toLocaleString('en');
}
