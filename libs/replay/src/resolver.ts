import type { AccountState } from '#accounts';
import type { EventReader } from '#event-store';
import { resolveCitation, resolveLift, samePointer, type AccountFrozen, type AccountUnfrozen } from '#freezes';
import { hashHolds, type EventPointer, type Position, type Recorded, type RecordedEvent } from '#kernel';
import type { EndedFreeze, FreezeAuthorised, LegalOrderEvent } from '#legal-orders';
import { StreamFold } from './fold.ts';
import type { JudgedEvent } from './judged.ts';
import { kindOfStream } from './registry.ts';

export type Verdict = { readonly ok: true } | { readonly ok: false; readonly reason: string };

/** Most bases whose events are kept in memory. */
const MAX_BASES = 1000;

/** What is known of a basis's stream: its legal events in order, up to and including a revision. */
interface KnownBasis {
  readonly events: Recorded<LegalOrderEvent>[];
  readonly fold: StreamFold;
}

/** Most ends of freezes that are kept in memory: each saves a fold of its account's stream. */
const MAX_ENDINGS = 10_000;

/** A legal event that ended a freeze. */
interface Ending {
  readonly pointer: EventPointer;
  readonly freezeId: string;
  readonly position: Position;
}

/**
 * Follows the citation of a freeze or lift through the log and re-runs the rule at the place it points to. Used alike by
 * the loader (a freeze gates only when it resolves) and by the projection of the freeze register.
 */
export class CitationResolver {
  readonly #reader: EventReader;
  readonly #bases = new Map<string, KnownBasis>();
  /** By the id of the event that ended a freeze; a fold of its account's stream found it legal. */
  readonly #endings = new Map<string, Ending>();

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
      ended: await this.#endedBefore(event, basisEvents),
      holders: account.holders.map((holder) => holder.partyId),
    });
  }

  /** Whether what the authorisation claims of each freeze that had ended is so: looks only at what is earlier in the log. */
  async #endedBefore(
    freeze: Recorded<AccountFrozen>,
    basisEvents: readonly Recorded<LegalOrderEvent>[],
  ): Promise<readonly boolean[]> {
    const authorisation = basisEvents.at(-1);
    if (authorisation?.type !== 'FreezeAuthorised' || authorisation.data.endedFreezes === undefined) return [];
    // Each look goes back in the log, so it ends, whatever the events point to.
    if (freeze.position !== '' && freeze.position <= authorisation.position) return [];
    const ended: boolean[] = [];
    for (const claim of authorisation.data.endedFreezes) {
      ended.push(await this.#hasEnded(claim, authorisation, basisEvents));
    }
    return ended;
  }

  async #hasEnded(
    { freezeId, endedBy }: EndedFreeze,
    authorisation: Recorded<FreezeAuthorised>,
    basisEvents: readonly Recorded<LegalOrderEvent>[],
  ): Promise<boolean> {
    const ended = basisEvents.find(({ id }) => id === freezeId);
    if (ended?.type !== 'FreezeAuthorised' || endedBy.stream !== `account-${ended.data.accountId}`) return false;
    const known = this.#endings.get(endedBy.eventId);
    const ending = known ?? (await this.#legalEnding(endedBy, authorisation.position));
    if (ending === undefined) return false;
    this.#rememberEnding(ending);
    return (
      ending.freezeId === freezeId && ending.position < authorisation.position && samePointer(ending.pointer, endedBy)
    );
  }

  /** The end of a freeze, if it stands there, before that position, and is legal: the account is folded up to it. */
  async #legalEnding(pointer: EventPointer, before: Position): Promise<Ending | undefined> {
    const stored = await this.#eventAt(pointer);
    if (stored?.id !== pointer.eventId || stored.position >= before) return undefined;
    const fold = new StreamFold(pointer.stream, this);
    let judged: JudgedEvent | undefined;
    for (const each of await this.#reader.read(pointer.stream, { to: stored.revision }))
      judged = await fold.apply(each);
    const event = judged?.event;
    if (event?.type !== 'AccountUnfrozen' && event?.type !== 'FreezeAbandoned') return undefined;
    return { pointer, freezeId: event.data.freezeId, position: event.position };
  }

  #rememberEnding(ending: Ending): void {
    const { eventId } = ending.pointer;
    this.#endings.delete(eventId);
    this.#endings.set(eventId, ending);
    const oldest = this.#endings.keys().next();
    if (this.#endings.size > MAX_ENDINGS && oldest.done !== true) this.#endings.delete(oldest.value);
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
