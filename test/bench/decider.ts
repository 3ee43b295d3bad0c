import { decideAccount, evolveAccount, initialAccountState, type AccountCommand, type AccountEvent } from '#accounts';
import { isRejection } from '#kernel';
import { median } from './rounds.ts';

const COMMANDS = 400_000;
const metadata = {
  actor: { id: 'payments', roles: ['service'] },
  correlationId: 'bench',
  causationId: null,
  key: null,
  commandHash: null,
  recordedAt: '2022-02-15T12:00:00.000Z',
  previousHash: null,
  hash: '',
};
const facts = { now: metadata.recordedAt, actor: metadata.actor, asset: { code: 'BTC', scale: 8 } };

/** Commands a second through the account's decider and evolve: deposits, and withdrawals from reservation to settlement. */
export function decider(): number {
  return median(Array.from({ length: 5 }, () => once()));
}

function once(): number {
  let state = initialAccountState();
  let revision = -1;
  const fold = (events: readonly AccountEvent[]): void => {
    for (const event of events) {
      revision += 1;
      const recorded = {
        ...event,
        id: '',
        schemaVersion: 1,
        stream: 'account-acc-1',
        revision,
        position: '',
        metadata,
      };
      state = evolveAccount(state, recorded);
    }
  };
  fold([{ type: 'AccountOpened', data: { accountId: 'acc-1', holders: [{ partyId: 'p-1', capacity: 'owner' }] } }]);
  const start = performance.now();
  for (let n = 0; n < COMMANDS; n += 1) {
    const decision = decideAccount(commandAt(n), state, facts);
    if (isRejection(decision)) throw new Error(`${decision.code}: ${decision.detail}`);
    fold(decision);
  }
  return COMMANDS / ((performance.now() - start) / 1000);
}

function commandAt(n: number): AccountCommand {
  const accountId = 'acc-1';
  const withdrawalId = `w-${String(Math.floor(n / 4))}`;
  switch (n % 4) {
    case 0:
      return { type: 'Deposit', accountId, depositId: `d-${String(n)}`, asset: 'BTC', amount: '1.5', source: BANK };
    case 1:
      return { type: 'ReserveWithdrawal', accountId, withdrawalId, asset: 'BTC', amount: '1', destination: BANK };
    case 2:
      return { type: 'DispatchWithdrawal', accountId, withdrawalId, reference: 'tx' };
    default:
      return { type: 'SettleWithdrawal', accountId, withdrawalId, reference: 'tx' };
  }
}

const BANK = { kind: 'bank', reference: 'r' } as const;
