import type { LedgerCommand } from '#command-handling';
import type { Actor, RequestedScope } from '#kernel';
import { checker, endingProposal, maker, orderNaming, service } from '#testing';

/** One step of a script: small numbers choose accounts, orders, ids and amounts. */
export interface Step {
  readonly kind:
    | 'deposit'
    | 'reverse'
    | 'transfer'
    | 'close'
    | 'reserve'
    | 'dispatch'
    | 'settle'
    | 'cancel'
    | 'order'
    | 'verify'
    | 'freeze'
    | 'propose-ending'
    | 'verify-ending'
    | 'request-lift'
    | 'approve-lift';
  readonly account: number;
  readonly id: number;
  readonly amount: number;
  /** What an order covers: bitcoin in some way, or another asset. */
  readonly scope: OrderScope;
  readonly asMaker: boolean;
}

export const ORDER_SCOPES = ['debit', 'credit', 'both', 'limited', 'claimed', 'elsewhere'] as const;
export type OrderScope = (typeof ORDER_SCOPES)[number];

export const STEP_KINDS: readonly Step['kind'][] = [
  'deposit',
  'reverse',
  'transfer',
  'close',
  'reserve',
  'dispatch',
  'settle',
  'cancel',
  'order',
  'verify',
  'freeze',
  'propose-ending',
  'verify-ending',
  'request-lift',
  'approve-lift',
];

type WithdrawalState = 'reserved' | 'dispatched' | 'settled' | 'cancelled' | 'stopped';

interface NaiveAccount {
  available: number;
  held: number;
  closed: boolean;
  readonly deposits: Map<number, { amount: number; wasHeld: boolean; reversed: boolean }>;
  readonly transfers: Set<number>;
  readonly withdrawals: Map<number, { amount: number; state: WithdrawalState }>;
  /** By order. */
  readonly freezes: Map<number, NaiveFreeze>;
}

interface NaiveFreeze {
  readonly scope: OrderScope;
  /** How much has to stay. */
  readonly keeps: number;
  readonly freezeId: string;
  readonly requests: Map<number, 'requested' | 'approved'>;
}

interface NaiveOrder {
  readonly account: number;
  readonly scope: OrderScope;
  readonly amount: number;
  state: 'registered' | 'verified' | 'discharged';
  readonly proposals: Map<number, 'proposed' | 'verified'>;
}

/** What a step has to come to: `accepted`, or a code. */
export type Expected = string;

/** The rules once more, as plainly as they can be written: one asset, whole units, no log, no streams. */
export class NaiveModel {
  readonly accounts: readonly NaiveAccount[];
  readonly #orders = new Map<number, NaiveOrder>();

  constructor(accounts: number) {
    this.accounts = Array.from({ length: accounts }, () => ({
      available: 0,
      held: 0,
      closed: false,
      deposits: new Map(),
      transfers: new Set(),
      withdrawals: new Map(),
      freezes: new Map(),
    }));
  }

  /** The command that a step stands for, and who gives it. Undefined: there is no such command here (no such freeze). */
  command(step: Step): { readonly command: LedgerCommand; readonly actor: Actor } | undefined {
    const accountId = `acc-${String(step.account)}`;
    const withdrawalId = `w-${String(step.id)}`;
    const orderId = `ord-${String(step.id)}`;
    const amount = String(step.amount);
    const bank = { kind: 'bank', reference: 'r' } as const;
    const checks = step.asMaker ? maker : checker;
    const freezeId = this.accounts[step.account]?.freezes.get(step.id)?.freezeId;
    const requestId = `r-${String(step.amount)}`;
    const changeId = `chg-${String(step.amount)}`;
    switch (step.kind) {
      case 'deposit':
        return by(service, {
          type: 'Deposit',
          accountId,
          depositId: `d-${String(step.id)}`,
          asset: 'BTC',
          amount,
          source: bank,
        });
      case 'reverse': {
        const cause = step.asMaker ? 'mistake' : 'reorganisation';
        return by(service, {
          type: 'ReverseDeposit',
          accountId,
          depositId: `d-${String(step.id)}`,
          cause,
          reason: 'r',
        });
      }
      case 'transfer':
        return by(service, {
          type: 'SendTransfer',
          accountId,
          transferId: `t-${String(step.id)}`,
          to: `acc-${String(this.#other(step.account))}`,
          asset: 'BTC',
          amount,
        });
      case 'close':
        return by(service, { type: 'CloseAccount', accountId, reason: 'asked' });
      case 'reserve':
        return by(service, {
          type: 'ReserveWithdrawal',
          accountId,
          withdrawalId,
          asset: 'BTC',
          amount,
          destination: bank,
        });
      case 'dispatch':
        return by(service, { type: 'DispatchWithdrawal', accountId, withdrawalId, reference: 'tx' });
      case 'settle':
        return by(service, { type: 'SettleWithdrawal', accountId, withdrawalId, reference: 'tx' });
      case 'cancel':
        return by(service, { type: 'CancelWithdrawal', accountId, withdrawalId, reason: 'asked' });
      case 'order': {
        const subjects = [{ kind: 'account', accountId } as const];
        const claim = step.scope === 'claimed' ? { claimGroup: 'claim-1' } : {};
        const instrument = { ...orderNaming({ orderId, subjects, ...claim }), scope: scopeOf(step) };
        return by(maker, { type: 'RegisterLegalOrder', orderId, instrument });
      }
      case 'verify':
        return by(checks, { type: 'VerifyLegalOrder', orderId, method: 'call-back' });
      case 'freeze':
        return by(maker, { type: 'FreezeAccount', accountId, basis: { kind: 'legal-order', id: orderId } });
      case 'propose-ending':
        return by(maker, endingProposal(orderId, changeId));
      case 'verify-ending':
        return by(checks, { type: 'VerifyChange', orderId, changeId, method: 'sealed copy' });
      case 'request-lift':
        if (freezeId === undefined) return undefined;
        return by(maker, {
          type: 'RequestLift',
          freezeId,
          requestId,
          ground: 'placed-in-error',
          note: 'wrong account',
        });
      case 'approve-lift':
        if (freezeId === undefined) return undefined;
        return by(checks, { type: 'ApproveLift', freezeId, requestId });
    }
  }

