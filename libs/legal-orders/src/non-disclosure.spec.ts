import { describe, expect, it } from '@jest/globals';
import { isUnderNonDisclosure } from './non-disclosure.ts';

const UNTIL = '2022-06-01T00:00:00.000Z';

describe('an order under non-disclosure', () => {
  it.each([
    ['before the time', '2022-05-31T23:59:59.999Z', true],
    ['at the time', UNTIL, false],
    ['after it', '2022-06-01T00:00:00.001Z', false],
  ])('is kept from those without the scope: %s', (_when, at, expected) => {
    expect(isUnderNonDisclosure({ nonDisclosureUntil: UNTIL }, at)).toBe(expected);
  });

  it('is one that says so', () => {
    expect(isUnderNonDisclosure({}, UNTIL)).toBe(false);
  });
});
