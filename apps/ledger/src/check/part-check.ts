import { movesOf, type AccountEvent, type AccountState } from '#accounts';
import { isStoreError, type EventReader } from '#event-store';
import { partOfStream, type HiddenEvent, type LogPart } from '#event-store/sqlite';
import type { EventPointer, Recorded, RecordedEvent } from '#kernel';
import { CitationResolver, StreamFold, StreamNames, type JudgedEvent, type NameKind } from '#replay';
import { messageOf } from '../thrown.ts';
import type { Finding, FindingCode } from './findings.ts';
import { OpeningsCheck, OpeningsTally, type KnownStates, type Openings } from './openings-check.ts';

/** Most findings that one part keeps, of some hundred bytes each: whoever has so many restores a backup. */
export const MOST_FINDINGS = 10_000;

/** An event of another part that one of this part rests on, and was read: the other part has to have found it legal. */
export interface Question {
  readonly pointer: EventPointer;
  readonly kind: NameKind;
  readonly name: string;
}

/** What money has done in one asset, in minor units with a sign. */
export interface AssetSums {
  readonly asset: string;
  readonly external: bigint;
  /** Sent, and neither received nor returned yet. */
  readonly transit: bigint;
  /** In all accounts, as their states have it at the end. */
  readonly held: bigint;
}

/** Steps over two streams: begun less finished. */
export interface UnfinishedSteps {
  readonly transfers: number;
  readonly authorisations: number;
  /** One for each holder. Zero of one part among several: see `openingsLeft`. */
  readonly openings: number;
}

/** What one part of a log came to. */
export interface PartResult {
  readonly events: number;
  readonly findings: readonly Finding[];
  /** Beyond those that were kept. */
  readonly moreFindings: number;
  readonly questions: readonly Question[];
  readonly sums: readonly AssetSums[];
  readonly unfinished: UnfinishedSteps;
  /** Of one part among several: those of all come to nothing where each opening is at its end, and was begun as it should. */
  readonly openingsLeft: bigint;
}

/**
 * Judges the streams of one part of a log, event by event in the log's order, by the rules by which the service does. What
 * rests on an account of another part is asked of that part at the end: with several parts a result without findings
 * counts, whose questions were all answered; one with findings says only that there are some.
 */
export class PartCheck {
  readonly #part: LogPart;
  readonly #resolver: CitationResolver;
  readonly #folds = new Map<string, StreamFold>();
  /** Streams that can't be judged any further. */
  readonly #broken = new Set<string>();
  readonly #findings: Finding[] = [];
  readonly #questions: Question[] = [];
  readonly #external = new Map<string, bigint>();
  readonly #transit = new Map<string, bigint>();
  readonly #unfinished = { transfers: 0, authorisations: 0 };
  readonly #openings: Openings;
  #found = 0;
  #events = 0;

