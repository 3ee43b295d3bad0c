import { describe, expect, it } from '@jest/globals';
import { specEventId } from '#testing';
import fc from 'fast-check';
import { accountEvents, ownAccountEvents, type AccountEvent } from './events.ts';
import { postings } from './postings.ts';

const movement = { accountId: 'acc-1', asset: 'BTC', amount: '250' };
const withdrawal = {
  ...movement,
  withdrawalId: 'w-1',
  destination: { kind: 'bank' } as const,
  reservedAt: '2022-04-06T12:00:00.000Z',
};
const citation = { stream: 'account-acc-2', revision: '1', eventId: specEventId(1) };
const source = { kind: 'bank', reference: 'ref' } as const;

/** One event of each type that moves money, and what moves. */
const moving: readonly [AccountEvent, from: string, to: string][] = [
  [
    { type: 'FundsDeposited', data: { ...movement, depositId: 'd-1', source } },
    'external:BTC',
    'account:acc-1:available',
  ],
  [{ type: 'FundsHeld', data: { ...movement, depositId: 'd-1', source } }, 'external:BTC', 'account:acc-1:held'],
  [{ type: 'HeldFundsReleased', data: { ...movement, freezeId: '' } }, 'account:acc-1:held', 'account:acc-1:available'],
  [{ type: 'WithdrawalReserved', data: withdrawal }, 'account:acc-1:available', 'account:acc-1:reserved'],
  [{ type: 'WithdrawalSettled', data: { ...withdrawal, reference: 'tx' } }, 'account:acc-1:reserved', 'external:BTC'],
  [
    { type: 'WithdrawalCancelled', data: { ...withdrawal, reason: 'r' } },
    'account:acc-1:reserved',
    'account:acc-1:available',
  ],
  [
    { type: 'WithdrawalStopped', data: { ...movement, withdrawalId: 'w-1', freezeId: '' } },
    'account:acc-1:reserved',
    'account:acc-1:available',
  ],
  [
    { type: 'TransferSent', data: { ...movement, transferId: 't-1', to: 'acc-2' } },
    'account:acc-1:available',
    'transit:acc-1:t-1',
  ],
  [
    { type: 'TransferReceived', data: { ...movement, transferId: 't-1', from: 'acc-2', citation } },
    'transit:acc-2:t-1',
    'account:acc-1:available',
  ],
  [
    { type: 'TransferReturned', data: { ...movement, transferId: 't-1', to: 'acc-2', reason: 'closed', citation } },
    'transit:acc-1:t-1',
    'account:acc-1:available',
  ],
];

/** The part that a ledger account's name tells. */
function partOf(ledgerAccount: string): string | undefined {
  return ledgerAccount.startsWith('account') ? ledgerAccount.split(':').at(-1) : ledgerAccount.split(':')[0];
}

describe('postings', () => {
  it.each(moving)('of $type', (event, from, to) => {
    expect(postings(event)).toEqual([
      {
        ledgerAccount: from,
        part: partOf(from),
        asset: 'BTC',
        units: -250n,
      },
      { ledgerAccount: to, part: partOf(to), asset: 'BTC', units: 250n },
    ]);
  });

  it('are none for whatever moves no money', () => {
    const movingTypes = moving.map(([{ type }]) => type);
    const others = accountEvents.filter(({ type }) => !movingTypes.includes(type));
    expect(others).toHaveLength(accountEvents.length - moving.length);
    expect(ownAccountEvents.length).toBeGreaterThan(moving.length);
    expect(movingTypes).not.toContain('DepositReversed');
    for (const { type } of others.filter((each) => each.type !== 'DepositReversed'))
      expect(postings({ type, data: withdrawal } as unknown as AccountEvent)).toEqual([]);
  });

  it('of a reversal take what was taken, out of held and available, to the outside', () => {
    const amount = fc.bigInt({ min: 0n, max: 10n ** 38n - 1n });
    fc.assert(
      fc.property(amount, amount, (fromHeld, fromAvailable) => {
        const [taken, takenFromHeld] = [String(fromHeld + fromAvailable), String(fromHeld)];
        const data = { ...movement, depositId: 'd-1', taken, takenFromHeld, shortfall: '7' };
        const lines = postings({ type: 'DepositReversed', data } as unknown as AccountEvent);
        const of = (part: string): bigint[] => lines.filter((line) => line.part === part).map(({ units }) => units);
        expect(of('held')).toEqual(fromHeld === 0n ? [] : [-fromHeld]);
        expect(of('available')).toEqual(fromAvailable === 0n ? [] : [-fromAvailable]);
        expect(of('external').reduce((sum, units) => sum + units, 0n)).toBe(fromHeld + fromAvailable);
        expect(lines.every(({ asset }) => asset === 'BTC')).toBe(true);
      }),
    );
  });

  it('sum to zero for each asset (invariant 6)', () => {
    const amount = fc.bigInt({ min: 0n, max: 10n ** 38n - 1n }).map(String);
    const asset = fc.constantFrom('BTC', 'EUR');
    fc.assert(
      fc.property(fc.constantFrom(...moving), asset, amount, ([event], code, units) => {
        const changed = { ...event, data: { ...event.data, asset: code, amount: units } } as AccountEvent;
        const lines = postings(changed);
        expect(lines.map((line) => line.asset)).toEqual([code, code]);
        expect(lines.reduce((sum, line) => sum + line.units, 0n)).toBe(0n);
        expect(lines.some((line) => line.units === BigInt(units))).toBe(true);
      }),
    );
  });
});
