import { liftByBasis, settleFreeze } from '#accounts';
import { decideAuthorisation, freezeUnder, type Freeze, type FreezeAuthorised } from '#freezes';
import {
  basisOfStream,
  basisStream,
  isRecorded,
  isRejection,
  parseScope,
  pointerTo,
  reject,
  rejectField,
  RejectionError,
  samePointer,
  SUPERVISOR,
  toMs,
  toTimestamp,
  type Asset,
  type Authorisation,
  type Basis,
  type BasisEnd,
  type BasisState,
  type BasisSubjects,
  type EndedFreeze,
  type EventPointer,
  type Recorded,
  type RecordedEvent,
  type Rejection,
  type Scope,
  type Tie,
} from '#kernel';
import { attachmentOf, controlOf } from '#parties';
import { keyEntryId } from '#replay';
import { asked, keyReused, originOf, revisionMismatch, seen, type Asked } from './asked.ts';
import { Rounds, type Core } from './core.ts';
import type { CommandRequest, FreezeAccount, Outcome } from './ledger-api.ts';
import { rejectedOutcome, type Settled } from './one-stream.ts';
import type { Openings } from './opening.ts';
import { alreadyFrozen, checked, eventAt, outcomeOf, recordedOutcome } from './outcome.ts';
import { causedBy, type Origin, type View } from './plan.ts';
import { partiesControlling } from './lookups.ts';
import { basisContents, basisOf, stateOf } from './streams.ts';

/** What the account's stream says before a freeze of it is authorised. */
type AccountBefore =
  | { readonly kind: 'replay'; readonly revision: number }
  | { readonly kind: 'rejected'; readonly rejection: Rejection }
  | { readonly kind: 'absent' }
  | { readonly kind: 'open'; readonly account: AccountFacts };

export interface AccountFacts {
  readonly holders: readonly string[];
  readonly openedKey: { readonly caller: string; readonly value: string } | undefined;
  /** The freeze in force under the basis, if there is one. */
  readonly freeze: Freeze | undefined;
}

/** Finds assets by their codes: those that there are. */
type AssetsOf = (codes: readonly string[]) => Promise<ReadonlyMap<string, Asset>>;

/** What ties the account to a subject of the basis, and the latest time that this rests on. */
interface Found {
  readonly tie: Tie | undefined;
  readonly citedMs: number;
  /** The event that lists the subjects which were looked through. */
  readonly listing?: EventPointer | undefined;
  /** How far the stream of the basis went before they were looked through, or -1. */
  readonly asOf: number;
}

const NO_TIE = { tie: undefined, citedMs: 0 } as const;

/** Freezes of the basis that have ended, where its limits don't suffice with them, and the latest time that this rests on. */
interface Ended {
  readonly freezes: readonly EndedFreeze[];
  readonly citedMs: number;
  /** The authorisations whose end was looked for, by their ids, and the revision of the basis's stream at that time. */
  readonly looked: ReadonlySet<string>;
  readonly asOf: number;
}

/** Whether the basis has ended, and by the ids of authorisations, the variations that ended what rests on them. */
interface BasisSays {
  readonly ended: boolean;
  readonly lost: ReadonlyMap<string, BasisEnd | undefined>;
}

/** A freeze as it was asked for, its limits read by the scale of their assets; `scope` absent: the basis's own. */
interface Wanted extends Omit<FreezeAccount, 'scope'> {
  readonly scope: Scope | undefined;
}

type Authorised =
  /** `event` where it was this very call that recorded it. */
  | { readonly kind: 'authorised'; readonly pointer: EventPointer; readonly event?: Recorded<FreezeAuthorised> }
  | { readonly kind: 'rejected'; readonly rejection: Rejection };

/** What settling came to: the events that answer for the key of the authorisation, if it was this call that recorded them. */
type SettledNow = readonly RecordedEvent[] | 'opening-first';

/**
 * Places freezes, over the stream of the basis and that of the account (DOMAIN, "Freezing"). First FreezeAuthorised, where
 * the basis is in force and names the account; then, on the account's stream, the arbiter, exactly one of AccountFrozen and
 * FreezeAbandoned for each authorisation, whoever comes first.
 */
export class Freezing {
  readonly #core: Core;
  readonly #openings: Openings;
  readonly #assetsOf: AssetsOf;

