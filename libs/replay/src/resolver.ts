import {
  checkAgainstDeposit,
  checkAgainstRefusal,
  checkAgainstSent,
  incomingName,
  recordedDeposit,
  type AccountEvent,
  type AccountState,
} from '#accounts';
import type { EventReader } from '#event-store';
import { resolveCitation, resolveLift, type AccountFrozen, type AccountUnfrozen } from '#freezes';
import { hashHolds, type EventPointer, type Recorded, type RecordedEvent } from '#kernel';
import type { LegalOrderEvent } from '#legal-orders';
import { StreamFold } from './fold.ts';
import type { IndexEntry } from './home-stream-index.ts';
import type { NameKind } from './index-entries.ts';
import type { LedgerEvent } from './judged.ts';
import { decodeEvent, kindOfStream } from './registry.ts';
import { StreamNames, type NamesIndex } from './stream-names.ts';

export type Verdict = { readonly ok: true } | { readonly ok: false; readonly reason: string };

/** The events of an account that rest on another event, which has to be followed up. */
type Of<Type extends AccountEvent['type']> = Extract<AccountEvent, { type: Type }>;
export type CitingEvent =
  AccountFrozen | AccountUnfrozen | Of<'DepositReversed' | 'TransferReceived' | 'TransferRefused' | 'TransferReturned'>;

const CITING: readonly string[] = [
  'AccountFrozen',
  'AccountUnfrozen',
  'DepositReversed',
  'TransferReceived',
  'TransferRefused',
  'TransferReturned',
] satisfies readonly CitingEvent['type'][];

export function isCiting(event: Recorded<LedgerEvent>): event is Recorded<CitingEvent> {
  return CITING.includes(event.type);
}

/** Most bases whose events are kept in memory. */
const MAX_BASES = 1000;

/** Most accounts whose folds are kept here, for what other accounts cite of them. */
const MAX_ACCOUNTS = 1000;

/** The names of an account that a judgement can rest on: its own, and those that other accounts cite. */
export const CITED_NAMES: ReadonlySet<NameKind> = new Set(['deposit', 'reversal', 'outgoing', 'incoming', 'returned']);

/** What is known of streams beside this: asked before a stream is folded anew. */
export interface KnownElsewhere {
  readonly index?: NamesIndex | undefined;
  /** The fold of a stream, if it is in memory. */
  readonly folded?: (stream: string) => StreamFold | undefined;
}

interface KnownAccount {
  readonly fold: StreamFold;
  /** Events are being folded: nobody else may. */
  busy: boolean;
}

function verdictOf(objection: string | undefined): Verdict {
  return objection === undefined ? { ok: true } : { ok: false, reason: objection };
}

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
  readonly #known: KnownElsewhere;
  readonly #bases = new Map<string, KnownBasis>();
  readonly #accounts = new Map<string, KnownAccount[]>();

  constructor(reader: EventReader, known: KnownElsewhere = {}) {
    this.#reader = reader;
    this.#known = known;
  }

  /**
   * True when the event that a pointer leads to is legal, and is what this name of its stream was first given to. Known
   * from the index, from a fold that is in memory, or at last by folding that stream.
   * @throws StoreError when the stream can't be read
   */
  async stands({ stream, revision, eventId }: EventPointer, kind: NameKind, name: string): Promise<boolean> {
    const at = Number(revision);
    const isThis = (entry: IndexEntry | undefined): boolean => entry?.value === eventId && entry.revision === at;
    const { index, folded } = this.#known;
    if (index !== undefined && index.indexedRevision(stream) >= at) return isThis(index.lookup(stream, kind, name));
    const inMemory = folded?.(stream);
    // What is in memory may be ahead of the store: only that an event is there can be believed, not that it is not.
    if (inMemory !== undefined && isThis(inMemory.names.lookup(kind, name))) return true;
    return isThis((await this.#foldUpTo(stream, at)).names.lookup(kind, name));
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
      case 'TransferReceived':
      case 'TransferRefused': {
        const { from, transferId, citation } = event.data;
        const sent = await this.#standing(event, citation, `account-${from}`, 'outgoing', transferId);
        return verdictOf(checkAgainstSent(event, sent));
      }
      case 'TransferReturned': {
        const { accountId, to, transferId, citation } = event.data;
        const name = incomingName(accountId, transferId);
        const refused = await this.#standing(event, citation, `account-${to}`, 'incoming', name);
        return verdictOf(checkAgainstRefusal(event, refused));
      }
    }
  }

  /** The deposit stands on the account's own stream, by its name, and says what the reversal says. */
  async #reversalVerdict(event: Recorded<Of<'DepositReversed'>>, names: StreamNames): Promise<Verdict> {
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
    return verdictOf(objection);
  }

  /**
   * What an event cites on another account's stream, if that stands there under its name and is earlier in the log: what
   * cites each other in a circle would never be judged.
   */
  async #standing(
    citing: Recorded<CitingEvent>,
    citation: EventPointer,
    stream: string,
    kind: NameKind,
    name: string,
  ): Promise<Recorded<AccountEvent> | undefined> {
    if (citation.stream !== stream) return undefined;
    const cited = await this.#checkedEventAt(citation);
    if (cited === undefined) return undefined;
    // An event that is about to be appended has no position yet: it comes after all that is in the store.
    if (citing.position !== '' && cited.position >= citing.position) return undefined;
    return (await this.stands(citation, kind, name)) ? (cited as Recorded<AccountEvent>) : undefined;
  }

  /**
   * A fold of an account's stream that has come at least so far. What it cites is earlier in the log, and is folded in the
   * course of it; a fold under way answers for all that it has passed, so nothing waits for itself.
   */
  async #foldUpTo(stream: string, revision: number): Promise<StreamFold> {
    const folds = this.#accounts.get(stream) ?? [];
    this.#rememberAccount(stream, folds);
    const far = folds.find(({ fold }) => fold.revision >= revision);
    if (far !== undefined) return far.fold;
    const mine = folds.find(({ busy }) => !busy) ?? { fold: this.#newFold(stream), busy: false };
    if (!folds.includes(mine)) folds.push(mine);
    mine.busy = true;
    try {
      const events = await this.#reader.read(stream, { from: mine.fold.revision + 1, to: revision });
      for (const event of events) await mine.fold.apply(event);
    } finally {
      mine.busy = false;
    }
    const shorter = folds.filter(({ fold, busy }) => busy || fold === mine.fold || fold.revision > mine.fold.revision);
    folds.splice(0, folds.length, ...shorter);
    return mine.fold;
  }

  #newFold(stream: string): StreamFold {
    return new StreamFold(stream, this, new StreamNames(stream, { only: CITED_NAMES }));
  }

  #rememberAccount(stream: string, folds: KnownAccount[]): void {
    this.#accounts.delete(stream);
    this.#accounts.set(stream, folds);
    const oldest = this.#accounts.keys().next();
    if (this.#accounts.size > MAX_ACCOUNTS && oldest.done !== true) this.#accounts.delete(oldest.value);
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