  /** @param reader over the same log */
  constructor(reader: EventReader, part: LogPart) {
    this.#part = part;
    const states: KnownStates = {
      account: (accountId) => this.#accountState(accountId),
      party: (partyId) => {
        const contents = this.#folds.get(`party-${partyId}`)?.contents;
        return contents?.kind === 'party' ? contents.state : undefined;
      },
    };
    this.#openings = part.of === 1 ? new OpeningsCheck(states) : new OpeningsTally(states);
    this.#resolver = new CitationResolver(reader, {
      demandsWhole: true,
      folded: (stream) => this.#folds.get(stream),
      others: {
        judge: (stream) => this.#isOfAnother(stream),
        askLater: (pointer, kind, name) => this.#questions.push({ pointer, kind, name }),
      },
    });
  }

  get events(): number {
    return this.#events;
  }

  /** Takes the next events of the part, and those of others that its own may cite. @throws StoreError when the log can't be read */
  async take(events: readonly RecordedEvent[]): Promise<void> {
    for (const event of events) {
      if (this.#isOfAnother(event.stream)) {
        this.#resolver.noteUnjudged(event);
        this.#holdTransfer(event);
        continue;
      }
      this.#events += 1;
      const fold = this.#foldOf(event);
      if (fold === undefined) continue;
      try {
        const verdict = fold.apply(event);
        this.#note(verdict instanceof Promise ? await verdict : verdict);
      } catch (error) {
        if (isStoreError(error)) throw error;
        this.#giveUp(event, error);
      }
    }
  }

  /** Takes the events of the part that an index of the file does not find. */
  takeHidden(hidden: readonly HiddenEvent[]): void {
    for (const { stream, revision, position, by } of hidden) {
      const detail = `the file is damaged: its index does not find this event by ${by}`;
      this.#report({ code: 'damaged-file', stream, revision, position, detail });
    }
  }

  #isOfAnother(stream: string): boolean {
    return this.#part.of > 1 && partOfStream(stream, this.#part.of) !== this.#part.index;
  }

  /** A stream that this one rests on has no whole history: the fold of that one says so. */
  #giveUp(event: RecordedEvent, error: unknown): void {
    this.#broken.add(event.stream);
    const detail = `what it rests on can't be judged (${messageOf(error)}); nor can the stream from here on`;
    this.#reportAt(event, 'not-judged', detail);
  }

  /** Undefined for an event that does not follow the one before it in its stream. */
  #foldOf(event: RecordedEvent): StreamFold | undefined {
    const { stream, revision } = event;
    let fold = this.#folds.get(stream);
    if (fold === undefined) {
      fold = new StreamFold(stream, this.#resolver, new StreamNames(stream, { onlyCited: true }));
      this.#folds.set(stream, fold);
    }
    if (this.#broken.has(stream)) return undefined;
    if (revision === fold.revision + 1) return fold;
    const detail = `revision ${String(fold.revision + 1)} should stand here; the stream is not judged from here on`;
    this.#broken.add(stream);
    this.#reportAt(event, 'revision-gap', detail);
    return undefined;
  }

  #note({ recorded, event, violation }: JudgedEvent): void {
    if (violation === undefined) {
      this.#holdOpening(event);
      if (this.#holdTransfer(recorded)) this.#count(event);
      if (event.stream.startsWith('account-')) this.#sum(event as Recorded<AccountEvent>);
      return;
    }
    this.#reportAt(recorded, violation.code, violation.detail);
  }

  /** An opening stands on several streams, of which none tells by itself whether it was begun as it should. */
  #holdOpening(event: NonNullable<JudgedEvent['event']>): void {
    if (event.type !== 'AccountAttached' && event.type !== 'AccountDetached' && event.type !== 'AccountOpened') return;
    const detail = this.#openings.take(event);
    if (detail !== undefined) this.#reportAt(event, 'untied-account', detail);
  }

  /**
   * Nothing is sent to an account that never was: who sends sees it open, in the log and for good (DOMAIN, "Transfer"). The part
   * of the account that it was sent to looks, also at what others judge: they would have found it illegal.
   * @returns false for one that was sent to no account
   */
  #holdTransfer(event: RecordedEvent): boolean {
    if (event.type !== 'TransferSent') return true;
    const { to } = Object(event.data) as { readonly to?: unknown };
    if (typeof to !== 'string') return true;
    const stream = `account-${to}`;
    if (this.#isOfAnother(stream) || this.#broken.has(stream) || this.#accountState(to)?.opened === true) return true;
    this.#reportAt(event, 'no-destination', `sent to ${to}, which was no open account`);
    return false;
  }

  #accountState(accountId: string): AccountState | undefined {
    const contents = this.#folds.get(`account-${accountId}`)?.contents;
    return contents?.kind === 'account' ? contents.state : undefined;
  }

  #reportAt({ stream, revision, position }: RecordedEvent, code: FindingCode, detail: string): void {
    this.#report({ code, stream, revision, position, detail });
  }

  #report(finding: Finding): void {
    this.#found += 1;
    if (this.#findings.length < MOST_FINDINGS) this.#findings.push(finding);
  }

  #sum(event: Recorded<AccountEvent>): void {
    for (const { from, to, asset, units } of movesOf(event)) {
      if (from === 'external') add(this.#external, asset, -units);
      if (to === 'external') add(this.#external, asset, units);
      if (from === 'transit') add(this.#transit, asset, -units);
      if (to === 'transit') add(this.#transit, asset, units);
    }
  }

  #count(event: NonNullable<JudgedEvent['event']>): void {
    const unfinished = this.#unfinished;
    switch (event.type) {
      case 'TransferSent':
        unfinished.transfers += 1;
        return;
      case 'TransferReceived':
      case 'TransferReturned':
        unfinished.transfers -= 1;
        return;
      case 'FreezeAuthorised':
        unfinished.authorisations += 1;
        return;
      case 'AccountFrozen':
      case 'FreezeVaried':
      case 'FreezeAbandoned':
        unfinished.authorisations -= 1;
        return;
      default:
        return;
    }
  }

  /** Call when all events were taken. */
  result(): PartResult {
    const held = new Map<string, bigint>();
    for (const [stream, { contents, revision }] of this.#folds) {
      if (contents?.kind !== 'account') continue;
      for (const [asset, { available, reserved, held: kept }] of contents.state.balances) {
        add(held, asset, available + reserved + kept);
        if (available >= 0n && reserved >= 0n && kept >= 0n) continue;
        const detail = `less than nothing of ${asset}`;
        this.#report({ code: 'negative-balance', stream, revision, position: undefined, detail });
      }
    }
    const assets = new Set([...held.keys(), ...this.#external.keys(), ...this.#transit.keys()]);
    const [external, transit] = [this.#external, this.#transit];
    return {
      events: this.#events,
      findings: this.#findings,
      moreFindings: this.#found - this.#findings.length,
      questions: this.#questions,
      sums: Array.from(assets, (asset) => ({
        asset,
        external: external.get(asset) ?? 0n,
        transit: transit.get(asset) ?? 0n,
        held: held.get(asset) ?? 0n,
      })),
      unfinished: { ...this.#unfinished, openings: this.#openings.underWay },
      openingsLeft: this.#openings.left,
    };
  }

  /** Answers what other parts asked. @returns how many of the events that they rest on are not what they should be */
  countUnmet(questions: readonly Question[]): number {
    const mine = questions.filter(({ pointer }) => !this.#isOfAnother(pointer.stream));
    return mine.filter(({ pointer, kind, name }) => {
      const revision = this.#folds.get(pointer.stream)?.names.lookup(kind, name)?.revision;
      return revision !== Number(pointer.revision);
    }).length;
  }
}

function add(sums: Map<string, bigint>, asset: string, units: bigint): void {
  sums.set(asset, (sums.get(asset) ?? 0n) + units);
}