  constructor(core: Core, openings: Openings, assetsOf: AssetsOf) {
    this.#core = core;
    this.#openings = openings;
    this.#assetsOf = assetsOf;
  }

  async freeze(request: CommandRequest, asGiven: FreezeAccount): Promise<Outcome> {
    const home = asked(request, `account-${asGiven.accountId}`);
    const scope = await this.#scopeOf(asGiven);
    const command = { ...asGiven, scope: isRejection(scope) ? undefined : scope };
    const rounds = new Rounds(this.#core);
    do {
      const before = await this.#lookAtAccount(home, command, isRejection(scope) ? scope : undefined);
      if (before.kind === 'replay') return this.#recorded(home, before.revision, true);
      if (before.kind === 'rejected') return rejectedOutcome(before.rejection);
      if (before.kind === 'absent') {
        if (await this.#finishOpening(command)) continue;
        return rejectedOutcome(
          reject('account-not-found', 'the account is not open', { accountId: command.accountId }),
        );
      }
      const { basis, accountId } = command;
      const ended = await this.findEnded(basis, (state) => state.authorisationsInTheWay(accountId, command.scope));
      const inTheWay = await this.#freezeInTheWay(basis, before.account);
      const authorised = await this.#authorise(home, command, before.account, { ended, inTheWay });
      if (authorised.kind === 'authorised') return this.#complete(home, authorised);
      if (!isRecorded(authorised.rejection.code)) return rejectedOutcome(authorised.rejection);
      const refused = await this.#refuse(home, command, ended);
      if (refused?.kind === 'replay') return this.#recorded(home, refused.revision, true);
      if (refused?.kind === 'outcome') return refused.outcome;
    } while (rounds.goOn());
    throw new RejectionError(reject('revision-conflict', 'others kept changing the basis or the account; try again'));
  }

  async #scopeOf({ scope }: FreezeAccount): Promise<Scope | Rejection | undefined> {
    if (scope === undefined) return undefined;
    const assets = await this.#assetsOf(Object.keys(scope.limits ?? {}));
    return parseScope(scope, (code) => assets.get(code));
  }

  /** Replay, 404, the assets' scales, `If-Match`: all that the account's own stream can say. */
  #lookAtAccount(home: Asked, { basis }: Wanted, scopeFlaw: Rejection | undefined): Promise<AccountBefore> {
    return this.#core.streams.inspect(home.homeStream, (view): AccountBefore => {
      const known = seen(view, home);
      if (isRejection(known)) return { kind: 'rejected', rejection: known };
      if (known !== undefined) return { kind: 'replay', revision: known.revision };
      if (!stateOf(view, 'account').opened) return { kind: 'absent' };
      if (scopeFlaw !== undefined) return { kind: 'rejected', rejection: scopeFlaw };
      const mismatch = revisionMismatch(view, home.request);
      if (mismatch !== undefined) return { kind: 'rejected', rejection: mismatch };
      const { blockedFrom } = home.request.command as FreezeAccount;
      if (blockedFrom !== undefined && toMs(blockedFrom) > view.time()) {
        return { kind: 'rejected', rejection: rejectField('blockedFrom', 'must not lie in the future') };
      }
      return { kind: 'open', account: accountFacts(view, basis) };
    });
  }

  /** First append: on the basis's stream, at its exact end. An open authorisation with the same key is resumed, never doubled. */
  async #authorise(
    home: Asked,
    command: Wanted,
    account: AccountFacts,
    { ended, inTheWay }: { readonly ended: Ended; readonly inTheWay: Freeze | undefined },
  ): Promise<Authorised> {
    const found = await this.findTie(command.basis, command.accountId, account);
    return this.#core.streams.decide<Authorised>(basisStream(command.basis), (view) => {
      const mine = ownAuthorisation(basisOf(view), home);
      if (mine !== undefined) return { result: mine };
      const nowMs = view.time(found.citedMs, ended.citedMs);
      const { accountId, scope, blockedFrom } = command;
      const decision = decideAuthorisation(
        basisContents(view),
        command.basis.id,
        { accountId, scope, blockedFrom },
        { now: toTimestamp(nowMs), actor: home.request.actor, tie: found.tie, endedFreezes: ended.freezes },
      );
      if (isRejection(decision)) return { result: { kind: 'rejected', rejection: decision } };
      if (inTheWay !== undefined) {
        return { result: { kind: 'rejected', rejection: alreadyFrozen(inTheWay.freezeId) } };
      }
      return {
        append: decision,
        origin: originOf(home),
        nowMs,
        answer: ([event]) => {
          if (event === undefined) throw new Error('nothing was appended');
          return { kind: 'authorised', pointer: pointerTo(event), event: checked(event) as Recorded<FreezeAuthorised> };
        },
      };
    });
  }

  /**
   * Records that the freeze was turned down, if the rule still says so when it is the account's turn: a refusal is never
   * decided on what was seen a while ago.
   * @returns undefined when the freeze would be authorised now
   */
  async #refuse(home: Asked, command: Wanted, ended: Ended): Promise<Settled | undefined> {
    return this.#core.streams.decide<Settled | undefined>(home.homeStream, async (view) => {
      const known = seen(view, home);
      if (isRejection(known)) return { result: { kind: 'outcome', outcome: Promise.resolve(rejectedOutcome(known)) } };
      if (known !== undefined) return { result: { kind: 'replay', revision: known.revision } };
      const { basis: cited, accountId } = command;
      const stream = basisStream(cited);
      const { tie, listing, asOf } = await this.findTie(cited, accountId, accountFacts(view, cited));
      const { rejection, decidedOn, atMs } = await this.#core.streams.inspect(stream, (basisView) => {
        const basis = basisOf(basisView);
        const nowMs = basisView.time();
        const { revision } = basisView;
        // Varied since the tie was looked for: it has to be looked for again.
        const isVaried = basis.listing !== undefined && !samePointer(basis.listing, listing);
        const isOver = isVaried || ownAuthorisation(basis, home) !== undefined;
        const found = isOver ? undefined : objection(basis, command, tie, ended, nowMs);
        const isTooEarly = found?.code === 'scope-exceeds-basis' && cameInTheWay(basis, command, ended);
        // What ties the account may have come before the event of the basis that came since it was looked for.
        const isTooLate = found?.code === 'basis-does-not-name-account' && revision !== asOf;
        return {
          rejection: isTooEarly || isTooLate ? undefined : found,
          decidedOn: { stream, revision: revision < 0 ? null : String(revision) },
          atMs: nowMs,
        };
      });
      if (rejection === undefined) return { result: undefined };
      return this.#core.oneStream.refuse(view, home, rejection, decidedOn, view.time(atMs));
    });
  }

  async #complete(home: Asked, { pointer, event }: Extract<Authorised, { kind: 'authorised' }>): Promise<Outcome> {
    const { actor, correlationId } = home.request;
    const authorisation = event ?? (await this.#authorisationAt(pointer));
    const answer = await this.#settle(authorisation, { by: 'handler', actor, correlationId });
    if (answer.length > 0) return outcomeOf(this.#core.store, answer, false, authorisation);
    const known = await this.#core.streams.inspect(home.homeStream, (view) => seen(view, home));
    if (isRejection(known)) return rejectedOutcome(known);
    if (known === undefined)
      throw new Error(`${authorisation.id} is settled and its key does not stand on the account`);
    return this.#recorded(home, known.revision, false);
  }

  #recorded(home: Asked, revision: number, replayed: boolean): Promise<Outcome> {
    return recordedOutcome(this.#core.store, home.homeStream, revision, replayed);
  }

  /**
   * Second append: settles one authorisation on the account's stream, by the same rule for handler and supervisor. Does
   * nothing when it is settled already.
   */
  async settle(pointer: EventPointer, by: SettledBy): Promise<void> {
    await this.#settle(await this.#authorisationAt(pointer), by);
  }

  async #authorisationAt(pointer: EventPointer): Promise<Recorded<FreezeAuthorised>> {
    const event = (await eventAt(this.#core.store, pointer)) as Recorded<FreezeAuthorised> | undefined;
    if (event?.type === 'FreezeAuthorised') return event;
    throw new Error(`no authorisation at ${pointer.stream}@${pointer.revision}`);
  }

  async #settle(authorisation: Recorded<FreezeAuthorised>, by: SettledBy): Promise<readonly RecordedEvent[]> {
    const rounds = new Rounds(this.#core);
    do {
      const answer = await this.#settleOnce(authorisation, by);
      if (answer !== 'opening-first') return answer;
      await this.#finishOpenings(authorisation);
    } while (rounds.goOn());
    throw new RejectionError(
      reject('revision-conflict', 'the opening of the account could not be finished; try again'),
    );
  }

  #settleOnce(authorisation: Recorded<FreezeAuthorised>, by: SettledBy): Promise<SettledNow> {
    const { accountId } = authorisation.data;
    const basis = basisOfStream(authorisation.stream);
    if (basis === undefined) throw new Error(`no basis lives on ${authorisation.stream}`);
    return this.#core.streams.decide<SettledNow>(`account-${accountId}`, async (view) => {
      const state = stateOf(view, 'account');
      const { key } = authorisation.metadata;
      const opening = !state.opened && (await this.#pendingOpenings(authorisation)).length > 0;
      // Whether it has ended a handler need not look: a freeze that comes late is lifted.
      const { ended, lost } = await this.#lookAtBasis(basis, authorisation, view, by);
      const lostMs = [...lost.values()].map((varied) => (varied === undefined ? 0 : toMs(varied.endedAt)));
      const nowMs = view.time(toMs(authorisation.metadata.recordedAt), ...lostMs);
      const settled = settleFreeze({
        authorisation,
        basis,
        state,
        opening,
        keyStands: key !== null && view.lookup('key', keyEntryId(key)) !== undefined,
        basisEnded: by.by === 'supervisor' && ended,
        lostBy: (citation) => lost.get(citation.eventId),
        by: by.by,
        now: toTimestamp(nowMs),
      });
      if (settled === 'resolved-already') return { result: [] };
      if (settled === 'opening-first') return { result: 'opening-first' };
      const origin = originFromAuthorisation(authorisation, by, settled.withKey);
      const ahead = (settled.ahead ?? []).map((event) => ({ ...event, isAhead: true }));
      const answer = (recorded: readonly RecordedEvent[]): readonly RecordedEvent[] =>
        settled.withKey ? recorded.slice(ahead.length).map(checked) : [];
      return { append: [...ahead, ...settled.events], origin, nowMs, answer };
    });
  }

  /** Lifts the freeze of an authorisation whose basis has ended, if it is in force (invariant 13). */
  async lift(accountId: string, freezeId: string, ended: BasisEnd): Promise<void> {
    await this.#core.streams.decide(`account-${accountId}`, (view) => {
      const events = liftByBasis(stateOf(view, 'account'), freezeId, 'basis-ended', ended);
      if (events.length === 0) return { result: undefined };
      const origin = causedBy(SUPERVISOR, ended.pointer.eventId);
      return { append: events, origin, nowMs: view.time(toMs(ended.endedAt)), answer: () => undefined };
    });
  }

  /**
   * What the basis says of the freezes that are to be settled by it. A handler looks only where another freeze under the basis
   * might be in the way.
   */
  #lookAtBasis(
    basis: Basis,
    authorisation: Recorded<FreezeAuthorised>,
    view: View,
    { by }: SettledBy,
  ): BasisSays | Promise<BasisSays> {
    const { holders, freezes } = stateOf(view, 'account');
    const existing = freezeUnder(freezes, basis)?.citation;
    if (by === 'handler' && existing === undefined) return { ended: false, lost: new Map() };
    const asked = [pointerTo(authorisation), ...(existing === undefined ? [] : [existing])];
    const parties = holders.map(({ partyId }) => partyId);
    return this.askBasis(basis, asked, parties);
  }

  /** Whether a basis has ended, and which variation ended what rests on some of its authorisations of one account. */
  async askBasis(
    basis: Basis,
    citations: readonly EventPointer[],
    holders: readonly string[],
  ): Promise<BasisSays & { readonly latest: EventPointer | undefined }> {
    const { streams } = this.#core;
    const { ended, latest, losses } = await streams.inspect(basisStream(basis), (view) => {
      const state = basisOf(view);
      const losses = citations.map((pointer) => [pointer.eventId, state.losses(pointer, holders)] as const);
      return { ended: state.ended !== undefined, latest: state.terms.at(-1)?.since, losses };
    });
    const lost = new Map<string, BasisEnd | undefined>();
    for (const [eventId, possible] of losses) lost.set(eventId, await streams.firstLoss(possible, holders));
    return { ended, latest, lost };
  }

  /** The freeze under the basis; not one that a variation ended already: the freeze to come takes its place. */
  async #freezeInTheWay(basis: Basis, { freeze, holders }: AccountFacts): Promise<Freeze | undefined> {
    if (freeze === undefined) return undefined;
    const { lost } = await this.askBasis(basis, [freeze.citation], holders);
    return lost.get(freeze.citation.eventId) === undefined ? freeze : undefined;
  }

  /**
   * What ties the account to a subject of the basis: the basis's own event that lists the account, otherwise the
   * attachment, of the account's own opening, to a holder that the basis names, or that controls an address which it names.
   */
  async findTie(basis: Basis, accountId: string, account: AccountFacts): Promise<Found> {
    const named = await this.#subjects(basis);
    if (named === undefined) return { ...NO_TIE, asOf: -1 };
    const { listing, citedMs, asOf } = named;
    const looked = { listing, asOf };
    if (named.accounts.includes(accountId)) return { tie: { namedBy: listing }, citedMs, ...looked };
    const { openedKey } = account;
    if (openedKey === undefined) return { ...NO_TIE, ...looked };
    for (const partyId of account.holders) {
      const byItself = named.parties.includes(partyId);
      if (!byItself && named.addresses.length === 0) continue;
      const tie = await this.#core.streams.inspect(`party-${partyId}`, (view): Tie | undefined => {
        const party = stateOf(view, 'party');
        const attachment = attachmentOf(party, accountId, openedKey);
        const control = byItself ? undefined : controlOf(party, named.addresses);
        if (attachment === undefined || (!byItself && control === undefined)) return undefined;
        return { namedBy: attachment.pointer, partyId, ...control };
      });
      if (tie !== undefined) return { tie, citedMs: await this.#timeOf(tie, citedMs), ...looked };
    }
    return { ...NO_TIE, ...looked };
  }

  /** When the latest of what a tie cites was recorded: what else stands on those streams makes no difference. */
  async #timeOf({ namedBy, linkedBy }: Tie, leastMs: number): Promise<number> {
    let latestMs = leastMs;
    for (const pointer of [namedBy, ...(linkedBy === undefined ? [] : [linkedBy])]) {
      const event = await eventAt(this.#core.store, pointer);
      if (event !== undefined) latestMs = Math.max(latestMs, toMs(event.metadata.recordedAt));
    }
    return latestMs;
  }

  #subjects(basis: Basis): Promise<NamedByBasis | undefined> {
    return this.#core.streams.inspect(basisStream(basis), (view) => {
      const { listing, subjects } = basisOf(view);
      return listing === undefined ? undefined : { listing, citedMs: view.time(), asOf: view.revision, ...subjects };
    });
  }

  /**
   * Which of some authorisations of the basis no longer count: their freezes have ended, or were varied. Read before the
   * decision, since nothing may wait for an account's lane from within the basis's: what has ended stays so.
   */
  async findEnded(basis: Basis, inTheWayOf: (state: BasisState) => readonly Authorisation[]): Promise<Ended> {
    const { inTheWay, asOf } = await this.#core.streams.inspect(basisStream(basis), (view) => ({
      inTheWay: [...inTheWayOf(basisOf(view))],
      asOf: view.revision,
    }));
    const found: EndedFreeze[] = [];
    let citedMs = 0;
    for (const [account, authorisations] of Map.groupBy(inTheWay, (each) => each.accountId)) {
      // A look may be taken more than once: nothing is gathered from within it.
      const seen = await this.#core.streams.inspect(`account-${account}`, (view) => {
        const { over } = stateOf(view, 'account').freezes;
        const ended = authorisations.flatMap(({ pointer: { eventId } }): EndedFreeze[] => {
          const endedBy = over.get(eventId);
          return endedBy === undefined ? [] : [{ freezeId: eventId, endedBy }];
        });
        return { ended, seenMs: ended.length === 0 ? 0 : view.time() };
      });
      citedMs = Math.max(citedMs, seen.seenMs);
      found.push(...seen.ended);
    }
    return { freezes: found, citedMs, looked: new Set(inTheWay.map(({ pointer }) => pointer.eventId)), asOf };
  }

  /** Finishes an opening that ties the account to a party which the basis names. @returns false when there is none */
  async #finishOpening({ basis, accountId }: Wanted): Promise<boolean> {
    const named = await this.#subjects(basis);
    if (named === undefined) return false;
    for (const partyId of await partiesNamedBy(this.#core, named)) {
      const [attached] = await this.#openings.attachedOpenings(partyId, accountId);
      if (attached === undefined) continue;
      await this.#openings.advance(attached.opening, supervising(attached.eventId));
      return true;
    }
    return false;
  }

  #pendingOpenings({ data }: Recorded<FreezeAuthorised>): ReturnType<Openings['attachedOpenings']> {
    if (data.partyId === undefined) return Promise.resolve([]);
    return this.#openings.attachedOpenings(data.partyId, data.accountId);
  }

  async #finishOpenings(authorisation: Recorded<FreezeAuthorised>): Promise<void> {
    for (const { opening, eventId } of await this.#pendingOpenings(authorisation)) {
      await this.#openings.advance(opening, supervising(eventId));
    }
  }
}

