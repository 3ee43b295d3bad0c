import type { Actor, BasisState, EndedFreeze, EventPointer, Rejection, Scope, Tie, Timestamp } from '#kernel';
import {
  decideLegalOrder,
  legalOrderBasis,
  type FreezeAuthorised as AuthorisedByOrder,
  type LegalOrderEvent,
  type LegalOrderState,
} from '#legal-orders';
import {
  decideSanctionsHit,
  sanctionsHitBasis,
  type FreezeAuthorised as AuthorisedByHit,
  type SanctionsHitEvent,
  type SanctionsHitState,
} from '#sanctions';

/** Where the two kinds of basis come together: whoever asks something of a basis asks it here, whatever its kind. */

export type BasisEvent = LegalOrderEvent | SanctionsHitEvent;
export type FreezeAuthorised = AuthorisedByOrder | AuthorisedByHit;

/** The claim group that an authorisation states: an order's, where it has one. */
export function claimGroupStated({ data }: { readonly data: FreezeAuthorised['data'] }): string | undefined {
  return 'orderId' in data ? data.claimGroup : undefined;
}

/** The ends of freezes that an authorisation relies on: an order's, where its limits would not suffice without. */
export function endedFreezesStated({ data }: { readonly data: FreezeAuthorised['data'] }): readonly EndedFreeze[] {
  return ('orderId' in data ? data.endedFreezes : undefined) ?? [];
}

/** The authorisation that one which varies a freeze is put in the place of: an order's, after it was varied. */
export function replacesStated({ data }: { readonly data: FreezeAuthorised['data'] }): EventPointer | undefined {
  return 'orderId' in data ? data.replaces : undefined;
}

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

/** What is known of a freeze beside its basis. */
export interface AuthorisationContext {
  readonly now: Timestamp;
  readonly actor: Actor;
  /** What ties the account to a subject, if anything does. */
  readonly tie: Tie | undefined;
  /** Freezes under the basis that are known to have ended. */
  readonly endedFreezes: readonly EndedFreeze[];
}

/** First half of a freeze: FreezeAuthorised on the stream of the basis, or why it authorises none. */
export function decideAuthorisation(
  contents: BasisContents,
  id: string,
  freeze: FreezeAsked,
  context: AuthorisationContext,
): readonly BasisEvent[] | Rejection {
  switch (contents.kind) {
    case 'legalOrder':
      return decideLegalOrder({ type: 'AuthoriseFreeze', orderId: id, ...freeze }, contents.state, context);
    case 'sanctionsHit':
      return decideSanctionsHit({ type: 'AuthoriseFreezeUnderHit', hitId: id, ...freeze }, contents.state, context);
  }
}

/** What a variation changes of the freeze that rests on an authorisation: FreezeAuthorised anew, or nothing. */
export function decideReplacement(
  contents: BasisContents,
  id: string,
  replaces: EventPointer,
  context: AuthorisationContext,
): readonly BasisEvent[] | Rejection {
  if (contents.kind !== 'legalOrder') return [];
  return decideLegalOrder({ type: 'ReauthoriseFreeze', orderId: id, replaces }, contents.state, context);
}
