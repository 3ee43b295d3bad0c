import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseTimestamp, systemClock, toMs, toTimestamp } from './index.ts';

const YEAR_9999_ENDS_MS = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

describe('parseTimestamp', () => {
  it.each([
    ['2022-02-15T12:00:00Z', '2022-02-15T12:00:00.000Z'],
    ['2022-02-15T12:00:00.5Z', '2022-02-15T12:00:00.500Z'],
    ['2022-02-15T12:00:00.123Z', '2022-02-15T12:00:00.123Z'],
    ['2022-02-15T12:00:00.123999999Z', '2022-02-15T12:00:00.123Z'],
    ['2022-02-15T12:00:00+00:00', '2022-02-15T12:00:00.000Z'],
    ['2022-02-15T12:00:00-00:00', '2022-02-15T12:00:00.000Z'],
    ['2024-02-29T23:59:59Z', '2024-02-29T23:59:59.000Z'],
    ['0001-01-01T00:00:00Z', '0001-01-01T00:00:00.000Z'],
  ])('reads %s', (text, recorded) => {
    expect(parseTimestamp(text)).toBe(recorded);
  });

  it.each([
    ['another offset', '2022-02-15T12:00:00+01:00'],
    ['no offset', '2022-02-15T12:00:00'],
    ['no time', '2022-02-15'],
    ['no seconds', '2022-02-15T12:00Z'],
    ['a day that there is not', '2022-02-30T12:00:00Z'],
    ['a leap day of a common year', '2022-02-29T12:00:00Z'],
    ['a month that there is not', '2022-13-01T12:00:00Z'],
    ['month 0', '2022-00-10T12:00:00Z'],
    ['hour 24', '2022-02-15T24:00:00Z'],
    ['minute 60', '2022-02-15T12:60:00Z'],
    ['a leap second', '2016-12-31T23:59:60Z'],
    ['ten decimals', '2022-02-15T12:00:00.1234567890Z'],
    ['a point without decimals', '2022-02-15T12:00:00.Z'],
    ['lower case', '2022-02-15t12:00:00z'],
    ['a space for T', '2022-02-15 12:00:00Z'],
    ['five digits of year', '12022-02-15T12:00:00Z'],
    ['a line break after', '2022-02-15T12:00:00Z\n'],
    ['Arabic-Indic digits', '٢٠٢٢-02-15T12:00:00Z'],
    ['a number', '1644926400000'],
    ['nothing', ''],
  ])('turns down %s', (_, text) => {
    expect(parseTimestamp(text)).toBeUndefined();
  });

  it('reads every recorded time as itself, and they sort as time does', () => {
    const times = fc.integer({ min: 0, max: YEAR_9999_ENDS_MS });
    fc.assert(
      fc.property(times, times, (one, other) => {
        const timestamp = toTimestamp(one);
        expect(parseTimestamp(timestamp)).toBe(timestamp);
        expect(toMs(timestamp)).toBe(one);
        expect(timestamp < toTimestamp(other)).toBe(one < other);
      }),
    );
  });
});

describe('toMs', () => {
  it('is NaN for what is no time', () => {
    expect(toMs('soon')).toBeNaN();
  });
});

describe('systemClock', () => {
  it('tells the time in milliseconds', () => {
    const before = Date.now();
    const now = systemClock.now();
    expect(now).toBeGreaterThanOrEqual(before);
    expect(now).toBeLessThanOrEqual(Date.now());
  });
});
