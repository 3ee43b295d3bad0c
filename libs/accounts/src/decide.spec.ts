import { describe, it } from '@jest/globals';
import { formatUnits, isRejection, MAX_AMOUNT_DIGITS, Money, type Asset, type RejectionCode } from '#kernel';
import { MAX_OPEN_WITHDRAWALS } from '#freezes';
import { at, SPEC_NOW, specEventId, specFor, specPointer, type Placed } from '#testing';
import { checkAccount } from './check.ts';
import type { AccountCommand } from './commands.ts';
import { decideAccount, type AccountContext } from './decide.ts';
import { accountEvents, type AccountEvent } from './events.ts';
import { MAX_HELD_ASSETS } from './limits.ts';
import type { RecordedDeposit } from './reversal.ts';
import { evolveAccount, initialAccountState } from './state.ts';
import { WITHDRAWAL_STATES } from './views.ts';

const stream = 'account-acc-1';
const bitcoin: Asset = { code: 'BTC', scale: 8 };
const euro: Asset = { code: 'EUR', scale: 2 };
const maker = { id: 'ops-1', roles: ['ops'] };

const { given } = specFor({
  initialState: initialAccountState,
  evolve: evolveAccount,
  check: checkAccount,
  decide: (command: AccountCommand, state, context: AccountContext) => decideAccount(command, state, context),
  events: accountEvents,
  stream,
  context: { now: SPEC_NOW, actor: { id: 'approver-1', roles: ['service', 'approver'] }, asset: bitcoin },
});

const opened: AccountEvent = {
  type: 'AccountOpened',
  data: { accountId: 'acc-1', holders: [{ partyId: 'p-1', capacity: 'owner' }] },
};
const source = { kind: 'bank', reference: 'ref' } as const;
function deposited(asset: string, amount: string, depositId = `d-${asset}`): AccountEvent {
  return { type: 'FundsDeposited', data: { accountId: 'acc-1', depositId, asset, amount, source } };
}
const destination = { kind: 'onchain', address: 'bc1q' } as const;
/** 0.4 of a bitcoin, or 4 euros. */
function withdrawal(asset = 'BTC', withdrawalId = 'w-1') {
  const amount = asset === 'BTC' ? '40000000' : '400';
  return { accountId: 'acc-1', withdrawalId, asset, amount, destination, reservedAt: SPEC_NOW } as const;
}
const reserved: AccountEvent = { type: 'WithdrawalReserved', data: withdrawal() };
const dispatched: AccountEvent = { type: 'WithdrawalDispatched', data: { ...withdrawal(), reference: 'tx' } };
const settled: AccountEvent = { type: 'WithdrawalSettled', data: { ...withdrawal(), reference: 'tx' } };
const cancelled: AccountEvent = { type: 'WithdrawalCancelled', data: { ...withdrawal(), reason: 'no' } };

/** What is said of the account that was opened first. */
function ofClosure(reason = 'asked') {
  const holders: { partyId: string; capacity: 'owner' }[] = [{ partyId: 'p-1', capacity: 'owner' }];
  return { accountId: 'acc-1', reason, holders, openedAt: '2022-04-06T11:00:00.000Z' };
}

const freezeId = specEventId(0xf1);
function frozen(assets: 'all' | string[], nth = 1, direction: 'debit' | 'credit' = 'debit'): AccountEvent {
  const id = specEventId(0xf0 + nth);
  return {
    type: 'AccountFrozen',
    data: {
      accountId: 'acc-1',
      freezeId: id,
      basis: { kind: 'legal-order', id: `ord-${String(nth)}` },
      citation: { stream: `legalOrder-ord-${String(nth)}`, revision: '2', eventId: id },
      scope: { direction, assets },
      claimGroup: `legal-order/ord-${String(nth)}`,
      placedBy: 'ops-1',
      blockedFrom: SPEC_NOW,
      balancesAtFreeze: [],
      stopped: [],
      inFlight: [],
    },
  };
}
const unfrozen: AccountEvent = {
  type: 'AccountUnfrozen',
  data: {
    accountId: 'acc-1',
    freezeId,
    ground: 'basis-ended',
    citation: { stream: 'legalOrder-ord-1', revision: '4', eventId: specEventId(0xe1) },
    requestedBy: 'ops-1',
    approvedBy: 'approver-1',
  },
};