  /** What the step has to come to; changes the model. `freezeId` is what the ledger called a freeze that it accepted. */
  apply(step: Step, freezeId: string): Expected {
    const account = this.accounts[step.account];
    if (account === undefined) throw new Error('no such account in the script');
    switch (step.kind) {
      case 'deposit':
        if (account.deposits.has(step.id)) return 'already-exists';
        account.deposits.set(step.id, { amount: step.amount, wasHeld: keepsOut(account), reversed: false });
        if (keepsOut(account)) account.held += step.amount;
        else account.available += step.amount;
        account.closed = false;
        return 'accepted';
      case 'reverse':
        return this.#reverse(account, step);
      case 'transfer':
        return this.#transfer(account, step);
      case 'close':
        return this.#close(account);
      case 'reserve':
        return this.#reserve(account, step);
      case 'dispatch':
        return this.#step(account, step.id, ['reserved'], 'dispatched');
      case 'settle':
        return this.#step(account, step.id, ['dispatched'], 'settled');
      case 'cancel':
        return this.#step(account, step.id, ['reserved', 'dispatched'], 'cancelled');
      case 'order':
        if (this.#orders.has(step.id)) return 'already-exists';
        this.#orders.set(step.id, { ...step, state: 'registered', proposals: new Map() });
        return 'accepted';
      case 'verify':
        return this.#verify(step);
      case 'freeze':
        return this.#freeze(account, step, freezeId);
      case 'propose-ending':
        return this.#proposeEnding(step);
      case 'verify-ending':
        return this.#verifyEnding(step);
      case 'request-lift': {
        const requests = account.freezes.get(step.id)?.requests;
        if (requests?.has(step.amount) === true) return 'already-exists';
        requests?.set(step.amount, 'requested');
        return 'accepted';
      }
      case 'approve-lift':
        return this.#approveLift(account, step);
    }
  }

  #other(account: number): number {
    return (account + 1) % this.accounts.length;
  }

