import { canonicalJson, sameScope, toMs, type EventPointer, type Recorded } from '#kernel';
import type { LegalOrderEvent } from './events.ts';
import { expiryMs, fits, hasRunOut, isExtension, mayAuthorise } from './in-force.ts';
import { findFlaw, findSubjectsFlaw, spelledKey } from './instrument.ts';
import { restraintOf, type LegalOrderState } from './state.ts';
import { findVariationFlaw, replacementOf } from './variation.ts';

type OrderEvent<Type extends LegalOrderEvent['type']> = Extract<Recorded<LegalOrderEvent>, { readonly type: Type }>;

/** Says why this event should never be in this state, or undefined when it is legal. */
export function checkLegalOrder(order: LegalOrderState, event: Recorded<LegalOrderEvent>): string | undefined {
  if (event.type === 'CommandRefused') return undefined;
  if (event.stream !== `legalOrder-${event.data.orderId}`) return 'the order is not the one that the stream is about';
  const stated = statedActor(event);
  if (stated !== undefined && stated !== event.metadata.actor.id) return 'another acted than the one who is named';
  if (event.type === 'LegalOrderRegistered') return checkRegistration(order, event);
  if (order.state === undefined) return 'the order is not registered';
  switch (event.type) {
    case 'LegalOrderVerified':
      return checkReview(order, event.data.verifiedBy);
    case 'LegalOrderRejected':
      return checkReview(order, event.data.rejectedBy);
    case 'LegalOrderChangeProposed':
      return checkProposal(order, event);
    case 'LegalOrderChangeRejected':
      return checkChangeReview(order, event.data.changeId, event.data.rejectedBy);
    case 'LegalOrderEnded':
      return checkEnding(order, event);
    case 'LegalOrderExtended':
      return checkExtension(order, event);
    case 'LegalOrderVaried':
      return checkVariation(order, event);
    case 'LegalOrderExpired':
      return checkExpiry(order, event);
    case 'FreezeAuthorised':
      return checkAuthorisation(order, event);
  }
}

/**
 * Who acted by the data, which is what maker and checker are compared by (invariant 9). Undefined for what the supervisor
 * does: an expiry, and an authorisation that replaces one and says again who had asked for that.
 */
function statedActor(event: Exclude<Recorded<LegalOrderEvent>, { type: 'CommandRefused' }>): string | undefined {
  switch (event.type) {
    case 'LegalOrderRegistered':
      return event.data.registeredBy;
    case 'LegalOrderVerified':
    case 'LegalOrderEnded':
    case 'LegalOrderExtended':
    case 'LegalOrderVaried':
      return event.data.verifiedBy;
    case 'LegalOrderRejected':
    case 'LegalOrderChangeRejected':
      return event.data.rejectedBy;
    case 'LegalOrderChangeProposed':
      return event.data.proposedBy;
    case 'LegalOrderExpired':
      return undefined;
    case 'FreezeAuthorised':
      return event.data.replaces === undefined ? event.data.requestedBy : undefined;
  }
}

function checkRegistration(order: LegalOrderState, event: OrderEvent<'LegalOrderRegistered'>): string | undefined {
  if (order.state !== undefined) return 'the order is registered already';
  return findFlaw(event.data, spelledKey)?.detail;
}

function checkReview(order: LegalOrderState, checker: string): string | undefined {
  if (order.state !== 'registered') return `the order is ${String(order.state)}: it was decided before`;
  return checker === order.registeredBy ? 'who registered the order also decided it' : undefined;
}

function checkProposal(
  order: LegalOrderState,
  { data, metadata }: OrderEvent<'LegalOrderChangeProposed'>,
): string | undefined {
  if (order.changes.has(data.changeId)) return 'the change is proposed already';
  if (order.state !== 'verified') return `nothing is proposed for an order that is ${String(order.state)}`;
  if (data.kind === 'ending') return undefined;
  if (data.kind === 'variation') {
    if (toMs(metadata.recordedAt) >= (expiryMs(order) ?? Infinity)) return 'the order had expired before';
    const flaw = data.subjects === undefined ? undefined : findSubjectsFlaw(data.subjects, spelledKey);
    return (flaw ?? findVariationFlaw(order))?.detail;
  }
  if (order.instrument !== undefined && hasRunOut(order.instrument, metadata.recordedAt)) {
    return 'an extension is proposed after the time of the order has run out';
  }
  return isExtension(order, data.expiresAt) ? undefined : 'the extension would not extend the order';
}

