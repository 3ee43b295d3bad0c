import { describe, expect, it } from '@jest/globals';
import { ASSET_CODE_PATTERN, ID_PATTERN, SHA256_PATTERN, UUID_PATTERN, uuidv7 } from './index.ts';

describe('uuidv7', () => {
  const before = Date.now();
  const ids = Array.from({ length: 20_000 }, () => uuidv7());
  const after = Date.now();

  it('gives version 7 of the variant of RFC 9562', () => {
    for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(ids[0]).toMatch(UUID_PATTERN);
  });

  it('is unique, and rises', () => {
    expect(new Set(ids).size).toBe(ids.length);
    expect([...ids].sort()).toEqual(ids);
  });

  it('starts with the time', () => {
    const ms = Number.parseInt(ids[0]?.replace('-', '').slice(0, 12) ?? '', 16);
    expect(ms).toBeGreaterThanOrEqual(before);
    expect(ms).toBeLessThanOrEqual(after);
  });
});

describe('ID_PATTERN', () => {
  it.each(['a', '7', 'acc-1', 'A.b_c:d-e', 'a'.repeat(64), 'constructor', 'toString'])('takes %s', (id) => {
    expect(ID_PATTERN.test(id)).toBe(true);
  });

  it.each([
    ['nothing', ''],
    ['65 characters', 'a'.repeat(65)],
    ['two points', '..'],
    ['an underscore first', '__proto__'],
    ['a hyphen first', '-a'],
    ['a control character', 'a\u0000b'],
    ['a line break after', 'a\n'],
    ['a space', 'a b'],
    ['a slash', 'a/b'],
    ['a percent sign', 'a%2e'],
    ['a letter beyond ASCII', 'é'],
    ['a digit beyond ASCII', '١'],
  ])('turns down %s', (_, id) => {
    expect(ID_PATTERN.test(id)).toBe(false);
  });
});

describe('ASSET_CODE_PATTERN', () => {
  it.each(['BTC', 'EUR', 'X2', '1INCH', 'A'.repeat(16)])('takes %s', (code) => {
    expect(ASSET_CODE_PATTERN.test(code)).toBe(true);
  });
  it.each(['', 'B', 'btc', 'A'.repeat(17), 'BT-C', 'BTC\n', 'ВТС'])('turns down %j', (code) => {
    expect(ASSET_CODE_PATTERN.test(code)).toBe(false);
  });
});

describe('SHA256_PATTERN', () => {
  it('takes 64 lower-case hexadecimal digits and nothing else', () => {
    expect(SHA256_PATTERN.test('0123456789abcdef'.repeat(4))).toBe(true);
    for (const text of ['a'.repeat(63), 'a'.repeat(65), 'A'.repeat(64), 'g'.repeat(64), `${'a'.repeat(64)}\n`]) {
      expect(SHA256_PATTERN.test(text)).toBe(false);
    }
  });
});

describe('UUID_PATTERN', () => {
  it.each([
    '00000000-0000-0000-0000-000000000000',
    '01890A5D-AC96-774B-BCCE-B302099A8057',
    '01890a5dac96774bbcceb302099a8057',
    '01890a5d-ac96-774b-7cce-b302099a8057',
    '01890a5d-ac96-774b-bcce-b302099a8057\n',
  ])('turns down %j', (text) => {
    expect(UUID_PATTERN.test(text)).toBe(false);
  });
});
