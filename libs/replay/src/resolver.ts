import { checkAgainstDeposit, recordedDeposit, type AccountEvent, type AccountState } from '#accounts';
import type { EventReader } from '#event-store';
import { resolveCitation, resolveLift, type AccountFrozen, type AccountUnfrozen } from '#freezes';
import { hashHolds, type EventPointer, type Recorded, type RecordedEvent } from '#kernel';
import type { LegalOrderEvent } from '#legal-orders';
import { StreamFold } from './fold.ts';
import type { LedgerEvent } from './judged.ts';
import { decodeEvent, kindOfStream } from './registry.ts';
import type { StreamNames } from './stream-names.ts';

export type Verdict = { readonly ok: true } | { readonly ok: false; readonly reason: string };

/** The events of an account that rest on another event, which has to be followed up. */
export type CitingEvent = AccountFrozen | AccountUnfrozen | Extract<AccountEvent, { type: 'DepositReversed' }>;

const CITING: readonly string[] = [
  'AccountFrozen',
  'AccountUnfrozen',
  'DepositReversed',
] satisfies readonly CitingEvent['type'][];

export function isCiting(event: Recorded<LedgerEvent>): event is Recorded<CitingEvent> {
  return CITING.includes(event.type);
}

/** Most bases whose events are kept in memory. */
const MAX_BASES = 1000;

/** What is known of a basis's stream: its legal events in order, up to and including a revision. */
interface KnownBasis {
  readonly events: Recorded<LegalOrderEvent>[];
  readonly fold: StreamFold;
}

/**
 * Follows the citation of an account's event through the log and re-runs the rule at the place it points to. Used alike by
 * the loader (a freeze gates only when it resolves) and by the projections.
 */
export class CitationResolver {
  readonly #reader: EventReader;
  readonly #bases = new Map<string, KnownBasis>();

  constructor(reader: EventReader) {
    this.#reader = reader;
  }

  /**
   * @param names of the event's own stream
   * @throws StoreError when a stream can't be read: a basis that can't be read is not a basis that is absent.
   */
  async verdict(event: Recorded<CitingEvent>, account: AccountState, names: StreamNames): Promise<Verdict> {
    switch (event.type) {
      case 'AccountFrozen':
      case 'AccountUnfrozen':
        return this.#freezeVerdict(event, account);
      case 'DepositReversed':
        return this.#reversalVerdict(event, names);
    }
  }

  /** The deposit stands on the account's own stream, by its name, and says what the reversal says. */
  async #reversalVerdict(
    event: Recorded<Extract<AccountEvent, { type: 'DepositReversed' }>>,
    names: StreamNames,
  ): Promise<Verdict> {
    const { citation, depositId } = event.data;
    const named = names.lookup('deposit', depositId);
    const stands =
      citation.stream === event.stream &&
      Number(citation.revision) < event.revision &&
      named?.value === citation.eventId &&
      named.revision === Number(citation.revision);
    const cited = stands ? await this.#checkedEventAt(citation) : undefined;
    const objection = checkAgainstDeposit(
      event,
      recordedDeposit(cited as Recorded<AccountEvent> | undefined, depositId),
    );
    return objection === undefined ? { ok: true } : { ok: false, reason: objection };
  }

  async #freezeVerdict(event: Recorded<AccountFrozen | AccountUnfrozen>, account: AccountState): Promise<Verdict> {
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

  /** The event that a pointer leads to, its hash and its data checked. */
  async #checkedEventAt(pointer: EventPointer): Promise<Recorded<LedgerEvent> | undefined> {
    const event = await this.#eventAt(pointer);
    if (event?.id !== pointer.eventId) return undefined;
    const decoded = decodeEvent(event);
    return decoded.ok ? decoded.event : undefined;
  }

  async #eventAt(pointer: EventPointer): Promise<RecordedEvent | undefined> {
    const revision = Number(pointer.revision);
    const [event] = await this.#reader.read(pointer.stream, { from: revision, to: revision });
    return event !== undefined && hashHolds(event) ? event : undefined;
  }
}
