import {
  authorityRequestView,
  checkAuthorityRequest,
  evolveAuthorityRequest,
  initialAuthorityRequestState,
  type AuthorityRequestEvent,
  type AuthorityRequestView,
} from '#authority-requests';
import type { RecordedEvent, Recorded } from '#kernel';
import {
  checkLegalOrder,
  evolveLegalOrder,
  initialLegalOrderState,
  legalOrderView,
  type LegalOrderEvent,
  type LegalOrderView,
} from '#legal-orders';
import { checkParty, evolveParty, initialPartyState, partyView, type PartyEvent, type PartyView } from '#parties';
import {
  checkSanctionsHit,
  evolveSanctionsHit,
  initialSanctionsHitState,
  sanctionsHitView,
  type SanctionsHitEvent,
  type SanctionsHitView,
} from '#sanctions';

/**
 * A party as its events up to some revision tell it. What should never have been recorded changes nothing here either.
 * @throws Error when the party is not registered in them: a bug
 */
export function partyAsOf(events: readonly RecordedEvent[]): PartyView {
  let state = initialPartyState();
  for (const recorded of events) {
    const event = recorded as unknown as Recorded<PartyEvent>;
    if (checkParty(state, event) === undefined) state = evolveParty(state, event);
  }
  return present(partyView(state));
}

/** An order likewise. @throws Error when the order is not registered in them: a bug */
export function legalOrderAsOf(events: readonly RecordedEvent[]): LegalOrderView {
  let state = initialLegalOrderState();
  for (const recorded of events) {
    const event = recorded as unknown as Recorded<LegalOrderEvent>;
    if (checkLegalOrder(state, event) === undefined) state = evolveLegalOrder(state, event);
  }
  return present(legalOrderView(state));
}

/** A hit likewise. @throws Error when the hit was not raised in them: a bug */
export function sanctionsHitAsOf(events: readonly RecordedEvent[]): SanctionsHitView {
  let state = initialSanctionsHitState();
  for (const recorded of events) {
    const event = recorded as unknown as Recorded<SanctionsHitEvent>;
    if (checkSanctionsHit(state, event) === undefined) state = evolveSanctionsHit(state, event);
  }
  return present(sanctionsHitView(state));
}

/** An authority request likewise. @throws Error when it is not registered in them: a bug */
export function authorityRequestAsOf(events: readonly RecordedEvent[]): AuthorityRequestView {
  let state = initialAuthorityRequestState();
  for (const recorded of events) {
    const event = recorded as unknown as Recorded<AuthorityRequestEvent>;
    if (checkAuthorityRequest(state, event) === undefined) state = evolveAuthorityRequest(state, event);
  }
  return present(authorityRequestView(state));
}

function present<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new Error('the stream does not register what it is about');
  return value;
}
