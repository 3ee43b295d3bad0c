import { restrictions } from '#freezes';
import {
  addRow,
  defineTable,
  putRow,
  setColumns,
  type Change,
  type EventOf,
  type Position,
  type Recorded,
  type Timestamp,
} from '#kernel';
import type {
  AccountEvent,
  AccountClosed,
  AccountOpened,
  DepositReversed,
  Destination,
  FundsDeposited,
  Source,
  TransferReceived,
  TransferRefused,
  TransferReturned,
  TransferSent,
  WithdrawalCancelled,
  WithdrawalDispatched,
  WithdrawalReserved,
  WithdrawalSettled,
  WithdrawalStopped,
} from './events.ts';
import { frozenUnits } from './gate.ts';
import { postings } from './postings.ts';
import { balanceOf, type AccountState } from './state.ts';
import { incomingName } from './transfer.ts';
import type { AccountView, BalanceView, DepositView, TransferView, WithdrawalStatus, WithdrawalView } from './views.ts';

export const accountsTable = defineTable({
  name: 'accounts',
  columns: {
    accountId: 'text',
    state: 'text',
    frozen: 'integer',
    createdPosition: 'text',
    createdAt: 'text',
    updatedAt: 'text',
    holders: 'text',
    balances: 'text',
    freezes: 'text',
  },
  primaryKey: ['accountId'],
  indexes: [['createdPosition'], ['frozen', 'createdPosition'], ['state', 'createdPosition']],
});

/** Who holds which account: those that AccountOpened lists. */
export const accountHoldersTable = defineTable({
  name: 'accountHolders',
  columns: { partyId: 'text', createdPosition: 'text', accountId: 'text' },
  primaryKey: ['partyId', 'createdPosition', 'accountId'],
  indexes: [],
});

/** Lines of statements. `line` tells apart those of one event. */
export const entriesTable = defineTable({
  name: 'entries',
  columns: {
    accountId: 'text',
    revision: 'integer',
    line: 'integer',
    position: 'text',
    eventId: 'text',
    type: 'text',
    ledgerAccount: 'text',
    asset: 'text',
    amount: 'text',
    balance: 'text',
    reference: 'text',
    recordedAt: 'text',
  },
  primaryKey: ['accountId', 'revision', 'line'],
  indexes: [],
});

/**
 * `revision` and `eventId` are those of FundsDeposited: the order of an account's deposits. `reversedRevision` and
 * `reversedBy` are those of DepositReversed.
 */
export const depositsTable = defineTable({
  name: 'deposits',
  columns: {
    accountId: 'text',
    depositId: 'text',
    revision: 'integer',
    eventId: 'text',
    asset: 'text',
    amount: 'text',
    source: 'text',
    state: 'text',
    cause: 'text?',
    reason: 'text?',
    taken: 'text?',
    shortfall: 'text?',
    reversedRevision: 'integer?',
    reversedBy: 'text?',
    createdAt: 'text',
    updatedAt: 'text',
  },
  primaryKey: ['accountId', 'depositId'],
  indexes: [['accountId', 'revision']],
});

/** `revision` is that of WithdrawalReserved. */
export const withdrawalsTable = defineTable({
  name: 'withdrawals',
  columns: {
    accountId: 'text',
    withdrawalId: 'text',
    revision: 'integer',
    asset: 'text',
    amount: 'text',
    destination: 'text',
    state: 'text',
    reference: 'text?',
    reason: 'text?',
    freezeId: 'text?',
    createdAt: 'text',
    updatedAt: 'text',
  },
  primaryKey: ['accountId', 'withdrawalId'],
  indexes: [
    ['accountId', 'revision'],
    ['accountId', 'state', 'revision'],
  ],
});