const closed: AccountEvent = { type: 'AccountClosed', data: { ...ofClosure(), assets: [] } };

const funded = [opened, deposited('BTC', '100000000'), deposited('EUR', '1000')];
type History = readonly (AccountEvent | Placed<AccountEvent>)[];
/** Each state of an account, with a bitcoin and ten euros. */
const accounts = {
  open: funded,
  'frozen for euros': [...funded, frozen(['EUR'])],
  'frozen for bitcoins': [...funded, frozen(['BTC'])],
  frozen: [...funded, frozen('all')],
  'frozen twice': [...funded, frozen('all'), frozen(['BTC'], 2)],
  lifted: [...funded, frozen('all'), unfrozen],
} satisfies Record<string, History>;
type AccountKind = keyof typeof accounts;
const kinds = Object.keys(accounts) as AccountKind[];
/** The freezes that stop a debit of bitcoins. */
const stops: Partial<Record<AccountKind, readonly string[]>> = {
  'frozen for bitcoins': [freezeId],
  frozen: [freezeId],
  'frozen twice': [freezeId, specEventId(0xf2)],
};

const deposit: AccountCommand = {
  type: 'Deposit',
  accountId: 'acc-1',
  depositId: 'd-1',
  asset: 'BTC',
  amount: '0.5',
  source,
};
const reverse: AccountCommand = {
  type: 'ReverseDeposit',
  accountId: 'acc-1',
  depositId: 'd-BTC',
  cause: 'reorganisation',
  reason: 'orphaned',
};
const deposit1: RecordedDeposit = {
  pointer: specPointer(stream, 1),
  asset: 'BTC',
  amountUnits: 100_000_000n,
  source,
  depositedAt: '2022-04-06T11:00:01.000Z',
  wasHeld: false,
};
/** The reversal of the first bitcoin: what was taken, of it out of held, and what was no longer there. */
function reversed(cause: string, taken: string, takenFromHeld: string, shortfall: string): AccountEvent {
  const { asset, depositedAt, pointer } = deposit1;
  const what = { accountId: 'acc-1', depositId: 'd-BTC', asset, amount: '100000000', source, depositedAt };
  const why = { cause, reason: 'orphaned' } as { cause: 'mistake'; reason: string };
  return { type: 'DepositReversed', data: { ...what, citation: pointer, ...why, taken, takenFromHeld, shortfall } };
}
const reserve: AccountCommand = {
  type: 'ReserveWithdrawal',
  accountId: 'acc-1',
  withdrawalId: 'w-1',
  asset: 'BTC',
  amount: '0.4',
  destination,
};
const ofWithdrawal = { accountId: 'acc-1', withdrawalId: 'w-1' };
const dispatch: AccountCommand = { type: 'DispatchWithdrawal', ...ofWithdrawal, reference: 'tx' };
const settle: AccountCommand = { type: 'SettleWithdrawal', ...ofWithdrawal, reference: 'tx' };
const cancel: AccountCommand = { type: 'CancelWithdrawal', ...ofWithdrawal, reason: 'no' };
const ofLift = { accountId: 'acc-1', freezeId, requestId: 'req-1' };
const requestLift: AccountCommand = { type: 'RequestLift', ...ofLift, ground: 'placed-in-error', note: 'n' };
const approveLift: AccountCommand = { type: 'ApproveLift', ...ofLift };
const rejectLift: AccountCommand = { type: 'RejectLift', ...ofLift, reason: 'r' };

describe('an account that is not there', () => {
  const close: AccountCommand = { type: 'CloseAccount', accountId: 'acc-1', reason: 'asked' };
  it.each([deposit, reverse, reserve, dispatch, settle, cancel, close])('takes no $type', (command) => {
    given().when(command).thenRejected('account-not-found', {});
  });

  it('is said before anything else', () => {
    given().when(deposit, { asset: undefined, depositExists: true }).thenRejected('account-not-found');
    given().when(reserve, { asset: undefined, closedWithdrawal: 'settled' }).thenRejected('account-not-found');
    given().when(dispatch, { closedWithdrawal: 'settled' }).thenRejected('account-not-found');
  });

  it.each([requestLift, approveLift, rejectLift])('has no freeze: $type', (command) => {
    given().when(command).thenRejected('freeze-not-found');
  });
});

