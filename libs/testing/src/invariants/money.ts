import type { Fact } from './facts.ts';
import {
  accountOf,
  covers,
  follow,
  freezesInForce,
  sameJson,
  staying,
  type Account,
  type Balance,
  type Log,
  type Problem,
} from './log.ts';

export type MoneyFact = Fact<
  | 'FundsDeposited'
  | 'FundsHeld'
  | 'HeldFundsReleased'
  | 'DepositReversed'
  | 'WithdrawalReserved'
  | 'WithdrawalDispatched'
  | 'WithdrawalSettled'
  | 'WithdrawalCancelled'
  | 'WithdrawalStopped'
>;

const books = (detail: string): Problem => ({ invariant: 'books', detail });

const MAX_OPEN_WITHDRAWALS = 1000;

export function checkMoney(log: Log, fact: MoneyFact): readonly Problem[] {
  const account = accountOf(log, fact.about);
  if (account.opened === undefined) return [books('the account is not open')];
  const problems: Problem[] = [];
  if (!log.assets.has(fact.data.asset)) problems.push(books(`the asset ${fact.data.asset} is not registered`));
  switch (fact.type) {
    case 'HeldFundsReleased':
      problems.push(...checkReleased(account, fact));
      break;
    case 'FundsDeposited':
    case 'FundsHeld':
      problems.push(...checkCredit(account, fact));
      if (account.deposits.has(fact.data.depositId)) problems.push(books('the deposit was booked already'));
      break;
    case 'DepositReversed':
      problems.push(...checkReversed(log, account, fact));
      break;
    case 'WithdrawalReserved':
      problems.push(...checkDebit(account, fact), ...checkReserved(account, fact));
      break;
    case 'WithdrawalDispatched':
      problems.push(...checkDebit(account, fact), ...checkStep(account, fact, ['reserved']));
      break;
    case 'WithdrawalSettled':
      problems.push(...checkStep(account, fact, ['dispatched']));
      break;
    case 'WithdrawalCancelled':
      problems.push(...checkStep(account, fact, ['reserved', 'dispatched']));
      break;
    case 'WithdrawalStopped':
      problems.push(...checkStopped(account, fact), ...checkStep(account, fact, ['reserved']));
      break;
  }
  return [...problems, ...checkBalances(account, fact)];
}

export function applyMoney(log: Log, fact: MoneyFact): void {
  const account = accountOf(log, fact.about);
  const { asset } = fact.data;
  account.balances.set(asset, after(balanceOf(account, asset), fact));
  if (fact.type === 'HeldFundsReleased') {
    account.releasing?.assets.delete(asset);
    for (const deposit of account.deposits.values()) if (deposit.fact.data.asset === asset) deposit.isHeld = false;
    return;
  }
  if (fact.type === 'FundsDeposited' || fact.type === 'FundsHeld') {
    account.deposits.set(fact.data.depositId, { fact, isHeld: fact.type === 'FundsHeld', reversed: false });
    account.closed = false;
    return;
  }
  if (fact.type === 'DepositReversed') {
    const deposit = account.deposits.get(fact.data.depositId);
    if (deposit !== undefined) deposit.reversed = true;
    return;
  }
  if (fact.type === 'WithdrawalReserved') {
    account.withdrawals.set(fact.data.withdrawalId, { reserved: fact, dispatched: false });
    return;
  }
  const withdrawal = account.withdrawals.get(fact.data.withdrawalId);
  if (fact.type === 'WithdrawalDispatched') {
    if (withdrawal !== undefined) withdrawal.dispatched = true;
    return;
  }
  account.withdrawals.delete(fact.data.withdrawalId);
  account.overWithdrawals.add(fact.data.withdrawalId);
  if (fact.type === 'WithdrawalStopped') account.awaited?.withdrawalIds.delete(fact.data.withdrawalId);
}

/** An account closes empty, free and once, and the event says what it was. */
export function checkClosure(log: Log, { about, data }: Fact<'AccountClosed'>): readonly Problem[] {
  const account = accountOf(log, about);
  const { opened } = account;
  if (opened === undefined) return [books('the account is not open')];
  const problems: Problem[] = [];
  if (account.closed) problems.push(books('the account is closed already'));
  const left = [...account.balances.values()].some(
    (balance) => balance.available + balance.reserved + balance.held > 0n,
  );
  if (left || account.withdrawals.size > 0) problems.push(books('the account is not empty'));
  if (freezesInForce(account).length > 0) problems.push({ invariant: 4, detail: 'a frozen account is closed' });
  const told =
    sameJson(data.assets, [...account.balances.keys()].sort()) &&
    sameJson(data.holders.map(sorted), opened.data.holders.map(sorted)) &&
    data.openedAt === opened.event.metadata.recordedAt;
  if (!told) problems.push(books('it says otherwise than what the account is'));
  return problems;
}

