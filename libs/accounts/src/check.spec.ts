import { describe, expect, it } from '@jest/globals';
import { MAX_OPEN_WITHDRAWALS } from '#freezes';
import type { Recorded, Scope } from '#kernel';
import { specEventId, specPointer } from '#testing';
import { checkAccount } from './check.ts';
import type { AccountEvent } from './events.ts';
import { evolveAccount, initialAccountState, type AccountState } from './state.ts';

const now = '2022-04-06T12:00:00.000Z';

function recorded(event: AccountEvent, revision: number, stream = 'account-acc-1'): Recorded<AccountEvent> {
  const nulls = { causationId: null, key: null, commandHash: null, previousHash: null };
  const metadata = { actor: { id: 'ops-1', roles: [] }, correlationId: 'c', recordedAt: now, hash: '', ...nulls };
  return { ...event, id: specEventId(revision), schemaVersion: 1, metadata, stream, revision, position: '' };
}

const holders = [{ partyId: 'p-1', capacity: 'owner' as const }];
const opened: AccountEvent = { type: 'AccountOpened', data: { accountId: 'acc-1', holders } };
function openingAbandoned(reason: 'already-exists' | 'party-named-by-basis'): AccountEvent {
  return { type: 'AccountOpeningAbandoned', data: { accountId: 'acc-1', reason, holders, decidedOn: null } };
}
function deposited(amount: string, accountId = 'acc-1'): AccountEvent {
  const source = { kind: 'bank', reference: 'r' } as const;
  return { type: 'FundsDeposited', data: { accountId, depositId: 'd-1', asset: 'BTC', amount, source } };
}
function reversed(taken: string, shortfall: string, changed: object = {}): AccountEvent {
  const deposit = { accountId: 'acc-1', depositId: 'd-1', asset: 'BTC', amount: '100', depositedAt: now };
  const cited = { source: { kind: 'bank', reference: 'r' }, citation: specPointer('account-acc-1', 1) } as const;
  const outcome = { cause: 'bank-recall', reason: 'r', taken, takenFromHeld: '0', shortfall } as const;
  return { type: 'DepositReversed', data: { ...deposit, ...cited, ...outcome, ...changed } };
}
function withdrawal(changed: { withdrawalId?: string; asset?: string; amount?: string } = {}) {
  const destination = { kind: 'bank' } as const;
  return {
    accountId: 'acc-1',
    withdrawalId: 'w-1',
    asset: 'BTC',
    amount: '40',
    destination,
    reservedAt: now,
    ...changed,
  };
}
type Changed = Parameters<typeof withdrawal>[0];
const reserved = (changed?: Changed): AccountEvent => ({ type: 'WithdrawalReserved', data: withdrawal(changed) });
const dispatched = (changed?: Changed): AccountEvent => {
  return { type: 'WithdrawalDispatched', data: { ...withdrawal(changed), reference: 'tx' } };
};
const settled = (changed?: Changed): AccountEvent => {
  return { type: 'WithdrawalSettled', data: { ...withdrawal(changed), reference: 'tx' } };
};
const cancelled = (changed?: Changed): AccountEvent => {
  return { type: 'WithdrawalCancelled', data: { ...withdrawal(changed), reason: 'r' } };
};
const freezeId = specEventId(0xf1);
const stopped = (changed?: Changed, by = freezeId): AccountEvent => {
  const { accountId, withdrawalId, asset, amount } = withdrawal(changed);
  return { type: 'WithdrawalStopped', data: { accountId, withdrawalId, asset, amount, freezeId: by } };
};

