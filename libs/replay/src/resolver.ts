import {
  checkAgainstDeposit,
  checkAgainstRefusal,
  checkAgainstSent,
  incomingName,
  recordedDeposit,
  type AccountEvent,
  type AccountState,
} from '#accounts';
import type { AuthorityRequestAnswered } from '#authority-requests';
import type { EventReader } from '#event-store';
import {
  basisState,
  endedFreezesStated,
  isBasisContents,
  resolveAbandonment,
  resolveCitation,
  resolveLift,
  resolveLiftRequest,
  resolveNaming,
  resolveVariation,
  type AccountFrozen,
  type AccountUnfrozen,
  type BasisEvent,
  type CitedBasisEvent,
  type CitedFreeze,
  type FreezeAbandoned,
  type FreezeAuthorised,
  type FreezeVaried,
  type LiftRequested,
  type LostBy,
  type ReleaseSeen,
} from '#freezes';
import {
  basisOfStream,
  hashHolds,
  pointerTo,
  samePointer,
  toMs,
  type AsOf,
  type Authorisation,
  type BasisEnd,
  type BasisState,
  type Bound,
  type ChainAddress,
  type CommandKey,
  type EndedFreeze,
  type EventPointer,
  type Loss,
  type Position,
  type Recorded,
  type RecordedEvent,
  type Timestamp,
} from '#kernel';
import { releaseUnder } from '#legal-orders';
import { controlOf, type PartyNamed, type PartyNoLongerNamed, type PartyState } from '#parties';
import { StreamFold } from './fold.ts';
import { foldStream, pagesOf, STREAM_PAGE_EVENTS } from './fold-stream.ts';
import type { IndexEntry } from './home-stream-index.ts';
import { indexEntries, keyEntryId, type NameKind } from './index-entries.ts';
import type { LedgerEvent } from './judged.ts';
import { decodeEvent, hashIsRight, idOfStream, kindOfStream } from './registry.ts';
import { StreamNames, type NamesIndex } from './stream-names.ts';

export type Verdict = { readonly ok: true } | { readonly ok: false; readonly reason: string };

/** The events of an account that rest on another event, which has to be followed up. */
type Of<Type extends AccountEvent['type']> = Extract<AccountEvent, { type: Type }>;
type FreezeCitation = AccountFrozen | FreezeVaried | FreezeAbandoned | AccountUnfrozen;
type TransferCitation = Of<'TransferReceived' | 'TransferRefused' | 'TransferReturned'>;
/** The events of an account that another account's events cite. */
type Citable = Of<(typeof CITABLE_TYPES)[number]>;

/** The types of the events of an account that another account's events cite. */
export const CITABLE_TYPES = ['TransferSent', 'TransferRefused'] as const;

function isCitable(event: Recorded<LedgerEvent>): event is Recorded<Citable> {
  return (CITABLE_TYPES as readonly string[]).includes(event.type);
}

/** Most bases whose events are kept in memory. */
const MAX_BASES = 500;

/** Most accounts and parties whose folds are kept here, for what others rest on of them. */
const MAX_FOLDS = 1000;

/** Those who judge other streams of the log at the same time. */
export interface OtherJudges {
  /** Whether a stream is one of theirs. */
  readonly judge: (stream: string) => boolean;
  /**
   * They are to be asked, afterwards, whether the event that a pointer leads to is legal and is what this name was first
   * given to. Until then it is taken for granted.
   */
  readonly askLater: (pointer: EventPointer, kind: NameKind, name: string) => void;
}

/** What is known of streams beside this: asked before a stream is folded anew. */
export interface KnownElsewhere {
  readonly index?: NamesIndex | undefined;
  /** The fold of a stream, if it is in memory. */
  readonly folded?: (stream: string) => StreamFold | undefined;
  /** For a judge of some streams, beside those of others. */
  readonly others?: OtherJudges;
  /**
   * True where something is decided on what is folded: no stream is folded over events that are missing from it, and what
   * one that is missing would have said is not taken for a no. Default: what is left is judged, and the gap is a violation.
   */
  readonly demandsWhole?: boolean;
  /**
   * True for an event that was found legal when it was taken in. What is a violation now was changed since then: no stream is
   * folded over it, since what it did would be undone without a trace.
   */
  readonly wasLegal?: (position: Position) => boolean;
}

