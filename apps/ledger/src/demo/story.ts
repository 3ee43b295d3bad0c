/** What was played, as it is printed and put on the page. Days are ISO dates. */

/** One thing that was done and checked. */
export interface Step {
  readonly number: number;
  readonly who: string;
  readonly what: string;
  readonly told: string;
  /** Stands in the events that were recorded for it, if any were. */
  readonly correlationId: string;
}

/** A day of history: what happened then, and what is done about it here. */
export interface Day {
  readonly on: string;
  readonly fact: string;
  readonly steps: Step[];
}

/** A freeze over the days of history. */
export interface Bar {
  readonly kind: 'bar';
  readonly label: string;
  readonly from: string;
  /** Absent while it is in force. */
  readonly to?: string | undefined;
  readonly told: string;
}

/** Something of one day that froze nothing. */
export interface Mark {
  readonly kind: 'mark';
  readonly label: string;
  readonly on: string;
  readonly told: string;
}

export interface Timeline {
  readonly from: string;
  readonly to: string;
  /** The days that are written under it. */
  readonly ticks: readonly string[];
  readonly rows: readonly (Bar | Mark)[];
}

export interface Table {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

export interface Act {
  readonly title: string;
  /** What is real in it, what is not, and from where. */
  readonly about: readonly string[];
  readonly days: Day[];
  readonly timelines: Timeline[];
  readonly tables: Table[];
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** `2022-02-05` as `5 Feb`. */
export function dayText(on: string): string {
  const [, month = '', day = ''] = on.split('-');
  return `${String(Number(day))} ${MONTHS[Number(month) - 1] ?? ''}`;
}

/** `2022-02-05` as `5 Feb 2022`. */
export function dateText(on: string): string {
  return `${dayText(on)} ${on.slice(0, 4)}`;
}

/** Where a day stands between two others: 0 for the first, 1 for the last; outside of them, at the nearer end. */
export function share(on: string, { from, to }: Pick<Timeline, 'from' | 'to'>): number {
  const whole = Date.parse(to) - Date.parse(from);
  return Math.min(1, Math.max(0, (Date.parse(on) - Date.parse(from)) / whole));
}
