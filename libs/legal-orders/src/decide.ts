import {
  assertNever,
  isRejection,
  parseScope,
  reject,
  rejectField,
  rejectFieldNow,
  toMs,
  type Actor,
  type Asset,
  type EndedFreeze,
  type Rejection,
  type Tie,
  type Scope,
  type Timestamp,
} from '#kernel';
import type {
  AuthoriseFreeze,
  ExpireLegalOrder,
  LegalOrderCommand,
  ProposeEnding,
  ProposeExtension,
  ProposeVariation,
  ReauthoriseFreeze,
  RegisterLegalOrder,
  RejectChange,
  RejectLegalOrder,
  VerifyChange,
  VerifyLegalOrder,
} from './commands.ts';
import {
  MAX_ENDED_FREEZES,
  variesSomething,
  type Instrument,
  type LegalOrderEvent,
  type ReleaseInstrument,
  type Subject,
} from './events.ts';
import { expiryMs, fits, hasRunOut, isExtension, mayAuthorise } from './in-force.ts';
import { findFlaw, findSubjectsFlaw } from './instrument.ts';
import { endedFreezesNeeded } from './limits.ts';
import { restraintOf, type LegalOrderState } from './state.ts';
import { evidenceFor, findVariationFlaw, replacementOf } from './variation.ts';
import type { ChangeView } from './views.ts';

export interface LegalOrderContext {
  readonly now: Timestamp;
  readonly actor: Actor;
  /** For RegisterLegalOrder and ProposeVariation: the first subject that does not exist. */
  readonly unknownSubject?: { readonly kind: 'account' | 'party' | 'freeze'; readonly id: string } | undefined;
  /** For the same: the assets that its limits name, as far as there are such. */
  readonly assets?: ReadonlyMap<string, Asset> | undefined;
  /** For AuthoriseFreeze and ReauthoriseFreeze: freezes under the order that are known to have ended. */
  readonly endedFreezes?: readonly EndedFreeze[] | undefined;
  /** For the same: what ties the account to a subject, if anything does. */
  readonly tie?: Tie | undefined;
}

type Decision = readonly LegalOrderEvent[] | Rejection;

/**
 * Decides a command about one legal order. Where a person acts, these come first to last: the thing exists, it is in a
 * state for the step, and its maker is not its checker. So whoever repeats a step done already learns that, and
 * `maker-is-checker` is recorded only where another person could act.
 */
export function decideLegalOrder(
  command: LegalOrderCommand,
  order: LegalOrderState,
  context: LegalOrderContext,
): Decision {
  switch (command.type) {
    case 'RegisterLegalOrder':
      return register(command, order, context);
    case 'VerifyLegalOrder':
      return verify(command, order, context);
    case 'RejectLegalOrder':
      return rejectOrder(command, order, context);
    case 'ProposeEnding':
      return proposeEnding(command, order, context);
    case 'ProposeExtension':
      return proposeExtension(command, order, context);
    case 'ProposeVariation':
      return proposeVariation(command, order, context);
    case 'VerifyChange':
      return verifyChange(command, order, context);
    case 'RejectChange':
      return rejectChange(command, order, context);
    case 'ExpireLegalOrder':
      return expire(command, order, context);
    case 'AuthoriseFreeze':
      return authoriseFreeze(command, order, context);
    case 'ReauthoriseFreeze':
      return reauthoriseFreeze(command, order, context);
    default:
      return assertNever(command);
  }
}

/** An order that has expired already, or is effective only later, may be registered: it binds when it is in force. */
function register(
  { orderId, instrument: requested }: RegisterLegalOrder,
  order: LegalOrderState,
  context: LegalOrderContext,
): Decision {
  const flaw = findFlaw(requested);
  if (flaw !== undefined) return flaw;
  const missing = subjectNotFound(context);
  if (missing !== undefined) return missing;
  const instrument = inUnits(requested, context);
  if (isRejection(instrument)) return instrument;
  if (order.state !== undefined) return reject('already-exists', 'the legal order is registered already', { orderId });
  return [{ type: 'LegalOrderRegistered', data: { ...instrument, orderId, registeredBy: context.actor.id } }];
}