describe('amounts', () => {
  it.each([
    ...['1e3', '-1', '+1', '0', '0.0', '00.1', '.5', '1.', '', ' 1', '1 ', '1,5', '0x1', '١', 'NaN', '0.000000001'],
    `1${'0'.repeat(MAX_AMOUNT_DIGITS - bitcoin.scale)}`,
    '1'.repeat(40),
  ])('%j is none, and that is said before any rule', (amount) => {
    const frozenAccount = given(...accounts.frozen);
    for (const command of [{ ...deposit, amount } as AccountCommand, { ...reserve, amount } as AccountCommand]) {
      frozenAccount
        .when(command, { depositExists: true, closedWithdrawal: 'settled' })
        .thenRejected('malformed-request', errorsOfAmount(amount));
    }
  });

  it('are of an asset that there is', () => {
    given(...accounts.frozen)
      .when(deposit, { asset: undefined })
      .thenRejected('asset-not-found', {});
    given(...accounts.frozen)
      .when(reserve, { asset: undefined })
      .thenRejected('asset-not-found', {});
  });

  it('are read with the scale of their asset', () => {
    given(opened)
      .when({ ...deposit, asset: 'EUR', amount: '0.5' }, { asset: euro })
      .then(deposited('EUR', '50', 'd-1'));
  });
});

/** What the kernel says of the amount, which is the field's fault. */
function errorsOfAmount(amount: string): Readonly<Record<string, unknown>> {
  const parsed = Money.parse(amount, bitcoin, 'amount');
  if (!isRejection(parsed)) throw new Error(`${amount} is an amount`);
  return parsed.extra;
}

describe('deposits', () => {
  it.each(kinds)('land in an account that is %s (invariant 5)', (kind) => {
    given(...accounts[kind])
      .when(deposit)
      .then(deposited('BTC', '50000000', 'd-1'));
  });

  it('land once for each id', () => {
    given(opened).when(deposit, { depositExists: true }).thenRejected('already-exists', { depositId: 'd-1' });
  });

  it('never take an account beyond 38 digits, reserved funds counted', () => {
    const most = 10n ** 38n - 1n;
    const full = deposited('BTC', (most - 1n).toString());
    const reservation: AccountEvent = { type: 'WithdrawalReserved', data: { ...withdrawal(), amount: '5' } };
    given(opened, full, reservation)
      .when({ ...deposit, amount: formatUnits(1n, 8) })
      .then(deposited('BTC', '1', 'd-1'));
    for (const history of [
      [opened, full],
      [opened, full, reservation],
    ]) {
      const message = 'must not take the balance beyond 38 digits of minor units';
      given(...history)
        .when({ ...deposit, amount: formatUnits(2n, 8) })
        .thenRejected('malformed-request', { errors: [{ field: 'amount', message }] });
    }
  });

  it('never hold more assets than the lift of the freeze can release at once', () => {
    const held = (asset: string, depositId = `d-${asset}`): AccountEvent => {
      return { type: 'FundsHeld', data: { accountId: 'acc-1', depositId, asset, amount: '1', source } };
    };
    const others = Array.from({ length: MAX_HELD_ASSETS - 1 }, (_, n) => held(`A${String(n)}`));
    const history = [opened, frozen('all', 1, 'credit'), ...others];
    const one = { ...deposit, amount: formatUnits(1n, 8) };
    given(...history)
      .when(one)
      .then(held('BTC', 'd-1'));
    given(...history, held('BTC'))
      .when(one)
      .then(held('BTC', 'd-1'));
    const message = 'must be one of the 100 that the account holds under credit freezes, the most there can be';
    given(...history, held('EUR'))
      .when(one)
      .thenRejected('malformed-request', { errors: [{ field: 'asset', message }] });
  });
});

