import { describe, expect, it } from '@jest/globals';
import type { Recorded, Row } from '#kernel';
import { LogBuilder, projectTwice, testId, type ProjectedRows } from '#testing';
import type { AccountEvent } from './events.ts';
import {
  accountFromRow,
  accountHoldersTable,
  accountsTable,
  accountView,
  closedAccountView,
  depositFromRow,
  depositsTable,
  depositView,
  entriesTable,
  heldReleasesTable,
  projectAccount,
  reversalsTable,
  transferFromRow,
  transfersTable,
  transferView,
  withdrawalFromRow,
  withdrawalsTable,
  withdrawalView,
} from './projection.ts';
import { evolveAccount, initialAccountState, type AccountState } from './state.ts';

const accountId = 'acc-1';
const stream = 'account-acc-1';
const holders = [
  { partyId: 'p-1', capacity: 'joint' },
  { partyId: 'p-2', capacity: 'joint' },
] as const;
const freezeId = testId(900);
const basis = { kind: 'legal-order', id: 'ord-1' } as const;
const citation = { stream: 'legalOrder-ord-1', revision: '2', eventId: freezeId };
const destination = { kind: 'onchain', chain: 'bitcoin', address: 'bc1q' } as const;
const source = { kind: 'bank', reference: 'wire-1' } as const;
const reservedAt = '2022-03-01T00:00:03.000Z';

type Of<Type extends AccountEvent['type']> = Extract<AccountEvent, { readonly type: Type }>;

const opened: Of<'AccountOpened'> = { type: 'AccountOpened', data: { accountId, holders: [...holders] } };
const closed: Of<'AccountClosed'> = {
  type: 'AccountClosed',
  data: { accountId, reason: 'asked', holders: [...holders], openedAt: '2022-03-01T00:00:01.000Z', assets: ['BTC'] },
};
const scope = { direction: 'debit', assets: ['BTC'] } as Of<'AccountFrozen'>['data']['scope'];
const frozen: Of<'AccountFrozen'> = {
  type: 'AccountFrozen',
  data: {
    accountId,
    freezeId,
    basis,
    citation,
    scope,
    claimGroup: 'legal-order/ord-1',
    placedBy: 'maker',
    blockedFrom: reservedAt,
    balancesAtFreeze: [],
    stopped: [],
    inFlight: [],
  },
};
const unfrozen: Of<'AccountUnfrozen'> = {
  type: 'AccountUnfrozen',
  data: { accountId, freezeId, ground: 'basis-ended', citation, requestedBy: 'maker', approvedBy: 'checker' },
};
const refused: Of<'CommandRefused'> = {
  type: 'CommandRefused',
  data: { command: 'ReserveWithdrawal', code: 'account-frozen', detail: 'no', extra: {}, request: {}, decidedOn: null },
};

function deposited(depositId: string, amount: string, asset = 'BTC'): Of<'FundsDeposited'> {
  return { type: 'FundsDeposited', data: { accountId, depositId, asset, amount, source } };
}

const reversed: Of<'DepositReversed'> = {
  type: 'DepositReversed',
  data: {
    ...{ accountId, depositId: 'd-1', asset: 'BTC', amount: '100', source, depositedAt: '2022-03-01T00:00:02.000Z' },
    citation: { stream, revision: '1', eventId: testId(901) },
    ...{ cause: 'bank-recall', reason: 'recalled', taken: '90', takenFromHeld: '0', shortfall: '10' },
  },
};

const withdrawal = { accountId, withdrawalId: 'w-1', asset: 'BTC', amount: '30', destination, reservedAt };
const reserved: Of<'WithdrawalReserved'> = { type: 'WithdrawalReserved', data: withdrawal };
const dispatched: Of<'WithdrawalDispatched'> = {
  type: 'WithdrawalDispatched',
  data: { ...withdrawal, reference: 'tx-1' },
};
const settled: Of<'WithdrawalSettled'> = { type: 'WithdrawalSettled', data: { ...withdrawal, reference: 'tx-2' } };
const cancelled: Of<'WithdrawalCancelled'> = { type: 'WithdrawalCancelled', data: { ...withdrawal, reason: 'typo' } };
const stopped: Of<'WithdrawalStopped'> = {
  type: 'WithdrawalStopped',
  data: { accountId, withdrawalId: 'w-1', asset: 'BTC', amount: '30', freezeId },
};

