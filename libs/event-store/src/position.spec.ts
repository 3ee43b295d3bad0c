import { isPosition } from '#kernel';
import { describe, expect, it } from '@jest/globals';
import { formatPosition, isLogPosition, parsePosition } from './position.ts';

describe('a position', () => {
  const orders = [1n, 9n, 10n, 255n, 2n ** 32n, 2n ** 53n, 2n ** 53n + 1n, 2n ** 63n - 1n];

  it('keeps all 64 bits and the order', () => {
    const positions = orders.map(formatPosition);
    expect(positions.map(parsePosition)).toEqual(orders);
    expect(positions.toSorted()).toEqual(positions);
    expect(positions.every(isPosition)).toBe(true);
    expect(positions.every(isLogPosition)).toBe(true);
    expect(positions[0]).toBe('0000000000000001');
  });

  it.each(['8000000000000000', 'ffffffffffffffff'])('can be %j: it comes after every event', (text) => {
    expect(isLogPosition(text)).toBe(true);
    expect(parsePosition(text)).toBe(2n ** 63n - 1n);
  });

  it.each([
    '',
    '1',
    '000000000000000G',
    '000000000000000A',
    '0x00000000000001',
    ' 000000000000001',
    '0'.repeat(17),
    '0000000000000001-0000000000000001',
  ])('is not %j', (text) => {
    expect(isLogPosition(text)).toBe(false);
    expect(() => parsePosition(text)).toThrow(RangeError);
  });
});
