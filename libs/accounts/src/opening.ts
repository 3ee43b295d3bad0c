import type { Opening } from '#parties';

/** How the opening's own key was answered on the account's stream. */
export type OpeningOutcome = 'opened' | 'abandoned' | 'refused';

/** One opening, as far as it has come: read from the account's stream and from each holder's. */
export interface OpeningProgress {
  readonly opening: Opening;
  readonly account: { readonly opened: boolean; readonly keyOutcome: OpeningOutcome | 'none' };
  /** One for each holder. `attachment` is of this very opening: another's does not count. */
  readonly parties: readonly {
    readonly partyId: string;
    readonly attachment: 'none' | 'attached' | 'detached';
    /** A basis in force names the party. */
    readonly named: boolean;
  }[];
}

export type OpeningStep =
  | { readonly step: 'done'; readonly outcome: OpeningOutcome }
  | { readonly step: 'attach'; readonly partyId: string }
  | { readonly step: 'open' }
  /** AccountOpeningAbandoned on the account's stream. */
  | { readonly step: 'abandon'; readonly reason: 'already-exists' }
  | { readonly step: 'abandon'; readonly reason: 'party-named-by-basis'; readonly partyId: string }
  /** CommandRefused on the account's stream: named before anything was attached. */
  | { readonly step: 'refuse'; readonly partyId: string }
  /** The opening came to nothing, and this party still carries its attachment. */
  | { readonly step: 'detach'; readonly partyId: string }
  /** The account was opened by another key and nothing was attached: answered, not recorded. */
  | { readonly step: 'already-exists' };

/**
 * The next append of an opening, or how it ended: one rule for the handler and for whoever finishes what a handler left.
 * The account's stream decides which opening wins; a party's stream decides whether it may be attached.
 */
export function nextOpeningStep({ opening, account, parties }: OpeningProgress): OpeningStep {
  const attached = parties.find(({ attachment }) => attachment === 'attached');
  if (account.keyOutcome === 'opened') return { step: 'done', outcome: 'opened' };
  if (account.keyOutcome !== 'none') {
    return attached === undefined
      ? { step: 'done', outcome: account.keyOutcome }
      : { step: 'detach', partyId: attached.partyId };
  }
  if (account.opened) {
    return attached === undefined ? { step: 'already-exists' } : { step: 'abandon', reason: 'already-exists' };
  }
  const progress = new Map(parties.map((party) => [party.partyId, party]));
  const missing = opening.holders.find(({ partyId }) => progress.get(partyId)?.attachment !== 'attached');
  if (missing === undefined) return { step: 'open' };
  const { partyId } = missing;
  if (progress.get(partyId)?.named !== true) return { step: 'attach', partyId };
  return attached === undefined
    ? { step: 'refuse', partyId }
    : { step: 'abandon', reason: 'party-named-by-basis', partyId };
}
