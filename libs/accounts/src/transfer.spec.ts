import { describe, expect, it } from '@jest/globals';
import { initialFreezesState, type Freeze } from '#freezes';
import { pointerTo, type Recorded } from '#kernel';
import { LogBuilder } from '#testing';
import type { AccountEvent } from './events.ts';
import { initialAccountState, type AccountState } from './state.ts';
import { checkAgainstRefusal, checkAgainstSent, refusesTransfer, returnTransfer, settleTransfer } from './transfer.ts';

type Of<Type extends AccountEvent['type']> = Recorded<Extract<AccountEvent, { type: Type }>>;
const log = new LogBuilder();
const data = { accountId: 'acc-1', to: 'acc-2', transferId: 't-1', asset: 'BTC', amount: '40' };
const sent = log.append('account-acc-1', { type: 'TransferSent', data }) as unknown as Of<'TransferSent'>;

function account(changed: Partial<AccountState> = {}): AccountState {
  return { ...initialAccountState(), accountId: 'acc-2', opened: true, ...changed };
}

function record<Type extends AccountEvent['type']>(event: Extract<AccountEvent, { type: Type }>): Of<Type> {
  return new LogBuilder().append('account-acc-2', event) as unknown as Of<Type>;
}

function inForce(direction: Freeze['scope']['direction']): Freeze {
  const at = '2022-04-06T12:00:00.000Z';
  const scope: Freeze['scope'] = { direction, assets: ['BTC'] };
  const basis = { kind: 'legal-order', id: 'ord-1' } as const;
  const placed = { placedBy: 'maker', placedAt: at, blockedFrom: at };
  return { freezeId: 'f', basis, citation: pointerTo(sent), scope, claimGroup: 'legal-order/ord-1', ...placed };
}

describe('what a transfer comes to', () => {
  const incoming = { accountId: 'acc-2', from: 'acc-1', transferId: 't-1', asset: 'BTC', amount: '40' };
  const said = { ...incoming, citation: pointerTo(sent) };

  it('is received by an account that is open', () => {
    expect(settleTransfer(sent, account())).toEqual({ type: 'TransferReceived', data: said });
  });

  it('is refused by one that is closed, and goes back as it came', () => {
    const refused = settleTransfer(sent, account({ closed: true }));
    expect(refused).toEqual({ type: 'TransferRefused', data: { ...said, reason: 'closed' } });
    const recorded = record(refused) as Of<'TransferRefused'>;
    const returned = { ...data, reason: 'closed', citation: pointerTo(recorded) };
    expect(returnTransfer(recorded)).toEqual({ type: 'TransferReturned', data: returned });
  });

  it('is refused where the balance would have more than 38 digits, reserved funds counted', () => {
    const most = 10n ** 38n - 1n;
    const full = account({ balances: new Map([['BTC', { available: most - 41n, reserved: 1n, held: 0n }]]) });
    expect(refusesTransfer(full, data)).toBeUndefined();
    const fuller = account({ balances: new Map([['BTC', { available: most - 40n, reserved: 1n, held: 0n }]]) });
    expect(refusesTransfer(fuller, data)).toBe('balance-limit');
  });

  it('passes the gate as a credit: a freeze of debits does not turn it away', () => {
    const frozen = (direction: 'debit' | 'credit' | 'both', closed = false): AccountState =>
      account({ closed, freezes: { ...initialFreezesState(), inForce: new Map([['f', inForce(direction)]]) } });
    expect(refusesTransfer(frozen('debit'), data)).toBeUndefined();
    expect(refusesTransfer(frozen('credit'), data)).toBe('credit-frozen');
    expect(refusesTransfer(frozen('both'), data)).toBe('credit-frozen');
    expect(refusesTransfer(frozen('credit', true), data)).toBe('credit-frozen');
    expect(refusesTransfer(frozen('credit'), { ...data, asset: 'EUR' })).toBeUndefined();
  });
});

describe('an outcome and the transfer that it cites', () => {
  const received = record(settleTransfer(sent, account())) as Of<'TransferReceived'>;
  const refused = record(settleTransfer(sent, account({ closed: true }))) as Of<'TransferRefused'>;
  const returned = record(returnTransfer(refused));

  it('say the same', () => {
    expect(checkAgainstSent(received, sent)).toBeUndefined();
    expect(checkAgainstSent(refused, sent)).toBeUndefined();
    expect(checkAgainstRefusal(returned, refused)).toBeUndefined();
  });

  it.each([{ from: 'acc-3' }, { accountId: 'acc-3' }, { transferId: 't-2' }, { asset: 'EUR' }, { amount: '41' }])(
    'and nothing else: %j',
    (changed) => {
      const other = { ...received, data: { ...received.data, ...changed } };
      expect(checkAgainstSent(other, sent)).toBe('says otherwise than the transfer that it cites');
    },
  );

  it.each([
    { to: 'acc-3' },
    { accountId: 'acc-3' },
    { transferId: 't-2' },
    { asset: 'EUR' },
    { amount: '41' },
    { reason: 'credit-frozen' as const },
  ])('and a return nothing else: %j', (changed) => {
    const other = { ...returned, data: { ...returned.data, ...changed } };
    expect(checkAgainstRefusal(other, refused)).toBe('says otherwise than the refusal that it cites');
  });

  it('are of the right kind', () => {
    expect(checkAgainstSent(received, undefined)).toBe('cites no transfer that was sent');
    expect(checkAgainstSent(received, received)).toBe('cites no transfer that was sent');
    expect(checkAgainstRefusal(returned, undefined)).toBe('cites no refusal of a transfer');
    expect(checkAgainstRefusal(returned, received)).toBe('cites no refusal of a transfer');
  });
});