function inUnits(
  requested: RegisterLegalOrder['instrument'],
  { assets }: LegalOrderContext,
): Instrument | ReleaseInstrument | Rejection {
  if (requested.effect === 'release') return requested;
  const scope = parseScope(requested.scope, (code) => assets?.get(code));
  return isRejection(scope) ? scope : { ...requested, scope };
}

function subjectNotFound({ unknownSubject }: LegalOrderContext): Rejection | undefined {
  if (unknownSubject === undefined) return undefined;
  const { kind, id } = unknownSubject;
  return reject(`${kind}-not-found`, `a subject does not exist: there is no such ${kind}`, { [`${kind}Id`]: id });
}

function verify(
  { orderId, method, note }: VerifyLegalOrder,
  order: LegalOrderState,
  { actor }: LegalOrderContext,
): Decision {
  const obstacle = findReviewObstacle(order, actor);
  if (obstacle !== undefined) return obstacle;
  return [{ type: 'LegalOrderVerified', data: { orderId, method, ...optionalNote(note), verifiedBy: actor.id } }];
}

function rejectOrder(
  { orderId, reason }: RejectLegalOrder,
  order: LegalOrderState,
  { actor }: LegalOrderContext,
): Decision {
  const obstacle = findReviewObstacle(order, actor);
  if (obstacle !== undefined) return obstacle;
  return [{ type: 'LegalOrderRejected', data: { orderId, reason, rejectedBy: actor.id } }];
}

function findReviewObstacle(order: LegalOrderState, checker: Actor): Rejection | undefined {
  if (order.state === undefined) return orderNotFound();
  if (order.state !== 'registered') return invalidTransition(`the legal order is ${order.state}`, order.state);
  if (order.registeredBy === checker.id) {
    return reject('maker-is-checker', 'who registered a legal order can neither verify nor reject it');
  }
  return undefined;
}

/**
 * Several endings may be proposed at once; the first that is verified ends the order, and the others are moot. Also while a
 * proposed extension puts the expiry off: freezes hold until then.
 */
function proposeEnding(command: ProposeEnding, order: LegalOrderState, { actor, now }: LegalOrderContext): Decision {
  const obstacle = findProposalObstacle(command, order);
  if (obstacle !== undefined) return obstacle;
  if (isOver(order, now)) return hasExpired();
  const { orderId, changeId, how, documentSha256, issuedAt, reference } = command;
  const proposal = { orderId, changeId, how, documentSha256, issuedAt, reference, proposedBy: actor.id };
  return [{ type: 'LegalOrderChangeProposed', data: { ...proposal, kind: 'ending' } }];
}

/** Only before `expiresAt`: what has run out is not revived, and a proposal that came too late would put nothing off. */
function proposeExtension(command: ProposeExtension, order: LegalOrderState, context: LegalOrderContext): Decision {
  const obstacle = findProposalObstacle(command, order);
  if (obstacle !== undefined) return obstacle;
  const { instrument } = order;
  if (instrument !== undefined && hasRunOut(instrument, context.now)) return hasExpired();
  const { orderId, changeId, expiresAt, documentSha256, issuedAt, reference } = command;
  if (instrument?.expiresAt === undefined) {
    return rejectFieldNow('expiresAt', 'has nothing to extend: the legal order runs until it is ended');
  }
  if (!isExtension(order, expiresAt)) {
    return rejectFieldNow('expiresAt', 'must be after the time that the legal order runs until');
  }
  const proposal = { orderId, changeId, expiresAt, documentSha256, issuedAt, reference, proposedBy: context.actor.id };
  return [{ type: 'LegalOrderChangeProposed', data: { ...proposal, kind: 'extension' } }];
}

