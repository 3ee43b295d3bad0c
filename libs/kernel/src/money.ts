import { rejectField, type Rejection } from './rejection.ts';

/** What the ledger knows of an asset: its code (`[A-Z0-9]{2,16}`) and how many decimals one unit has (0 to 18). */
export interface Asset {
  readonly code: string;
  readonly scale: number;
}

/** Most digits that an amount in minor units may have. */
export const MAX_AMOUNT_DIGITS = 38;

const DECIMAL = /^(0|[1-9][0-9]*)(\.[0-9]+)?$/;
const UNITS = /^(0|[1-9][0-9]*)$/;

/** True for a plain decimal numeral as the edge takes it: no sign, no exponent, no leading zero, ASCII digits only. */
export function isDecimal(text: string): boolean {
  return DECIMAL.test(text);
}

/**
 * An exact amount of one asset, in minor units (satoshi, cent). Never negative: a posting's sign is the posting's affair.
 */
export class Money {
  readonly asset: Asset;
  readonly units: bigint;

  private constructor(asset: Asset, units: bigint) {
    this.asset = asset;
    this.units = units;
  }

  /** @throws RangeError if `units` is negative or has more than 38 digits: a bug of the caller, not bad input. */
  static ofUnits(asset: Asset, units: bigint): Money {
    if (units < 0n || units.toString().length > MAX_AMOUNT_DIGITS) throw new RangeError('amount out of range');
    return new Money(asset, units);
  }

  /**
   * Reads a positive decimal string exactly; fewer decimals than the asset's scale mean the same amount.
   * @param field the request's field, named in the rejection
   * @returns the amount, or `malformed-request` for signs, exponents, zero, too many decimals or more than 38 digits
   */
  static parse(text: string, asset: Asset, field = 'amount'): Money | Rejection {
    if (!isDecimal(text)) return rejectField(field, 'must be a plain decimal number such as "12.5", as a string');
    const point = text.indexOf('.');
    const whole = point < 0 ? text : text.slice(0, point);
    const fraction = point < 0 ? '' : text.slice(point + 1);
    if (fraction.length > asset.scale) {
      return rejectField(field, `must have at most ${String(asset.scale)} decimals, the scale of ${asset.code}`);
    }
    const digits = (whole + fraction.padEnd(asset.scale, '0')).replace(/^0+/, '');
    if (digits === '') return rejectField(field, 'must be more than zero');
    if (digits.length > MAX_AMOUNT_DIGITS) {
      return rejectField(field, `must have at most ${String(MAX_AMOUNT_DIGITS)} digits of minor units`);
    }
    return new Money(asset, BigInt(digits));
  }

  /** The amount with the asset's full scale, e.g. `0.50000000`. */
  toDecimal(): string {
    return formatUnits(this.units, this.asset.scale);
  }
}

/** Prints minor units (signed) as a decimal with exactly `scale` decimals. */
export function formatUnits(units: bigint, scale: number): string {
  const sign = units < 0n ? '-' : '';
  const digits = (units < 0n ? -units : units).toString().padStart(scale + 1, '0');
  if (scale === 0) return sign + digits;
  return `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}

/** True for an amount as events store it: minor units, decimal digits, no leading zero, at most 38 digits. */
export function isUnits(text: string): boolean {
  return UNITS.test(text) && text.length <= MAX_AMOUNT_DIGITS;
}

/** Two decimals that mean the same amount give the same string (`0.50` and `0.5`): used for idempotency. */
export function normaliseDecimal(text: string): string {
  if (!isDecimal(text) || !text.includes('.')) return text;
  return text.replace(/0+$/, '').replace(/\.$/, '');
}
