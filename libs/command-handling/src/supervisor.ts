import type { EventFilter, EventReader } from '#event-store';
import {
  basisStream,
  isRejection,
  SUPERVISOR,
  toTimestamp,
  type Authorisation,
  type Basis,
  type BasisEnd,
  type BasisSubjects,
  type BasisTerms,
  type Bound,
  type ChainAddress,
  type Position,
  type RecordedEvent,
} from '#kernel';
import { decideLegalOrder } from '#legal-orders';
import { decideParty, type NamingBasis } from '#parties';
import type { DamagedStreamError } from '#replay';
import { AgendaMemory } from './agenda-memory.ts';
import {
  Agenda,
  AGENDA_EVENTS,
  FOR_GOOD,
  isOfBasis,
  NEVER,
  openingOfItem,
  transferOfItem,
  type Item,
  type OpeningName,
} from './agenda.ts';
import type { Core } from './core.ts';
import { eachInTurn, fewInAPiece, inTurn, toEnd, type Pieces } from './few-at-a-time.ts';
import { partiesNamedBy, supervising, type Freezing } from './freezing.ts';
import type { Openings } from './opening.ts';
import { causedBy, type View } from './plan.ts';
import { basisOf, stateOf } from './streams.ts';
import type { Transferring } from './transferring.ts';
import type { Varying } from './varying.ts';

/** What the supervisor tells those who watch it. */
export interface SupervisorWatch {
  /** A step failed and will be tried again. */
  failed(item: Item | { readonly kind: 'log'; readonly id: string }, error: unknown): void;
  /** A stream that a command rests on is not what was recorded: the command was turned down, as others will be. */
  damaged?(error: DamagedStreamError): void;
}

/** The steps over two streams that are finished here. */
export interface StepsOfTwo {
  readonly openings: Openings;
  readonly freezing: Freezing;
  readonly varying: Varying;
  readonly transferring: Transferring;
}

/** How often the clock and the end of the log are looked at, in milliseconds: an expiry is recorded at most that late. */
const TICK_MS = 250;
const PAGE = 1_000;
/** Transfers finished in one look, before anything else that has become due gets its turn. */
const TRANSFERS_A_LOOK = 100;
/** Openings, parties and transfers that are tended before bases get their turn again. */
const OTHERS_A_ROUND = 100;
/** Events that are taken in before the agenda is remembered again: as many are read at most once more after a crash. */
const REMEMBER_EVERY = 2_000;
const FILTER: EventFilter = { types: AGENDA_EVENTS };

/**
 * Finishes what stands between two appends, expires orders, names and un-names parties, and lifts or varies what rests on a
 * basis that ended or was varied. Driven by the log and the clock. What to look at comes from the log's events as hints; what to do is decided
 * from the streams themselves, by the rules that the handlers use, so two supervisors, or a supervisor and a slow handler,
 * can do no harm.
 */
export class Supervisor {
  readonly #core: Core;
  readonly #openings: Openings;
  readonly #freezing: Freezing;
  readonly #varying: Varying;
  readonly #transferring: Transferring;
  readonly #watch: SupervisorWatch;
  readonly #agenda = new Agenda();
  #position: Position | undefined;
  /** The last event that the agenda has taken in, and how many since it was remembered. */
  #last: RecordedEvent | undefined;
  #sinceRemembered = 0;
  #memory: AgendaMemory | undefined;
  #working: Promise<void> | undefined;
  #stopped = false;

  constructor(core: Core, { openings, freezing, varying, transferring }: StepsOfTwo, watch: SupervisorWatch) {
    this.#core = core;
    this.#openings = openings;
    this.#freezing = freezing;
    this.#varying = varying;
    this.#transferring = transferring;
    this.#watch = watch;
  }

  /** Items that wait or are late: what a metric shows. */
  get pending(): number {
    return this.#agenda.size;
  }

  /** Those that failed when they were last tried: each is tried again, half a minute apart at most. */
  get failing(): number {
    return this.#agenda.failing;
  }

  /** Transfers that may not have come to their end. */
  get openTransfers(): number {
    return this.#agenda.transfers;
  }

  /** What is remembered as done, and how much of it may be. */
  get bounds(): readonly Bound[] {
    return this.#agenda.bounds;
  }

