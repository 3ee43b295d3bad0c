/** Tells the time in milliseconds since 1970 UTC. A port: domain code never reads a clock. */
export interface Clock {
  now(): number;
}

export const systemClock: Clock = { now: () => Date.now() };

/** A time as events record it: RFC 3339, UTC, milliseconds, e.g. `2022-02-15T12:00:00.000Z`. */
export type Timestamp = string;

const RFC3339_UTC = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(\.\d{1,9})?(Z|[+-]00:00)$/;

/** The last time that was written: many events have the same one. */
let lastMs = NaN;
let lastWritten: Timestamp = '';

export function toTimestamp(ms: number): Timestamp {
  if (ms !== lastMs) {
    lastWritten = new Date(ms).toISOString();
    lastMs = ms;
  }
  return lastWritten;
}

/** @returns milliseconds of a recorded timestamp; NaN for anything else. */
export function toMs(timestamp: Timestamp): number {
  return Date.parse(timestamp);
}

/**
 * Reads an RFC 3339 time in UTC and gives the recorded form (digits beyond the millisecond are cut off).
 * @returns undefined for anything else: other offsets, impossible dates, leap seconds, missing parts.
 */
export function parseTimestamp(text: string): Timestamp | undefined {
  const match = RFC3339_UTC.exec(text);
  if (match === null) return undefined;
  const [, year, month, day, hour, minute, second, fraction = ''] = match;
  const iso = `${String(year)}-${String(month)}-${String(day)}T${String(hour)}:${String(minute)}:${String(second)}`;
  const ms = Date.parse(`${iso}.${fraction.slice(1, 4).padEnd(3, '0')}Z`);
  if (Number.isNaN(ms)) return undefined;
  const recorded = toTimestamp(ms);
  return recorded.startsWith(iso) ? recorded : undefined;
}
