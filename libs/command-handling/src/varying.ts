import { liftByBasis } from '#accounts';
import { decideReplacement, freezeUnder } from '#freezes';
import {
  basisStream,
  isRejection,
  pointerTo,
  samePointer,
  SUPERVISOR,
  toMs,
  toTimestamp,
  type Basis,
  type EventPointer,
} from '#kernel';
import type { Core } from './core.ts';
import { accountFacts, type Freezing } from './freezing.ts';
import { causedBy } from './plan.ts';
import { basisContents, basisOf, stateOf } from './streams.ts';

/**
 * What a variation of a basis does to the freezes that rest on it (DOMAIN, "Variation"): those that it dropped end, and what
 * it changes of the others is authorised anew, and then varied on the account's stream, the arbiter.
 */
export class Varying {
  readonly #core: Core;
  readonly #freezing: Freezing;

  constructor(core: Core, freezing: Freezing) {
    this.#core = core;
    this.#freezing = freezing;
  }

  /** Lifts the freeze of the account under the basis, if a variation since its authorisation took what it rested on. */
  async lift(basis: Basis, accountId: string): Promise<void> {
    await this.#core.streams.decide(`account-${accountId}`, async (view) => {
      const state = stateOf(view, 'account');
      const freeze = freezeUnder(state.freezes, basis);
      if (freeze === undefined) return { result: undefined };
      const holders = state.holders.map(({ partyId }) => partyId);
      const says = await this.#freezing.askBasis(basis, [freeze.citation], holders);
      const lost = says.lost.get(freeze.citation.eventId);
      if (lost === undefined) return { result: undefined };
      const events = liftByBasis(state, freeze.freezeId, 'basis-varied', lost);
      const origin = causedBy(SUPERVISOR, lost.pointer.eventId);
      return { append: events, origin, nowMs: view.time(toMs(lost.endedAt)), answer: () => undefined };
    });
  }

  /** Authorises anew what a variation changes of the account's freeze under the basis, and varies the freeze. */
  async vary(basis: Basis, accountId: string): Promise<void> {
    const account = await this.#core.streams.inspect(`account-${accountId}`, (view) => accountFacts(view, basis));
    if (account.freeze === undefined) return;
    const { citation: replaces } = account.freeze;
    const { latest, lost } = await this.#freezing.askBasis(basis, [replaces], account.holders);
    if (lost.get(replaces.eventId) !== undefined) return;
    const found = await this.#freezing.findTie(basis, accountId, account);
    const ended = await this.#freezing.findEnded(basis, (state) => state.limitedAuthorisations());
    const authorised = await this.#core.streams.decide<EventPointer | undefined>(basisStream(basis), (view) => {
      // Varied since: another variation may have ended the freeze, and is followed by itself.
      const now = basisOf(view).terms.at(-1)?.since;
      if (latest === undefined || !samePointer(latest, now)) return { result: undefined };
      const nowMs = view.time(found.citedMs, ended.citedMs);
      const context = { now: toTimestamp(nowMs), actor: SUPERVISOR, tie: found.tie, endedFreezes: ended.freezes };
      const decision = decideReplacement(basisContents(view), basis.id, replaces, context);
      if (isRejection(decision) || decision.length === 0) return { result: undefined };
      return {
        append: decision,
        origin: causedBy(SUPERVISOR, replaces.eventId),
        nowMs,
        answer: ([event]) => event && pointerTo(event),
      };
    });
    if (authorised === undefined) return;
    await this.#freezing.settle(authorised, {
      by: 'supervisor',
      actor: SUPERVISOR,
      correlationId: authorised.eventId,
    });
  }
}
