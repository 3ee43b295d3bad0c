import { checkAccount, evolveAccount, incomingName, initialAccountState, type AccountEvent } from '#accounts';
import { checkAsset, evolveAsset, initialAssetState, type AssetEvent } from '#assets';
import {
  checkAuthorityRequest,
  evolveAuthorityRequest,
  initialAuthorityRequestState,
  type AuthorityRequestEvent,
} from '#authority-requests';
import {
  assertNever,
  SHA256_PATTERN,
  sha256Hex,
  toMs,
  type Link,
  type Recorded,
  type RecordedEvent,
  type Timestamp,
} from '#kernel';
import { checkLegalOrder, evolveLegalOrder, initialLegalOrderState, type LegalOrderEvent } from '#legal-orders';
import { checkParty, evolveParty, initialPartyState, type PartyEvent } from '#parties';
import { checkSanctionsHit, evolveSanctionsHit, initialSanctionsHitState, type SanctionsHitEvent } from '#sanctions';
import type { NameKind } from './index-entries.ts';
import type { JudgedEvent, LedgerEvent, StreamState, Violation } from './judged.ts';
import { decodeEvent, hashFault, hashIsRight, kindOfStream, linkOf, type StreamKind } from './registry.ts';
import type { CitationResolver, Verdict } from './resolver.ts';
import { StreamNames, type RememberedNames } from './stream-names.ts';

/** What a fold has come to. */
export interface Folded {
  readonly contents: StreamState | undefined;
  revision: number;
  lastHash: string | null;
  /** Latest `recordedAt` of a legal event, or empty: a time forced in from the future stops nothing. */
  lastRecordedAt: Timestamp;
}

/**
 * One stream being folded, event by event: its state, and what the next append needs to know. The same events give the
 * same fold on any machine (invariant 11): a verdict on a citation rests only on events that are earlier in the log.
 */
export class StreamFold {
  readonly stream: string;
  /** The names of the legal events folded so far. */
  readonly names: StreamNames;
  readonly #resolver: CitationResolver;
  /** All that folding changes, but for the names: whatever is added to it is in every snapshot. */
  #folded: Folded;
  /** Of what should never be, and stands there all the same: most streams have none. */
  #illegal: Set<number> | undefined;
  /** Whatever comes before was folded by another. */
  #firstRevision = 0;

  constructor(stream: string, resolver: CitationResolver, names = new StreamNames(stream)) {
    this.stream = stream;
    this.names = names;
    this.#resolver = resolver;
    const kind = kindOfStream(stream);
    const contents = kind === undefined ? undefined : initialContents(kind);
    this.#folded = { contents, revision: -1, lastHash: null, lastRecordedAt: '' };
  }

  /** Undefined for a stream whose name is not one of ours: every event on it is malformed. */
  get contents(): StreamState | undefined {
    return this.#folded.contents;
  }

  /** Revision of the last event folded, or -1. */
  get revision(): number {
    return this.#folded.revision;
  }

  /** What the next event's `previousHash` has to be. */
  get lastHash(): string | null {
    return this.#folded.lastHash;
  }

  /** Latest `recordedAt` of a legal event, in milliseconds, or 0. */
  get lastRecordedMs(): number {
    const { lastRecordedAt } = this.#folded;
    return lastRecordedAt === '' ? 0 : toMs(lastRecordedAt);
  }

  /**
   * True when the event at a revision was found legal, whatever it cites included.
   * @throws RangeError for one that this fold has not judged: a bug
   */
  foundLegal(revision: number): boolean {
    if (revision < this.#firstRevision || revision > this.revision) {
      throw new RangeError(`fold of ${this.stream} at ${String(this.revision)} did not judge ${String(revision)}`);
    }
    return this.#illegal?.has(revision) !== true;
  }

  /** What was folded so far, for a snapshot. It goes on changing: encode it at once. */
  get folded(): Readonly<Folded> {
    return this.#folded;
  }

  /**
   * Goes on from what another fold of this stream came to, instead of folding it again.
   * @param folded belongs to this fold from now on
   * @throws Error when something was folded already: a bug
   */
  restore(folded: Folded, names: RememberedNames): void {
    if (this.revision >= 0) throw new Error(`fold of ${this.stream} has begun already`);
    this.names.restore(names);
    this.#folded = folded;
    this.#firstRevision = folded.revision + 1;
  }

