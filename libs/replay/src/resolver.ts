import type { AccountState } from '#accounts';
import type { EventReader } from '#event-store';
import { resolveCitation, resolveLift, type AccountFrozen, type AccountUnfrozen, type BasisEvent } from '#freezes';
import { basisOfStream, hashHolds, type EventPointer, type Recorded, type RecordedEvent } from '#kernel';
import { StreamFold } from './fold.ts';

export type Verdict = { readonly ok: true } | { readonly ok: false; readonly reason: string };

/** Most bases whose events are kept in memory. */
const MAX_BASES = 1000;

/** What is known of a basis's stream: its legal events in order, up to and including a revision. */
interface KnownBasis {
  readonly events: Recorded<BasisEvent>[];
  readonly fold: StreamFold;
}

/**
 * Follows the citation of a freeze or lift through the log and re-runs the rule at the place it points to. Used alike by
 * the loader (a freeze gates only when it resolves) and by the projection of the freeze register.
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
    const authorised = cited?.type === 'FreezeAuthorised' ? cited.data : undefined;
    const linkedBy = authorised !== undefined && 'linkedBy' in authorised ? authorised.linkedBy : undefined;
    return resolveCitation({
      basisEvents,
      namedByEvent: await this.#eventAt(authorised?.namedBy),
      linkedByEvent: await this.#eventAt(linkedBy),
      event,
      holders: account.holders.map((holder) => holder.partyId),
    });
  }

  async #basisEventsUpTo(pointer: EventPointer): Promise<readonly Recorded<BasisEvent>[]> {
    if (basisOfStream(pointer.stream) === undefined) return [];
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
      if (judged instanceof Promise) throw new Error('a basis cites nothing: its events are judged at once');
      if (judged.event !== undefined) basis.events.push(judged.event as Recorded<BasisEvent>);
    }
  }

  #remember(stream: string, basis: KnownBasis): void {
    this.#bases.delete(stream);
    this.#bases.set(stream, basis);
    const oldest = this.#bases.keys().next();
    if (this.#bases.size > MAX_BASES && oldest.done !== true) this.#bases.delete(oldest.value);
  }

  async #eventAt(pointer: EventPointer | undefined): Promise<RecordedEvent | undefined> {
    if (pointer === undefined) return undefined;
    const revision = Number(pointer.revision);
    const [event] = await this.#reader.read(pointer.stream, { from: revision, to: revision });
    return event !== undefined && hashHolds(event) ? event : undefined;
  }
}