describe('reversals', () => {
  const facts = ['reorganisation', 'bank-recall'] as const;
  const ofCause = (cause: 'reorganisation' | 'bank-recall' | 'mistake'): AccountCommand => ({
    ...reverse,
    cause,
  });

  it.each(kinds.flatMap((kind) => facts.map((cause) => [cause, kind] as const)))(
    'for a %s are recorded in an account that is %s, whatever is frozen',
    (cause, kind) => {
      given(...accounts[kind])
        .when(ofCause(cause), { deposit: deposit1 })
        .then(reversed(cause, '100000000', '0', '0'));
    },
  );

  it.each(kinds)('for a mistake are a debit of an account that is %s', (kind) => {
    const outcome = given(...accounts[kind]).when(ofCause('mistake'), { deposit: deposit1 });
    const freezeIds = stops[kind];
    if (freezeIds === undefined) outcome.then(reversed('mistake', '100000000', '0', '0'));
    else outcome.thenRejected('account-frozen', { freezeIds });
  });

  it('take what is there and never what is reserved: the rest is a shortfall', () => {
    for (const cause of facts) {
      given(...funded, reserved)
        .when(ofCause(cause), { deposit: deposit1 })
        .then(reversed(cause, '60000000', '0', '40000000'));
    }
    const all: AccountEvent = { type: 'WithdrawalReserved', data: { ...withdrawal(), amount: '100000000' } };
    given(...funded, all)
      .when(reverse, { deposit: deposit1 })
      .then(reversed('reorganisation', '0', '0', '100000000'));
  });

  it('for a mistake take all of it or nothing, and say frozen first', () => {
    given(...funded, reserved)
      .when(ofCause('mistake'), { deposit: deposit1 })
      .thenRejected('insufficient-funds', {});
    given(...funded, reserved, frozen('all'))
      .when(ofCause('mistake'), { deposit: deposit1 })
      .thenRejected('account-frozen', { freezeIds: [freezeId] });
  });

  it('take nothing that is held for another deposit, once what was held of theirs is released', () => {
    const held = (depositId: string): AccountEvent => {
      return { type: 'FundsHeld', data: { accountId: 'acc-1', depositId, asset: 'BTC', amount: '100000000', source } };
    };
    const released: AccountEvent = {
      type: 'HeldFundsReleased',
      data: { accountId: 'acc-1', asset: 'BTC', amount: '100000000', freezeId },
    };
    const credits = frozen('all', 1, 'credit');
    const deposit = { ...deposit1, pointer: specPointer(stream, 2), wasHeld: true };
    const { pointer: citation } = deposit;
    for (const cause of [...facts, 'mistake'] as const) {
      const outOf = (takenFromHeld: string): AccountEvent => {
        const event = reversed(cause, '100000000', takenFromHeld, '0');
        return { ...event, data: { ...event.data, citation } } as AccountEvent;
      };
      given(opened, credits, held('d-BTC')).when(ofCause(cause), { deposit }).then(outOf('100000000'));
      given(opened, credits, held('d-BTC'), unfrozen, released, frozen('all', 2, 'credit'), held('d-2'))
        .when(ofCause(cause), { deposit })
        .then(outOf('0'));
    }
  });

  it('are of a deposit that there is, and once', () => {
    given(...accounts.frozen)
      .when(ofCause('mistake'))
      .thenRejected('deposit-not-found', {});
    for (const cause of [...facts, 'mistake'] as const) {
      given(...accounts.frozen)
        .when(ofCause(cause), { deposit: deposit1, depositReversed: true })
        .thenRejected('invalid-transition', { state: 'reversed' });
    }
  });
});