const frozenForCredits: Of<'AccountFrozen'> = {
  ...frozen,
  data: { ...frozen.data, scope: { direction: 'credit', assets: 'all' } },
};
const limited: Of<'AccountFrozen'> = {
  ...frozen,
  data: { ...frozen.data, scope: { ...scope, limits: { BTC: '60' } } },
};
function held(depositId: string, amount: string): Of<'FundsHeld'> {
  return { type: 'FundsHeld', data: { accountId, depositId, asset: 'BTC', amount, source } };
}
function released(amount: string): Of<'HeldFundsReleased'> {
  return { type: 'HeldFundsReleased', data: { accountId, asset: 'BTC', amount, freezeId } };
}

interface Projected {
  readonly rows: ProjectedRows;
  readonly state: AccountState;
  readonly recorded: readonly Recorded<AccountEvent>[];
}

function record<Event extends AccountEvent>(log: LogBuilder, event: Event): Recorded<Event> {
  return log.append(stream, event) as unknown as Recorded<Event>;
}

function project(...events: readonly AccountEvent[]): Projected {
  const log = new LogBuilder();
  const recorded = events.map((event) => record(log, event));
  let state = initialAccountState();
  const rows = projectTwice(recorded, (event) => (state = evolveAccount(state, event)), projectAccount);
  return { rows, state, recorded };
}

type AccountRow = Row & Parameters<typeof accountFromRow>[0];

function accountIn({ rows, recorded }: Projected): unknown {
  const last = recorded.at(-1);
  const place = { streamRevision: last?.revision ?? -1, position: last?.position ?? '' };
  return rows.of(accountsTable).map((row) => accountFromRow({ ...(row as AccountRow), ...place }));
}

/** The account as it is shown from its state alone. */
function fromState({ state, recorded }: Projected): unknown {
  const [last, shown] = [recorded.at(-1), recorded.filter(({ type }) => type !== 'CommandRefused').at(-1)];
  if (last === undefined || shown === undefined) return [];
  const { revision: streamRevision, position } = last;
  const view = accountView(state, { streamRevision, position, updatedAt: shown.metadata.recordedAt });
  return view === undefined ? [] : [view];
}

function statement({ rows }: Projected): unknown {
  return rows
    .of(entriesTable)
    .map(({ revision, ledgerAccount, asset, amount, balance, reference }) =>
      [revision, ledgerAccount, asset, amount, balance, reference].join(' '),
    );
}

const NO_REVERSAL = { reversedAt: null, cause: null, reason: null, taken: null, shortfall: null };

/** As the queries join them, where nothing was released. */
function depositIn({ rows }: Projected): unknown {
  return rows.of(depositsTable).map(({ revision: _, ...row }) => {
    const reversal = rows.of(reversalsTable).find(({ depositId }) => depositId === row['depositId']);
    return depositFromRow({ ...row, ...(reversal ?? NO_REVERSAL), releasedAt: null } as never);
  });
}

function withdrawalIn({ rows }: Projected): unknown {
  return rows.of(withdrawalsTable).map(({ revision: _, ...row }) => withdrawalFromRow(row as never));
}