/** By their sender. `revision` and `eventId` are those of TransferSent, `returnedRevision` and `returnedBy` of TransferReturned. */
export const transfersTable = defineTable({
  name: 'transfers',
  columns: {
    accountId: 'text',
    transferId: 'text',
    revision: 'integer',
    eventId: 'text',
    toAccountId: 'text',
    asset: 'text',
    amount: 'text',
    state: 'text',
    reason: 'text?',
    returnedRevision: 'integer?',
    returnedBy: 'text?',
    createdAt: 'text',
    updatedAt: 'text',
  },
  primaryKey: ['accountId', 'transferId'],
  indexes: [
    ['accountId', 'revision'],
    ['accountId', 'state', 'revision'],
  ],
});

/** What an account decided of the transfers to it, by `incomingName`: what stands there for good. */
export const incomingTransfersTable = defineTable({
  name: 'incomingTransfers',
  columns: { accountId: 'text', name: 'text', revision: 'integer', eventId: 'text' },
  primaryKey: ['accountId', 'name'],
  indexes: [],
});

export const accountTables = [
  accountsTable,
  accountHoldersTable,
  entriesTable,
  depositsTable,
  withdrawalsTable,
  transfersTable,
  incomingTransfersTable,
] as const;

type Deposited = EventOf<typeof FundsDeposited>;
type Reversed = EventOf<typeof DepositReversed>;
/** The events that say all of a withdrawal again. */
export type WithdrawalStep =
  | EventOf<typeof WithdrawalReserved>
  | EventOf<typeof WithdrawalDispatched>
  | EventOf<typeof WithdrawalSettled>
  | EventOf<typeof WithdrawalCancelled>;
type Stopped = EventOf<typeof WithdrawalStopped>;
type Sent = EventOf<typeof TransferSent>;
type Received = EventOf<typeof TransferReceived>;
type Refused = EventOf<typeof TransferRefused>;
type Returned = EventOf<typeof TransferReturned>;
type MovementEvent = Deposited | Reversed | WithdrawalStep | Stopped | Sent | Received | Returned;

/**
 * An account as it is shown, from its state as of a revision, or undefined when it is not open.
 * @param at the stream's last revision, its position, and when the last event that was no refusal was recorded
 */
export function accountView(
  state: AccountState,
  at: { readonly streamRevision: number; readonly position: Position; readonly updatedAt: Timestamp },
): AccountView | undefined {
  if (!state.opened) return undefined;
  const { accountId, holders, createdAt } = state;
  const { streamRevision, position, updatedAt } = at;
  const [balances, freezes] = [balanceViews(state), freezesInForce(state)];
  const shown = { accountId, holders, state: statusOf(state), balances, freezes, streamRevision, position };
  return { ...shown, createdAt, updatedAt };
}

/** An account as it is shown when it has just been closed, from that event alone. */
export function closedAccountView(event: Recorded<EventOf<typeof AccountClosed>>): AccountView {
  const { accountId, holders, openedAt: createdAt, assets } = event.data;
  const { revision: streamRevision, position } = event;
  const nothing = { available: '0', reserved: '0', held: '0', frozen: '0' };
  const balances = assets.map((asset) => ({ asset, ...nothing }));
  const shown = { accountId, holders, state: 'closed', balances, freezes: [], streamRevision, position } as const;
  return { ...shown, createdAt, updatedAt: event.metadata.recordedAt };
}

function statusOf({ closed }: AccountState): AccountView['state'] {
  return closed ? 'closed' : 'open';
}

/** One for each asset ever touched, by code. */
function balanceViews(state: AccountState): BalanceView[] {
  const inForce = restrictions(state.freezes);
  const views: BalanceView[] = [];
  for (const [asset, { available, reserved, held }] of state.balances) {
    views.push({
      asset,
      available: available.toString(),
      reserved: reserved.toString(),
      held: held.toString(),
      frozen: frozenUnits(inForce, asset, available).toString(),
    });
  }
  return views.sort((one, other) => (one.asset < other.asset ? -1 : 1));
}

