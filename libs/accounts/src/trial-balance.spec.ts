import { describe, expect, it } from '@jest/globals';
import type { Recorded } from '#kernel';
import { LogBuilder, projectTwice, type ProjectedRows } from '#testing';
import type { AccountEvent } from './events.ts';
import { projectTrialBalance, trialBalanceTable, trialBalanceView } from './trial-balance.ts';

const source = { kind: 'bank', reference: 'wire-1' } as const;
const destination = { kind: 'onchain', chain: 'bitcoin', address: 'bc1q' } as const;
const reservedAt = '2022-03-01T00:00:03.000Z';

function deposit(accountId: string, amount: string, asset = 'BTC'): AccountEvent {
  return { type: 'FundsDeposited', data: { accountId, depositId: `d-${amount}`, asset, amount, source } };
}

function reserve(accountId: string, amount: string): AccountEvent {
  const data = { accountId, withdrawalId: 'w-1', asset: 'BTC', amount, destination, reservedAt };
  return { type: 'WithdrawalReserved', data };
}

function settle(accountId: string, amount: string): AccountEvent {
  const data = { accountId, withdrawalId: 'w-1', asset: 'BTC', amount, destination, reservedAt, reference: 'tx-1' };
  return { type: 'WithdrawalSettled', data };
}

function project(...events: readonly AccountEvent[]): ProjectedRows {
  const log = new LogBuilder();
  const recorded = events.map((event) => {
    const accountId = 'accountId' in event.data ? event.data.accountId : 'acc-1';
    return log.append(`account-${accountId}`, event) as Recorded<AccountEvent>;
  });
  return projectTwice(recorded, () => undefined, projectTrialBalance);
}

function sums(rows: ProjectedRows): string[] {
  return rows
    .of(trialBalanceTable)
    .map(({ asset, part, units }) => `${String(asset)} ${String(part)} ${String(units)}`);
}

describe('the trial balance', () => {
  it('adds up the postings of all accounts, by asset and part', () => {
    const rows = project(
      deposit('acc-1', '100'),
      deposit('acc-2', '40'),
      deposit('acc-2', '7', 'EUR'),
      reserve('acc-1', '30'),
      settle('acc-1', '30'),
      reserve('acc-2', '15'),
    );
    expect(sums(rows)).toEqual([
      'BTC available 95',
      'BTC external -110',
      'BTC reserved 15',
      'EUR available 7',
      'EUR external -7',
    ]);
  });

  it('is moved by nothing but postings', () => {
    const opened = { accountId: 'acc-1', holders: [{ partyId: 'p-1', capacity: 'owner' as const }] };
    expect(sums(project({ type: 'AccountOpened', data: opened }))).toEqual([]);
  });

  it('goes beyond what one account can hold', () => {
    const most = '9'.repeat(38);
    expect(sums(project(deposit('acc-1', most), deposit('acc-2', most)))).toContain(
      `BTC available ${String(2n * BigInt(most))}`,
    );
  });

  it('shows each part, and a sum over all that there are', () => {
    const rows = [
      { part: 'external', units: '-10' },
      { part: 'available', units: '7' },
      { part: 'transit', units: '2' },
      { part: 'fees', units: '2' },
    ];
    const zeros = { reserved: '0', held: '0' };
    expect(trialBalanceView('BTC', rows)).toEqual({
      asset: 'BTC',
      external: '-10',
      available: '7',
      transit: '2',
      ...zeros,
      sum: '1',
    });
  });
});
