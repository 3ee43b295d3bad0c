import type { FreezeAllNamed, LedgerCommand } from '#command-handling';
import { sha256Hex, toTimestamp, type Actor, type Basis } from '#kernel';
import type { Subject } from '#legal-orders';
import {
  checker,
  endingProposal,
  letterRegistration,
  maker,
  orderNaming,
  raising,
  releaseNaming,
  sampleHit,
  service,
  TestClock,
  variation,
} from '#testing';
import { next, openedBy } from './accounts.ts';
import { accountsNamed } from './bases.ts';
import { freezesUnder, sharesOf } from './freezes.ts';
import { answerOf } from './letters.ts';
import { freezeMeant } from './lifts.ts';
import { releasesOf, subjectsOf } from './orders.ts';
import { scopeOf } from './scope.ts';
import { accountAt, type NaiveState, type NaiveSubjects } from './state.ts';
import { basisOf, type Step } from './step.ts';

/** What a step asks of the ledger: one command, a freeze of all that a basis names, or only that time passes. */
export type Asked =
  | { readonly command: LedgerCommand; readonly actor: Actor }
  | { readonly all: Omit<FreezeAllNamed, 'type'> }
  | { readonly passesMs: number };

const DAY_MS = 24 * 3_600_000;
const bank = { kind: 'bank', reference: 'r' } as const;

export const accountName = (index: number): string => `acc-${index}`;
export const partyName = (index: number): string => `p-${index}`;
const orderName = (id: number): string => `ord-${id}`;
const hitName = (id: number): string => `hit-${id}`;
const addressOf = (id: number): { readonly chain: string; readonly address: string } => ({
  chain: 'bitcoin',
  address: `bc1q${id}`,
});

/**
 * @returns undefined where there is no such command (no such freeze), or where what comes of it depends on who is first: parts
 * of a freeze of all, which go on at the same time, that would share a limit with freezes placed before
 */
export function commandOf(state: NaiveState, step: Step): Asked | undefined {
  if (step.kind === 'wait') return { passesMs: step.amount * DAY_MS };
  if (step.kind === 'freeze-all') {
    const isRace = step.states === 'shares' && freezesUnder(state, basisOf(step, step.id)).length > 0;
    return isRace ? undefined : { all: freezingAll(state, step) };
  }
  const command =
    moneyCommand(step) ??
    orderCommand(state, step) ??
    changeCommand(state, step) ??
    hitCommand(state, step) ??
    otherCommand(state, step);
  return command && { command, actor: actorOf(step) };
}

function actorOf({ kind, asMaker }: Step): Actor {
  switch (kind) {
    case 'verify':
    case 'reject':
    case 'verify-change':
    case 'reject-change':
    case 'confirm':
    case 'dismiss':
    case 'approve-clearance':
    case 'reject-clearance':
    case 'approve-lift':
    case 'reject-lift':
    case 'answer':
      return asMaker ? maker : checker;
    case 'deposit':
    case 'reverse':
    case 'transfer':
    case 'close':
    case 'reserve':
    case 'dispatch':
    case 'settle':
    case 'cancel':
    case 'open':
    case 'link':
      return service;
    default:
      return maker;
  }
}

function moneyCommand(step: Step): LedgerCommand | undefined {
  const accountId = accountName(step.account);
  const depositId = `d-${step.id}`;
  const withdrawal = { accountId, withdrawalId: `w-${step.id}` };
  const money = { asset: 'BTC', amount: String(step.amount) };
  switch (step.kind) {
    case 'deposit':
      return { type: 'Deposit', accountId, depositId, ...money, source: bank };
    case 'reverse': {
      const cause = step.asMaker ? 'mistake' : 'reorganisation';
      return { type: 'ReverseDeposit', accountId, depositId, cause, reason: 'r' };
    }
    case 'transfer': {
      const to = accountName(next(step.account));
      return { type: 'SendTransfer', accountId, transferId: `t-${step.id}`, to, ...money };
    }
    case 'close':
      return { type: 'CloseAccount', accountId, reason: 'asked' };
    case 'reserve':
      return { type: 'ReserveWithdrawal', ...withdrawal, ...money, destination: bank };
    case 'dispatch':
      return { type: 'DispatchWithdrawal', ...withdrawal, reference: 'tx' };
    case 'settle':
      return { type: 'SettleWithdrawal', ...withdrawal, reference: 'tx' };
    case 'cancel':
      return { type: 'CancelWithdrawal', ...withdrawal, reason: 'asked' };
    default:
      return undefined;
  }
}

function orderCommand(state: NaiveState, step: Step): LedgerCommand | undefined {
  const orderId = orderName(step.id);
  const expiry = step.expires ? { expiresAt: dayOf(state.day + step.amount) } : {};
  switch (step.kind) {
    case 'order': {
      const claim = step.scope === 'claimed' ? { claimGroup: 'claim-1' } : {};
      const subjects = subjectList(subjectsOf(state, step));
      const instrument = { ...orderNaming({ orderId, subjects, ...claim, ...expiry }), scope: scopeOf(step) };
      return { type: 'RegisterLegalOrder', orderId, instrument };
    }
    case 'release': {
      const released = releasesOf(state, step);
      const releases =
        'account' in released ? { accountIds: [accountName(released.account)] } : { freezeIds: [released.freezeId] };
      const instrument = { ...releaseNaming(releases, orderName(step.other)), ...expiry };
      return { type: 'RegisterLegalOrder', orderId: orderName(step.other), instrument };
    }
    case 'verify':
      return { type: 'VerifyLegalOrder', orderId, method: 'call-back' };
    case 'reject':
      return { type: 'RejectLegalOrder', orderId, reason: 'no seal' };
    default:
      return undefined;
  }
}