/** An order that is verified and not effective yet can be varied as well; what has run out can not. */
function proposeVariation(command: ProposeVariation, order: LegalOrderState, context: LegalOrderContext): Decision {
  const { orderId, changeId, subjects, documentSha256, issuedAt, reference } = command;
  if (!variesSomething(command)) return rejectField('subjects', 'must be there, or scope, or both');
  const flaw = subjects === undefined ? undefined : findSubjectsFlaw(subjects);
  const missing =
    flaw ?? (order.state === undefined ? orderNotFound() : findVariationFlaw(order)) ?? subjectNotFound(context);
  if (missing !== undefined) return missing;
  const scope =
    command.scope === undefined ? undefined : parseScope(command.scope, (code) => context.assets?.get(code));
  if (isRejection(scope)) return scope;
  const obstacle = findProposalObstacle(command, order);
  if (obstacle !== undefined) return obstacle;
  if (isOver(order, context.now)) return hasExpired();
  const proposal = { orderId, changeId, documentSha256, issuedAt, reference, proposedBy: context.actor.id };
  const data = { ...proposal, kind: 'variation', ...whatVaries(subjects, scope) } as const;
  return [{ type: 'LegalOrderChangeProposed', data }];
}

function whatVaries(
  subjects: readonly Subject[] | undefined,
  scope: Scope | undefined,
): { readonly subjects?: Subject[]; readonly scope?: Scope } {
  return { ...(subjects === undefined ? {} : { subjects: [...subjects] }), ...(scope === undefined ? {} : { scope }) };
}

function findProposalObstacle(
  { orderId, changeId }: ProposeEnding | ProposeExtension | ProposeVariation,
  order: LegalOrderState,
): Rejection | undefined {
  if (order.state === undefined) return orderNotFound();
  if (order.changes.has(changeId)) {
    return reject('already-exists', 'the legal order has a change of that id already', { orderId, changeId });
  }
  if (order.state !== 'verified') return invalidTransition(`the legal order is ${order.state}`, order.state);
  return undefined;
}

function verifyChange(command: VerifyChange, order: LegalOrderState, { actor, now }: LegalOrderContext): Decision {
  const { orderId, changeId, method, note } = command;
  const change = findReviewableChange(order, changeId, actor);
  if (isRejection(change)) return change;
  // Another extension may have been verified meanwhile, or the time may be over for which one put the expiry off.
  if (isOver(order, now)) return hasExpired();
  const { proposedBy } = change;
  const verified = { orderId, changeId, method, ...optionalNote(note), proposedBy, verifiedBy: actor.id };
  switch (change.kind) {
    case 'ending':
      return [{ type: 'LegalOrderEnded', data: { ...verified, how: change.how } }];
    case 'extension':
      if (!isExtension(order, change.expiresAt)) {
        return invalidTransition('the legal order runs at least as long already', 'verified');
      }
      return [{ type: 'LegalOrderExtended', data: { ...verified, expiresAt: change.expiresAt } }];
    case 'variation':
      return [{ type: 'LegalOrderVaried', data: { ...verified, ...whatVaries(change.subjects, change.scope) } }];
  }
}

function rejectChange(command: RejectChange, order: LegalOrderState, { actor }: LegalOrderContext): Decision {
  const { orderId, changeId, reason } = command;
  const change = findReviewableChange(order, changeId, actor);
  if (isRejection(change)) return change;
  return [{ type: 'LegalOrderChangeRejected', data: { orderId, changeId, reason, rejectedBy: actor.id } }];
}

/** A change of an order whose time ran out can still be rejected until its expiry is recorded: nothing follows from that. */
function findReviewableChange(order: LegalOrderState, changeId: string, checker: Actor): ChangeView | Rejection {
  if (order.state === undefined) return orderNotFound();
  const change = order.changes.get(changeId);
  if (change === undefined) return reject('change-not-found', 'the legal order has no such change');
  if (change.state !== 'proposed') return invalidTransition(`the change is ${change.state}`, change.state);
  if (order.state !== 'verified') {
    return invalidTransition(`the legal order is ${order.state}: its changes are moot`, order.state);
  }
  if (change.proposedBy === checker.id) {
    return reject('maker-is-checker', 'who proposed a change can neither verify nor reject it');
  }
  return change;
}