/** Who settles an authorisation. */
export interface SettledBy {
  readonly by: 'handler' | 'supervisor';
  readonly actor: Origin['actor'];
  readonly correlationId: string;
}

/** Whoever comes to an opening that somebody else began takes it further in the service's own name. */
export function supervising(attachedEventId: string): { readonly origin: Pick<Origin, 'actor' | 'correlationId'> } {
  return { origin: { actor: SUPERVISOR, correlationId: attachedEventId } };
}

export function accountFacts(view: View, basis: Basis): AccountFacts {
  const { holders, openedKey, freezes } = stateOf(view, 'account');
  return {
    holders: holders.map(({ partyId }) => partyId),
    openedKey: openedKey ?? undefined,
    freeze: freezeUnder(freezes, basis),
  };
}

/** The authorisation that this very command made before, if it got so far. */
function ownAuthorisation({ authorisations }: BasisState, { key, request }: Asked): Authorised | undefined {
  const mine = authorisations.find(
    ({ key: other }) =>
      other?.caller === key.caller && other.value === key.value && other.homeStream === key.homeStream,
  );
  if (mine === undefined) return undefined;
  if (mine.commandHash !== request.commandHash) return { kind: 'rejected', rejection: keyReused() };
  return { kind: 'authorised', pointer: mine.pointer };
}