function freezesInForce(state: AccountState): AccountView['freezes'] {
  return Array.from(state.freezes.inForce.values(), ({ freezeId, scope, basis }) => ({ freezeId, scope, basis }));
}

/** A deposit as it is shown, from either of its events alone. */
export function depositView(event: Recorded<Deposited | Reversed>): DepositView {
  const { accountId, depositId, asset, amount, source } = event.data;
  const updatedAt = event.metadata.recordedAt;
  const unchanged = { accountId, depositId, asset, amount, source };
  if (event.type === 'FundsDeposited') {
    return { ...unchanged, state: 'deposited', ...NOT_REVERSED, createdAt: updatedAt, updatedAt };
  }
  return { ...unchanged, ...reversal(event), createdAt: event.data.depositedAt, updatedAt };
}

const NOT_REVERSED = { cause: null, reason: null, taken: null, shortfall: null } as const;

function reversal({ data }: Recorded<Reversed>): Pick<DepositView, 'state' | keyof typeof NOT_REVERSED> {
  const { cause, reason, taken, shortfall } = data;
  return { state: 'reversed', cause, reason, taken, shortfall };
}

/**
 * A withdrawal as some of its events, in their order, tell it. What an earlier event alone said (the reference of a
 * dispatch, after a cancellation) is told only when that event is among them.
 */
export function withdrawalView(
  first: Recorded<WithdrawalStep>,
  ...later: readonly Recorded<WithdrawalStep | Stopped>[]
): WithdrawalView {
  const { accountId, withdrawalId, asset, amount, destination, reservedAt } = first.data;
  const unchanged = { accountId, withdrawalId, asset, amount, destination, createdAt: reservedAt };
  let view: WithdrawalView = { ...unchanged, ...NOTHING_YET, ...withdrawalOutcome(first) };
  for (const event of later) view = { ...view, ...withdrawalOutcome(event) };
  return view;
}

const NOTHING_YET = { reference: null, reason: null, freezeId: null } as const;

interface WithdrawalOutcome {
  readonly state: WithdrawalStatus;
  readonly updatedAt: Timestamp;
  readonly reference?: string;
  readonly reason?: string;
  readonly freezeId?: string;
}

/** A transfer as it is shown when it has just been sent, from that event alone. */
export function transferView(event: Recorded<Sent>): TransferView {
  const { accountId, transferId, to, asset, amount } = event.data;
  const { recordedAt } = event.metadata;
  const sent = { accountId, transferId, to, asset, amount, state: 'sent', reason: null } as const;
  return { ...sent, createdAt: recordedAt, updatedAt: recordedAt };
}

/** What one event changes of a withdrawal. */
function withdrawalOutcome(event: Recorded<WithdrawalStep | Stopped>): WithdrawalOutcome {
  const updatedAt = event.metadata.recordedAt;
  switch (event.type) {
    case 'WithdrawalReserved':
      return { state: 'reserved', updatedAt };
    case 'WithdrawalDispatched':
      return { state: 'dispatched', updatedAt, reference: event.data.reference };
    case 'WithdrawalSettled':
      return { state: 'settled', updatedAt, reference: event.data.reference };
    case 'WithdrawalCancelled':
      return { state: 'cancelled', updatedAt, reason: event.data.reason };
    case 'WithdrawalStopped':
      return { state: 'stopped', updatedAt, freezeId: event.data.freezeId };
  }
}