function changeCommand(state: NaiveState, step: Step): LedgerCommand | undefined {
  const orderId = orderName(step.id);
  const changeId = `chg-${step.change}`;
  switch (step.kind) {
    case 'propose-ending':
      return endingProposal(orderId, changeId);
    case 'propose-extension':
      return extensionProposal(orderId, changeId, dayOf(state.day + step.amount));
    case 'propose-variation': {
      const subjects = step.varies === 'scope' ? {} : { subjects: subjectList(subjectsOf(state, step)) };
      const scope = step.varies === 'subjects' ? {} : { scope: scopeOf(step) };
      return variation(changeId, { ...subjects, ...scope }, orderId);
    }
    case 'verify-change':
      return { type: 'VerifyChange', orderId, changeId, method: 'sealed copy' };
    case 'reject-change':
      return { type: 'RejectChange', orderId, changeId, reason: 'a copy of a copy' };
    default:
      return undefined;
  }
}

function hitCommand(state: NaiveState, step: Step): LedgerCommand | undefined {
  const hitId = hitName(step.id);
  const clearanceId = `clr-${step.change}`;
  switch (step.kind) {
    case 'raise': {
      const party = { kind: 'party', partyId: partyName(accountAt(state, step.account).holder) } as const;
      const subject = step.names === 'address' ? ({ kind: 'address', ...addressOf(step.change) } as const) : party;
      const entry = { ...sampleHit.entry, measure: step.measure, sha256: sha256Hex(`entry ${step.amount}`) };
      return raising({ hitId, subject, entry });
    }
    case 'confirm':
      return { type: 'ConfirmSanctionsHit', hitId };
    case 'dismiss':
      return { type: 'DismissSanctionsHit', hitId, reason: 'another of the same name' };
    case 'propose-clearance': {
      const authority = { kind: 'list-version', reference: 'ofac-sdn of 2022-04-22' } as const;
      return { type: 'ProposeClearance', hitId, clearanceId, cause: 'delisted', authority };
    }
    case 'approve-clearance':
      return { type: 'ApproveClearance', hitId, clearanceId };
    case 'reject-clearance':
      return { type: 'RejectClearance', hitId, clearanceId, reason: 'still listed' };
    default:
      return undefined;
  }
}

function otherCommand(state: NaiveState, step: Step): LedgerCommand | undefined {
  const partyId = partyName(accountAt(state, step.account).holder);
  const requestId = `req-${step.id}`;
  switch (step.kind) {
    case 'open':
      return {
        type: 'OpenAccount',
        accountId: accountName(openedBy(step)),
        holders: [{ partyId, capacity: 'owner' }],
      };
    case 'link':
      return { type: 'LinkAddress', partyId, ...addressOf(step.change), role: 'holder-controlled' };
    case 'freeze': {
      const scope = step.states === 'scope' ? { scope: scopeOf(step) } : {};
      return {
        type: 'FreezeAccount',
        accountId: accountName(step.account),
        basis: basisNamed(step, step.id),
        ...scope,
      };
    }
    case 'letter':
      return letterRegistration(requestId);
    case 'answer': {
      const outcome = answerOf(step);
      const basis = outcome === 'granted' ? { basis: basisNamed(step, step.other) } : {};
      return { type: 'AnswerAuthorityRequest', requestId, outcome, reason: 'see the file', ...basis };
    }
    default:
      return liftCommand(state, step);
  }
}

function liftCommand(state: NaiveState, step: Step): LedgerCommand | undefined {
  const freezeId = freezeMeant(state, step)?.freezeId;
  const requestId = `r-${step.change}`;
  if (freezeId === undefined) return undefined;
  const about = { freezeId, requestId };
  switch (step.kind) {
    case 'request-lift':
      return { type: 'RequestLift', ...about, ground: 'placed-in-error', note: 'wrong account' };
    case 'request-release':
      return { type: 'RequestLift', ...about, ground: 'release-ordered', orderId: orderName(step.other) };
    case 'approve-lift':
      return { type: 'ApproveLift', ...about };
    case 'reject-lift':
      return { type: 'RejectLift', ...about, reason: 'no proof' };
    default:
      return undefined;
  }
}

function freezingAll(state: NaiveState, step: Step): Omit<FreezeAllNamed, 'type'> {
  const basis = basisNamed(step, step.id);
  if (step.states === 'nothing') return { basis };
  if (step.states === 'scope') return { basis, scope: scopeOf(step) };
  const named = accountsNamed(state, basisOf(step, step.id));
  const shares = sharesOf(named, step).map(([index, share]) => [accountName(index), { BTC: String(share) }]);
  return { basis, shares: Object.fromEntries(shares) as NonNullable<FreezeAllNamed['shares']> };
}

function basisNamed({ under }: Step, id: number): Basis {
  return under === 'order' ? { kind: 'legal-order', id: orderName(id) } : { kind: 'sanctions-hit', id: hitName(id) };
}

function subjectList({ accounts, parties, addresses }: NaiveSubjects): Subject[] {
  return [
    ...accounts.map((index) => ({ kind: 'account', accountId: accountName(index) }) as const),
    ...parties.map((index) => ({ kind: 'party', partyId: partyName(index) }) as const),
    ...addresses.map((id) => ({ kind: 'address', ...addressOf(id) }) as const),
  ];
}

function extensionProposal(orderId: string, changeId: string, expiresAt: string): LedgerCommand {
  const document = {
    documentSha256: sha256Hex(changeId),
    issuedAt: '2022-02-15T10:00:00.000Z',
    reference: 'extension',
  };
  return { type: 'ProposeExtension', orderId, changeId, expiresAt, ...document };
}

/** A day of the model as a time: scripts begin when test clocks do. */
function dayOf(day: number): string {
  return toTimestamp(new TestClock().now() + day * DAY_MS);
}