  #reverse(account: NaiveAccount, { id, asMaker }: Step): Expected {
    const deposit = account.deposits.get(id);
    if (deposit === undefined) return 'deposit-not-found';
    if (deposit.reversed) return 'invalid-transition';
    const fromHeld = deposit.wasHeld ? Math.min(deposit.amount, account.held) : 0;
    if (asMaker) {
      if (account.closed) return 'account-closed';
      if (!mayLeave(account, deposit.amount - fromHeld)) return 'account-frozen';
      if (deposit.amount - fromHeld > account.available) return 'insufficient-funds';
    }
    deposit.reversed = true;
    account.held -= fromHeld;
    account.available -= Math.min(deposit.amount - fromHeld, account.available);
    return 'accepted';
  }

  /** Sent, and at once received; what an account refuses that is closed or frozen for credits is as if it had never left. */
  #transfer(account: NaiveAccount, { id, amount, account: index }: Step): Expected {
    const to = this.accounts[this.#other(index)];
    if (to === undefined || account.transfers.has(id)) return 'already-exists';
    if (account.closed) return 'account-closed';
    if (!mayLeave(account, amount)) return 'account-frozen';
    if (amount > account.available) return 'insufficient-funds';
    account.transfers.add(id);
    if (to.closed || keepsOut(to)) return 'accepted';
    account.available -= amount;
    to.available += amount;
    return 'accepted';
  }

  #close(account: NaiveAccount): Expected {
    if (account.closed) return 'invalid-transition';
    if (account.freezes.size > 0) return 'account-frozen';
    const open = [...account.withdrawals.values()].some(({ state }) => state === 'reserved' || state === 'dispatched');
    if (account.available > 0 || account.held > 0 || open) return 'account-not-empty';
    account.closed = true;
    return 'accepted';
  }

  #reserve(account: NaiveAccount, { id, amount }: Step): Expected {
    if (account.withdrawals.has(id)) return 'already-exists';
    if (account.closed) return 'account-closed';
    if (!mayLeave(account, amount)) return 'account-frozen';
    if (amount > account.available) return 'insufficient-funds';
    account.available -= amount;
    account.withdrawals.set(id, { amount, state: 'reserved' });
    return 'accepted';
  }

  #step(account: NaiveAccount, id: number, from: readonly WithdrawalState[], to: WithdrawalState): Expected {
    const withdrawal = account.withdrawals.get(id);
    if (withdrawal === undefined) return 'withdrawal-not-found';
    if (!from.includes(withdrawal.state)) return 'invalid-transition';
    if (to === 'dispatched' && !mayLeave(account, 0)) return 'account-frozen';
    withdrawal.state = to;
    if (to === 'cancelled') account.available += withdrawal.amount;
    return 'accepted';
  }

  #verify({ id, asMaker }: Step): Expected {
    const order = this.#orders.get(id);
    if (order === undefined) return 'legal-order-not-found';
    if (order.state !== 'registered') return 'invalid-transition';
    if (asMaker) return 'maker-is-checker';
    order.state = 'verified';
    return 'accepted';
  }

  #freeze(account: NaiveAccount, { id, account: index }: Step, freezeId: string): Expected {
    const order = this.#orders.get(id);
    if (order === undefined) return 'basis-not-found';
    if (order.state !== 'verified' || [...order.proposals.values()].includes('proposed')) return 'basis-not-in-force';
    if (order.account !== index) return 'basis-does-not-name-account';
    if (account.freezes.has(id)) return 'already-exists';
    const { scope, amount } = order;
    account.freezes.set(id, {
      scope,
      keeps: scope === 'debit' || scope === 'both' ? Infinity : amount,
      freezeId,
      requests: new Map(),
    });
    if (scope === 'credit' || scope === 'elsewhere') return 'accepted';
    for (const withdrawal of [...account.withdrawals.values()].reverse()) {
      if (withdrawal.state !== 'reserved' || mayLeave(account, 0)) continue;
      withdrawal.state = 'stopped';
      account.available += withdrawal.amount;
    }
    return 'accepted';
  }

  #proposeEnding({ id, amount }: Step): Expected {
    const order = this.#orders.get(id);
    if (order === undefined) return 'legal-order-not-found';
    if (order.proposals.has(amount)) return 'already-exists';
    if (order.state !== 'verified') return 'invalid-transition';
    order.proposals.set(amount, 'proposed');
    return 'accepted';
  }

  #verifyEnding({ id, amount, asMaker }: Step): Expected {
    const order = this.#orders.get(id);
    if (order === undefined) return 'legal-order-not-found';
    const proposal = order.proposals.get(amount);
    if (proposal === undefined) return 'change-not-found';
    if (proposal !== 'proposed' || order.state !== 'verified') return 'invalid-transition';
    if (asMaker) return 'maker-is-checker';
    order.proposals.set(amount, 'verified');
    order.state = 'discharged';
    endFreeze(this.accounts[order.account], id);
    return 'accepted';
  }

  #approveLift(account: NaiveAccount, { id, amount, asMaker }: Step): Expected {
    const request = account.freezes.get(id)?.requests.get(amount);
    if (request === undefined) return 'lift-request-not-found';
    if (asMaker) return 'maker-is-checker';
    endFreeze(account, id);
    return 'accepted';
  }
}

export function scopeOf({ scope, amount }: Pick<Step, 'scope' | 'amount'>): RequestedScope {
  switch (scope) {
    case 'elsewhere':
      return { direction: 'debit', assets: ['ETH'] };
    case 'limited':
    case 'claimed':
      return { direction: 'debit', assets: 'all', limits: { BTC: String(amount) } };
    default:
      return { direction: scope, assets: 'all' };
  }
}

/** Limits of orders over the one claim are not added; all others are. */
function stays(account: NaiveAccount): number {
  let [sum, claimed] = [0, 0];
  for (const { scope, keeps } of account.freezes.values()) {
    if (scope === 'credit' || scope === 'elsewhere') continue;
    if (scope === 'claimed') claimed = Math.max(claimed, keeps);
    else sum += keeps;
  }
  return sum + claimed;
}

function mayLeave(account: NaiveAccount, amount: number): boolean {
  return stays(account) === 0 || account.available - amount >= stays(account);
}

function keepsOut(account: NaiveAccount): boolean {
  return [...account.freezes.values()].some(({ scope }) => scope === 'credit' || scope === 'both');
}

function endFreeze(account: NaiveAccount | undefined, id: number): void {
  account?.freezes.delete(id);
  if (account === undefined || keepsOut(account)) return;
  account.available += account.held;
  account.held = 0;
}

function by(actor: Actor, command: LedgerCommand): { readonly command: LedgerCommand; readonly actor: Actor } {
  return { command, actor };
}
