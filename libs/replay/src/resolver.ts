import type { AccountState } from '#accounts';
import type { AuthorityRequestAnswered } from '#authority-requests';
import type { EventReader } from '#event-store';
import {
  resolveAbandonment,
  resolveCitation,
  resolveLift,
  resolveNaming,
  samePointer,
  type AccountFrozen,
  type AccountUnfrozen,
  type CitedOrderEvent,
  type FreezeAbandoned,
} from '#freezes';
import {
  hashHolds,
  type CommandKey,
  type EventPointer,
  type Position,
  type Recorded,
  type RecordedEvent,
} from '#kernel';
import type {
  Authorisation,
  EndedFreeze,
  FreezeAuthorised,
  Instrument,
  LegalOrderEvent,
  OrderEnd,
} from '#legal-orders';
import type { PartyNamed, PartyNoLongerNamed } from '#parties';
import { basisObstacle } from './basis.ts';
import { StreamFold } from './fold.ts';
import { indexEntries, keyEntryId } from './index-entries.ts';
import type { JudgedEvent } from './judged.ts';
import { decodeEvent, kindOfStream } from './registry.ts';

export type Verdict = { readonly ok: true } | { readonly ok: false; readonly reason: string };

/** Most orders whose events are kept in memory. */
const MAX_ORDERS = 1000;
/** Events of one stream that are read at a time where one of them is looked for. */
const PAGE = 500;

/** What is known of an order's stream: its fold, as far as it was read, and the legal events that it is made of. */
interface KnownOrder {
  readonly fold: StreamFold;
  /** By revision. */
  readonly legal: Map<number, Recorded<LegalOrderEvent>>;
}

/** An order as a citation into it sees it. */
interface CitedOrder {
  readonly cited: CitedOrderEvent;
  readonly instrument: Instrument | undefined;
  readonly ended: OrderEnd | undefined;
  readonly authorisations: readonly Authorisation[];
}

/** Most ends of freezes that are kept in memory: each saves a fold of its account's stream. */
const MAX_ENDINGS = 10_000;

/** A legal event that ended a freeze. */
interface Ending {
  readonly pointer: EventPointer;
  readonly freezeId: string;
  readonly position: Position;
}

const NO_ORDER: CitedOrder = { cited: undefined, instrument: undefined, ended: undefined, authorisations: [] };

/**
 * Follows the citations of events through the log and re-runs the rules at the places they point to. Used alike by the
 * loader (a freeze gates only when it resolves) and by the projections. Each order is folded once and kept, however many
 * events cite it; a verdict rests only on what is earlier in the log than the event.
 */
export class CitationResolver {
  readonly #reader: EventReader;
  /** The one used last comes last. */
  readonly #orders = new Map<string, KnownOrder>();
  /** By the id of the event that ended a freeze; a fold of its account's stream found it legal. */
  readonly #endings = new Map<string, Ending>();

  constructor(reader: EventReader) {
    this.#reader = reader;
  }