function checkExtension(order: LegalOrderState, event: OrderEvent<'LegalOrderExtended'>): string | undefined {
  const { changeId, expiresAt, proposedBy, verifiedBy } = event.data;
  const problem = checkChangeReview(order, changeId, verifiedBy);
  if (problem !== undefined) return problem;
  const change = order.changes.get(changeId);
  if (change?.kind !== 'extension' || change.expiresAt !== expiresAt || change.proposedBy !== proposedBy) {
    return 'the extension is not the one that was proposed';
  }
  if (toMs(event.metadata.recordedAt) >= (expiryMs(order) ?? Infinity)) return 'the order had expired before';
  return isExtension(order, expiresAt) ? undefined : 'the extension does not extend the order';
}

function checkChangeReview(order: LegalOrderState, changeId: string, checker: string): string | undefined {
  const change = order.changes.get(changeId);
  if (change === undefined) return 'the change was never proposed';
  if (change.state !== 'proposed') return `the change is ${change.state}: it was decided before`;
  if (order.state !== 'verified') return `the order is ${String(order.state)}: its changes are moot`;
  return checker === change.proposedBy ? 'who proposed the change also decided it' : undefined;
}

function checkEnding(order: LegalOrderState, event: OrderEvent<'LegalOrderEnded'>): string | undefined {
  const { changeId, how, proposedBy, verifiedBy } = event.data;
  const problem = checkChangeReview(order, changeId, verifiedBy);
  if (problem !== undefined) return problem;
  const change = order.changes.get(changeId);
  if (change?.kind !== 'ending' || change.how !== how || change.proposedBy !== proposedBy)
    return 'the ending is not the one that was proposed';
  return undefined;
}

function checkVariation(order: LegalOrderState, event: OrderEvent<'LegalOrderVaried'>): string | undefined {
  const { changeId, subjects, scope, proposedBy, verifiedBy } = event.data;
  const problem = checkChangeReview(order, changeId, verifiedBy);
  if (problem !== undefined) return problem;
  const change = order.changes.get(changeId);
  if (change?.kind !== 'variation' || change.proposedBy !== proposedBy || !isSame(change, { subjects, scope })) {
    return 'the variation is not the one that was proposed';
  }
  return toMs(event.metadata.recordedAt) >= (expiryMs(order) ?? Infinity) ? 'the order had expired before' : undefined;
}

function isSame(
  { subjects, scope }: { readonly subjects?: unknown; readonly scope?: unknown },
  other: { readonly subjects?: unknown; readonly scope?: unknown },
): boolean {
  const text = (...values: readonly unknown[]): string => canonicalJson(values.map((value) => value ?? null));
  return text(subjects, scope) === text(other.subjects, other.scope);
}

function checkExpiry(order: LegalOrderState, event: OrderEvent<'LegalOrderExpired'>): string | undefined {
  const { instrument, state } = order;
  if (state !== 'verified') return `an order that is ${String(state)} does not expire`;
  if (instrument?.expiresAt !== event.data.expiresAt) return 'the expiry is not that of the order';
  const isOver = toMs(event.metadata.recordedAt) >= (expiryMs(order) ?? Infinity);
  return isOver ? undefined : 'the time of the order has not run out';
}

function checkAuthorisation(order: LegalOrderState, event: OrderEvent<'FreezeAuthorised'>): string | undefined {
  const { accountId, scope, namedBy, partyId, linkedBy, claimGroup, replaces } = event.data;
  const endedFreezes = event.data.endedFreezes?.map(({ freezeId }) => freezeId);
  const at = event.metadata.recordedAt;
  if (claimGroup !== restraintOf(order)?.claimGroup) return 'the claim group is not that of the order';
  if (replaces !== undefined) return checkReplacement(order, event, replaces, endedFreezes ?? []);
  const obstacle = mayAuthorise(order, { accountId, scope, tie: { namedBy, partyId, linkedBy }, at, endedFreezes });
  return obstacle?.detail;
}

/** It says what the variation makes of the freeze, and nothing else. */
function checkReplacement(
  order: LegalOrderState,
  { data }: OrderEvent<'FreezeAuthorised'>,
  replaces: EventPointer,
  endedFreezes: readonly string[],
): string | undefined {
  const due = replacementOf(order, replaces, new Set(endedFreezes));
  if (due === undefined) return 'no variation asks for another authorisation in the place of that one';
  const { accountId, scope, namedBy, partyId, linkedBy, requestedBy, blockedFrom } = data;
  const { replaced } = due;
  if (accountId !== replaced.accountId) return 'it replaces the authorisation of another account';
  if (requestedBy !== replaced.requestedBy || blockedFrom !== undefined)
    return 'it says otherwise who asked, or from when';
  if (!sameScope(scope, due.scope)) return 'the scope is not what the variation makes of it';
  const isNamed = fits(order, accountId, { namedBy, partyId, linkedBy });
  return isNamed ? undefined : 'the order does not name the account any longer';
}