const basis = { kind: 'legal-order', id: 'ord-1' } as const;
const citation = { stream: 'legalOrder-ord-1', revision: '2', eventId: freezeId };
const ofFreeze = { accountId: 'acc-1', freezeId, basis, citation };
function frozen(assets: 'all' | string[] = 'all', rest: Partial<Scope> = {}): AccountEvent {
  const scope = { direction: 'debit' as const, assets, ...rest };
  const lists = { claimGroup: 'legal-order/ord-1', balancesAtFreeze: [], stopped: [], inFlight: [] };
  return { type: 'AccountFrozen', data: { ...ofFreeze, scope, placedBy: 'ops-1', blockedFrom: now, ...lists } };
}
function abandoned(reason: 'account-not-open' | 'not-a-holder' | 'basis-ended'): AccountEvent {
  return { type: 'FreezeAbandoned', data: { ...ofFreeze, reason } };
}
const requested: AccountEvent = {
  type: 'LiftRequested',
  data: { accountId: 'acc-1', freezeId, requestId: 'r-1', ground: 'placed-in-error', note: 'n', requestedBy: 'ops-1' },
};
const people = { requestedBy: 'ops-1', approvedBy: 'approver-1' };
const unfrozen: AccountEvent = {
  type: 'AccountUnfrozen',
  data: { accountId: 'acc-1', freezeId, ground: 'basis-ended', citation, ...people },
};
const rejected: AccountEvent = {
  type: 'LiftRejected',
  data: { accountId: 'acc-1', freezeId, requestId: 'r-1', citation, reason: 'r', rejectedBy: 'approver-1' },
};
const credits = (assets: 'all' | string[] = 'all'): AccountEvent => frozen(assets, { direction: 'credit' });
const keeps = (BTC: string): AccountEvent => frozen('all', { limits: { BTC } });
const held = (amount: string): AccountEvent => {
  const source = { kind: 'bank', reference: 'r' } as const;
  return { type: 'FundsHeld', data: { accountId: 'acc-1', depositId: 'd-2', asset: 'BTC', amount, source } };
};
const released = (amount: string, asset = 'BTC'): AccountEvent => {
  return { type: 'HeldFundsReleased', data: { accountId: 'acc-1', asset, amount, freezeId } };
};
const refused: AccountEvent = {
  type: 'CommandRefused',
  data: { command: 'Deposit', code: 'account-frozen', detail: 'd', extra: {}, request: {}, decidedOn: null },
};

function after(...events: readonly AccountEvent[]): AccountState {
  return events.reduce((state, event, nth) => evolveAccount(state, recorded(event, nth)), initialAccountState());
}
const funded = [opened, deposited('100')];
const atMost = 10n ** 38n - 1n;

const ofTransfer = { accountId: 'acc-1', transferId: 't-1', asset: 'BTC', amount: '40' };
const cited = specPointer('account-acc-2', 3);
const sent = (changed: object = {}): AccountEvent => {
  return { type: 'TransferSent', data: { ...ofTransfer, to: 'acc-2', ...changed } };
};
const received = (): AccountEvent => ({
  type: 'TransferReceived',
  data: { ...ofTransfer, from: 'acc-2', citation: cited },
});
const turnedDown = (reason: 'closed' | 'credit-frozen' | 'balance-limit'): AccountEvent => ({
  type: 'TransferRefused',
  data: { ...ofTransfer, from: 'acc-2', reason, citation: cited },
});
const returned: AccountEvent = {
  type: 'TransferReturned',
  data: { ...ofTransfer, to: 'acc-2', reason: 'closed', citation: cited },
};
const mistake = { cause: 'mistake' };
function closed(changed: object = {}): AccountEvent {
  return {
    type: 'AccountClosed',
    data: { accountId: 'acc-1', reason: 'r', holders, openedAt: now, assets: [], ...changed },
  };
}
/** Closed, with all that there ever was taken out. */
const spent: AccountEvent[] = [opened, deposited('100'), reversed('100', '0'), closed({ assets: ['BTC'] })];