export function balanceOf(account: Account, asset: string): Balance {
  return account.balances.get(asset) ?? { available: 0n, reserved: 0n, held: 0n };
}

/** What the account would have after the event: the postings, worked out here anew. */
function after(balance: Balance, fact: MoneyFact): Balance {
  const amount = BigInt(fact.data.amount);
  const { available, reserved, held } = balance;
  switch (fact.type) {
    case 'FundsDeposited':
      return { available: available + amount, reserved, held };
    case 'FundsHeld':
      return { available, reserved, held: held + amount };
    case 'HeldFundsReleased':
      return { available: available + amount, reserved, held: held - amount };
    case 'DepositReversed': {
      const [taken, fromHeld] = [BigInt(fact.data.taken), BigInt(fact.data.takenFromHeld)];
      return { available: available - (taken - fromHeld), reserved, held: held - fromHeld };
    }
    case 'WithdrawalReserved':
      return { available: available - amount, reserved: reserved + amount, held };
    case 'WithdrawalDispatched':
      return balance;
    case 'WithdrawalSettled':
      return { available, reserved: reserved - amount, held };
    case 'WithdrawalCancelled':
    case 'WithdrawalStopped':
      return { available: available + amount, reserved: reserved - amount, held };
  }
}

/** Invariant 6: nothing of a holder falls below zero, at any position. */
function checkBalances(account: Account, fact: MoneyFact): readonly Problem[] {
  const next = after(balanceOf(account, fact.data.asset), fact);
  return (['available', 'reserved', 'held'] as const)
    .filter((part) => next[part] < 0n)
    .map((part) => ({ invariant: 6, detail: `${part} ${fact.data.asset} falls to ${next[part].toString()}` }));
}

/** Invariant 4: no debit of what a freeze in force covers, beyond what its limits let go. */
function checkDebit(
  account: Account,
  fact: Fact<'WithdrawalReserved' | 'WithdrawalDispatched' | 'DepositReversed'>,
): readonly Problem[] {
  return checkDebitAllowed(account, fact.data.asset, after(balanceOf(account, fact.data.asset), fact).available);
}

/**
 * A debit of this asset by whatever event: invariant 4, and not of a closed account.
 * @param left what is available after it
 */
export function checkDebitAllowed(account: Account, asset: string, left: bigint): readonly Problem[] {
  const closed = account.closed ? [books('a debit of an account that is closed')] : [];
  const keep = staying(freezesInForce(account), asset);
  const isFrozen = keep === 'all' || (keep > 0n && left < keep);
  const frozen: Problem[] = isFrozen ? [{ invariant: 4, detail: `a debit, though ${String(keep)} has to stay` }] : [];
  return [...closed, ...frozen];
}

/** Invariant 5: what arrives under a credit freeze is held, and nothing else is. */
function checkCredit(account: Account, fact: Fact<'FundsDeposited' | 'FundsHeld'>): readonly Problem[] {
  const isFrozen = isCreditFrozen(account, fact.data.asset);
  if (isFrozen === (fact.type === 'FundsHeld')) return [];
  return [{ invariant: 5, detail: isFrozen ? 'credited under a credit freeze' : 'held under no credit freeze' }];
}

/** Invariant 5: held funds are released in the append of the lift that ended the last credit freeze, all of them. */
function checkReleased(account: Account, fact: Fact<'HeldFundsReleased'>): readonly Problem[] {
  const { asset, amount, freezeId } = fact.data;
  const { releasing } = account;
  const five = (detail: string): Problem => ({ invariant: 5, detail });
  if (isCreditFrozen(account, asset)) return [five('released under a credit freeze')];
  if (releasing?.by.data.freezeId !== freezeId || !releasing.assets.has(asset)) {
    return [five('released outside the append of the lift that frees it')];
  }
  return BigInt(amount) === balanceOf(account, asset).held ? [] : [five('releases other than all that is held')];
}