/** A stream is not what was recorded: whoever folds what is left has another history. */
export class DamagedStreamError extends Error {
  readonly stream: string;
  /** Of the first event that is not what it was. */
  readonly revision: number;
  readonly damage: 'missing' | 'changed';

  constructor(stream: string, revision: number, damage: 'missing' | 'changed') {
    super(
      damage === 'missing'
        ? `events are missing from ${stream}, from revision ${String(revision)} on`
        : `the event of ${stream} at revision ${String(revision)} was changed after it was recorded`,
    );
    this.name = 'DamagedStreamError';
    this.stream = stream;
    this.revision = revision;
    this.damage = damage;
  }
}

interface KnownFold {
  readonly fold: StreamFold;
  /** Events are being folded: nobody else may. */
  busy: boolean;
}

function verdictOf(objection: string | undefined): Verdict {
  return objection === undefined ? { ok: true } : { ok: false, reason: objection };
}

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

/** Most ends of authorisations that are kept in memory: each saves a fold of its account's stream. */
const MAX_ENDINGS = 10_000;

/** Most events of either kind that are kept in memory because another account will cite them: each saves reading it again. */
const MAX_CITABLE = 1_000;

/** A legal event since which nothing rests on an authorisation any longer. */
interface Ending {
  readonly pointer: EventPointer;
  readonly authorisationId: string;
  readonly position: Position;
  readonly recordedAt: Timestamp;
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
  /** By the id of the event that ended an authorisation; a fold of its account's stream found it legal. */
  readonly #endings = new Map<string, Ending>();
  /** By their ids: legal, as the log has them, and not cited yet. */
  readonly #citable = new Map<string, Recorded<Citable>>();
  /** By their ids: not judged, as the log has them, and not cited yet. Only a check that is shared notes any. */
  readonly #unjudged = new Map<string, RecordedEvent>();
  readonly #known: KnownElsewhere;
  readonly #folds = new Map<string, KnownFold[]>();

