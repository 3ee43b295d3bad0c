import { describe, expect, it } from '@jest/globals';
import type { Restriction } from '#freezes';
import { canonicalJson, type Scope } from '#kernel';
import { arbitraryScope } from '#testing';
import fc from 'fast-check';
import { frozenUnits, gate, unitsToStay } from './gate.ts';
import { releaseHeld } from './held.ts';
import { initialAccountState } from './state.ts';

const CODES = ['BTC', 'ETH', 'EUR'];
const GROUPS = ['legal-order/ord-1', 'legal-order/ord-2', 'claim-1'];

/** Numbers that look random and are the same in every run. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

interface Case {
  readonly restrictions: readonly Restriction[];
  readonly direction: 'debit' | 'credit';
  readonly asset: string;
  readonly amount: number;
  readonly available: number;
}

function randomCase(random: (below: number) => number): Case {
  const restrictions = Array.from({ length: random(5) }, (_, index): Restriction => {
    const id = `freeze-${String(index)}`;
    return { kind: 'freeze', id, scope: randomScope(random), claimGroup: GROUPS[random(GROUPS.length)] ?? '' };
  });
  const direction = random(4) === 0 ? 'credit' : 'debit';
  return { restrictions, direction, asset: CODES[random(3)] ?? '', amount: random(13), available: random(25) };
}

function randomScope(random: (below: number) => number): Scope {
  const listed = CODES.filter(() => random(2) === 0);
  const assets = listed.length === 0 ? 'all' : listed;
  const limited = (listed.length === 0 ? CODES : listed).filter(() => random(3) > 0);
  if (limited.length > 0 && random(4) > 0) {
    const limits = Object.fromEntries(limited.map((code) => [code, String(1 + random(9))]));
    return { direction: 'debit', assets, limits };
  }
  return { direction: (['debit', 'credit', 'both'] as const)[random(3)] ?? 'both', assets };
}

/** The rules read aloud, in numbers: which freezes stand in the way, and how much is frozen. */
function read({ restrictions, direction, asset, amount, available }: Case): { refusing: string[]; frozen: number } {
  const named = restrictions.filter(({ scope }) => scope.assets === 'all' || scope.assets.includes(asset));
  const debits = named.filter(({ scope }) => scope.direction !== 'credit');
  let stays = 0;
  for (const group of GROUPS) {
    let most = 0;
    for (const { scope, claimGroup } of debits) {
      if (claimGroup !== group) continue;
      most = Math.max(most, scope.limits?.[asset] === undefined ? Infinity : Number(scope.limits[asset]));
    }
    stays += most;
  }
  const credits = named.filter(({ scope }) => scope.direction !== 'debit');
  const covering = direction === 'debit' ? debits : credits;
  const isRefused = direction === 'credit' ? credits.length > 0 : stays > 0 && available - amount < stays;
  return { refusing: isRefused ? covering.map(({ id }) => id) : [], frozen: Math.min(stays, available) };
}

/** What an account holds back of some assets, when the first of its freezes ends. */
function heldOf(random: (below: number) => number): readonly (readonly [asset: string, units: number])[] {
  return CODES.filter(() => random(3) > 0).map((code) => [code, random(4)] as const);
}

/** The rule read aloud: of each asset all that is held goes, unless a freeze that is left keeps credits of it out. */
function readRelease(
  held: readonly (readonly [asset: string, units: number])[],
  left: readonly Restriction[],
): readonly (readonly [asset: string, amount: string])[] {
  const isKeptOut = (asset: string): boolean =>
    left.some(({ scope }) => scope.direction !== 'debit' && (scope.assets === 'all' || scope.assets.includes(asset)));
  return held.flatMap(([asset, units]) => (units > 0 && !isKeptOut(asset) ? [[asset, String(units)] as const] : []));
}