  /**
   * Reads the log, from where it is remembered if it is, finishes all that was left open, and goes on by itself. Resolves when
   * the first pass is over.
   */
  async start(): Promise<void> {
    await this.#core.streams.followOthers();
    await this.#recall();
    const first = this.pass();
    // Until it is over, what it took off the agenda is neither done nor back on it: a stop waits, and remembers it then.
    this.#working = first.catch(() => undefined);
    await first;
    this.#remember();
    void this.#goOn();
  }

  /** Stops taking up work and waits for what is under way. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#core.streams.stopFollowing();
    await this.#working;
    this.#remember();
  }

  async #recall(): Promise<void> {
    const { agendaMemory, store } = this.#core;
    if (agendaMemory === undefined || this.#position !== undefined) return;
    const memory = new AgendaMemory(agendaMemory);
    const recalled = await memory.recall(store);
    this.#memory = memory;
    if (recalled === undefined) return;
    this.#agenda.restore(recalled);
    this.#position = recalled.position;
  }

  /** Only while nothing is worked on: what was taken off the agenda is then done, or back on it. */
  #remember(): void {
    if (this.#last === undefined || this.#sinceRemembered === 0) return;
    this.#memory?.keep(this.#agenda.remembered(), this.#last);
    this.#sinceRemembered = 0;
  }

  /** Takes in the log up to its end and does all that is due: once, to the end. */
  async pass(): Promise<void> {
    await this.#readToEnd(this.#core.store);
    this.#agenda.hurry();
    await this.#workThroughDue(Infinity);
  }