  /**
   * Folds the next event of the log. Whatever should never be changes nothing but the place in the chain.
   * @throws StoreError when the streams that a citation points to can't be read: nothing is folded then
   * @throws DamagedStreamError when events before it are missing, or it was changed, where streams have to be whole
   */
  apply(recorded: RecordedEvent): JudgedEvent | Promise<JudgedEvent> {
    if (recorded.revision > this.revision + 1) return this.#acrossGap(recorded);
    this.#demandNext(recorded);
    const decoded = decodeEvent(recorded);
    if (!decoded.ok) return this.#reject(recorded, { code: 'malformed-event', detail: decoded.problem });
    const link = linkOf(recorded, decoded.canonical);
    if (link.previousHash !== this.lastHash) {
      return this.#reject(recorded, {
        code: 'hash-mismatch',
        detail: 'previousHash is not the hash of the event before',
      });
    }
    if (!hashIsRight(recorded, decoded.canonical)) {
      return this.#reject(recorded, { code: 'hash-mismatch', detail: hashFault(recorded) });
    }
    return this.#judge(recorded, decoded.event, link);
  }

  /** Folds an event that this process made and is about to append: the same judgement, but for the hash, which it made itself. */
  applyOwn(recorded: RecordedEvent): JudgedEvent | Promise<JudgedEvent> {
    this.#demandNext(recorded);
    const decoded = decodeEvent(recorded);
    if (!decoded.ok) return this.#reject(recorded, { code: 'malformed-event', detail: decoded.problem });
    return this.#judge(recorded, decoded.event, recorded.metadata);
  }

  #judge(recorded: RecordedEvent, event: Recorded<LedgerEvent>, link: Link): JudgedEvent | Promise<JudgedEvent> {
    const contents = this.contents;
    if (contents === undefined) return this.#reject(recorded, { code: 'malformed-event', detail: 'unknown stream' });
    const objection = check(contents, event) ?? checkNames(this.names, event);
    if (objection !== undefined) return this.#reject(recorded, { code: 'illegal-event', detail: objection });
    const verdict = this.#followCitation(event, contents);
    if (verdict === undefined) return this.#accept(recorded, event, link, contents);
    return verdict.then((settled) =>
      settled.ok
        ? this.#accept(recorded, event, link, contents)
        : this.#reject(recorded, { code: 'citation-unresolved', detail: settled.reason }),
    );
  }

  /** Undefined for an event that rests on no other stream. */
  #followCitation(event: Recorded<LedgerEvent>, contents: StreamState): Promise<Verdict> | undefined {
    switch (event.type) {
      case 'AccountFrozen':
      case 'FreezeVaried':
      case 'FreezeAbandoned':
      case 'AccountUnfrozen':
      case 'DepositReversed':
      case 'TransferReceived':
      case 'TransferRefused':
      case 'TransferReturned':
        return contents.kind === 'account' ? this.#resolver.onAccount(event, contents.state, this.names) : undefined;
      case 'LiftRequested':
        if (contents.kind !== 'account' || event.data.ground !== 'release-ordered') return undefined;
        return this.#resolver.onAccount(event, contents.state, this.names);
      case 'PartyNamed':
      case 'PartyNoLongerNamed':
        return contents.kind === 'party' ? this.#resolver.onParty(event, contents.state) : undefined;
      case 'AuthorityRequestAnswered':
        return event.data.inForceAt === undefined ? undefined : this.#resolver.onAnswer(event);
      default:
        return undefined;
    }
  }

  /** The first event after a gap links to what is not there. Those after it link to it, and are judged by what is known. */
  #acrossGap(recorded: RecordedEvent): JudgedEvent {
    const missing = this.revision + 1;
    if (recorded.stream !== this.stream) this.#demandNext(recorded);
    this.#resolver.foundMissing(this.stream, missing);
    const detail = `events before it are missing: revision ${String(recorded.revision)} stands where ${String(missing)} should`;
    return this.#reject(recorded, { code: 'hash-mismatch', detail });
  }

  #demandNext(recorded: RecordedEvent): void {
    if (recorded.stream !== this.stream || recorded.revision !== this.revision + 1) {
      throw new Error(
        `fold of ${this.stream} at ${String(this.revision)} was given ${recorded.stream}@${String(recorded.revision)}`,
      );
    }
  }

  #accept(
    recorded: RecordedEvent,
    event: Recorded<LedgerEvent>,
    { hash, recordedAt }: Link,
    contents: StreamState,
  ): JudgedEvent {
    evolve(contents, event);
    this.#folded.revision = recorded.revision;
    this.#folded.lastHash = hash;
    this.names.note(event);
    this.#resolver.noteLegal(event);
    // Timestamps of the recorded form compare as text does: most are never read as a time.
    if (recordedAt > this.#folded.lastRecordedAt) this.#folded.lastRecordedAt = recordedAt;
    return { recorded, event, violation: undefined, after: contents };
  }

  #reject(recorded: RecordedEvent, violation: Violation): JudgedEvent {
    this.#resolver.foundViolation(recorded);
    this.#illegal ??= new Set();
    this.#illegal.add(recorded.revision);
    this.#folded.revision = recorded.revision;
    this.#folded.lastHash = chainHash(recorded);
    return { recorded, event: undefined, violation, after: this.contents };
  }
}