/** @param after the account's state after the event */
export function projectAccount(event: Recorded<AccountEvent>, after: AccountState): readonly Change[] {
  switch (event.type) {
    case 'CommandRefused':
    case 'AccountOpeningAbandoned':
      return [];
    case 'AccountOpened':
      return projectOpened(event, after);
    case 'FundsDeposited':
      return [touchAccount(event, after), ...projectEntries(event, after), projectDeposit(event)];
    case 'DepositReversed':
      return [touchAccount(event, after), ...projectEntries(event, after), projectReversed(event)];
    case 'WithdrawalReserved':
      return [touchAccount(event, after), ...projectEntries(event, after), projectReserved(event)];
    case 'WithdrawalDispatched':
    case 'WithdrawalSettled':
    case 'WithdrawalCancelled':
    case 'WithdrawalStopped':
      return [touchAccount(event, after), ...projectEntries(event, after), projectWithdrawalStep(event)];
    case 'TransferSent':
      return [touchAccount(event, after), ...projectEntries(event, after), projectSent(event)];
    case 'TransferReceived':
      return [
        touchAccount(event, after),
        ...projectEntries(event, after),
        projectIncoming(event),
        setColumns(transfersTable, { ...sentUnder(event), state: 'received', updatedAt: event.metadata.recordedAt }),
      ];
    case 'TransferRefused':
      return [touchAccount(event, after), projectIncoming(event)];
    case 'TransferReturned':
      return [touchAccount(event, after), ...projectEntries(event, after), projectReturned(event)];
    case 'AccountFrozen':
    case 'AccountUnfrozen':
      return [touchAccount(event, after), restrictAccount(after)];
    case 'AccountClosed':
    case 'FreezeAbandoned':
    case 'LiftRequested':
    case 'LiftRejected':
      return [touchAccount(event, after)];
  }
}

function projectOpened(event: Recorded<EventOf<typeof AccountOpened>>, after: AccountState): readonly Change[] {
  const { accountId, holders } = event.data;
  const { position: createdPosition } = event;
  const { recordedAt } = event.metadata;
  const account = putRow(accountsTable, {
    accountId,
    state: 'open',
    frozen: 0,
    createdPosition,
    createdAt: recordedAt,
    updatedAt: recordedAt,
    holders: JSON.stringify(holders),
    balances: JSON.stringify(balanceViews(after)),
    freezes: '[]',
  });
  return [
    account,
    ...holders.map(({ partyId }) => putRow(accountHoldersTable, { partyId, createdPosition, accountId })),
  ];
}

function touchAccount(event: Exclude<Recorded<AccountEvent>, { type: 'CommandRefused' }>, after: AccountState): Change {
  return setColumns(accountsTable, {
    accountId: event.data.accountId,
    state: statusOf(after),
    balances: JSON.stringify(balanceViews(after)),
    updatedAt: event.metadata.recordedAt,
  });
}

function restrictAccount(after: AccountState): Change {
  const { accountId } = after;
  const freezes = freezesInForce(after);
  return setColumns(accountsTable, { accountId, frozen: freezes.length > 0 ? 1 : 0, freezes: JSON.stringify(freezes) });
}

function projectEntries(event: Recorded<MovementEvent>, after: AccountState): readonly Change[] {
  const entry = {
    accountId: event.data.accountId,
    revision: event.revision,
    position: event.position,
    eventId: event.id,
    type: event.type,
    reference: referenceOf(event),
    recordedAt: event.metadata.recordedAt,
  };
  const changes: Change[] = [];
  for (const { part, asset, units } of postings(event)) {
    if (part === 'external' || part === 'transit') continue;
    const balance = balanceOf(after, asset)[part].toString();
    const amount = units.toString();
    changes.push(putRow(entriesTable, { ...entry, line: changes.length, ledgerAccount: part, asset, amount, balance }));
  }
  return changes;
}

function referenceOf({ data }: Recorded<MovementEvent>): string {
  if ('depositId' in data) return data.depositId;
  return 'transferId' in data ? data.transferId : data.withdrawalId;
}

function projectSent(event: Recorded<Sent>): Change {
  const { to, ...view } = transferView(event);
  const { revision, id: eventId } = event;
  const nothingYet = { returnedRevision: null, returnedBy: null };
  return addRow(transfersTable, { ...view, revision, eventId, toAccountId: to, ...nothingYet });
}

/** The key of the row of a transfer that this account was sent. */
function sentUnder({ data }: Recorded<Received>): { readonly accountId: string; readonly transferId: string } {
  return { accountId: data.from, transferId: data.transferId };
}

