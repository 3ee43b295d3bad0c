import { restrictions } from '#freezes';
import {
  addRow,
  defineTable,
  putRow,
  setColumns,
  setLatest,
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
  FundsHeld,
  HeldFundsReleased,
  Source,
  TransferReceived,
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
  indexes: [['accountId', 'partyId']],
});

/** Lines of statements that are no deposits (`deposits` has those). `line` tells apart those of one event. */
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
  onlyAdded: true,
});

/**
 * Every FundsDeposited and FundsHeld, at its revision: a deposit, and the one line that it adds to the statement. `state` is
 * the one that it came in. A second one of an id could only be forged: it moved money, so it is in the statement, but the
 * deposit of that id is the first (the index of names tells which). No index of its own: a row costs little else than the
 * pages that it changes.
 */
export const depositsTable = defineTable({
  name: 'deposits',
  columns: {
    accountId: 'text',
    revision: 'integer',
    depositId: 'text',
    asset: 'text',
    amount: 'text',
    balance: 'text',
    source: 'text',
    position: 'text',
    eventId: 'text',
    state: 'text',
    recordedAt: 'text',
  },
  primaryKey: ['accountId', 'revision'],
  indexes: [],
  onlyAdded: true,
});

/** When all that was held of an asset was released: it ends the state of every deposit of it that was held before. */
export const heldReleasesTable = defineTable({
  name: 'heldReleases',
  columns: { accountId: 'text', asset: 'text', revision: 'integer', releasedAt: 'text' },
  primaryKey: ['accountId', 'asset', 'revision'],
  indexes: [],
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

/** What was taken of deposits that were reversed. */
export const reversalsTable = defineTable({
  name: 'reversals',
  columns: {
    accountId: 'text',
    depositId: 'text',
    cause: 'text',
    reason: 'text',
    taken: 'text',
    shortfall: 'text',
    reversedAt: 'text',
  },
  primaryKey: ['accountId', 'depositId'],
  indexes: [],
});

/** By their sender. `revision` is that of TransferSent. */
export const transfersTable = defineTable({
  name: 'transfers',
  columns: {
    accountId: 'text',
    transferId: 'text',
    revision: 'integer',
    toAccountId: 'text',
    asset: 'text',
    amount: 'text',
    state: 'text',
    reason: 'text?',
    createdAt: 'text',
    updatedAt: 'text',
  },
  primaryKey: ['accountId', 'transferId'],
  indexes: [
    ['accountId', 'revision'],
    ['accountId', 'state', 'revision'],
  ],
  shared: 'in-order',
});

export const accountTables = [
  accountsTable,
  accountHoldersTable,
  depositsTable,
  heldReleasesTable,
  withdrawalsTable,
  entriesTable,
  reversalsTable,
  transfersTable,
] as const;

/** A deposit, available or held. */
export type DepositEvent = EventOf<typeof FundsDeposited> | EventOf<typeof FundsHeld>;
type Released = EventOf<typeof HeldFundsReleased>;
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
type Returned = EventOf<typeof TransferReturned>;
type MovementEvent = Released | Reversed | WithdrawalStep | Stopped | Sent | Received | Returned;

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

/** A deposit as it is shown when it has just come in or been taken back, from that event alone. */
export function depositView(event: Recorded<DepositEvent | Reversed>): DepositView {
  const { accountId, depositId, asset, amount, source } = event.data;
  const updatedAt = event.metadata.recordedAt;
  const unchanged = { accountId, depositId, asset, amount, source };
  if (event.type === 'DepositReversed') {
    const { cause, reason, taken, shortfall, depositedAt: createdAt } = event.data;
    return { ...unchanged, state: 'reversed', cause, reason, taken, shortfall, createdAt, updatedAt };
  }
  return { ...unchanged, state: DEPOSIT_STATE[event.type], ...NOT_REVERSED, createdAt: updatedAt, updatedAt };
}

const NOT_REVERSED = { cause: null, reason: null, taken: null, shortfall: null } as const;
const DEPOSIT_STATE = { FundsDeposited: 'deposited', FundsHeld: 'held' } as const;

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
    case 'HeldFundsReleased':
      return [touchAccount(event, after), ...projectEntries(event, after), projectRelease(event)];
    case 'FundsDeposited':
    case 'FundsHeld':
      return [touchAccount(event, after), projectDeposit(event, after)];
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
      return [touchAccount(event, after), ...projectEntries(event, after), projectReceived(event)];
    case 'TransferRefused':
      return [touchAccount(event, after)];
    case 'TransferReturned':
      return [touchAccount(event, after), ...projectEntries(event, after), projectReturned(event)];
    case 'AccountFrozen':
    case 'FreezeVaried':
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
  const row = { accountId: event.data.accountId, updatedAt: event.metadata.recordedAt };
  return setLatest(accountsTable, row, () => ({
    state: statusOf(after),
    balances: JSON.stringify(balanceViews(after)),
  }));
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
    const line = changes.length;
    changes.push(addRow(entriesTable, { ...entry, line, ledgerAccount: part, asset, amount, balance }));
  }
  return changes;
}

