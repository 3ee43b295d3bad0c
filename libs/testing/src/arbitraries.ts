import { parseTimestamp, toTimestamp, type Holder, type Scope, type Timestamp } from '#kernel';
import fc from 'fast-check';

/** Ids that mean something to JavaScript, and yet are ids. */
const TRICKY_IDS = [
  'constructor',
  'toString',
  'hasOwnProperty',
  'valueOf',
  'then',
  '0',
  'a-1',
  'A.B:c_d-e',
  'x'.repeat(64),
];

/** Ids of the caller's choosing. */
export const arbitraryId: fc.Arbitrary<string> = fc.oneof(
  { weight: 4, arbitrary: fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$/, { size: 'small' }) },
  { weight: 1, arbitrary: fc.constantFrom(...TRICKY_IDS) },
);

export const arbitraryAssetCode: fc.Arbitrary<string> = fc.stringMatching(/^[A-Z0-9]{2,16}$/);

/** The value of an idempotency key: 1 to 255 visible ASCII. */
export const arbitraryKeyValue: fc.Arbitrary<string> = fc.stringMatching(/^[!-~]{1,255}$/, { size: 'small' });

export const arbitrarySha256: fc.Arbitrary<string> = fc.stringMatching(/^[0-9a-f]{64}$/);

const MOST_UNITS = 10n ** 38n - 1n;

/** Minor units of an amount, more than zero, small ones and the largest among them. */
export const arbitraryUnits: fc.Arbitrary<bigint> = fc.oneof(
  fc.bigInt({ min: 1n, max: 1000n }),
  fc.bigInt({ min: 1n, max: MOST_UNITS }),
  fc.constantFrom(1n, 2n ** 53n, 2n ** 64n, MOST_UNITS),
);

/** An amount as a caller may write it, in an asset of this scale, and the minor units that it means. */
export function arbitraryDecimal(scale: number): fc.Arbitrary<{ readonly text: string; readonly units: bigint }> {
  return fc.tuple(arbitraryUnits, fc.nat({ max: scale })).map(([units, dropped]) => {
    const digits = units.toString().padStart(scale + 1, '0');
    const whole = digits.slice(0, digits.length - scale);
    const fraction = digits.slice(digits.length - scale);
    // Trailing zeros mean nothing: some are left out.
    const zeros = /0*$/.exec(fraction)?.[0].length ?? 0;
    const written = fraction.slice(0, fraction.length - Math.min(zeros, dropped));
    return { text: written === '' ? whole : `${whole}.${written}`, units };
  });
}

/** Times as they are recorded, from 2000 to 2099 or between the two given (inclusive). */
export function arbitraryTimestamp(
  from: Timestamp = '2000-01-01T00:00:00.000Z',
  to: Timestamp = '2099-12-31T23:59:59.999Z',
): fc.Arbitrary<Timestamp> {
  if (parseTimestamp(from) !== from || parseTimestamp(to) !== to) throw new RangeError('no recorded times');
  return fc.integer({ min: Date.parse(from), max: Date.parse(to) }).map(toTimestamp);
}

/** Scopes of every direction over all assets or some, taken from the codes given; some of those for debits with limits. */
export function arbitraryScope(
  codes: readonly string[],
  limit: fc.Arbitrary<bigint> = arbitraryUnits,
): fc.Arbitrary<Scope> {
  const some = fc.uniqueArray(fc.constantFrom(...codes), { minLength: 1 });
  const assets = fc.oneof(fc.constant('all' as const), some);
  const unlimited = fc.record(
    { direction: fc.constantFrom('debit', 'credit', 'both'), assets },
    { noNullPrototype: true },
  );
  const limited = assets.chain((covered): fc.Arbitrary<Scope> => {
    const code = fc.constantFrom(...(covered === 'all' ? codes : covered));
    const limits = fc.dictionary(code, limit.map(String), { minKeys: 1, noNullPrototype: true });
    return limits.map((limited) => ({ direction: 'debit', assets: covered, limits: limited }));
  });
  return fc.oneof(unlimited, limited);
}

/** Holders of one account, all different, taken from the parties given. */
export function arbitraryHolders(partyIds: readonly string[]): fc.Arbitrary<Holder[]> {
  const holder = fc.record({
    partyId: fc.constantFrom(...partyIds),
    capacity: fc.constantFrom('owner' as const, 'joint' as const, 'beneficial' as const),
  });
  return fc.uniqueArray(holder, { minLength: 1, maxLength: 20, selector: ({ partyId }) => partyId });
}