function objection(
  basis: BasisState,
  { accountId, scope }: Wanted,
  tie: Tie | undefined,
  ended: Ended,
  nowMs: number,
): Rejection | undefined {
  const endedFreezes = ended.freezes.map(({ freezeId }) => freezeId);
  const flaw = basis.mayAuthorise({ accountId, scope, tie, at: toTimestamp(nowMs), endedFreezes });
  return flaw === undefined ? undefined : reject(flaw.code, flaw.detail);
}

/**
 * True when an authorisation is in the way that was not when it was looked for those which have ended, though it stood there:
 * what others were authorised since made it count. It may have ended long ago.
 */
function cameInTheWay(basis: BasisState, { accountId, scope }: Wanted, { looked, asOf }: Ended): boolean {
  return basis
    .authorisationsInTheWay(accountId, scope)
    .some(({ pointer }) => !looked.has(pointer.eventId) && Number(pointer.revision) <= asOf);
}

interface NamedByBasis extends BasisSubjects {
  readonly listing: EventPointer;
  readonly citedMs: number;
  readonly asOf: number;
}

/** The parties that a basis names, by themselves or through an address that they control. */
export async function partiesNamedBy(core: Core, { parties, addresses }: BasisSubjects): Promise<readonly string[]> {
  return [...new Set([...parties, ...(await partiesControlling(core, addresses))])];
}

function originFromAuthorisation(authorisation: Recorded<FreezeAuthorised>, by: SettledBy, withKey: boolean): Origin {
  const { key, commandHash } = authorisation.metadata;
  const { actor, correlationId } = by;
  const keyed = withKey ? { key, commandHash } : { key: null, commandHash: null };
  return { actor, correlationId, causationId: authorisation.id, ...keyed };
}