describe('the projection of accounts', () => {
  it.each<readonly [string, readonly AccountEvent[]]>([
    ['open', [opened]],
    [
      'closed',
      [
        opened,
        deposited('d-1', '100'),
        { ...reversed, data: { ...reversed.data, taken: '100', shortfall: '0' } },
        closed,
      ],
    ],
    ['open again', [opened, closed, deposited('d-1', '100')]],
    ['in funds', [opened, deposited('d-1', '100'), deposited('d-2', '7', 'EUR')]],
    ['with a withdrawal reserved', [opened, deposited('d-1', '100'), reserved]],
    ['with a withdrawal settled', [opened, deposited('d-1', '100'), reserved, dispatched, settled]],
    ['frozen', [opened, deposited('d-1', '100'), deposited('d-2', '7', 'EUR'), frozen]],
    ['frozen with a withdrawal stopped', [opened, deposited('d-1', '100'), reserved, frozen, stopped]],
    ['in receipt of a deposit while frozen', [opened, frozen, deposited('d-1', '100')]],
    ['no longer frozen', [opened, deposited('d-1', '100'), frozen, unfrozen]],
    ['in receipt of a deposit that is held', [opened, deposited('d-1', '100'), frozenForCredits, held('d-2', '5')]],
    ['rid of what was held', [opened, frozenForCredits, held('d-1', '5'), unfrozen, released('5')]],
    ['frozen up to a limit', [opened, deposited('d-1', '100'), limited]],
    ['refused something', [opened, deposited('d-1', '100'), refused]],
  ])('shows an account that is %s as its state does', (_, events) => {
    const projected = project(...events);
    expect(accountIn(projected)).toEqual(fromState(projected));
    expect(projected.rows.of(accountsTable)).toHaveLength(1);
  });

  it('shows what is frozen of each balance, and which freezes are in force', () => {
    const [view] = accountIn(
      project(opened, deposited('d-1', '100'), deposited('d-2', '7', 'EUR'), frozen),
    ) as unknown[];
    expect(view).toMatchObject({
      balances: [
        { asset: 'BTC', available: '100', reserved: '0', held: '0', frozen: '100' },
        { asset: 'EUR', available: '7', reserved: '0', held: '0', frozen: '0' },
      ],
      freezes: [{ freezeId, scope, basis }],
    });
  });

  it('marks accounts while a freeze is in force', () => {
    expect(project(opened, frozen).rows.of(accountsTable)).toMatchObject([{ frozen: 1 }]);
    expect(project(opened, frozen, unfrozen).rows.of(accountsTable)).toMatchObject([{ frozen: 0 }]);
  });

  it('has a row for each holder', () => {
    const { rows, recorded } = project(opened);
    const createdPosition = recorded[0]?.position;
    expect(rows.of(accountHoldersTable)).toEqual([
      { partyId: 'p-1', createdPosition, accountId },
      { partyId: 'p-2', createdPosition, accountId },
    ]);
  });

  it('shows no account that was never opened', () => {
    const abandoned: Of<'AccountOpeningAbandoned'> = {
      type: 'AccountOpeningAbandoned',
      data: { accountId, reason: 'party-named-by-basis', holders: [...holders], decidedOn: null },
    };
    const { rows } = project(abandoned, refused);
    expect(rows.of(accountsTable)).toEqual([]);
  });
});

describe('transfers', () => {
  const sent: Of<'TransferSent'> = {
    type: 'TransferSent',
    data: { accountId, to: 'acc-2', transferId: 't-1', asset: 'BTC', amount: '40' },
  };
  const back: Of<'TransferReturned'> = {
    type: 'TransferReturned',
    data: { ...sent.data, reason: 'closed', citation: { ...citation, stream: 'account-acc-2' } },
  };
  /** Of a transfer that another account sent. */
  const incoming = { accountId, from: 'acc-9', transferId: 't-1', asset: 'BTC', amount: '7' };
  const came: Of<'TransferReceived'> = { type: 'TransferReceived', data: { ...incoming, citation } };
  const shown = ({ rows }: Projected): unknown => rows.of(transfersTable).map((row) => transferFromRow(row as never));

  it('are shown from the event alone as sent, and from the row as they went on', () => {
    const projected = project(opened, deposited('d-1', '100'), sent);
    expect(shown(projected)).toEqual([transferView(projected.recorded[2] as Recorded<Of<'TransferSent'>>)]);
    expect(shown(projected)).toMatchObject([{ to: 'acc-2', amount: '40', state: 'sent', reason: null }]);
    const after = project(opened, deposited('d-1', '100'), sent, back);
    expect(shown(after)).toMatchObject([{ to: 'acc-2', amount: '40', state: 'returned', reason: 'closed' }]);
  });

  it('are received on the other side: the row of their sender says so', () => {
    const log = new LogBuilder();
    const events = [
      log.append('account-acc-9', { ...sent, data: { ...sent.data, accountId: 'acc-9', to: accountId } }),
      log.append(stream, came),
    ] as unknown as Recorded<AccountEvent>[];
    const rows = projectTwice(events, (event) => evolveAccount(initialAccountState(), event), projectAccount);
    expect(rows.of(transfersTable)).toMatchObject([{ accountId: 'acc-9', transferId: 't-1', state: 'received' }]);
  });

  it('that are refused stay sent until they are back', () => {
    const refusedIt: Of<'TransferRefused'> = {
      type: 'TransferRefused',
      data: { ...incoming, reason: 'closed', citation },
    };
    const { rows } = project(opened, refusedIt);
    expect(rows.of(transfersTable)).toEqual([]);
    expect(rows.of(entriesTable)).toEqual([]);
  });

  it('are on the statements of both accounts', () => {
    expect(statement(project(opened, deposited('d-1', '100'), sent, came, back))).toEqual([
      '2 available BTC -40 60 t-1',
      '3 available BTC 7 67 t-1',
      '4 available BTC 40 107 t-1',
    ]);
  });

  it('that come back open an account that was closed', () => {
    const projected = project(opened, closed, back);
    expect(accountIn(projected)).toEqual(fromState(projected));
    expect(projected.rows.of(accountsTable)).toMatchObject([{ state: 'open' }]);
  });
});