  async #readToEnd(reader: EventReader): Promise<void> {
    for (;;) {
      const after = this.#position;
      const page = await reader.readAll({ limit: PAGE, filter: FILTER, ...(after === undefined ? {} : { after }) });
      const { index, machine } = this.#core;
      const isLegal = (position: Position): boolean => index.isLegal(position);
      for (const event of page.events) this.#agenda.note(event, machine.clock.now(), isLegal);
      this.#last = page.events.at(-1) ?? this.#last;
      this.#sinceRemembered += page.events.length;
      this.#position = page.scannedTo ?? after;
      if (page.atEnd) return;
    }
  }

  /**
   * Looking at the log from time to time, and not at each commit, costs a busy service nothing; who has to see a step done at
   * once (an order that ends) does it before the answer.
   */
  async #goOn(): Promise<void> {
    for (;;) {
      await this.#core.machine.sleep(TICK_MS);
      if (this.#stopped) return;
      this.#working = this.#lookAndWork();
      await this.#working;
    }
  }

  async #lookAndWork(): Promise<void> {
    try {
      await this.#readToEnd(this.#core.store);
    } catch (error) {
      // The log can't be read now; the next tick takes it up from where this one stopped.
      this.#watch.failed({ kind: 'log', id: 'events' }, error);
      return;
    }
    await this.#workThroughDue(TRANSFERS_A_LOOK);
    if (this.#sinceRemembered >= REMEMBER_EVERY) this.#remember();
  }

  /**
   * In rounds, so that what the clock makes due waits for one of them at most, however much there is to do: in each, all bases
   * get a piece of their work done, those that have become due first, and some of the rest is done.
   */
  async #workThroughDue(mostTransfers: number): Promise<void> {
    const { clock } = this.#core.machine;
    const due = this.#agenda.takeDue(clock.now(), mostTransfers).map((item) => this.#begin(item));
    const rest = due.filter(({ item }) => !isOfBasis(item));
    let bases = due.filter(({ item }) => isOfBasis(item));
    for (let at = 0; bases.length > 0 || at < rest.length; at += OTHERS_A_ROUND) {
      bases = await this.#takeOn(bases);
      await this.#takeOn(rest.slice(at, at + OTHERS_A_ROUND));
      if (this.#stopped) continue;
      bases.unshift(...this.#agenda.takeDueBases(clock.now()).map((item) => this.#begin(item)));
    }
  }

  #begin(item: Item): Work {
    return { item, pieces: this.#piecesOf(item) };
  }

  /** Does a piece of each. @returns those of which more is left */
  async #takeOn(works: readonly Work[]): Promise<Work[]> {
    const left: Work[] = [];
    for (const work of works) {
      const { item, pieces } = work;
      if (this.#stopped) {
        this.#agenda.add(item, 0);
        continue;
      }
      try {
        if ((await pieces.next()).done === true) this.#agenda.succeeded(item);
        else left.push(work);
      } catch (error) {
        this.#watch.failed(shown(item), error);
        this.#agenda.retry(item, this.#core.machine.clock.now());
      }
    }
    return left;
  }

  /** Only the work of a basis has more than one piece: to all else what is to be done is little. */
  async *#piecesOf(item: Item): Pieces {
    switch (item.kind) {
      case 'legal-order':
      case 'sanctions-hit':
        return yield* this.#tendBasis({ kind: item.kind, id: item.id });
      case 'party':
        return this.#followBases(item.id);
      case 'opening':
        return this.#finishOpening(openingOfItem(item.id));
      case 'transfer':
        return this.#transferring.finish(transferOfItem(item.id));
    }
  }

  /** Does all that the stream of a basis asks for now, and notes when to look again. */
  tendBasis(basis: Basis): Promise<void> {
    return toEnd(this.#tendBasis(basis));
  }

  /** At the end of a basis the first piece has the expiry and the first lifts in it. */
  async *#tendBasis(basis: Basis): Pieces {
    // What the clock brings between that look and the next one is due at once.
    const sinceMs = basis.kind === 'legal-order' ? await this.#expire(basis.id) : undefined;
    const facts = await this.#core.streams.inspect(basisStream(basis), (view) => basisFacts(view, sinceMs));
    if (facts === undefined) return;
    if (facts.nextMs !== undefined) this.#agenda.add(basis, facts.nextMs);
    // Naming comes before what is frozen because of it; at the end of a basis un-naming comes after the lifts.
    yield* inTurn([
      ...(facts.inForce ? [() => this.#followNaming(facts)] : []),
      () => this.#settleAll(facts),
      ...(facts.ended === undefined ? [] : [() => this.#followNaming(facts)]),
    ]);
  }

  /** Names the parties of a basis in force: from then on no account attaches to them, and they hold what their streams say. */
  async nameParties(basis: Basis): Promise<void> {
    const facts = await this.#core.streams.inspect(basisStream(basis), (view) => basisFacts(view));
    if (facts?.inForce === true) await toEnd(this.#followNaming(facts));
  }

  /** Tends the bases that name an address which was linked to a party: what is in force now names that party. */
  async tendBasesOn(address: ChainAddress): Promise<void> {
    // A basis may have been registered a moment ago.
    await this.#readToEnd(this.#core.store);
    for (const basis of this.#agenda.basesOn(address)) await this.tendBasis(basis);
  }

  /** @returns when it was looked */
  #expire(orderId: string): Promise<number> {
    return this.#core.streams.decide<number>(`legalOrder-${orderId}`, (view) => {
      const nowMs = view.time();
      const context = { now: toTimestamp(nowMs), actor: SUPERVISOR };
      const order = stateOf(view, 'legalOrder');
      const decision = decideLegalOrder({ type: 'ExpireLegalOrder', orderId }, order, context);
      if (isRejection(decision) || decision.length === 0 || order.verified === undefined) return { result: nowMs };
      // It belongs to what put the order in force, and what causes it is the clock.
      const origin = { ...causedBy(SUPERVISOR, order.verified.eventId), causationId: null };
      return { append: decision, origin, nowMs, answer: () => nowMs };
    });
  }

  /**
   * Walks the authorisations on the basis's own stream, not a read model. Each is settled first, also one from before a
   * variation; then its freeze is lifted, when the basis ended or a variation dropped the account. What a variation changes of
   * the others comes last: limits are spent on what is left. An account that can't be followed up keeps no other waiting.
   * @throws what the first such account failed of
   */
  async *#settleAll({ basis, authorisations, ended, terms }: BasisFacts): Pieces {
    const epoch = (authorisation: Authorisation): number => epochOf(authorisation, terms, ended);
    const todo = authorisations.filter((each) => !this.#agenda.isSettled(each.pointer.eventId, epoch(each)));
    const accounts = [...Map.groupBy(todo, ({ accountId }) => accountId)];
    const varied = accounts.filter(([, own]) => own.some((each) => epoch(each) !== NEVER && ended === undefined));
    const failures = new Map<string, unknown>();
    const forEach = (those: typeof accounts, work: (own: readonly Authorisation[], id: string) => Promise<void>) =>
      fewInAPiece(those, async ([accountId, own]) => {
        if (failures.has(accountId)) return;
        await work(own, accountId).catch((error: unknown) => failures.set(accountId, error));
      });
    yield* forEach(accounts, async (own) => {
      for (const authorisation of own) await this.#settle(authorisation, ended);
    });
    yield* forEach(varied, (_, accountId) => this.#varying.lift(basis, accountId));
    yield* forEach(varied, (_, accountId) => this.#varying.vary(basis, accountId));
    for (const each of todo) {
      if (!failures.has(each.accountId)) this.#agenda.settled(each.pointer.eventId, epoch(each));
    }
    for (const failure of failures.values()) throw failure;
  }

  async #settle({ pointer, accountId }: Authorisation, ended: BasisEnd | undefined): Promise<void> {
    await this.#freezing.settle(pointer, { by: 'supervisor', actor: SUPERVISOR, correlationId: pointer.eventId });
    if (ended !== undefined) await this.#freezing.lift(accountId, pointer.eventId, ended);
  }

  /** Whoever the basis names, or ever named. Where to look is a hint: what is due, the party's own stream tells. */
  async *#followNaming(facts: BasisFacts): Pieces {
    const parties = await partiesNamedBy(this.#core, everNamed(facts.terms));
    yield* eachInTurn(parties, (partyId) => this.#changeNaming(partyId, facts));
  }

  async #changeNaming(partyId: string, facts: BasisFacts): Promise<void> {
    await this.#core.streams.decide(`party-${partyId}`, (view) => {
      const nowMs = view.time(facts.seenMs);
      const context = { now: toTimestamp(nowMs), actor: SUPERVISOR };
      const command = { type: 'FollowBasis', partyId, naming: facts } as const;
      const events = decideParty(command, stateOf(view, 'party'), context);
      if (isRejection(events)) return { result: undefined };
      const [first] = events;
      if (first === undefined || !('citation' in first.data)) return { result: undefined };
      // Not of the basis by its id: to many readers the envelope is all that is shown.
      const origin = causedBy(SUPERVISOR, first.data.citation.eventId);
      return { append: events, origin, nowMs, answer: () => undefined };
    });
  }

  /** Finishes what was left after an attachment. */
  async #finishOpening({ partyId, openingKey }: OpeningName): Promise<void> {
    const attached = await this.#openings.attachedOpening(partyId, openingKey);
    if (attached !== undefined) await this.#openings.advance(attached.opening, supervising(attached.eventId));
  }

  /** Un-names a party that a basis still names which has ended. */
  async #followBases(partyId: string): Promise<void> {
    const { streams } = this.#core;
    const bases = await streams.inspect(`party-${partyId}`, (view) => [...stateOf(view, 'party').named.values()]);
    const follow = async (basis: Basis): Promise<void> => {
      const facts = await streams.inspect(basisStream(basis), (view) => basisFacts(view));
      if (facts !== undefined) await this.#changeNaming(partyId, facts);
    };
    await toEnd(eachInTurn(bases, ({ basis }) => follow(basis)));
  }
}

