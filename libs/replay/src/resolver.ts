import type { AccountState } from '#accounts';
import type { AuthorityRequestAnswered } from '#authority-requests';
import type { EventReader } from '#event-store';
import { resolveCitation, resolveLift, type AccountFrozen, type AccountUnfrozen } from '#freezes';
import { hashHolds, type EventPointer, type Recorded, type RecordedEvent } from '#kernel';
import type { LegalOrderEvent } from '#legal-orders';
import { basisObstacle } from './basis.ts';
import { StreamFold } from './fold.ts';
import { kindOfStream } from './registry.ts';

export type Verdict = { readonly ok: true } | { readonly ok: false; readonly reason: string };

/** Most bases whose events are kept in memory. */
const MAX_BASES = 1000;

/** What is known of a basis's stream: its legal events in order, up to and including a revision. */
interface KnownBasis {
  readonly events: Recorded<LegalOrderEvent>[];
  readonly fold: StreamFold;
}

/**
 * Follows the citation of a freeze, a lift or an answer to a letter through the log and re-runs the rule at the place it
 * points to. Used alike by the loader (a freeze gates only when it resolves) and by the projections.
 */
export class CitationResolver {
  readonly #reader: EventReader;
  readonly #bases = new Map<string, KnownBasis>();

  constructor(reader: EventReader) {
    this.#reader = reader;
  }

  /** @throws StoreError when a stream can't be read: a basis that can't be read is not a basis that is absent. */
  async verdict(event: Recorded<AccountFrozen | AccountUnfrozen>, account: AccountState): Promise<Verdict> {
    const basisEvents = await this.#basisEventsUpTo(event.data.citation);
    if (event.type === 'AccountUnfrozen') return resolveLift({ event, freezes: account.freezes, basisEvents });
    const cited = basisEvents.at(-1);
    const namedBy = cited?.type === 'FreezeAuthorised' ? cited.data.namedBy : undefined;
    const namedByEvent = namedBy === undefined ? undefined : await this.#eventAt(namedBy);
    return resolveCitation({
      basisEvents,
      namedByEvent,
      event,
      holders: account.holders.map((holder) => holder.partyId),
    });
  }

  /**
   * Says whether the basis that an answer cites was in force where and when the answer says so, from the basis's own events
   * up to there: whatever came later makes no difference.
   * @throws StoreError when the stream of the basis can't be read
   */
  async answerVerdict(event: Recorded<AuthorityRequestAnswered>): Promise<Verdict> {
    const { inForceAt } = event.data;
    if (inForceAt === undefined) return { ok: false, reason: 'it does not say where the basis was in force' };
    const revision = Number(inForceAt.revision);
    const fold = new StreamFold(inForceAt.stream, this);
    for (const recorded of await this.#reader.read(inForceAt.stream, { to: revision })) {
      if (event.position !== '' && recorded.position > event.position) break;
      await fold.apply(recorded);
    }
    if (fold.contents === undefined || fold.revision !== revision) {
      return { ok: false, reason: 'the stream of the basis had not come so far' };
    }
    const obstacle = basisObstacle(fold.contents, event.metadata.recordedAt);
    return obstacle === undefined ? { ok: true } : { ok: false, reason: obstacle.detail };
  }

  async #basisEventsUpTo(pointer: EventPointer): Promise<readonly Recorded<LegalOrderEvent>[]> {
    if (kindOfStream(pointer.stream) !== 'legalOrder') return [];
    const revision = Number(pointer.revision);
    const basis = this.#bases.get(pointer.stream) ?? { events: [], fold: new StreamFold(pointer.stream, this) };
    if (basis.fold.revision < revision) await this.#extend(basis, revision);
    this.#remember(pointer.stream, basis);
    return basis.events.filter((event) => event.revision <= revision);
  }

  async #extend(basis: KnownBasis, to: number): Promise<void> {
    const events = await this.#reader.read(basis.fold.stream, { from: basis.fold.revision + 1, to });
    for (const recorded of events) {
      // Two callers may extend one basis at the same time: the events are the same, the first to fold one wins.
      if (recorded.revision !== basis.fold.revision + 1) continue;
      const judged = basis.fold.apply(recorded);
      if (judged instanceof Promise) throw new Error('an order cites nothing: its events are judged at once');
      if (judged.event !== undefined) basis.events.push(judged.event as Recorded<LegalOrderEvent>);
    }
  }

  #remember(stream: string, basis: KnownBasis): void {
    this.#bases.delete(stream);
    this.#bases.set(stream, basis);
    const oldest = this.#bases.keys().next();
    if (this.#bases.size > MAX_BASES && oldest.done !== true) this.#bases.delete(oldest.value);
  }

  async #eventAt(pointer: EventPointer): Promise<RecordedEvent | undefined> {
    const revision = Number(pointer.revision);
    const [event] = await this.#reader.read(pointer.stream, { from: revision, to: revision });
    return event !== undefined && hashHolds(event) ? event : undefined;
  }
}