/** What the next event links to: the stored hash, or for an event stored without one a hash of what is there. */
export function chainHash(recorded: RecordedEvent): string {
  const hash: unknown = (recorded.metadata as { hash?: unknown } | null | undefined)?.hash;
  if (typeof hash === 'string' && SHA256_PATTERN.test(hash)) return hash;
  // Plain JSON text: canonical JSON refuses some of what can be forced into a store.
  return sha256Hex(JSON.stringify([recorded.id, recorded.type, recorded.data, recorded.metadata]));
}

function initialContents(kind: StreamKind): StreamState {
  switch (kind) {
    case 'asset':
      return { kind, state: initialAssetState() };
    case 'party':
      return { kind, state: initialPartyState() };
    case 'account':
      return { kind, state: initialAccountState() };
    case 'legalOrder':
      return { kind, state: initialLegalOrderState() };
    case 'sanctionsHit':
      return { kind, state: initialSanctionsHitState() };
    case 'authorityRequest':
      return { kind, state: initialAuthorityRequestState() };
    default:
      return assertNever(kind);
  }
}

function check(contents: StreamState, event: Recorded<LedgerEvent>): string | undefined {
  switch (contents.kind) {
    case 'asset':
      return checkAsset(contents.state, event as Recorded<AssetEvent>);
    case 'party':
      return checkParty(contents.state, event as Recorded<PartyEvent>);
    case 'account':
      return checkAccount(contents.state, event as Recorded<AccountEvent>);
    case 'legalOrder':
      return checkLegalOrder(contents.state, event as Recorded<LegalOrderEvent>);
    case 'sanctionsHit':
      return checkSanctionsHit(contents.state, event as Recorded<SanctionsHitEvent>);
    case 'authorityRequest':
      return checkAuthorityRequest(contents.state, event as Recorded<AuthorityRequestEvent>);
    default:
      return assertNever(contents);
  }
}

/** What may be once only, and is known by its name alone: the state does not grow with it. */
function checkNames(names: StreamNames, event: Recorded<LedgerEvent>): string | undefined {
  const isTaken = (kind: NameKind, id: string): boolean => {
    const entry = names.lookup(kind, id);
    // The index may be ahead of this fold: a verdict rests on what is earlier in the log.
    return entry !== undefined && entry.revision < event.revision;
  };
  switch (event.type) {
    case 'DepositReversed':
      return isTaken('reversal', event.data.depositId) ? 'reverses a deposit a second time' : undefined;
    case 'TransferSent':
      return isTaken('outgoing', event.data.transferId) ? 'sends under the id of another transfer' : undefined;
    case 'TransferReceived':
    case 'TransferRefused': {
      const name = incomingName(event.data.from, event.data.transferId);
      return isTaken('incoming', name) ? 'decides a transfer a second time' : undefined;
    }
    case 'TransferReturned':
      return isTaken('returned', event.data.transferId) ? 'returns a transfer a second time' : undefined;
    default:
      return undefined;
  }
}

function evolve(contents: StreamState, event: Recorded<LedgerEvent>): void {
  switch (contents.kind) {
    case 'asset':
      replaceState(contents, evolveAsset(contents.state, event as Recorded<AssetEvent>));
      return;
    case 'party':
      replaceState(contents, evolveParty(contents.state, event as Recorded<PartyEvent>));
      return;
    case 'account':
      replaceState(contents, evolveAccount(contents.state, event as Recorded<AccountEvent>));
      return;
    case 'legalOrder':
      replaceState(contents, evolveLegalOrder(contents.state, event as Recorded<LegalOrderEvent>));
      return;
    case 'sanctionsHit':
      replaceState(contents, evolveSanctionsHit(contents.state, event as Recorded<SanctionsHitEvent>));
      return;
    case 'authorityRequest':
      replaceState(contents, evolveAuthorityRequest(contents.state, event as Recorded<AuthorityRequestEvent>));
      return;
    default:
      assertNever(contents);
  }
}

/** `evolve` owns the state that it is given and may return another: keep what it returned. */
function replaceState<State extends StreamState['state']>(contents: { state: State }, state: State): void {
  contents.state = state;
}
