import {
  basisOfStream,
  type Actor,
  type BasisState,
  type Recorded,
  type Rejection,
  type Scope,
  type Tie,
  type Timestamp,
} from '#kernel';
import {
  checkLegalOrder,
  decideLegalOrder,
  evolveLegalOrder,
  initialLegalOrderState,
  legalOrderBasis,
  type FreezeAuthorised as AuthorisedByOrder,
  type LegalOrderEvent,
  type LegalOrderState,
} from '#legal-orders';
import {
  checkSanctionsHit,
  decideSanctionsHit,
  evolveSanctionsHit,
  initialSanctionsHitState,
  sanctionsHitBasis,
  type FreezeAuthorised as AuthorisedByHit,
  type SanctionsHitEvent,
  type SanctionsHitState,
} from '#sanctions';

/** Where the two kinds of basis come together: whoever asks something of a basis asks it here, whatever its kind. */

export type BasisEvent = LegalOrderEvent | SanctionsHitEvent;
export type FreezeAuthorised = AuthorisedByOrder | AuthorisedByHit;

/** The state of a stream on which a basis lives, by the kind of the stream. */
export type BasisContents =
  | { readonly kind: 'legalOrder'; readonly state: LegalOrderState }
  | { readonly kind: 'sanctionsHit'; readonly state: SanctionsHitState };

const BASIS_KINDS: ReadonlySet<string> = new Set<BasisContents['kind']>(['legalOrder', 'sanctionsHit']);

export function isBasisContents<Contents extends { readonly kind: string }>(
  contents: Contents,
): contents is Extract<Contents, { readonly kind: BasisContents['kind'] }> {
  return BASIS_KINDS.has(contents.kind);
}

/** @param id the id in the stream's name: that of the order or hit */
export function basisState(contents: BasisContents, id: string): BasisState {
  switch (contents.kind) {
    case 'legalOrder':
      return legalOrderBasis(id, contents.state);
    case 'sanctionsHit':
      return sanctionsHitBasis(id, contents.state);
  }
}

/** What a freeze asks of its basis. */
export interface FreezeAsked {
  readonly accountId: string;
  /** Undefined: the basis's own. */
  readonly scope: Scope | undefined;
  readonly blockedFrom: Timestamp | undefined;
}

/** First half of a freeze: FreezeAuthorised on the stream of the basis, or why it authorises none. */
export function decideAuthorisation(
  contents: BasisContents,
  id: string,
  freeze: FreezeAsked,
  context: { readonly now: Timestamp; readonly actor: Actor; readonly tie: Tie | undefined },
): readonly BasisEvent[] | Rejection {
  switch (contents.kind) {
    case 'legalOrder':
      return decideLegalOrder({ type: 'AuthoriseFreeze', orderId: id, ...freeze }, contents.state, context);
    case 'sanctionsHit':
      return decideSanctionsHit({ type: 'AuthoriseFreezeUnderHit', hitId: id, ...freeze }, contents.state, context);
  }
}

/** What a basis is after some of its events, and why the next one should never be. */
export interface BasisHistory {
  readonly state: BasisState;
  readonly objection: (event: Recorded<BasisEvent>) => string | undefined;
}

/**
 * The basis as its own legal events make it: what should never be changes nothing.
 * @param stream on which the events stand
 * @returns undefined when no basis lives on such a stream
 */
export function foldBasis(stream: string, events: readonly Recorded<BasisEvent>[]): BasisHistory | undefined {
  const basis = basisOfStream(stream);
  if (basis === undefined) return undefined;
  switch (basis.kind) {
    case 'legal-order': {
      let state = initialLegalOrderState();
      const check = (event: Recorded<BasisEvent>): string | undefined =>
        checkLegalOrder(state, event as Recorded<LegalOrderEvent>);
      for (const event of events) {
        if (check(event) === undefined) state = evolveLegalOrder(state, event as Recorded<LegalOrderEvent>);
      }
      return { state: legalOrderBasis(basis.id, state), objection: check };
    }
    case 'sanctions-hit': {
      let state = initialSanctionsHitState();
      const check = (event: Recorded<BasisEvent>): string | undefined =>
        checkSanctionsHit(state, event as Recorded<SanctionsHitEvent>);
      for (const event of events) {
        if (check(event) === undefined) state = evolveSanctionsHit(state, event as Recorded<SanctionsHitEvent>);
      }
      return { state: sanctionsHitBasis(basis.id, state), objection: check };
    }
  }
}