describe('what may stand on the stream of an account', () => {
  const legal: [string, readonly AccountEvent[], AccountEvent][] = [
    ['its opening', [], opened],
    ['its opening after one that was abandoned', [openingAbandoned('party-named-by-basis')], opened],
    ['an abandoned opening', [], openingAbandoned('party-named-by-basis')],
    ['an opening abandoned for one that won', [opened], openingAbandoned('already-exists')],
    ['a refusal, before anything', [], refused],
    ['a refusal', funded, refused],
    ['a deposit', [opened], deposited('1')],
    ['a deposit under a freeze', [opened, frozen()], deposited('1')],
    ['the last unit that an account can have', [opened, deposited((atMost - 1n).toString())], deposited('1')],
    ['a reservation of all', funded, reserved({ amount: '100' })],
    ['a reservation beside a freeze of another asset', [...funded, frozen(['EUR'])], reserved()],
    ['a dispatch', [...funded, reserved()], dispatched()],
    ['a settlement', [...funded, reserved(), dispatched()], settled()],
    ['a settlement under a freeze', [...funded, reserved(), dispatched(), frozen()], settled()],
    ['a cancellation', [...funded, reserved()], cancelled()],
    ['a cancellation of what was dispatched', [...funded, reserved(), dispatched(), frozen()], cancelled()],
    ['a stop', [...funded, reserved(), frozen()], stopped()],
    ['a reservation of what a limit lets go', [...funded, keeps('60')], reserved()],
    ['a dispatch while what has to stay is available', [...funded, reserved(), keeps('60')], dispatched()],
    ['a stop where less is available than has to stay', [...funded, reserved(), keeps('61')], stopped()],
    [
      'a stop of the latest withdrawal',
      [...funded, reserved(), reserved({ withdrawalId: 'w-2', amount: '1' }), keeps('60')],
      stopped({ withdrawalId: 'w-2', amount: '1' }),
    ],
    ['a deposit held', [opened, credits()], held('1')],
    ['a deposit held under a freeze of both directions', [opened, frozen('all', { direction: 'both' })], held('1')],
    ['a deposit held in a closed account', [opened, closed(), credits()], held('1')],
    ['a deposit beside a credit freeze of another asset', [opened, credits(['EUR'])], deposited('1')],
    ['a reservation under a credit freeze', [...funded, credits()], reserved()],
    ['a release', [opened, credits(), held('1'), held('2'), unfrozen], released('3')],
    ['a freeze', funded, frozen()],
    ['an authorisation abandoned before the account opened', [], abandoned('account-not-open')],
    ['an authorisation abandoned', [opened], abandoned('basis-ended')],
    ['an authorisation abandoned for another party', [opened], abandoned('not-a-holder')],
    ['a lift request', [opened, frozen()], requested],
    ['a lift', [opened, frozen()], unfrozen],
  ];
  it.each(legal)('%s', (_name, history, event) => {
    expect(checkAccount(after(...history), recorded(event, history.length))).toBeUndefined();
  });

  const full = Array.from({ length: MAX_OPEN_WITHDRAWALS }, (_, n) =>
    reserved({ withdrawalId: `o-${String(n)}`, amount: '1' }),
  );
  const inFlight = [...funded, reserved(), dispatched()];
  const illegal: [string, readonly AccountEvent[], AccountEvent, string][] = [
    ['a second opening', [opened], opened, 'that is open'],
    ['an opening abandoned for one that is not there', [], openingAbandoned('already-exists'), 'not taken'],
    ['an opening refused after another won', [opened], openingAbandoned('party-named-by-basis'), 'is open'],
    ['a deposit of nothing', [opened], deposited('0'), 'nothing'],
    ['a unit too much', [opened, deposited(atMost.toString())], deposited('1'), '38 digits'],
    ['a reversal of more than is there', [...funded, reserved()], reversed('100', '0'), 'other than what is there'],
    ['a reversal of less than is there', [...funded, reserved()], reversed('50', '50'), 'other than what is there'],
    ['a reversal that loses some', funded, reversed('100', '1'), 'other than what is there'],
    ['a reversal out of what is not held', funded, reversed('100', '0', { takenFromHeld: '1' }), 'other than what'],
    ['a mistake put right out of a debt', [...funded, reserved()], reversed('60', '40', mistake), 'no longer there'],
    ['a mistake put right under a freeze', [...funded, frozen()], reversed('100', '0', mistake), 'what is frozen'],
    ['a closure with funds in it', funded, closed({ assets: ['BTC'] }), 'not empty'],
    ['a closure under a freeze', [opened, frozen()], closed(), 'is frozen'],
    ['a closure twice', [opened, closed()], closed(), 'that is closed'],
    ['a closure of other holders', [opened], closed({ holders: [{ partyId: 'p-2', capacity: 'owner' }] }), 'otherwise'],
    ['a closure of one opened then', [opened], closed({ openedAt: '2022-01-01T00:00:00.000Z' }), 'otherwise'],
    ['a closure of other assets', [opened], closed({ assets: ['BTC'] }), 'otherwise'],
    ['a reservation in a closed account', [opened, closed()], reserved(), 'more than is available'],
    ['a mistake put right in a closed account', spent, reversed('0', '0', { ...mistake, amount: '0' }), 'is closed'],
    ['a transfer of nothing', funded, sent({ amount: '0' }), 'nothing'],
    ['a transfer to itself', funded, sent({ to: 'acc-1' }), 'to the account itself'],
    ['a transfer of more than there is', funded, sent({ amount: '101' }), 'more than is available'],
    ['a transfer of what is frozen', [...funded, frozen()], sent(), 'frozen'],
    ['a receipt in a closed account', [opened, closed()], received(), 'can not take in'],
    ['a receipt beyond 38 digits', [opened, deposited(atMost.toString())], received(), 'can not take in'],
    ['a refusal for no reason', [opened], turnedDown('closed'), 'for a reason that is not'],
    ['a refusal for another reason', [opened, closed()], turnedDown('balance-limit'), 'for a reason that is not'],
    ['a refusal for a freeze of debits', [opened, frozen()], turnedDown('credit-frozen'), 'for a reason that is not'],
    ['a reservation of nothing', funded, reserved({ amount: '0' }), 'nothing'],
    ['a reservation under the id of another', [...funded, reserved()], reserved({ amount: '1' }), 'open withdrawal'],
    ['an overdraft', funded, reserved({ amount: '101' }), 'more than is available'],
    ['an overdraft of an asset never touched', funded, reserved({ asset: 'EUR' }), 'more than is available'],
    ['a reservation of what is frozen', [...funded, frozen()], reserved(), 'frozen'],
    ['a reservation past the thousandth', [opened, deposited('2000'), ...full], reserved(), 'too many'],
    ['a dispatch of nothing', funded, dispatched(), 'no such open'],
    ['a dispatch twice', inFlight, dispatched(), 'twice'],
    ['a dispatch of another amount', [...funded, reserved()], dispatched({ amount: '41' }), 'not what was reserved'],
    ['a dispatch of what is frozen', [...funded, reserved(), frozen(['BTC'])], dispatched(), 'frozen'],
    ['a settlement of nothing', funded, settled(), 'no such open'],
    ['a settlement before the dispatch', [...funded, reserved()], settled(), 'not dispatched'],
    ['a settlement twice', [...inFlight, settled()], settled(), 'no such open'],
    ['a settlement of another amount', inFlight, settled({ amount: '39' }), 'not what was reserved'],
    ['a cancellation of nothing', funded, cancelled(), 'no such open'],
    ['a cancellation of another asset', [...funded, reserved()], cancelled({ asset: 'EUR' }), 'not what was reserved'],
    ['a stop of nothing', [...funded, frozen()], stopped(), 'no such open'],
    ['a stop of what is in flight', [...inFlight, frozen()], stopped(), 'was dispatched'],
    ['a stop of another amount', [...funded, reserved(), frozen()], stopped({ amount: '1' }), 'not what was reserved'],
    ['a stop by no freeze', [...funded, reserved()], stopped(), 'no freeze that covers'],
    [
      'a stop by another freeze',
      [...funded, reserved(), frozen()],
      stopped({}, specEventId(7)),
      'no freeze that covers',
    ],
    ['a stop out of scope', [...funded, reserved(), frozen(['EUR'])], stopped(), 'no freeze that covers'],
    ['a reservation of what has to stay', [...funded, keeps('61')], reserved(), 'frozen'],
    ['a dispatch while too little is available', [...funded, reserved(), keeps('61')], dispatched(), 'frozen'],
    ['a stop though enough stays', [...funded, reserved(), keeps('60')], stopped(), 'enough is available'],
    [
      'a stop of another withdrawal than the latest',
      [...funded, reserved(), reserved({ withdrawalId: 'w-2', amount: '1' }), keeps('60')],
      stopped(),
      'than the latest',
    ],
    ['a stop by a credit freeze', [...funded, reserved(), credits()], stopped(), 'no freeze that covers'],
    ['a credit of what is frozen', [opened, credits()], deposited('1'), 'credits what is frozen'],
    ['a credit frozen both ways', [opened, frozen('all', { direction: 'both' })], deposited('1'), 'frozen'],
    ['a deposit held under no freeze', [opened], held('1'), 'no freeze covers'],
    ['a deposit held under a debit freeze', [opened, frozen()], held('1'), 'no freeze covers'],
    ['a deposit of nothing held', [opened, credits()], held('0'), 'nothing'],
    ['a held unit too much', [opened, deposited(atMost.toString()), credits()], held('1'), '38 digits'],
    ['a release under a freeze', [opened, credits(), held('1')], released('1'), 'what is frozen'],
    ['a release of nothing', [opened, credits(), unfrozen], released('1'), 'not held'],
    ['a release of another asset', [opened, credits(), held('1'), unfrozen], released('1', 'EUR'), 'not held'],
    ['a release of a part', [opened, credits(), held('2'), unfrozen], released('1'), 'all that is held'],
    ['a release of more', [opened, credits(), held('2'), unfrozen], released('3'), 'all that is held'],
    ['an authorisation abandoned for an account that is open', [opened], abandoned('account-not-open'), 'that is open'],
    ['an authorisation abandoned for holders that are not there', [], abandoned('not-a-holder'), 'is not open'],
    ['an authorisation abandoned twice', [abandoned('account-not-open')], abandoned('account-not-open'), 'second time'],
    ['a second freeze under one basis', [opened, frozen()], frozen(), 'under this basis'],
    ['a lift of nothing', [opened], unfrozen, 'not in force'],
  ];
  it.each(illegal)('not: %s', (_name, history, event, why) => {
    expect(checkAccount(after(...history), recorded(event, history.length))).toContain(why);
  });

  const transfers = [sent(), received(), turnedDown('closed'), returned];
  const moved = [deposited('1'), held('1'), released('1'), reversed('0', '100')];
  const events = [...transfers, ...moved, closed(), reserved(), dispatched(), settled(), cancelled(), stopped()];
  const freezes = [frozen(), requested, rejected, unfrozen];
  it.each([...events, ...freezes])('not before it is open: $type', (event) => {
    expect(checkAccount(after(), recorded(event, 0))).toBe('the account is not open');
  });

  it.each([opened, ...events, ...freezes, abandoned('basis-ended'), openingAbandoned('already-exists')])(
    'not on the stream of another: $type',
    (event) => {
      expect(checkAccount(after(), recorded(event, 0, 'account-acc-2'))).toContain('another account');
    },
  );
});

