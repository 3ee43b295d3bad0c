import * as accounts from './accounts.ts';
import { commandOf, type Asked } from './command.ts';
import { freeze, freezeAll } from './freezes.ts';
import * as hits from './hits.ts';
import { answerLetter, registerLetter } from './letters.ts';
import { approveLift, rejectLift, requestLift } from './lifts.ts';
import * as orders from './orders.ts';
import { naiveScopeOf } from './scope.ts';
import { accountAt, newAccount, type Expected, type NaiveState } from './state.ts';
import { basisOf, type Step } from './step.ts';

/**
 * The rules once more, as plainly as they can be written: one asset, whole units, whole days, no log, no streams. Two parties
 * hold three accounts, and may open more.
 */
export class NaiveModel {
  readonly state: NaiveState = {
    day: 0,
    accounts: new Map(accounts.HOLDERS.map((holder, index) => [index, newAccount(holder)])),
    addresses: new Map(),
    orders: new Map(),
    hits: new Map(),
    letters: new Map(),
  };

  /** The command that a step stands for. Undefined: there is no such command here (no such freeze). */
  command(step: Step): Asked | undefined {
    return commandOf(this.state, step);
  }

  /** What the step has to come to; changes the model. `freezeIds` are what the ledger called freezes that it accepted, by account. */
  apply(step: Step, freezeIds: ReadonlyMap<number, string>): Expected {
    const expected = apply(this.state, step, freezeIds);
    orders.expireOrders(this.state);
    return expected;
  }
}

function apply(state: NaiveState, step: Step, freezeIds: ReadonlyMap<number, string>): Expected {
  const account = accountAt(state, step.account);
  switch (step.kind) {
    case 'deposit':
      return accounts.deposit(account, step);
    case 'reverse':
      return accounts.reverse(account, step);
    case 'transfer':
      return accounts.transfer(state, step);
    case 'close':
      return accounts.close(account);
    case 'reserve':
      return accounts.reserve(account, step);
    case 'dispatch':
      return accounts.withdrawalStep(account, step.id, ['reserved'], 'dispatched');
    case 'settle':
      return accounts.withdrawalStep(account, step.id, ['dispatched'], 'settled');
    case 'cancel':
      return accounts.withdrawalStep(account, step.id, ['reserved', 'dispatched'], 'cancelled');
    case 'open':
      return accounts.open(state, step);
    case 'link':
      return accounts.link(state, step);
    case 'wait':
      state.day += step.amount;
      return 'accepted';
    case 'order':
      return orders.registerOrder(state, step);
    case 'release':
      return orders.registerRelease(state, step);
    case 'verify':
      return orders.decideOrder(state, step, 'verified');
    case 'reject':
      return orders.decideOrder(state, step, 'rejected');
    case 'propose-ending':
      return orders.proposeEnding(state, step);
    case 'propose-extension':
      return orders.proposeExtension(state, step);
    case 'propose-variation':
      return orders.proposeVariation(state, step);
    case 'verify-change':
      return orders.verifyChange(state, step);
    case 'reject-change':
      return orders.rejectChange(state, step);
    case 'raise':
      return hits.raise(state, step);
    case 'confirm':
      return hits.decideHit(state, step, 'confirmed');
    case 'dismiss':
      return hits.decideHit(state, step, 'dismissed');
    case 'propose-clearance':
      return hits.proposeClearance(state, step);
    case 'approve-clearance':
      return hits.decideClearance(state, step, 'approved');
    case 'reject-clearance':
      return hits.decideClearance(state, step, 'rejected');
    case 'freeze': {
      const stated = step.states === 'scope' ? naiveScopeOf(step) : undefined;
      return freeze(state, basisOf(step, step.id), step.account, freezeIds.get(step.account) ?? '', stated);
    }
    case 'freeze-all':
      return freezeAll(state, step, freezeIds);
    case 'request-lift':
      return requestLift(state, step, undefined);
    case 'request-release':
      return requestLift(state, step, step.other);
    case 'approve-lift':
      return approveLift(state, step);
    case 'reject-lift':
      return rejectLift(state, step);
    case 'letter':
      return registerLetter(state, step);
    case 'answer':
      return answerLetter(state, step);
  }
}