function referenceOf({ data }: Recorded<MovementEvent>): string {
  if ('depositId' in data) return data.depositId;
  if ('transferId' in data) return data.transferId;
  return 'withdrawalId' in data ? data.withdrawalId : data.freezeId;
}

function projectRelease(event: Recorded<Released>): Change {
  const { accountId, asset } = event.data;
  const { revision } = event;
  return putRow(heldReleasesTable, { accountId, asset, revision, releasedAt: event.metadata.recordedAt });
}

function projectSent(event: Recorded<Sent>): Change {
  const { to, ...view } = transferView(event);
  return addRow(transfersTable, { ...view, revision: event.revision, toAccountId: to });
}

/** On the row that its sender has. */
function projectReceived(event: Recorded<Received>): Change {
  const { from: accountId, transferId } = event.data;
  return setColumns(transfersTable, {
    accountId,
    transferId,
    state: 'received',
    updatedAt: event.metadata.recordedAt,
  });
}

function projectReturned(event: Recorded<Returned>): Change {
  const { accountId, transferId, reason } = event.data;
  const updatedAt = event.metadata.recordedAt;
  return setColumns(transfersTable, { accountId, transferId, state: 'returned', reason, updatedAt });
}

function projectReversed(event: Recorded<Reversed>): Change {
  const { accountId, depositId, cause, reason, taken, shortfall } = event.data;
  const reversedAt = event.metadata.recordedAt;
  return putRow(reversalsTable, { accountId, depositId, cause, reason, taken, shortfall, reversedAt });
}

function projectDeposit(event: Recorded<DepositEvent>, after: AccountState): Change {
  const { accountId, depositId, asset, amount, source } = event.data;
  return addRow(depositsTable, {
    accountId,
    revision: event.revision,
    depositId,
    asset,
    amount,
    balance: balanceOf(after, asset)[event.type === 'FundsHeld' ? 'held' : 'available'].toString(),
    source: JSON.stringify(source),
    position: event.position,
    eventId: event.id,
    state: DEPOSIT_STATE[event.type],
    recordedAt: event.metadata.recordedAt,
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

/** The deposit as a row of `deposits` tells it, with the first release after it, if it was held, and its reversal. */
export function depositFromRow(row: {
  readonly accountId: string;
  readonly depositId: string;
  readonly asset: string;
  readonly amount: string;
  readonly source: string;
  readonly state: 'deposited' | 'held';
  readonly recordedAt: Timestamp;
  readonly releasedAt: Timestamp | null;
  readonly reversedAt: Timestamp | null;
  readonly cause: string | null;
  readonly reason: string | null;
  readonly taken: string | null;
  readonly shortfall: string | null;
}): DepositView {
  const { accountId, depositId, asset, amount, cause, reason, taken, shortfall } = row;
  const { recordedAt: createdAt, releasedAt, reversedAt } = row;
  const source = JSON.parse(row.source) as Source;
  const unchanged = { accountId, depositId, asset, amount, source, cause, reason, taken, shortfall, createdAt };
  if (reversedAt !== null) return { ...unchanged, state: 'reversed', updatedAt: reversedAt };
  const isReleased = row.state === 'held' && releasedAt !== null;
  return { ...unchanged, state: isReleased ? 'deposited' : row.state, updatedAt: isReleased ? releasedAt : createdAt };
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