  /**
   * Judges an event of an account by what it cites.
   * @throws StoreError when a stream can't be read: a basis that can't be read is not a basis that is absent
   */
  async onAccount(
    event: Recorded<AccountFrozen | FreezeAbandoned | AccountUnfrozen>,
    account: AccountState,
  ): Promise<Verdict> {
    const { cited, ended, authorisations } = await this.#follow(event.data.citation);
    const holders = account.holders.map((holder) => holder.partyId);
    switch (event.type) {
      case 'AccountUnfrozen':
        return resolveLift({ event, freezes: account.freezes, cited, ended });
      case 'AccountFrozen': {
        const namedBy = cited?.type === 'FreezeAuthorised' ? cited.data.namedBy : undefined;
        const namedByEvent = namedBy === undefined ? undefined : await this.#eventAt(namedBy);
        const endedFreezes = await this.#endedBefore(event, cited, authorisations);
        return resolveCitation({ event, cited, namedByEvent, ended: endedFreezes, holders });
      }
      case 'FreezeAbandoned': {
        const { reason } = event.data;
        const ending = reason === 'basis-ended' ? await this.#endingOf(event.data.citation.stream) : undefined;
        const keyStands =
          reason === 'key-used' && cited?.type === 'FreezeAuthorised' && (await this.#keyStands(event, cited));
        return resolveAbandonment({ event, cited, ending, holders, keyStands });
      }
    }
  }

  /**
   * Says whether the basis that an answer cites was in force where and when the answer says so, from the basis's own events
   * up to there: whatever came later makes no difference.
   * @throws StoreError when the stream of the basis can't be read
   */
  async onAnswer(event: Recorded<AuthorityRequestAnswered>): Promise<Verdict> {
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

  /** Judges an event of a party by what it cites. @throws StoreError as above */
  async onParty(event: Recorded<PartyNamed | PartyNoLongerNamed>): Promise<Verdict> {
    return resolveNaming({ event, ...(await this.#follow(event.data.citation)) });
  }

  /** Whether what the authorisation claims of each freeze that had ended is so: looks only at what is earlier in the log. */
  async #endedBefore(
    freeze: Recorded<AccountFrozen>,
    authorisation: CitedOrderEvent,
    authorisations: readonly Authorisation[],
  ): Promise<readonly boolean[]> {
    if (authorisation?.type !== 'FreezeAuthorised' || authorisation.data.endedFreezes === undefined) return [];
    // Each look goes back in the log, so it ends, whatever the events point to.
    if (freeze.position !== '' && freeze.position <= authorisation.position) return [];
    const ended: boolean[] = [];
    for (const claim of authorisation.data.endedFreezes) {
      ended.push(await this.#hasEnded(claim, authorisation, authorisations));
    }
    return ended;
  }

  async #hasEnded(
    { freezeId, endedBy }: EndedFreeze,
    authorisation: Recorded<FreezeAuthorised>,
    authorisations: readonly Authorisation[],
  ): Promise<boolean> {
    const ended = authorisations.find(({ pointer }) => pointer.eventId === freezeId);
    if (ended === undefined || endedBy.stream !== `account-${ended.accountId}`) return false;
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

  async #follow(pointer: EventPointer): Promise<CitedOrder> {
    const revision = Number(pointer.revision);
    const known = await this.#orderUpTo(pointer.stream, revision);
    const contents = known?.fold.contents;
    if (contents?.kind !== 'legalOrder') return NO_ORDER;
    const { instrument, ended, authorisations } = contents.state;
    return { cited: known?.legal.get(revision), instrument, ended, authorisations };
  }

  /** The event that ended an order, wherever it stands. */
  async #endingOf(stream: string): Promise<CitedOrderEvent> {
    const known = await this.#orderUpTo(stream, undefined);
    const contents = known?.fold.contents;
    const ended = contents?.kind === 'legalOrder' ? contents.state.ended : undefined;
    return ended === undefined ? undefined : known?.legal.get(Number(ended.pointer.revision));
  }

  /** @param revision how far to read it at least; undefined: to its end */
  async #orderUpTo(stream: string, revision: number | undefined): Promise<KnownOrder | undefined> {
    if (kindOfStream(stream) !== 'legalOrder') return undefined;
    const known = this.#orders.get(stream) ?? { fold: new StreamFold(stream, this), legal: new Map() };
    if (revision === undefined || known.fold.revision < revision) await this.#extend(known, revision);
    this.#remember(stream, known);
    return known;
  }

  async #extend({ fold, legal }: KnownOrder, revision: number | undefined): Promise<void> {
    const to = revision === undefined ? {} : { to: revision };
    for (const recorded of await this.#reader.read(fold.stream, { from: fold.revision + 1, ...to })) {
      // Two callers may extend one order at the same time: the events are the same, the first to fold one wins.
      if (recorded.revision !== fold.revision + 1) continue;
      const judged = fold.apply(recorded);
      if (judged instanceof Promise) throw new Error('an order cites nothing: its events are judged at once');
      if (judged.event !== undefined) legal.set(recorded.revision, judged.event as Recorded<LegalOrderEvent>);
    }
  }

  #remember(stream: string, known: KnownOrder): void {
    this.#orders.delete(stream);
    this.#orders.set(stream, known);
    const oldest = this.#orders.keys().next();
    if (this.#orders.size > MAX_ORDERS && oldest.done !== true) this.#orders.delete(oldest.value);
  }

  /**
   * True when the key of the authorisation stands on the account's stream before the event. An event that is only decided
   * has looked for it already, among events too that are not stored yet.
   */
  async #keyStands(event: Recorded<FreezeAbandoned>, { metadata }: Recorded<FreezeAuthorised>): Promise<boolean> {
    const { key } = metadata;
    if (key === null) return false;
    if (event.position === '') return true;
    for (let from = event.revision - 1; from >= 0; from -= PAGE) {
      const page = await this.#reader.read(event.stream, { from, direction: 'backwards', limit: PAGE });
      if (page.some((earlier) => bears(earlier, key))) return true;
    }
    return false;
  }

  async #eventAt(pointer: EventPointer): Promise<RecordedEvent | undefined> {
    const revision = Number(pointer.revision);
    const [event] = await this.#reader.read(pointer.stream, { from: revision, to: revision });
    return event !== undefined && hashHolds(event) ? event : undefined;
  }
}

/**
 * True for a whole event with this key as the key of its stream. Whether its stream allowed it is not asked: it could as
 * well be a refusal, which every state allows.
 */
function bears(recorded: RecordedEvent, key: CommandKey): boolean {
  const decoded = decodeEvent(recorded);
  if (!decoded.ok || !hashHolds(recorded)) return false;
  return indexEntries(decoded.event).some(({ kind, id }) => kind === 'key' && id === keyEntryId(key));
}