describe('transfers', () => {
  const send: AccountCommand = {
    type: 'SendTransfer',
    accountId: 'acc-1',
    transferId: 't-1',
    to: 'acc-2',
    asset: 'BTC',
    amount: '0.4',
  };
  const known = { recipientExists: true };
  const sent: AccountEvent = {
    type: 'TransferSent',
    data: { accountId: 'acc-1', to: 'acc-2', transferId: 't-1', asset: 'BTC', amount: '40000000' },
  };

  it.each(kinds)('are a debit of an account that is %s', (kind) => {
    const outcome = given(...accounts[kind]).when(send, known);
    const freezeIds = stops[kind];
    if (freezeIds === undefined) outcome.then(sent);
    else outcome.thenRejected('account-frozen', { freezeIds });
  });

  it('take all that is available and no unit more; frozen is said first', () => {
    const [all, more] = [
      { ...send, amount: '1' },
      { ...send, amount: '1.00000001' },
    ];
    given(...funded)
      .when(all, known)
      .then({ ...sent, data: { ...sent.data, amount: '100000000' } });
    given(...funded)
      .when(more, known)
      .thenRejected('insufficient-funds', {});
    given(...accounts.frozen)
      .when(more, known)
      .thenRejected('account-frozen');
  });

  it('need both accounts, the asset and an amount, in this order', () => {
    given().when(send).thenRejected('account-not-found', {});
    given(opened).when(send, { asset: undefined }).thenRejected('account-not-found', { accountId: 'acc-2' });
    given(opened)
      .when({ ...send, amount: '0' }, { ...known, asset: undefined })
      .thenRejected('asset-not-found', {});
    given(opened)
      .when({ ...send, amount: '0' }, { ...known, transferExists: true })
      .thenRejected('malformed-request');
  });

  it('use an id once, and leave no closed account', () => {
    given(...accounts.frozen)
      .when(send, { ...known, transferExists: true })
      .thenRejected('already-exists', { transferId: 't-1' });
    given(opened, closed).when(send, known).thenRejected('account-closed', {});
  });
});

describe('closures', () => {
  const close: AccountCommand = { type: 'CloseAccount', accountId: 'acc-1', reason: 'asked' };
  const orders: AccountEvent[] = [frozen(['EUR']), frozen(['BTC'], 2)];
  const emptied = [opened, deposited('BTC', '100000000'), ...reversal()];

  function reversal(): AccountEvent[] {
    return [reversed('bank-recall', '100000000', '0', '0')];
  }

  it('of an account in which there is nothing', () => {
    given(opened).when(close).then(closed);
    given(...emptied)
      .when(close)
      .then({ type: 'AccountClosed', data: { ...ofClosure(), assets: ['BTC'] } });
  });

  it('are refused while there are funds or a withdrawal', () => {
    given(...funded)
      .when(close)
      .thenRejected('account-not-empty', {});
    const all: AccountEvent = { type: 'WithdrawalReserved', data: { ...withdrawal(), amount: '100000000' } };
    for (const history of [[all], [all, { ...dispatched, data: { ...all.data, reference: 'tx' } } as AccountEvent]]) {
      given(opened, deposited('BTC', '100000000'), ...history)
        .when(close)
        .thenRejected('account-not-empty');
    }
  });

  it('are refused while a freeze is in force, whatever it covers, and that comes first', () => {
    const freezeIds = [freezeId, specEventId(0xf2)];
    given(opened, ...orders)
      .when(close)
      .thenRejected('account-frozen', { freezeIds });
    given(...funded, ...orders)
      .when(close)
      .thenRejected('account-frozen', { freezeIds });
    given(opened, frozen('all'), unfrozen).when(close).then(closed);
  });

  it('happen once', () => {
    given(opened, closed).when(close).thenRejected('invalid-transition', { state: 'closed' });
    given(opened, closed, frozen('all')).when(close).thenRejected('invalid-transition', { state: 'closed' });
  });

  it('end debits, frozen or not', () => {
    for (const history of [
      [...emptied.slice(0, 3), { type: 'AccountClosed', data: { ...ofClosure(), assets: ['BTC'] } } as AccountEvent],
      [opened, closed, frozen('all')],
    ]) {
      given(...history)
        .when(reserve)
        .thenRejected('account-closed', {});
      given(...history)
        .when({ ...reverse, cause: 'mistake' }, { deposit: deposit1 })
        .thenRejected('account-closed', {});
    }
  });

  it('do not turn away that a deposit never was', () => {
    given(opened, deposited('BTC', '100000000'), reserved, ...spent(), closedWith('BTC'))
      .when(reverse, { deposit: deposit1 })
      .then(reversed('reorganisation', '0', '0', '100000000'));
  });

  it('are undone by a deposit, also under a freeze (invariant 5)', () => {
    for (const history of [
      [opened, closed],
      [opened, closed, frozen('all')],
    ]) {
      given(...history)
        .when(deposit)
        .then(deposited('BTC', '50000000', 'd-1'));
    }
    const { data } = deposited('BTC', '50000000', 'd-1') as Extract<AccountEvent, { type: 'FundsDeposited' }>;
    const held: AccountEvent = { type: 'FundsHeld', data };
    given(opened, closed, frozen('all', 1, 'credit'))
      .when(deposit)
      .then(held);
    given(opened, closed, frozen('all', 1, 'credit'), held)
      .when(close)
      .thenRejected('account-frozen');
    given(opened, closed, deposited('BTC', '100000000')).when(reserve).then(reserved);
    given(opened, closed, deposited('BTC', '100000000')).when(close).thenRejected('account-not-empty');
  });

  /** All of the bitcoin leaves. */
  function spent(): AccountEvent[] {
    const rest = { ...withdrawal('BTC', 'w-2'), amount: '60000000' };
    return [
      dispatched,
      settled,
      { type: 'WithdrawalReserved', data: rest },
      { type: 'WithdrawalDispatched', data: { ...rest, reference: 'tx' } },
      { type: 'WithdrawalSettled', data: { ...rest, reference: 'tx' } },
    ];
  }

  function closedWith(asset: string): AccountEvent {
    return { type: 'AccountClosed', data: { ...ofClosure(), assets: [asset] } };
  }
});

