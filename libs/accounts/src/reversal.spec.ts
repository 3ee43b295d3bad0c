import { describe, expect, it } from '@jest/globals';
import { pointerTo, type Recorded } from '#kernel';
import { LogBuilder, testId } from '#testing';
import fc from 'fast-check';
import type { AccountEvent } from './events.ts';
import { initialAccountState, type AccountState } from './state.ts';
import { checkAgainstDeposit, recordedDeposit, takeBack } from './reversal.ts';

const stream = 'account-acc-1';
const source = { kind: 'onchain', reference: 'tx', chain: 'bitcoin' } as const;
const log = new LogBuilder();
const data = { accountId: 'acc-1', depositId: 'd-1', asset: 'BTC', amount: '100', source };
const record = (event: AccountEvent): Recorded<AccountEvent> =>
  log.append(stream, event) as unknown as Recorded<AccountEvent>;
const deposited = record({ type: 'FundsDeposited', data });
const deposit = recordedDeposit(deposited, 'd-1');

type Reversed = Extract<AccountEvent, { type: 'DepositReversed' }>;
function reversed(changed: Partial<Reversed['data']> = {}): Recorded<Reversed> {
  const depositedAt = deposited.metadata.recordedAt;
  const outcome = { taken: '100', takenFromHeld: '0', shortfall: '0' };
  const citation = pointerTo(deposited);
  const said = { ...data, depositedAt, citation, cause: 'mistake', reason: 'r', ...outcome, ...changed };
  return new LogBuilder().append(stream, { type: 'DepositReversed', data: said }) as unknown as Recorded<Reversed>;
}

/** The account, with so much held; the last release of it was the event of that revision. */
function holding(held: bigint, releasedAt = -1): AccountState {
  return {
    ...initialAccountState(),
    balances: new Map([['BTC', { available: 0n, reserved: 0n, held }]]),
    releases: new Map([['BTC', releasedAt]]),
  };
}

const units = fc.bigInt({ min: 0n, max: 10n ** 38n - 1n });

describe('what a reversal takes', () => {
  it('is never more than is there, and with the shortfall what was deposited', () => {
    fc.assert(
      fc.property(units, units, units, units, fc.boolean(), (available, reserved, held, amount, ofHeld) => {
        const taken = takeBack({ available, reserved, held }, amount, ofHeld);
        expect(taken.fromHeld + taken.fromAvailable + taken.shortfall).toBe(amount);
        expect(taken.fromHeld >= 0n && taken.fromHeld <= held).toBe(true);
        expect(taken.fromAvailable >= 0n && taken.fromAvailable <= available).toBe(true);
        if (taken.shortfall > 0n) expect(taken.fromAvailable).toBe(available);
        if (!ofHeld) expect(taken.fromHeld).toBe(0n);
        else if (taken.fromAvailable > 0n) expect(taken.fromHeld).toBe(held);
      }),
    );
  });

  it('comes out of what is held before what is available', () => {
    const balance = { available: 10n, reserved: 50n, held: 4n };
    expect(takeBack(balance, 6n, true)).toEqual({ fromHeld: 4n, fromAvailable: 2n, shortfall: 0n });
    expect(takeBack(balance, 20n, true)).toEqual({ fromHeld: 4n, fromAvailable: 10n, shortfall: 6n });
    expect(takeBack(balance, 20n, false)).toEqual({ fromHeld: 0n, fromAvailable: 10n, shortfall: 10n });
  });
});

describe('a reversal and the deposit that it cites', () => {
  it('says what the deposit says', () => {
    expect(checkAgainstDeposit(reversed(), deposit, holding(1n))).toBeUndefined();
  });

  it.each<Partial<Reversed['data']>>([
    { asset: 'ETH' },
    { amount: '101' },
    { depositedAt: '2022-04-06T12:00:00.000Z' },
    { source: { ...source, kind: 'bank' } },
    { source: { ...source, reference: 'other' } },
    { source: { kind: 'onchain', reference: 'tx' } },
    { source: { ...source, address: 'bc1q' } },
    { source: { ...source, memo: 'm' } },
  ])('and nothing else: %j', (changed) => {
    expect(checkAgainstDeposit(reversed(changed), deposit, holding(1n))).toBe(
      'says otherwise than the deposit that it cites',
    );
  });

  it('needs a deposit of this id', () => {
    expect(recordedDeposit(deposited, 'd-2')).toBeUndefined();
    expect(recordedDeposit(reversed(), 'd-1')).toBeUndefined();
    expect(recordedDeposit(undefined, 'd-1')).toBeUndefined();
    expect(
      checkAgainstDeposit(
        reversed({ citation: { stream, revision: '9', eventId: testId(9) } }),
        undefined,
        holding(1n),
      ),
    ).toBe('cites no deposit of this id');
  });

  it('takes nothing from what is held for a deposit that was available', () => {
    expect(checkAgainstDeposit(reversed({ takenFromHeld: '1' }), deposit, holding(1n))).toContain('from what is held');
    const held = deposit === undefined ? undefined : { ...deposit, wasHeld: true };
    expect(checkAgainstDeposit(reversed({ takenFromHeld: '1' }), held, holding(1n))).toBeUndefined();
  });

  it('takes what is held first for a deposit that was held', () => {
    const held = recordedDeposit(record({ type: 'FundsHeld', data }), 'd-1');
    expect(held).toMatchObject({ wasHeld: true, amountUnits: 100n });
    const ofHeld = (takenFromHeld: string, heldUnits: bigint): string | undefined =>
      checkAgainstDeposit(reversed({ takenFromHeld, depositedAt: held?.depositedAt ?? '' }), held, holding(heldUnits));
    expect(ofHeld('100', 150n)).toBeUndefined();
    expect(ofHeld('40', 40n)).toBeUndefined();
    expect(ofHeld('0', 40n)).toContain('other than what is held');
    expect(ofHeld('39', 40n)).toContain('other than what is held');
  });

  it('takes nothing from what is held for a deposit that was held, and released since', () => {
    const held = recordedDeposit(record({ type: 'FundsHeld', data }), 'd-1');
    const revision = Number(held?.pointer.revision);
    const of = (takenFromHeld: string, releasedAt: number): string | undefined =>
      checkAgainstDeposit(
        reversed({ takenFromHeld, depositedAt: held?.depositedAt ?? '' }),
        held,
        holding(150n, releasedAt),
      );
    expect(of('100', revision + 1)).toContain('not held');
    expect(of('0', revision + 1)).toBeUndefined();
    expect(of('100', revision - 1)).toBeUndefined();
  });
});