describe('a closure', () => {
  it('shows the account alike from its event and from the row', () => {
    const none = { ...reversed, data: { ...reversed.data, taken: '100', shortfall: '0' } };
    const projected = project(opened, deposited('d-1', '100'), none, closed);
    const last = projected.recorded.at(-1) as Recorded<Of<'AccountClosed'>>;
    expect(accountIn(projected)).toEqual([closedAccountView(last)]);
    expect(projected.rows.of(accountsTable)).toMatchObject([{ state: 'closed' }]);
    expect(project(opened, closed, deposited('d-1', '1')).rows.of(accountsTable)).toMatchObject([{ state: 'open' }]);
    const reopened = project(opened, closed, frozenForCredits, held('d-1', '1'));
    expect(accountIn(reopened)).toEqual(fromState(reopened));
    expect(reopened.rows.of(accountsTable)).toMatchObject([{ state: 'open', frozen: 1 }]);
  });
});

describe('the statement, but for deposits', () => {
  it("has a line for each of the holder's ledger accounts that moved, with the balance after it", () => {
    const projected = project(opened, deposited('d-1', '100'), reserved, dispatched, settled);
    expect(statement(projected)).toEqual([
      '2 available BTC -30 70 w-1',
      '2 reserved BTC 30 30 w-1',
      '4 reserved BTC -30 0 w-1',
    ]);
  });

  it('shows what is held, and its release', () => {
    const events = [opened, frozenForCredits, held('d-1', '5'), unfrozen, released('5')];
    expect(statement(project(...events))).toEqual([`4 held BTC -5 0 ${freezeId}`, `4 available BTC 5 5 ${freezeId}`]);
  });

  it('shows what a reversal takes, from each ledger account that it comes out of', () => {
    const data = { ...reversed.data, takenFromHeld: '30' };
    expect(statement(project(opened, deposited('d-1', '100'), { type: 'DepositReversed', data }))).toEqual([
      '2 held BTC -30 -30 d-1',
      '2 available BTC -60 40 d-1',
    ]);
  });

  it('shows what comes back', () => {
    expect(statement(project(opened, deposited('d-1', '100'), reserved, cancelled))).toEqual([
      '2 available BTC -30 70 w-1',
      '2 reserved BTC 30 30 w-1',
      '3 reserved BTC -30 0 w-1',
      '3 available BTC 30 100 w-1',
    ]);
  });
});