describe('reservations', () => {
  it.each(kinds)('in an account that is %s', (kind) => {
    const outcome = given(...accounts[kind]).when(reserve);
    const freezeIds = stops[kind];
    if (freezeIds === undefined) outcome.then(reserved);
    else outcome.thenRejected('account-frozen', { freezeIds });
  });

  it('of another asset pass a freeze that does not cover it', () => {
    given(...accounts['frozen for bitcoins'])
      .when({ ...reserve, asset: 'EUR', amount: '4' }, { asset: euro })
      .then({ type: 'WithdrawalReserved', data: withdrawal('EUR') });
  });

  it('take all that is available and no unit more', () => {
    const all: AccountEvent = { type: 'WithdrawalReserved', data: { ...withdrawal(), amount: '100000000' } };
    given(...funded)
      .when({ ...reserve, amount: '1' })
      .then(all);
    given(...funded)
      .when({ ...reserve, amount: '1.00000001' })
      .thenRejected('insufficient-funds', {});
    given(opened).when(reserve).thenRejected('insufficient-funds');
  });

  it('do not see what is reserved already', () => {
    const more = { ...reserve, withdrawalId: 'w-2', amount: '0.60000001' } as AccountCommand;
    given(...funded, reserved)
      .when(more)
      .thenRejected('insufficient-funds');
  });

  it('of what is frozen and not there are refused as frozen', () => {
    given(...accounts.frozen)
      .when({ ...reserve, amount: '7' })
      .thenRejected('account-frozen', { freezeIds: [freezeId] });
  });

  it('use an id once: open, or whatever it came to', () => {
    const taken = { withdrawalId: 'w-1' };
    given(...funded, reserved)
      .when(reserve)
      .thenRejected('already-exists', taken);
    for (const closedWithdrawal of WITHDRAWAL_STATES) {
      given(...accounts.frozen)
        .when(reserve, { closedWithdrawal })
        .thenRejected('already-exists', taken);
    }
  });

  it('are at most 1,000 at once', () => {
    const open = (count: number): AccountEvent[] =>
      Array.from({ length: count }, (_, n) => ({
        type: 'WithdrawalReserved',
        data: { ...withdrawal('BTC', `open-${String(n)}`), amount: '1' },
      }));
    given(...funded, ...open(MAX_OPEN_WITHDRAWALS - 1))
      .when(reserve)
      .then(reserved);
    given(...funded, ...open(MAX_OPEN_WITHDRAWALS))
      .when(reserve)
      .thenRejected('too-many-open-withdrawals', {});
  });
});