  /** What is kept in memory, and how much of it there may be. */
  get bounds(): readonly Bound[] {
    return [
      { what: 'cited-bases', most: MAX_BASES, inUse: () => this.#bases.size },
      { what: 'cited-streams', most: MAX_FOLDS, inUse: () => this.#folds.size },
      { what: 'cited-endings', most: MAX_ENDINGS, inUse: () => this.#endings.size },
      { what: 'citable-events', most: MAX_CITABLE, inUse: () => this.#citable.size },
    ];
  }

  constructor(reader: EventReader, known: KnownElsewhere = {}) {
    this.#reader = reader;
    this.#known = known;
  }

  /**
   * True when the event that a pointer leads to is legal, and is what this name of its stream was first given to. Known
   * from the index, from a fold that is in memory, or at last by folding that stream.
   * @param pointer of an event that was read: its id is right
   * @throws StoreError when the stream can't be read
   */
  async #stands({ stream, revision, eventId }: EventPointer, kind: NameKind, name: string): Promise<boolean> {
    const at = Number(revision);
    const isThis = (entry: IndexEntry | undefined): boolean => isOf(entry, at, eventId);
    const { index, folded, others } = this.#known;
    if (others?.judge(stream) === true) {
      others.askLater({ stream, revision, eventId }, kind, name);
      return true;
    }
    if (index !== undefined && index.indexedRevision(stream) >= at) {
      const isIndexed = isThis(index.lookup(stream, kind, name));
      // The index goes on after a gap, and knows what stands there for a violation.
      if (isIndexed || this.#known.demandsWhole !== true) return isIndexed;
    }
    const inMemory = folded?.(stream);
    // What is in memory may be ahead of the store: only that an event is there can be believed, not that it is not.
    if (inMemory !== undefined && isThis(inMemory.names.lookup(kind, name))) return true;
    return isThis((await this.#foldUpTo(stream, at)).names.lookup(kind, name));
  }

  /**
   * Says that an event does not follow on what is folded of its stream.
   * @param revision of the first event that is missing
   * @throws DamagedStreamError where streams have to be whole
   */
  foundMissing(stream: string, revision: number): void {
    if (this.#known.demandsWhole === true) throw new DamagedStreamError(stream, revision, 'missing');
  }

  /**
   * Says that an event is a violation.
   * @throws DamagedStreamError when it was none as it was taken in
   */
  foundViolation({ stream, revision, position }: RecordedEvent): void {
    if (position !== '' && this.#known.wasLegal?.(position) === true) {
      throw new DamagedStreamError(stream, revision, 'changed');
    }
  }

  /** Says that nothing stands at a revision: no stream ends before it, so that more would have come, and goes on after it. */
  async #foundNothing(stream: string, revision: number): Promise<void> {
    if (this.#known.demandsWhole !== true) return;
    const [last] = await this.#reader.read(stream, { direction: 'backwards', limit: 1 });
    if (last !== undefined && last.revision > revision) this.foundMissing(stream, revision);
  }

  /**
   * Judges an event of an account by what it cites.
   * @param account before the event
   * @param names of the event's own stream
   * @throws StoreError when a stream can't be read: a basis that can't be read is not a basis that is absent
   */
  async onAccount(
    event: Recorded<FreezeCitation | LiftRequested | Of<'DepositReversed'> | TransferCitation>,
    account: AccountState,
    names: StreamNames,
  ): Promise<Verdict> {
    switch (event.type) {
      case 'AccountFrozen':
      case 'FreezeVaried':
      case 'FreezeAbandoned':
      case 'AccountUnfrozen':
        return this.#onFreeze(event, account);
      case 'LiftRequested':
        return resolveLiftRequest(event, await this.#releaseSeen(event));
      case 'DepositReversed':
        return this.#onReversal(event, account, names);
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
  async #onReversal(
    event: Recorded<Of<'DepositReversed'>>,
    account: AccountState,
    names: StreamNames,
  ): Promise<Verdict> {
    const { citation, depositId } = event.data;
    const revision = Number(citation.revision);
    const stands =
      citation.stream === event.stream &&
      revision < event.revision &&
      isOf(names.lookup('deposit', depositId), revision, citation.eventId);
    const cited = stands ? await this.#checkedEventAt(citation) : undefined;
    const deposit = recordedDeposit(cited as Recorded<AccountEvent> | undefined, depositId);
    return verdictOf(checkAgainstDeposit(event, deposit, account));
  }

  /**
   * What an event cites on another account's stream, if that stands there under its name and is earlier in the log, and no
   * later by its time: what cites each other in a circle would never be judged.
   */
  async #standing(
    citing: Recorded<TransferCitation>,
    citation: EventPointer,
    stream: string,
    kind: NameKind,
    name: string,
  ): Promise<Recorded<AccountEvent> | undefined> {
    if (citation.stream !== stream) return undefined;
    const known = this.#citable.get(citation.eventId);
    const isKnown = known !== undefined && samePointer(pointerTo(known), citation);
    const cited = isKnown ? known : await this.#checkedEventAt(citation);
    if (cited === undefined) return undefined;
    // An event that is about to be appended has no position yet: it comes after all that is in the store.
    if (citing.position !== '' && cited.position >= citing.position) return undefined;
    if (cited.metadata.recordedAt > citing.metadata.recordedAt) return undefined;
    // The first of its name, or it would not be legal. It is cited once: whoever asks again reads it.
    if (isKnown) {
      this.#citable.delete(citation.eventId);
      return known;
    }
    return (await this.#stands(citation, kind, name)) ? (cited as Recorded<AccountEvent>) : undefined;
  }

  /** Told of each legal event that was folded: one of another account may cite it soon, once it stands in the log. */
  noteLegal(event: Recorded<LedgerEvent>): void {
    if (isCitable(event) && event.position !== '' && this.#mayCite(event)) keepLatest(this.#citable, event);
  }

  /** Told of an event that somebody else judges and that may be cited soon: it need not be read again. */
  noteUnjudged(event: RecordedEvent): void {
    if (this.#mayCite(event)) keepLatest(this.#unjudged, event);
  }

  /** False for an event that is cited, if at all, on a stream that others judge. */
  #mayCite(citable: RecordedEvent): boolean {
    const { others } = this.#known;
    if (others === undefined) return true;
    const account = citingAccount(citable);
    return account !== undefined && !others.judge(`account-${account}`);
  }

  /**
   * A fold of the stream of an account or a party that has come at least so far. What it cites is earlier in the log, and is
   * folded in the course of it; a fold under way answers for all that it has passed, so nothing waits for itself.
   */
  async #foldUpTo(stream: string, revision: number): Promise<StreamFold> {
    const folds = this.#folds.get(stream) ?? [];
    this.#rememberFolds(stream, folds);
    const far = folds.find(({ fold }) => fold.revision >= revision);
    if (far !== undefined) return far.fold;
    const mine = folds.find(({ busy }) => !busy) ?? { fold: this.#newFold(stream), busy: false };
    if (!folds.includes(mine)) folds.push(mine);
    mine.busy = true;
    try {
      await foldStream(this.#reader, mine.fold, { to: revision });
    } finally {
      mine.busy = false;
    }
    const shorter = folds.filter(({ fold, busy }) => busy || fold === mine.fold || fold.revision > mine.fold.revision);
    folds.splice(0, folds.length, ...shorter);
    return mine.fold;
  }

  #newFold(stream: string): StreamFold {
    return new StreamFold(stream, this, new StreamNames(stream, { onlyCited: true }));
  }

  #rememberFolds(stream: string, folds: KnownFold[]): void {
    this.#folds.delete(stream);
    this.#folds.set(stream, folds);
    const oldest = this.#folds.keys().next();
    if (this.#folds.size > MAX_FOLDS && oldest.done !== true) this.#folds.delete(oldest.value);
  }

  async #onFreeze(event: Recorded<FreezeCitation>, account: AccountState): Promise<Verdict> {
    const { cited, basis } = await this.#follow(event.data.citation);
    const holders = account.holders.map((holder) => holder.partyId);
    const lostBy = await this.#lostUnder(basis, account, event.data.citation.stream);
    switch (event.type) {
      case 'AccountUnfrozen':
        return resolveLift({
          event,
          freezes: account.freezes,
          cited,
          ended: basis?.ended,
          lostBy,
          release: event.data.ground === 'release-ordered' ? await this.#releaseSeen(event) : undefined,
        });
      case 'AccountFrozen':
        return resolveCitation({ event, holders, ...(await this.#authorised(event, cited, basis)) });
      case 'FreezeVaried':
        return resolveVariation({ event, holders, lostBy, ...(await this.#authorised(event, cited, basis)) });
      case 'FreezeAbandoned': {
        const { reason } = event.data;
        const ending = reason === 'basis-ended' ? await this.#endingOf(event.data.citation.stream) : undefined;
        const keyStands =
          reason === 'key-used' && cited?.type === 'FreezeAuthorised' && (await this.#keyStands(event, cited));
        const varied =
          reason === 'basis-varied' ? await this.#variationEnding(event.data.citation, holders) : undefined;
        const { freezes } = account;
        return resolveAbandonment({ event, cited, ending, freezes, lostBy, varied, holders, keyStands });
      }
    }
  }

  /** Which variation ended what the freezes of an account under a basis rest on, as far as the basis was read. */
  async #lostUnder(basis: BasisState | undefined, { freezes, holders }: AccountState, stream: string): Promise<LostBy> {
    const lost = new Map<string, BasisEnd | undefined>();
    const parties = holders.map(({ partyId }) => partyId);
    for (const { citation } of freezes.inForce.values()) {
      if (citation.stream !== stream) continue;
      lost.set(citation.eventId, await this.firstLoss(basis?.losses(citation, parties) ?? [], parties));
    }
    return (citation) => lost.get(citation.eventId);
  }

  /**
   * The first of some variations that ended what rests on an authorisation: whoever asks, and whenever, the answer is the
   * same once the variations are stored.
   * @param holders the parties that hold the account
   * @throws StoreError when a stream can't be read
   */
  async firstLoss(losses: readonly Loss[], holders: readonly string[]): Promise<BasisEnd | undefined> {
    for (const { variation, unlessLinked } of losses) {
      if (unlessLinked.length === 0 || !(await this.#wasLinked(holders, unlessLinked, variation.pointer)))
        return variation;
    }
    return undefined;
  }

  /** True when one of the addresses was linked to one of the parties as its own earlier in the log than an event. */
  async #wasLinked(
    partyIds: readonly string[],
    addresses: readonly ChainAddress[],
    before: EventPointer,
  ): Promise<boolean> {
    const end = await this.#eventAt(before);
    for (const partyId of partyIds) {
      const stream = `party-${partyId}`;
      const [last] = await this.#reader.read(stream, { direction: 'backwards', limit: 1 });
      if (last === undefined) continue;
      const { contents } = await this.#foldUpTo(stream, last.revision);
      const control = contents?.kind === 'party' ? controlOf(contents.state, addresses) : undefined;
      const link = await this.#eventAt(control?.linkedBy);
      if (link !== undefined && end !== undefined && link.position < end.position) return true;
    }
    return false;
  }

  /** What the authorisation that is cited points to. */
  async #authorised(
    event: Recorded<AccountFrozen | FreezeVaried>,
    cited: CitedBasisEvent,
    basis: BasisState | undefined,
  ): Promise<Omit<CitedFreeze, 'event' | 'holders'>> {
    const authorised = cited?.type === 'FreezeAuthorised' ? cited.data : undefined;
    const linkedBy = authorised?.linkedBy;
    return {
      cited,
      namedByEvent: await this.#tieAt(authorised?.namedBy),
      linkedByEvent: await this.#tieAt(linkedBy),
      addresses: linkedBy === undefined ? [] : addressesNamed(basis, cited),
      ended: await this.#endedBefore(event, cited, basis?.authorisations ?? []),
    };
  }

  /**
   * Says whether the basis that an answer cites was in force where and when the answer says so, from the basis's own events
   * up to there: whatever came later makes no difference.
   * @throws StoreError when the stream of the basis can't be read
   */
  async onAnswer(event: Recorded<AuthorityRequestAnswered>): Promise<Verdict> {
    const { inForceAt } = event.data;
    if (inForceAt === undefined) return { ok: false, reason: 'it does not say where the basis was in force' };
    const fold = await this.#foldAsOf(inForceAt, event);
    const basis = fold === undefined ? undefined : basisOf(fold);
    if (basis === undefined) return { ok: false, reason: 'the stream of the basis had not come so far' };
    const obstacle = basis.standingObstacle(event.metadata.recordedAt);
    return obstacle === undefined ? { ok: true } : { ok: false, reason: obstacle.detail };
  }

  /** A stream at a revision, if it had come so far when the event was recorded: in the log, and by the time. */
  async #foldAsOf({ stream, revision }: AsOf, event: RecordedEvent): Promise<StreamFold | undefined> {
    const to = Number(revision);
    const fold = this.#newFold(stream);
    const isWanted = ({ position }: RecordedEvent): boolean => event.position === '' || position <= event.position;
    await foldStream(this.#reader, fold, { to, isWanted });
    if (fold.revision < to) await this.#foundNothing(stream, fold.revision + 1);
    return fold.revision === to && fold.lastRecordedMs <= toMs(event.metadata.recordedAt) ? fold : undefined;
  }

  /** The order of release that a lift relies on, from its own events up to where it is said to have been in force. */
  async #releaseSeen({ data, ...event }: Recorded<LiftRequested | AccountUnfrozen>): Promise<ReleaseSeen> {
    const inForceAt = 'inForceAt' in data ? data.inForceAt : undefined;
    if (inForceAt === undefined) return { obstacle: 'it does not say where the order of release was in force' };
    // No other stream than an order's is folded: what cites each other in a circle would never be judged.
    const isOrder = basisOfStream(inForceAt.stream)?.kind === 'legal-order';
    const contents = isOrder ? (await this.#foldAsOf(inForceAt, { ...event, data }))?.contents : undefined;
    if (contents?.kind !== 'legalOrder') return { obstacle: 'the stream of the order of release had not come so far' };
    const release = releaseUnder(contents.state, data, event.metadata.recordedAt);
    return 'obstacle' in release ? release : { ...release, inForceAt };
  }

  /**
   * Judges an event of a party by what it cites.
   * @param party as it is just before the event
   * @throws StoreError as above
   */
  async onParty(event: Recorded<PartyNamed | PartyNoLongerNamed>, party: PartyState): Promise<Verdict> {
    return resolveNaming({ event, party, ...(await this.#follow(event.data.citation)) });
  }

  /** Whether what the authorisation claims of each freeze that had ended is so: looks only at what is earlier in the log. */
  async #endedBefore(
    freeze: Recorded<AccountFrozen | FreezeVaried>,
    authorisation: CitedBasisEvent,
    authorisations: readonly Authorisation[],
  ): Promise<readonly boolean[]> {
    if (authorisation?.type !== 'FreezeAuthorised') return [];
    // Each look goes back in the log, so it ends, whatever the events point to.
    if (freeze.position !== '' && freeze.position <= authorisation.position) return [];
    const ended: boolean[] = [];
    for (const claim of endedFreezesStated(authorisation)) {
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
    const ending = known ?? (await this.#legalEnding(endedBy, freezeId, authorisation.position));
    if (ending === undefined) return false;
    this.#rememberEnding(ending);
    return (
      ending.authorisationId === freezeId &&
      ending.position < authorisation.position &&
      ending.recordedAt <= authorisation.metadata.recordedAt &&
      samePointer(ending.pointer, endedBy)
    );
  }

  /** The end of an authorisation, if it stands there, before that position, and is legal: the account is folded up to it. */
  async #legalEnding(pointer: EventPointer, authorisationId: string, before: Position): Promise<Ending | undefined> {
    const stored = await this.#eventAt(pointer);
    if (stored?.id !== pointer.eventId || stored.position >= before) return undefined;
    const fold = this.#newFold(pointer.stream);
    await foldStream(this.#reader, fold, { to: stored.revision });
    const over = fold.contents?.kind === 'account' ? fold.contents.state.freezes.over : undefined;
    if (!samePointer(pointer, over?.get(authorisationId))) return undefined;
    return { pointer, authorisationId, position: stored.position, recordedAt: stored.metadata.recordedAt };
  }

  #rememberEnding(ending: Ending): void {
    const { eventId } = ending.pointer;
    this.#endings.delete(eventId);
    this.#endings.set(eventId, ending);
    const oldest = this.#endings.keys().next();
    if (this.#endings.size > MAX_ENDINGS && oldest.done !== true) this.#endings.delete(oldest.value);
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

  /** The variation that ended what would rest on an authorisation, wherever it stands. */
  async #variationEnding(citation: EventPointer, holders: readonly string[]): Promise<CitedBasisEvent> {
    const known = await this.#basisUpTo(citation.stream, undefined);
    const lost = await this.firstLoss((known && basisOf(known.fold)?.losses(citation, holders)) ?? [], holders);
    return lost === undefined ? undefined : known?.legal.get(Number(lost.pointer.revision));
  }

  /** @param revision how far to read it at least; undefined: to its end */
  async #basisUpTo(stream: string, revision: number | undefined): Promise<KnownBasis | undefined> {
    if (basisOfStream(stream) === undefined) return undefined;
    const known = this.#bases.get(stream) ?? { fold: this.#newFold(stream), legal: new Map() };
    if (revision === undefined || known.fold.revision < revision) await this.#extend(known, revision);
    this.#remember(stream, known);
    return known;
  }

  async #extend({ fold, legal }: KnownBasis, revision: number | undefined): Promise<void> {
    for await (const page of pagesOf(this.#reader, fold.stream, { from: fold.revision + 1, to: revision })) {
      for (const recorded of page) {
        // Two callers may extend one basis at the same time: the events are the same, the first to fold one wins.
        if (recorded.revision <= fold.revision) continue;
        const judged = fold.apply(recorded);
        if (judged instanceof Promise) throw new Error('a basis cites nothing: its events are judged at once');
        if (judged.event !== undefined) legal.set(recorded.revision, judged.event as Recorded<BasisEvent>);
      }
    }
    if (revision !== undefined && fold.revision < revision) await this.#foundNothing(fold.stream, fold.revision + 1);
  }

  #remember(stream: string, known: KnownBasis): void {
    this.#bases.delete(stream);
    this.#bases.set(stream, known);
    const oldest = this.#bases.keys().next();
    if (this.#bases.size > MAX_BASES && oldest.done !== true) this.#bases.delete(oldest.value);
  }

  /** The legal event that a tie points to, on the stream of a party or of the basis itself: none stands on any other. */
  async #tieAt(pointer: EventPointer | undefined): Promise<RecordedEvent | undefined> {
    if (pointer === undefined) return undefined;
    if (kindOfStream(pointer.stream) !== 'party') return (await this.#follow(pointer)).cited;
    const event = await this.#eventAt(pointer);
    return event !== undefined && (await this.#isLegal(event)) ? event : undefined;
  }

  /** @param event as it was read. Only of a stream, or that part of one, which rests on nothing that asks for it. */
  async #isLegal({ stream, revision }: RecordedEvent): Promise<boolean> {
    return (await this.#foldUpTo(stream, revision)).foundLegal(revision);
  }

  /**
   * True when the key of the authorisation stands on the account's stream before the event. An event that is only decided
   * has looked for it already, among events too that are not stored yet.
   */
  async #keyStands(event: Recorded<FreezeAbandoned>, { metadata }: Recorded<FreezeAuthorised>): Promise<boolean> {
    const { key } = metadata;
    if (key === null) return false;
    if (event.position === '') return true;
    for (let from = event.revision - 1; from >= 0; from -= STREAM_PAGE_EVENTS) {
      const limit = STREAM_PAGE_EVENTS;
      const page = await this.#reader.read(event.stream, { from, direction: 'backwards', limit });
      for (const earlier of page) if (bears(earlier, key) && (await this.#isLegal(earlier))) return true;
    }
    return false;
  }

  /** The event that a pointer leads to, its hash and its data checked. */
  async #checkedEventAt(pointer: EventPointer): Promise<Recorded<LedgerEvent> | undefined> {
    const event = await this.#storedAt(pointer);
    if (event?.id !== pointer.eventId) return undefined;
    const decoded = decodeEvent(event);
    return decoded.ok && hashIsRight(event, decoded.canonical) ? decoded.event : undefined;
  }

  /** The event that stands where a pointer leads to, its hash checked. */
  async #eventAt(pointer: EventPointer | undefined): Promise<RecordedEvent | undefined> {
    const event = pointer && (await this.#storedAt(pointer));
    return event !== undefined && hashHolds(event) ? event : undefined;
  }

  async #storedAt(pointer: EventPointer): Promise<RecordedEvent | undefined> {
    const revision = Number(pointer.revision);
    const event = this.#unjudgedAt(pointer) ?? (await this.#readAt(pointer.stream, revision));
    if (event === undefined) await this.#foundNothing(pointer.stream, revision);
    return event;
  }

  /** It is cited once: whoever asks again reads it. */
  #unjudgedAt({ stream, revision, eventId }: EventPointer): RecordedEvent | undefined {
    const event = this.#unjudged.get(eventId);
    if (event?.stream !== stream || event.revision !== Number(revision)) return undefined;
    this.#unjudged.delete(eventId);
    return event;
  }

  async #readAt(stream: string, revision: number): Promise<RecordedEvent | undefined> {
    const [event] = await this.#reader.read(stream, { from: revision, to: revision });
    return event;
  }
}

function keepLatest<Event extends RecordedEvent>(events: Map<string, Event>, event: Event): void {
  events.set(event.id, event);
  const oldest = events.keys().next();
  if (events.size > MAX_CITABLE && oldest.done !== true) events.delete(oldest.value);
}

/** True when a name stands for the event at a revision; its id is compared where it is known. */
function isOf(entry: IndexEntry | undefined, revision: number, eventId: string): boolean {
  return entry?.revision === revision && (entry.value === undefined || entry.value === eventId);
}

/** The account on whose stream an event of `CITABLE_TYPES` is cited; undefined where it does not say. */
function citingAccount({ type, data }: RecordedEvent): string | undefined {
  const { to, from } = Object(data) as { readonly to?: unknown; readonly from?: unknown };
  const account = type === 'TransferSent' ? to : from;
  return typeof account === 'string' ? account : undefined;
}

/** The addresses that a basis named when it authorised a freeze: it may name others by now. */
function addressesNamed(basis: BasisState | undefined, cited: CitedBasisEvent): readonly ChainAddress[] {
  return basis?.authorisations.find(({ pointer }) => pointer.eventId === cited?.id)?.addresses ?? [];
}

/** The basis that a fold makes; undefined for a stream of anything else. */
function basisOf({ contents, stream }: StreamFold): BasisState | undefined {
  const isBasis = contents !== undefined && isBasisContents(contents);
  return isBasis ? basisState(contents, idOfStream(stream)) : undefined;
}

/** True for a well-formed event with this key as the key of its stream. */
function bears(recorded: RecordedEvent, key: CommandKey): boolean {
  const decoded = decodeEvent(recorded);
  if (!decoded.ok) return false;
  return indexEntries(decoded.event).some(({ kind, id }) => kind === 'key' && id === keyEntryId(key));
}
