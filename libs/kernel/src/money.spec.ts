import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { formatUnits, isDecimal, isRejection, isUnits, MAX_AMOUNT_DIGITS, Money, normaliseDecimal } from './index.ts';
import type { Asset, Rejection } from './index.ts';

const BTC: Asset = { code: 'BTC', scale: 8 };
const JPY: Asset = { code: 'JPY', scale: 0 };
const ETH: Asset = { code: 'ETH', scale: 18 };

function parsed(text: string, asset: Asset): Money {
  const money = Money.parse(text, asset);
  if (isRejection(money)) throw new Error(money.detail);
  return money;
}

function refusal(text: string, asset: Asset, field?: string): Rejection {
  const money = Money.parse(text, asset, field);
  if (!isRejection(money)) throw new Error(`took ${text}`);
  return money;
}

const assets: fc.Arbitrary<Asset> = fc.integer({ min: 0, max: 18 }).map((scale) => ({ code: 'XYZ', scale }));
const MOST_UNITS = 10n ** BigInt(MAX_AMOUNT_DIGITS) - 1n;
const positiveUnits = fc.bigInt({ min: 1n, max: MOST_UNITS });

describe('Money.parse', () => {
  it.each([
    ['1', BTC, 100_000_000n],
    ['0.5', BTC, 50_000_000n],
    ['0.50000000', BTC, 50_000_000n],
    ['0.00000001', BTC, 1n],
    ['21000000', BTC, 2_100_000_000_000_000n],
    ['7', JPY, 7n],
    ['0.000000000000000001', ETH, 1n],
    ['9007199254740993', JPY, 9_007_199_254_740_993n],
    ['9'.repeat(38), JPY, MOST_UNITS],
    [`${'9'.repeat(30)}.99999999`, BTC, MOST_UNITS],
  ])('reads %s exactly', (text, asset, units) => {
    expect(parsed(text, asset).units).toBe(units);
  });

  it.each([
    ['an exponent', '1e3'],
    ['a capital exponent', '1E3'],
    ['a sign', '-1'],
    ['a plus', '+1'],
    ['leading zeros', '00.1'],
    ['a leading zero', '01'],
    ['no whole part', '.5'],
    ['no decimals after the point', '1.'],
    ['two points', '1.2.3'],
    ['a comma', '1,5'],
    ['an underscore', '1_000'],
    ['hexadecimal', '0x10'],
    ['an Arabic-Indic digit', '١'],
    ['a full-width digit', '１'],
    ['a space before', ' 1'],
    ['a line break after', '1\n'],
    ['nothing', ''],
    ['a word', 'NaN'],
    ['infinity', 'Infinity'],
  ])('turns down %s', (_, text) => {
    const { code, extra } = refusal(text, BTC, 'fee');
    expect(code).toBe('malformed-request');
    expect(extra).toEqual({ errors: [{ field: 'fee', message: expect.stringContaining('plain decimal') }] });
  });

  it.each([
    ['zero', '0', BTC, 'more than zero'],
    ['zero with decimals', '0.00000000', BTC, 'more than zero'],
    ['too many decimals', '0.000000001', BTC, 'at most 8 decimals, the scale of BTC'],
    ['too many decimals, though zeros', '1.000000000', BTC, 'at most 8 decimals'],
    ['any decimals of an asset without', '1.0', JPY, 'at most 0 decimals'],
    ['40 digits', '1'.repeat(40), JPY, 'at most 38 digits'],
    ['39 digits', '1'.repeat(39), JPY, 'at most 38 digits'],
    ['31 digits before 8 decimals', '1'.repeat(31), BTC, 'at most 38 digits'],
  ])('turns down %s and names the rule', (_, text, asset, rule) => {
    const { code, detail, extra } = refusal(text, asset);
    expect(code).toBe('malformed-request');
    expect(detail).toContain(rule);
    expect(extra).toEqual({ errors: [{ field: 'amount', message: expect.stringContaining(rule) }] });
  });

  it('reads what it prints', () => {
    fc.assert(
      fc.property(assets, positiveUnits, (asset, units) => {
        const printed = Money.ofUnits(asset, units).toDecimal();
        expect(parsed(printed, asset)).toEqual(Money.ofUnits(asset, units));
      }),
    );
  });

  it('prints what it reads, in full scale, whatever was left off', () => {
    fc.assert(
      fc.property(assets, positiveUnits, (asset, units) => {
        const full = formatUnits(units, asset.scale);
        const short = normaliseDecimal(full);
        expect(short.length).toBeLessThanOrEqual(full.length);
        expect(parsed(short, asset).toDecimal()).toBe(full);
      }),
    );
  });

  it('never throws, and takes only what is a decimal', () => {
    const texts = fc.oneof(fc.string({ unit: 'binary' }), fc.stringMatching(/^[0-9.eE+-]{0,45}$/));
    fc.assert(
      fc.property(texts, assets, (text, asset) => {
        const money = Money.parse(text, asset);
        if (!isRejection(money)) expect(isDecimal(text)).toBe(true);
      }),
    );
  });
});

describe('Money.ofUnits', () => {
  it('takes zero and the most', () => {
    expect(Money.ofUnits(BTC, 0n).toDecimal()).toBe('0.00000000');
    expect(Money.ofUnits(BTC, MOST_UNITS).units).toBe(MOST_UNITS);
  });

  it('throws for what no amount can be', () => {
    expect(() => Money.ofUnits(BTC, -1n)).toThrow(RangeError);
    expect(() => Money.ofUnits(BTC, MOST_UNITS + 1n)).toThrow(RangeError);
  });
});

describe('formatUnits', () => {
  it.each([
    [0n, 0, '0'],
    [0n, 2, '0.00'],
    [5n, 0, '5'],
    [-5n, 0, '-5'],
    [5n, 2, '0.05'],
    [-5n, 2, '-0.05'],
    [100n, 2, '1.00'],
    [-12345n, 3, '-12.345'],
    [1n, 18, '0.000000000000000001'],
  ])('prints %s of scale %s as %s', (units, scale, text) => {
    expect(formatUnits(units, scale)).toBe(text);
  });
});

describe('isUnits', () => {
  it('takes every amount as it is stored', () => {
    fc.assert(fc.property(positiveUnits, (units) => expect(isUnits(units.toString())).toBe(true)));
    expect(isUnits('0')).toBe(true);
  });

  it.each(['', '00', '01', '-1', '+1', '1.0', '1e3', ' 1', '1\n', '١', '9'.repeat(39)])('turns down %j', (text) => {
    expect(isUnits(text)).toBe(false);
  });
});

describe('normaliseDecimal', () => {
  it.each([
    ['0.50', '0.5'],
    ['0.5', '0.5'],
    ['1.00', '1'],
    ['100', '100'],
    ['100.10', '100.1'],
    ['0.0', '0'],
    ['10', '10'],
  ])('makes %s %s', (text, normal) => {
    expect(normaliseDecimal(text)).toBe(normal);
  });

  it.each(['1.', '.50', '01.50', '1e10', '-1.50', 'x.00'])('leaves alone what is no decimal: %s', (text) => {
    expect(normaliseDecimal(text)).toBe(text);
  });

  it('gives the same for the same amount, and another for another', () => {
    fc.assert(
      fc.property(assets, positiveUnits, positiveUnits, (asset, one, other) => {
        const normal = normaliseDecimal(formatUnits(one, asset.scale));
        expect(normaliseDecimal(normal)).toBe(normal);
        expect(parsed(normal, asset).units).toBe(one);
        expect(normaliseDecimal(formatUnits(other, asset.scale)) === normal).toBe(one === other);
      }),
    );
  });
});