describe('the steps of a withdrawal', () => {
  const notFound: Refused = ['withdrawal-not-found', {}];
  const was = (state: string): Refused => ['invalid-transition', { state }];
  type Refused = readonly [RejectionCode, Record<string, unknown>];
  type Closed = AccountContext['closedWithdrawal'];
  const histories: [string, History, Closed][] = [
    ['none', funded, undefined],
    ['reserved', [...funded, reserved], undefined],
    ['dispatched', [...funded, reserved, dispatched], undefined],
    ['settled', [...funded, reserved, dispatched, settled], 'settled'],
    ['cancelled', [...funded, reserved, cancelled], 'cancelled'],
    ['cancelled after its dispatch', [...funded, reserved, dispatched, cancelled], 'cancelled'],
    ['stopped', [...funded, reserved, frozen('all'), stopped('BTC')], 'stopped'],
  ];
  const accepted: Record<string, Partial<Record<AccountCommand['type'], AccountEvent>>> = {
    reserved: { DispatchWithdrawal: dispatched, CancelWithdrawal: cancelled },
    dispatched: { SettleWithdrawal: settled, CancelWithdrawal: cancelled },
  };
  for (const [name, history, closedWithdrawal] of histories) {
    it.each([dispatch, settle, cancel])(`$type of one that is ${name}`, (command) => {
      const outcome = given(...history).when(command, { closedWithdrawal });
      const event = accepted[name]?.[command.type];
      if (event !== undefined) outcome.then(event);
      else outcome.thenRejected(...(name === 'none' ? notFound : was(closedWithdrawal ?? name)));
    });
  }

  it('keep the time of the reservation', () => {
    const early = '2022-04-06T11:30:00.000Z';
    const first: AccountEvent = { type: 'WithdrawalReserved', data: { ...withdrawal(), reservedAt: early } };
    const data = { ...withdrawal(), reservedAt: early, reference: 'tx' };
    given(...funded, first)
      .when(dispatch)
      .then({ type: 'WithdrawalDispatched', data });
  });

  it.each(kinds)('settle and cancel what was dispatched before the account became %s', (kind) => {
    const history = [...funded, reserved, dispatched, ...accounts[kind].slice(funded.length)];
    given(...history)
      .when(settle)
      .then(settled);
    given(...history)
      .when(cancel)
      .then(cancelled);
  });

  it('are not dispatched under a freeze that covers the asset, even if it left them standing', () => {
    for (const [kind, freezeIds] of Object.entries(stops)) {
      const history = [...funded, reserved, ...accounts[kind as AccountKind].slice(funded.length)];
      given(...history)
        .when(dispatch)
        .thenRejected('account-frozen', { freezeIds });
      given(...history)
        .when(cancel)
        .then(cancelled);
      given(...history)
        .when(settle)
        .thenRejected('invalid-transition', { state: 'reserved' });
    }
  });

  it('are dispatched under a freeze of another asset, and after the lift', () => {
    for (const kind of ['frozen for euros', 'lifted'] as const) {
      const history = [...funded, reserved, ...accounts[kind].slice(funded.length)];
      given(...history)
        .when(dispatch)
        .then(dispatched);
    }
  });

  function stopped(asset: string): AccountEvent {
    const { amount, withdrawalId } = withdrawal(asset);
    return { type: 'WithdrawalStopped', data: { accountId: 'acc-1', withdrawalId, asset, amount, freezeId } };
  }
});

describe('lifts', () => {
  const requested: AccountEvent = {
    type: 'LiftRequested',
    data: { ...ofLift, ground: 'placed-in-error', note: 'n', requestedBy: maker.id },
  };

  it('are decided with the freezes of the account', () => {
    given(...accounts.frozen)
      .when(requestLift, { actor: maker })
      .then(requested);
    given(...accounts.frozen, at(requested, { actor: maker }))
      .when(approveLift, { actor: maker })
      .thenRejected('maker-is-checker');
    given(...funded)
      .when(rejectLift)
      .thenRejected('freeze-not-found');
  });

  it('open the gate', () => {
    const requestedAt = accounts.frozen.length;
    const citation = { stream, revision: String(requestedAt), eventId: specEventId(requestedAt) };
    const lift: AccountEvent = {
      type: 'AccountUnfrozen',
      data: { ...ofLift, ground: 'placed-in-error', citation, requestedBy: maker.id, approvedBy: 'approver-1' },
    };
    const request = at(requested, { actor: maker });
    given(...accounts.frozen, request)
      .when(approveLift)
      .then(lift);
    given(...accounts.frozen, request, lift)
      .when(reserve)
      .then(reserved);
  });
});