function projectIncoming(event: Recorded<Received | Refused>): Change {
  const { accountId, from, transferId } = event.data;
  const name = incomingName(from, transferId);
  return addRow(incomingTransfersTable, { accountId, name, revision: event.revision, eventId: event.id });
}

function projectReturned(event: Recorded<Returned>): Change {
  const { accountId, transferId, reason } = event.data;
  const { revision: returnedRevision, id: returnedBy } = event;
  const updatedAt = event.metadata.recordedAt;
  const outcome = { state: 'returned', reason, returnedRevision, returnedBy, updatedAt };
  return setColumns(transfersTable, { accountId, transferId, ...outcome });
}

/** The first deposit of an id is the deposit: a second could only be forged. */
function projectDeposit(event: Recorded<Deposited>): Change {
  const { accountId, depositId, asset, amount, source } = event.data;
  return addRow(depositsTable, {
    accountId,
    depositId,
    revision: event.revision,
    eventId: event.id,
    asset,
    amount,
    source: JSON.stringify(source),
    state: 'deposited',
    ...NOT_REVERSED,
    reversedRevision: null,
    reversedBy: null,
    createdAt: event.metadata.recordedAt,
    updatedAt: event.metadata.recordedAt,
  });
}

function projectReversed(event: Recorded<Reversed>): Change {
  const { accountId, depositId } = event.data;
  return setColumns(depositsTable, {
    accountId,
    depositId,
    ...reversal(event),
    reversedRevision: event.revision,
    reversedBy: event.id,
    updatedAt: event.metadata.recordedAt,
  });
}

function projectReserved(event: Recorded<EventOf<typeof WithdrawalReserved>>): Change {
  const view = withdrawalView(event);
  return putRow(withdrawalsTable, {
    ...view,
    revision: event.revision,
    destination: JSON.stringify(view.destination),
  });
}

function projectWithdrawalStep(event: Recorded<WithdrawalStep | Stopped>): Change {
  const { accountId, withdrawalId } = event.data;
  return setColumns(withdrawalsTable, { accountId, withdrawalId, ...withdrawalOutcome(event) });
}

/** The account as a row of `accounts` tells it, and its stream's last revision and position. */
export function accountFromRow(row: {
  readonly accountId: string;
  readonly state: string;
  readonly holders: string;
  readonly balances: string;
  readonly freezes: string;
  readonly streamRevision: number;
  readonly position: Position;
  readonly createdAt: Timestamp;
  readonly updatedAt: Timestamp;
}): AccountView {
  const { accountId, streamRevision, position, createdAt, updatedAt } = row;
  return {
    accountId,
    holders: JSON.parse(row.holders) as AccountView['holders'],
    state: row.state as AccountView['state'],
    balances: JSON.parse(row.balances) as AccountView['balances'],
    freezes: JSON.parse(row.freezes) as AccountView['freezes'],
    streamRevision,
    position,
    createdAt,
    updatedAt,
  };
}

/** The deposit as a row of `deposits` tells it. */
export function depositFromRow(row: Omit<DepositView, 'source'> & { readonly source: string }): DepositView {
  return { ...row, source: JSON.parse(row.source) as Source };
}

/** The transfer as a row of `transfers` tells it. */
export function transferFromRow(row: Omit<TransferView, 'to'> & { readonly toAccountId: string }): TransferView {
  const { toAccountId: to, accountId, transferId, asset, amount, state, reason, createdAt, updatedAt } = row;
  return { accountId, transferId, to, asset, amount, state, reason, createdAt, updatedAt };
}

/** The withdrawal as a row of `withdrawals` tells it. */
export function withdrawalFromRow(
  row: Omit<WithdrawalView, 'destination'> & { readonly destination: string },
): WithdrawalView {
  return { ...row, destination: JSON.parse(row.destination) as Destination };
}