/** What is done of an item so far is known to its pieces alone. */
interface Work {
  readonly item: Item;
  readonly pieces: Pieces;
}

/** The key of a command is its caller's: who watches is told of the party. */
function shown(item: Item): Item {
  return item.kind === 'opening' ? { kind: 'party', id: openingOfItem(item.id).partyId } : item;
}

interface BasisFacts extends NamingBasis {
  /** When it was looked at, and no earlier than its latest event. */
  readonly seenMs: number;
  readonly authorisations: readonly Authorisation[];
  /** When the clock alone will change something. */
  readonly nextMs: number | undefined;
}

/** @param sinceMs moments after this are still to come; default: after now */
function basisFacts(view: View, sinceMs?: number): BasisFacts | undefined {
  const state = basisOf(view);
  if (state.registered === undefined) return undefined;
  const { basis, ended, authorisations, terms } = state;
  const seenMs = view.time();
  const now = toTimestamp(seenMs);
  return {
    basis,
    terms: [...terms],
    seenMs,
    inForce: state.inForceBy(now) !== undefined,
    ended,
    authorisations: [...authorisations],
    nextMs: state.nextMoment(sinceMs === undefined ? now : toTimestamp(sinceMs)),
  };
}

/**
 * Up to where an authorisation has to have been followed up: the end of its basis, or else the latest variation after it.
 */
function epochOf({ pointer }: Authorisation, terms: readonly BasisTerms[], ended: BasisEnd | undefined): number {
  if (ended !== undefined) return FOR_GOOD;
  const latest = Number(terms.at(-1)?.since.revision ?? NEVER);
  return latest > Number(pointer.revision) ? latest : NEVER;
}

function everNamed(terms: readonly BasisTerms[]): BasisSubjects {
  return {
    accounts: [],
    parties: terms.flatMap(({ subjects }) => subjects.parties),
    addresses: terms.flatMap(({ subjects }) => subjects.addresses),
  };
}
