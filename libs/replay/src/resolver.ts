import type { AccountState } from '#accounts';
import type { AuthorityRequestAnswered } from '#authority-requests';
import type { EventReader } from '#event-store';
import {
  basisState,
  isBasisContents,
  resolveAbandonment,
  resolveCitation,
  resolveLift,
  resolveNaming,
  type AccountFrozen,
  type AccountUnfrozen,
  type BasisEvent,
  type CitedBasisEvent,
  type FreezeAbandoned,
  type FreezeAuthorised,
} from '#freezes';
import {
  basisOfStream,
  hashHolds,
  type BasisState,
  type CommandKey,
  type EventPointer,
  type Recorded,
  type RecordedEvent,
} from '#kernel';
import type { PartyNamed, PartyNoLongerNamed, PartyState } from '#parties';
import { StreamFold } from './fold.ts';
import { indexEntries, keyEntryId } from './index-entries.ts';
import { decodeEvent, idOfStream } from './registry.ts';

export type Verdict = { readonly ok: true } | { readonly ok: false; readonly reason: string };

/** Most bases whose events are kept in memory. */
const MAX_BASES = 1000;
/** Events of one stream that are read at a time where one of them is looked for. */
const PAGE = 500;

/** What is known of a basis's stream: its fold, as far as it was read, and the legal events that it is made of. */
interface KnownBasis {
  readonly fold: StreamFold;
  /** By revision. */
  readonly legal: Map<number, Recorded<BasisEvent>>;
}

/** A basis as a citation into it sees it. */
interface CitedBasis {
  readonly cited: CitedBasisEvent;
  /** As far as its stream was read, which may be further than is cited. */
  readonly basis: BasisState | undefined;
}

/**
 * Follows the citations of events through the log and re-runs the rules at the places they point to. Used alike by the
 * loader (a freeze gates only when it resolves) and by the projections. Each basis is folded once and kept, however many
 * events cite it; a verdict rests only on what is earlier in the log than the event.
 */
export class CitationResolver {
  readonly #reader: EventReader;
  /** The one used last comes last. */
  readonly #bases = new Map<string, KnownBasis>();

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
    const { cited, basis } = await this.#follow(event.data.citation);
    const holders = account.holders.map((holder) => holder.partyId);
    switch (event.type) {
      case 'AccountUnfrozen':
        return resolveLift({ event, freezes: account.freezes, cited, ended: basis?.ended });
      case 'AccountFrozen': {
        const authorised = cited?.type === 'FreezeAuthorised' ? cited.data : undefined;
        const linkedBy = authorised !== undefined && 'linkedBy' in authorised ? authorised.linkedBy : undefined;
        return resolveCitation({
          event,
          cited,
          namedByEvent: await this.#eventAt(authorised?.namedBy),
          linkedByEvent: await this.#eventAt(linkedBy),
          addresses: basis?.subjects.addresses ?? [],
          holders,
        });
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
    const basis = basisOf(fold);
    if (basis === undefined || fold.revision !== revision) {
      return { ok: false, reason: 'the stream of the basis had not come so far' };
    }
    const obstacle = basis.standingObstacle(event.metadata.recordedAt);
    return obstacle === undefined ? { ok: true } : { ok: false, reason: obstacle.detail };
  }

  /**
   * Judges an event of a party by what it cites.
   * @param party as it is just before the event
   * @throws StoreError as above
   */
  async onParty(event: Recorded<PartyNamed | PartyNoLongerNamed>, party: PartyState): Promise<Verdict> {
    return resolveNaming({ event, party, ...(await this.#follow(event.data.citation)) });
  }

  async #follow(pointer: EventPointer): Promise<CitedBasis> {
    const revision = Number(pointer.revision);
    const known = await this.#basisUpTo(pointer.stream, revision);
    if (known === undefined) return { cited: undefined, basis: undefined };
    return { cited: known.legal.get(revision), basis: basisOf(known.fold) };
  }

  /** The event that ended a basis, wherever it stands. */
  async #endingOf(stream: string): Promise<CitedBasisEvent> {
    const known = await this.#basisUpTo(stream, undefined);
    const ended = known === undefined ? undefined : basisOf(known.fold)?.ended;
    return ended === undefined ? undefined : known?.legal.get(Number(ended.pointer.revision));
  }

  /** @param revision how far to read it at least; undefined: to its end */
  async #basisUpTo(stream: string, revision: number | undefined): Promise<KnownBasis | undefined> {
    if (basisOfStream(stream) === undefined) return undefined;
    const known = this.#bases.get(stream) ?? { fold: new StreamFold(stream, this), legal: new Map() };
    if (revision === undefined || known.fold.revision < revision) await this.#extend(known, revision);
    this.#remember(stream, known);
    return known;
  }

  async #extend({ fold, legal }: KnownBasis, revision: number | undefined): Promise<void> {
    const to = revision === undefined ? {} : { to: revision };
    for (const recorded of await this.#reader.read(fold.stream, { from: fold.revision + 1, ...to })) {
      // Two callers may extend one basis at the same time: the events are the same, the first to fold one wins.
      if (recorded.revision !== fold.revision + 1) continue;
      const judged = fold.apply(recorded);
      if (judged instanceof Promise) throw new Error('a basis cites nothing: its events are judged at once');
      if (judged.event !== undefined) legal.set(recorded.revision, judged.event as Recorded<BasisEvent>);
    }
  }

  #remember(stream: string, known: KnownBasis): void {
    this.#bases.delete(stream);
    this.#bases.set(stream, known);
    const oldest = this.#bases.keys().next();
    if (this.#bases.size > MAX_BASES && oldest.done !== true) this.#bases.delete(oldest.value);
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

  async #eventAt(pointer: EventPointer | undefined): Promise<RecordedEvent | undefined> {
    if (pointer === undefined) return undefined;
    const revision = Number(pointer.revision);
    const [event] = await this.#reader.read(pointer.stream, { from: revision, to: revision });
    return event !== undefined && hashHolds(event) ? event : undefined;
  }
}

/** The basis that a fold makes; undefined for a stream of anything else. */
function basisOf({ contents, stream }: StreamFold): BasisState | undefined {
  const isBasis = contents !== undefined && isBasisContents(contents);
  return isBasis ? basisState(contents, idOfStream(stream)) : undefined;
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