describe('the state of an account', () => {
  it('knows who holds it, since when, and by which opening', () => {
    const key = { caller: 'svc', homeStream: 'account-acc-1', value: 'k-1' };
    const event = recorded(opened, 0);
    const metadata = { ...event.metadata, key };
    const state = evolveAccount(initialAccountState(), { ...event, metadata });
    expect(state).toEqual({
      ...initialAccountState(),
      accountId: 'acc-1',
      opened: true,
      holders,
      openedKey: key,
      createdAt: now,
    });
  });

  it('does not grow with deposits or closed withdrawals', () => {
    const busy = after(...funded, reserved(), dispatched(), settled(), deposited('40'));
    expect(busy).toEqual(after(...funded));
  });

  it('keeps open withdrawals in the order of their reservation', () => {
    const [first, second] = [{ withdrawalId: 'w-2' }, { withdrawalId: 'w-1' }];
    const state = after(...funded, reserved(first), reserved(second), dispatched(first));
    expect([...state.openWithdrawals].map(([id, { status }]) => [id, status])).toEqual([
      ['w-2', 'dispatched'],
      ['w-1', 'reserved'],
    ]);
  });

  it('survives events that should never be', () => {
    const strange = [dispatched(), settled(), cancelled(), stopped(), unfrozen, rejected, requested, refused];
    expect(() => after(...strange, opened, opened)).not.toThrow();
  });
});