export function isCreditFrozen(account: Account, asset: string): boolean {
  return freezesInForce(account).some((freeze) => covers(freeze.scope, 'credit', asset));
}

/** A reversal is of one deposit, once, and takes as much of it as is there. Only a mistake can be frozen (invariant 4). */
function checkReversed(log: Log, account: Account, fact: Fact<'DepositReversed'>): readonly Problem[] {
  const { data } = fact;
  const deposit = account.deposits.get(data.depositId);
  if (deposit === undefined) return [books('no such deposit was booked')];
  const problems: Problem[] = [];
  if (deposit.reversed) problems.push(books('the deposit was reversed already'));
  if (follow(log, data.citation) !== deposit.fact) problems.push(books('it does not cite the deposit'));
  const booked = deposit.fact.data;
  const same =
    booked.asset === data.asset &&
    booked.amount === data.amount &&
    sameJson(sorted(booked.source), sorted(data.source)) &&
    deposit.fact.event.metadata.recordedAt === data.depositedAt;
  if (!same) problems.push(books('it says otherwise than what was deposited'));
  const [taken, shortfall] = [BigInt(data.taken), BigInt(data.shortfall)];
  if (taken + shortfall !== BigInt(data.amount)) problems.push(books('taken and shortfall are not what was deposited'));
  const fromHeld = deposit.isHeld ? BigInt(data.amount) : 0n;
  if (BigInt(data.takenFromHeld) !== fromHeld) {
    problems.push(books(`it takes other than ${fromHeld.toString()} from what is held`));
  }
  if (shortfall > 0n && after(balanceOf(account, data.asset), fact).available > 0n) {
    problems.push(books('it leaves what could have been taken'));
  }
  if (data.cause !== 'mistake') return problems;
  if (shortfall > 0n) problems.push(books('a mistake is put right with a shortfall'));
  return [...problems, ...checkDebit(account, fact)];
}

function checkReserved(account: Account, fact: Fact<'WithdrawalReserved'>): readonly Problem[] {
  const problems: Problem[] = [];
  const { withdrawalId } = fact.data;
  if (account.withdrawals.has(withdrawalId) || account.overWithdrawals.has(withdrawalId)) {
    problems.push(books('the withdrawal was reserved already'));
  }
  if (fact.data.reservedAt !== fact.event.metadata.recordedAt) problems.push(books('reservedAt is not when it was'));
  if (account.withdrawals.size >= MAX_OPEN_WITHDRAWALS) problems.push(books('too many withdrawals are open'));
  return problems;
}

/** The life of a withdrawal, each event of which says again what was reserved. */
function checkStep(
  account: Account,
  fact: Exclude<
    MoneyFact,
    Fact<'FundsDeposited' | 'FundsHeld' | 'HeldFundsReleased' | 'DepositReversed' | 'WithdrawalReserved'>
  >,
  from: readonly ('reserved' | 'dispatched')[],
): readonly Problem[] {
  const withdrawal = account.withdrawals.get(fact.data.withdrawalId);
  if (withdrawal === undefined) return [books('no such withdrawal is open')];
  const problems: Problem[] = [];
  const state = withdrawal.dispatched ? 'dispatched' : 'reserved';
  if (!from.includes(state)) problems.push(books(`${fact.type} of a withdrawal that is ${state}`));
  const reserved = withdrawal.reserved.data;
  const repeats =
    fact.type === 'WithdrawalStopped' ||
    (sameJson(sorted(fact.data.destination), sorted(reserved.destination)) &&
      fact.data.reservedAt === reserved.reservedAt);
  if (!repeats || fact.data.asset !== reserved.asset || fact.data.amount !== reserved.amount) {
    problems.push(books('it says otherwise than what was reserved'));
  }
  return problems;
}

function sorted(value: Readonly<Record<string, unknown>>): unknown {
  return Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
}

/** Invariant 4: a withdrawal is stopped by a freeze, in its append, and by nothing else. */
function checkStopped(account: Account, fact: Fact<'WithdrawalStopped'>): readonly Problem[] {
  const { awaited } = account;
  const isAwaited =
    awaited?.by.data.freezeId === fact.data.freezeId && awaited.withdrawalIds.has(fact.data.withdrawalId);
  return isAwaited ? [] : [{ invariant: 4, detail: 'stopped outside the append of a freeze that covers it' }];
}