describe('deposits', () => {
  it('are held until the first release after them', () => {
    const { rows, recorded } = project(opened, frozenForCredits, held('d-1', '5'), unfrozen, released('5'));
    const [row] = rows.of(depositsTable);
    const [release] = rows.of(heldReleasesTable);
    expect(release).toMatchObject({ accountId, asset: 'BTC', revision: 4 });
    const both = project(opened, deposited('d-1', '100'), frozenForCredits, held('d-2', '5'));
    expect(both.rows.of(depositsTable).map(({ balance }) => balance)).toEqual(['100', '5']);
    const shown = (releasedAt: unknown): unknown => depositFromRow({ ...row, ...NO_REVERSAL, releasedAt } as never);
    expect(shown(null)).toEqual(depositView(recorded[2] as Recorded<Of<'FundsHeld'>>));
    expect(shown(null)).toMatchObject({ state: 'held' });
    expect(shown(release?.['releasedAt'])).toMatchObject({
      state: 'deposited',
      updatedAt: recorded[4]?.metadata.recordedAt,
    });
  });

  it('are shown alike from the event and from the row', () => {
    const projected = project(opened, deposited('d-1', '100'));
    expect(depositIn(projected)).toEqual([depositView(projected.recorded[1] as Recorded<Of<'FundsDeposited'>>)]);
    const common = { depositId: 'd-1', asset: 'BTC', amount: '100', source };
    expect(depositIn(projected)).toMatchObject([{ ...common, state: 'deposited', taken: null, cause: null }]);

    const after = project(opened, deposited('d-1', '100'), reversed);
    expect(depositIn(after)).toEqual([depositView(after.recorded[2] as Recorded<Of<'DepositReversed'>>)]);
    const outcome = { cause: 'bank-recall', reason: 'recalled', taken: '90', shortfall: '10' };
    expect(depositIn(after)).toMatchObject([{ ...common, state: 'reversed', ...outcome }]);
  });

  it('are lines of the statement, with the balance after them; also one that repeats an id, which has moved money', () => {
    const { rows, recorded } = project(opened, deposited('d-1', '100'), deposited('d-1', '1'));
    const [, first, second] = recorded;
    expect(rows.of(depositsTable)).toMatchObject([
      { depositId: 'd-1', revision: 1, amount: '100', balance: '100', position: first?.position, eventId: first?.id },
      { depositId: 'd-1', revision: 2, amount: '1', balance: '101', position: second?.position, eventId: second?.id },
    ]);
  });
});

describe('withdrawals', () => {
  it.each<readonly [string, readonly AccountEvent[], object]>([
    ['reserved', [reserved], { reference: null, reason: null, freezeId: null }],
    ['dispatched', [reserved, dispatched], { reference: 'tx-1' }],
    ['settled', [reserved, dispatched, settled], { reference: 'tx-2' }],
    ['cancelled', [reserved, cancelled], { reference: null, reason: 'typo' }],
    ['cancelled', [reserved, dispatched, cancelled], { reference: 'tx-1', reason: 'typo' }],
    ['stopped', [reserved, frozen, stopped], { freezeId, reference: null }],
  ])('are shown as %s', (state, steps, expected) => {
    const projected = project(opened, deposited('d-1', '100'), ...steps);
    const common = { accountId, withdrawalId: 'w-1', asset: 'BTC', amount: '30', destination, createdAt: reservedAt };
    const updatedAt = projected.recorded.at(-1)?.metadata.recordedAt;
    expect(withdrawalIn(projected)).toMatchObject([{ ...common, ...expected, state, updatedAt }]);
    expect(projected.rows.of(withdrawalsTable)).toMatchObject([{ revision: 2 }]);
  });

  it('are shown alike from their events and from their row', () => {
    const log = new LogBuilder();
    const [first, second] = [record(log, reserved), record(log, dispatched)];
    const all = project(opened, deposited('d-1', '100'), reserved, dispatched);
    const [fromRow] = withdrawalIn(all) as object[];
    expect({ ...withdrawalView(first, second), updatedAt: '' }).toEqual({ ...fromRow, updatedAt: '' });
  });

  it('say what a single event of theirs says', () => {
    const view = withdrawalView(record(new LogBuilder(), settled));
    expect(view).toMatchObject({ state: 'settled', reference: 'tx-2', createdAt: reservedAt, destination });
  });
});