describe('the gate', () => {
  it('agrees with the rules read aloud on 100,000 cases', () => {
    const random = randomFrom(20220406);
    const seen = { passed: 0, refused: 0, partly: 0 };
    for (let nth = 0; nth < 100_000; nth += 1) {
      const each = randomCase(random);
      const { restrictions, direction, asset } = each;
      const availableUnits = BigInt(each.available);
      const amountUnits = BigInt(each.amount);
      const movement = direction === 'debit' ? { direction, asset, amountUnits, availableUnits } : { direction, asset };
      const verdict = gate(restrictions, movement);
      const refusing = verdict.ok ? [] : verdict.freezeIds;
      const frozen = Number(frozenUnits(restrictions, asset, availableUnits));
      const expected = read(each);
      if (JSON.stringify({ refusing, frozen }) !== JSON.stringify(expected)) {
        expect({ nth, ...each, refusing, frozen }).toEqual({ nth, ...each, ...expected });
      }
      seen[verdict.ok ? 'passed' : 'refused'] += 1;
      if (frozen > 0 && frozen < each.available) seen.partly += 1;
    }
    // Each kind of case was there, and not by the way.
    expect(Math.min(seen.passed, seen.refused, seen.partly)).toBeGreaterThan(10_000);
  });

  it('lets go what was held as the rules read aloud do, on 100,000 cases', () => {
    const random = randomFrom(20220215);
    const seen = { released: 0, kept: 0, some: 0 };
    for (let nth = 0; nth < 100_000; nth += 1) {
      const [ended, ...left] = randomCase(random).restrictions;
      const freezeId = ended?.id ?? 'the-only-one';
      const held = heldOf(random);
      const state = initialAccountState();
      state.accountId = 'acc-1';
      for (const [asset, units] of held)
        state.balances.set(asset, { available: 1n, reserved: 1n, held: BigInt(units) });
      const released = releaseHeld(state, freezeId, left).map(({ data }) => data);
      const expected = readRelease(held, left);
      const about = { accountId: 'acc-1', freezeId };
      const whole = expected.map(([asset, amount]) => ({ ...about, asset, amount }));
      if (canonicalJson(released) !== canonicalJson(whole)) {
        expect({ nth, left, held, released }).toEqual({ nth, left, held, released: whole });
      }
      const waiting = held.filter(([, units]) => units > 0).length;
      if (expected.length === 0) seen.kept += waiting > 0 ? 1 : 0;
      else seen[expected.length < waiting ? 'some' : 'released'] += 1;
    }
    expect(Math.min(seen.released, seen.kept, seen.some)).toBeGreaterThan(5_000);
  });

  const some = fc.array(
    fc.record({
      kind: fc.constant('freeze' as const),
      id: fc.uuid(),
      scope: arbitraryScope(CODES),
      claimGroup: fc.constantFrom(...GROUPS),
    }),
    { maxLength: 6 },
  );
  const units = fc.bigInt({ min: 0n, max: 10n ** 38n - 1n });

  it('never opens by one restriction more (invariant 2)', () => {
    fc.assert(
      fc.property(some, some, fc.constantFrom(...CODES), units, units, (fewer, more, asset, amountUnits, available) => {
        const debit = { direction: 'debit', asset, amountUnits, availableUnits: available } as const;
        const credit = { direction: 'credit', asset } as const;
        for (const movement of [debit, credit]) {
          if (gate([...fewer, ...more], movement).ok) expect(gate(fewer, movement).ok).toBe(true);
        }
        expect(frozenUnits([...fewer, ...more], asset, available)).toBeGreaterThanOrEqual(
          frozenUnits(fewer, asset, available),
        );
      }),
    );
  });

  it('does not care in which order restrictions were placed', () => {
    fc.assert(
      fc.property(some, fc.constantFrom(...CODES), (restrictions, asset) => {
        expect(unitsToStay(restrictions.toReversed(), asset)).toBe(unitsToStay(restrictions, asset));
      }),
    );
  });
});

describe('limits', () => {
  const limited = (id: string, limit: string, claimGroup: string): Restriction => ({
    kind: 'freeze',
    id,
    scope: { direction: 'debit', assets: ['BTC'], limits: { BTC: limit } },
    claimGroup,
  });
  const debit = (amountUnits: bigint) =>
    ({ direction: 'debit', asset: 'BTC', amountUnits, availableUnits: 10n }) as const;

  it('let go what is beyond them, to the unit', () => {
    const one = [limited('f-1', '4', 'a')];
    expect(gate(one, debit(6n))).toEqual({ ok: true });
    expect(gate(one, debit(7n))).toEqual({ ok: false, freezeIds: ['f-1'] });
  });

  it('of one claim are not added, of two claims they are', () => {
    expect(unitsToStay([limited('f-1', '4', 'a'), limited('f-2', '5', 'a')], 'BTC')).toBe(5n);
    expect(unitsToStay([limited('f-1', '4', 'a'), limited('f-2', '5', 'b')], 'BTC')).toBe(9n);
  });

  it('name every freeze that covers the debit, also one whose own limit would let it go', () => {
    const both = [limited('f-1', '4', 'a'), limited('f-2', '1', 'a')];
    expect(gate(both, debit(7n))).toEqual({ ok: false, freezeIds: ['f-1', 'f-2'] });
  });

  it('that are more than there is freeze all there is', () => {
    expect(frozenUnits([limited('f-1', '40', 'a')], 'BTC', 10n)).toBe(10n);
    expect(gate([limited('f-1', '40', 'a')], debit(0n))).toEqual({ ok: false, freezeIds: ['f-1'] });
  });
});
