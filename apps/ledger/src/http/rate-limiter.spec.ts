import { describe, expect, it } from '@jest/globals';
import { RateLimiter } from './rate-limiter.ts';

describe('RateLimiter', () => {
  it('lets so many a second through, each caller on its own', () => {
    let now = 0;
    const limiter = new RateLimiter(2, () => now);
    expect([limiter.take('a'), limiter.take('a'), limiter.take('a')]).toEqual([undefined, undefined, 1]);
    expect(limiter.take('b')).toBeUndefined();
    now = 500;
    expect([limiter.take('a'), limiter.take('a')]).toEqual([undefined, 1]);
    now = 60_000;
    expect([limiter.take('a'), limiter.take('a'), limiter.take('a')]).toEqual([undefined, undefined, 1]);
  });

  it('lets everything through at 0', () => {
    const limiter = new RateLimiter(0, () => 0);
    expect(Array.from({ length: 1000 }, () => limiter.take('a')).every((wait) => wait === undefined)).toBe(true);
  });

  it('forgets whoever was idle longest, and keeps who is busy', () => {
    const limiter = new RateLimiter(1, () => 0);
    limiter.take('busy');
    limiter.take('idle');
    for (let caller = 0; caller < 9_999; caller += 1) {
      limiter.take(`c${String(caller)}`);
      expect(limiter.take('busy')).toBe(1);
    }
    expect(limiter.take('idle')).toBeUndefined();
  });
});