function expire({ orderId }: ExpireLegalOrder, order: LegalOrderState, { now }: LegalOrderContext): Decision {
  const { instrument, state } = order;
  if (state !== 'verified' || instrument?.expiresAt === undefined) return [];
  if (!isOver(order, now)) return [];
  return [{ type: 'LegalOrderExpired', data: { orderId, expiresAt: instrument.expiresAt } }];
}

function authoriseFreeze(command: AuthoriseFreeze, order: LegalOrderState, context: LegalOrderContext): Decision {
  const { orderId, accountId, blockedFrom } = command;
  const { tie, now, actor } = context;
  const restraint = restraintOf(order);
  const scope = command.scope ?? restraint?.scope;
  const ended = scope === undefined ? [] : endedFreezesFor(order, accountId, scope, context);
  const endedFreezes = ended.map(({ freezeId }) => freezeId);
  const obstacle = mayAuthorise(order, { accountId, scope, tie, at: now, endedFreezes });
  if (obstacle !== undefined) return reject(obstacle.code, obstacle.detail);
  if (scope === undefined || tie === undefined) throw new Error('an order authorised a freeze without scope or tie');
  const { namedBy, partyId, linkedBy } = tie;
  const claimGroup = restraint?.claimGroup;
  const data = {
    orderId,
    accountId,
    scope,
    namedBy,
    ...(partyId === undefined ? {} : { partyId }),
    ...(linkedBy === undefined ? {} : { linkedBy }),
    requestedBy: actor.id,
    ...(blockedFrom === undefined ? {} : { blockedFrom }),
    ...(claimGroup === undefined ? {} : { claimGroup }),
    ...(ended.length === 0 ? {} : { endedFreezes: [...ended] }),
  };
  return [{ type: 'FreezeAuthorised', data }];
}

/**
 * Needs only that no end of the order is recorded: a proposed ending or an expiry that is put off does not hold it up. Asked
 * for by whoever asked for the freeze.
 */
function reauthoriseFreeze(
  { orderId, replaces }: ReauthoriseFreeze,
  order: LegalOrderState,
  { tie, endedFreezes = [] }: LegalOrderContext,
): Decision {
  const ended = evidenceFor(order, replaces, endedFreezes).slice(0, MAX_ENDED_FREEZES);
  const found = replacementOf(order, replaces, new Set(ended.map(({ freezeId }) => freezeId)));
  if (found === undefined || tie === undefined || !fits(order, found.replaced.accountId, tie)) return [];
  const { accountId, requestedBy } = found.replaced;
  const { namedBy, partyId, linkedBy } = tie;
  const claimGroup = restraintOf(order)?.claimGroup;
  const data = {
    orderId,
    accountId,
    scope: found.scope,
    namedBy,
    ...(partyId === undefined ? {} : { partyId }),
    ...(linkedBy === undefined ? {} : { linkedBy }),
    requestedBy,
    ...(claimGroup === undefined ? {} : { claimGroup }),
    ...(ended.length === 0 ? {} : { endedFreezes: [...ended] }),
    replaces,
  };
  return [{ type: 'FreezeAuthorised', data }];
}

/** What the authorisation relies on: none where the limits suffice without, and no more than it may list. */
function endedFreezesFor(
  order: LegalOrderState,
  accountId: string,
  scope: Scope,
  { endedFreezes = [] }: LegalOrderContext,
): readonly EndedFreeze[] {
  return endedFreezesNeeded(order, { accountId, scope }, endedFreezes).slice(0, MAX_ENDED_FREEZES);
}

function optionalNote(note: string | undefined): { readonly note?: string } {
  return note === undefined ? {} : { note };
}

/** Its time has run out, and nothing puts the expiry off: what ends it is that, whether it is recorded yet or not. */
function isOver(order: LegalOrderState, now: Timestamp): boolean {
  return toMs(now) >= (expiryMs(order) ?? Infinity);
}

function hasExpired(): Rejection {
  return invalidTransition('the time of the legal order has run out', 'expired');
}

function orderNotFound(): Rejection {
  return reject('legal-order-not-found', 'the legal order is not registered');
}

function invalidTransition(detail: string, state: string): Rejection {
  return reject('invalid-transition', detail, { state });
}
