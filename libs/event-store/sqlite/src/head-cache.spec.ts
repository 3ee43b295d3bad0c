import { describe, expect, it } from '@jest/globals';
import { HeadCache } from './head-cache.ts';

describe('HeadCache', () => {
  it('keeps the streams used last and forgets the others', () => {
    const cache = new HeadCache();
    for (let index = 0; index < 100_000; index++) cache.set(`account-${index}`, index);
    expect(cache.get('account-0')).toBe(0);
    cache.set('party-1', 7);
    expect(cache.get('account-0')).toBe(0);
    expect(cache.get('account-1')).toBeUndefined();
    expect(cache.get('account-2')).toBe(2);
    expect(cache.get('party-1')).toBe(7);
  });

  it('forgets everything when cleared', () => {
    const cache = new HeadCache();
    cache.set('account-1', 3);
    cache.clear();
    expect(cache.get('account-1')).toBeUndefined();
  });
});
