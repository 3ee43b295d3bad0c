import type { EventFilter, EventReader } from '#event-store';
import {
  basisStream,
  isRejection,
  SUPERVISOR,
  toMs,
  toTimestamp,
  type Authorisation,
  type Basis,
  type BasisEnd,
  type BasisSubjects,
  type ChainAddress,
  type EventPointer,
  type Position,
} from '#kernel';
import { decideLegalOrder } from '#legal-orders';
import { decideParty, isNamedBy, type PartyState } from '#parties';
import { Agenda, AGENDA_EVENTS, transferOfItem, type Item } from './agenda.ts';
import type { Core } from './core.ts';
import { partiesNamedBy, supervising, type Freezing } from './freezing.ts';
import type { Openings } from './opening.ts';
import type { Origin, View } from './plan.ts';
import { basisOf, stateOf } from './streams.ts';
import type { Transferring } from './transferring.ts';

/** What the supervisor tells those who watch it. */
export interface SupervisorWatch {
  /** A step failed and will be tried again. */
  failed(item: Item | { readonly kind: 'log'; readonly id: string }, error: unknown): void;
}

/** The steps over two streams that are finished here. */
export interface StepsOfTwo {
  readonly openings: Openings;
  readonly freezing: Freezing;
  readonly transferring: Transferring;
}

/** How often the clock and the end of the log are looked at, in milliseconds: an expiry is recorded at most that late. */
const TICK_MS = 250;
/** Authorisations of one basis that are tended at the same time. */
const TENDED_TOGETHER = 16;
const PAGE = 1_000;
const FILTER: EventFilter = { types: AGENDA_EVENTS };

/**
 * Finishes what stands between two appends, expires orders, names and un-names parties, and lifts what rests on a basis
 * that ended. Driven by the log and the clock. What to look at comes from the log's events as hints; what to do is decided
 * from the streams themselves, by the rules that the handlers use, so two supervisors, or a supervisor and a slow handler,
 * can do no harm.
 */
export class Supervisor {
  readonly #core: Core;
  readonly #openings: Openings;
  readonly #freezing: Freezing;
  readonly #transferring: Transferring;
  readonly #watch: SupervisorWatch;
  readonly #agenda = new Agenda();
  #position: Position | undefined;
  #timer: NodeJS.Timeout | undefined;
  #working: Promise<void> | undefined;
  #stopped = false;

  constructor(core: Core, { openings, freezing, transferring }: StepsOfTwo, watch: SupervisorWatch) {
    this.#core = core;
    this.#openings = openings;
    this.#freezing = freezing;
    this.#transferring = transferring;
    this.#watch = watch;
  }

  /** Items that wait or are late: what a metric shows. */
  get pending(): number {
    return this.#agenda.size;
  }

  /** Reads the log, finishes all that was left open, and goes on by itself. Resolves when the first pass is over. */
  async start(): Promise<void> {
    await this.pass();
    // Looking at the log from time to time, and not at each commit, costs a busy service nothing; who has to see a step
    // done at once (an order that ends) does it before the answer.
    this.#timer = setInterval(() => {
      this.#tick();
    }, TICK_MS);
  }

  /** Stops taking up work and waits for what is under way. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#timer);
    await this.#working;
  }

  /** Takes in the log up to its end and does all that is due: once, to the end. */
  async pass(): Promise<void> {
    await this.#readToEnd(this.#core.store);
    this.#agenda.hurry();
    await this.#workThroughDue();
  }

  async #readToEnd(reader: EventReader): Promise<void> {
    for (;;) {
      const after = this.#position;
      const page = await reader.readAll({ limit: PAGE, filter: FILTER, ...(after === undefined ? {} : { after }) });
      const { index, machine } = this.#core;
      const isLegal = (position: Position): boolean => index.isLegal(position);
      for (const event of page.events) this.#agenda.note(event, machine.clock.now(), isLegal);
      this.#position = page.scannedTo ?? after;
      if (page.atEnd) return;
    }
  }

  #tick(): void {
    if (this.#stopped || this.#working !== undefined) return;
    this.#working = this.#lookAndWork().finally(() => (this.#working = undefined));
  }

  async #lookAndWork(): Promise<void> {
    try {
      await this.#readToEnd(this.#core.store);
    } catch (error) {
      // The log can't be read now; the next tick takes it up from where this one stopped.
      this.#watch.failed({ kind: 'log', id: 'events' }, error);
      return;
    }
    await this.#workThroughDue();
  }

  async #workThroughDue(): Promise<void> {
    for (const item of this.#agenda.takeDue(this.#core.machine.clock.now())) {
      if (this.#stopped) return;
      try {
        await this.#tend(item);
        this.#agenda.succeeded(item);
      } catch (error) {
        this.#watch.failed(item, error);
        this.#agenda.retry(item, this.#core.machine.clock.now());
      }
    }
  }

  async #tend(item: Item): Promise<void> {
    switch (item.kind) {
      case 'legal-order':
      case 'sanctions-hit':
        return this.tendBasis({ kind: item.kind, id: item.id });
      case 'party':
        return this.#tendParty(item.id);
      case 'transfer':
        return this.#transferring.finish(transferOfItem(item.id));
    }
  }

  /** Does all that the stream of a basis asks for now, and notes when to look again. */
  async tendBasis(basis: Basis): Promise<void> {
    if (basis.kind === 'legal-order') await this.#expire(basis.id);
    const facts = await this.#core.streams.inspect(basisStream(basis), (view) => basisFacts(view));
    if (facts === undefined) return;
    if (facts.nextMs !== undefined) this.#agenda.add(basis, facts.nextMs);
    if (facts.inForceBy !== undefined) await this.#nameAll(facts, facts.inForceBy);
    await this.#settleAll(facts);
    if (facts.ended !== undefined) await this.#unnameAll(facts, facts.ended);
  }

  /** Names the parties of a basis in force: from then on no account attaches to them, and they hold what their streams say. */
  async nameParties(basis: Basis): Promise<void> {
    const facts = await this.#core.streams.inspect(basisStream(basis), (view) => basisFacts(view));
    if (facts?.inForceBy !== undefined) await this.#nameAll(facts, facts.inForceBy);
  }

  /** Tends the bases that name an address which was linked to a party: what is in force now names that party. */
  async tendBasesOn(address: ChainAddress): Promise<void> {
    for (const basis of this.#agenda.basesOn(address)) await this.tendBasis(basis);
  }

  async #expire(orderId: string): Promise<void> {
    await this.#core.streams.decide(`legalOrder-${orderId}`, (view) => {
      const nowMs = view.time();
      const context = { now: toTimestamp(nowMs), actor: SUPERVISOR };
      const decision = decideLegalOrder({ type: 'ExpireLegalOrder', orderId }, stateOf(view, 'legalOrder'), context);
      if (isRejection(decision) || decision.length === 0) return { result: undefined };
      return { append: decision, origin: ownOrigin(orderId, null), nowMs, answer: () => undefined };
    });
  }

  /** Walks the authorisations on the basis's own stream, not a read model: each is settled, and lifted when the basis ended. */
  async #settleAll({ authorisations, ended }: BasisFacts): Promise<void> {
    const todo = authorisations.filter(({ pointer }) => !this.#agenda.isSettled(pointer.eventId, ended !== undefined));
    for (let at = 0; at < todo.length; at += TENDED_TOGETHER) {
      await Promise.all(todo.slice(at, at + TENDED_TOGETHER).map((each) => this.#settle(each, ended)));
    }
  }

  async #settle({ pointer, accountId }: Authorisation, ended: BasisEnd | undefined): Promise<void> {
    await this.#freezing.settle(pointer, { by: 'supervisor', actor: SUPERVISOR, correlationId: pointer.eventId });
    if (ended !== undefined) await this.#freezing.lift(accountId, pointer.eventId, ended);
    this.#agenda.settled(pointer.eventId, ended !== undefined);
  }

  /** Where to look is a hint: that an address is linked to the party, the party's own stream tells. */
  async #nameAll({ basis, subjects, seenMs }: BasisFacts, citation: EventPointer): Promise<void> {
    for (const partyId of await partiesNamedBy(this.#core, subjects)) {
      const isNamed = (party: PartyState): boolean => isNamedBy(party, subjects);
      await this.#changeNaming({ type: 'NameParty', partyId, basis, citation }, seenMs, isNamed);
    }
  }

  async #unnameAll({ basis, subjects }: BasisFacts, { pointer, endedAt }: BasisEnd): Promise<void> {
    for (const partyId of await partiesNamedBy(this.#core, subjects)) {
      await this.#changeNaming({ type: 'UnnameParty', partyId, basis, citation: pointer }, toMs(endedAt));
    }
  }

  /** @param citedMs when what it rests on was so: the order in force, or its end */
  async #changeNaming(
    command: Parameters<typeof decideParty>[0] & { type: 'NameParty' | 'UnnameParty' },
    citedMs: number,
    isDue: (party: PartyState) => boolean = () => true,
  ): Promise<void> {
    await this.#core.streams.decide(`party-${command.partyId}`, (view) => {
      const nowMs = view.time(citedMs);
      const context = { now: toTimestamp(nowMs), actor: SUPERVISOR };
      const party = stateOf(view, 'party');
      if (!isDue(party)) return { result: undefined };
      const decision = decideParty(command, party, context);
      if (isRejection(decision) || decision.length === 0) return { result: undefined };
      const origin = ownOrigin(command.basis.id, command.citation.eventId);
      return { append: decision, origin, nowMs, answer: () => undefined };
    });
  }

  /** Finishes openings that were left after an attachment, and un-names what a basis that has ended still names. */
  async #tendParty(partyId: string): Promise<void> {
    for (const { opening, eventId } of await this.#openings.attachedOpenings(partyId)) {
      if (this.#agenda.isFinished(opening)) continue;
      await this.#openings.advance(opening, supervising(eventId));
      this.#agenda.finished(opening);
    }
    const bases = await this.#core.streams.inspect(`party-${partyId}`, (view) => [
      ...stateOf(view, 'party').named.values(),
    ]);
    for (const { basis } of bases) {
      const ended = await this.#core.streams.inspect(basisStream(basis), (view) => basisOf(view).ended);
      if (ended === undefined) continue;
      const command = { type: 'UnnameParty', partyId, basis, citation: ended.pointer } as const;
      await this.#changeNaming(command, toMs(ended.endedAt));
    }
  }
}

interface BasisFacts {
  readonly basis: Basis;
  readonly subjects: BasisSubjects;
  /** When it was looked at, and no earlier than its latest event. */
  readonly seenMs: number;
  /** The event that put it in force, when it is and has not ended. */
  readonly inForceBy: EventPointer | undefined;
  readonly ended: BasisEnd | undefined;
  readonly authorisations: readonly Authorisation[];
  /** When the clock alone will change something. */
  readonly nextMs: number | undefined;
}

function basisFacts(view: View): BasisFacts | undefined {
  const state = basisOf(view);
  if (state.registered === undefined) return undefined;
  const { basis, subjects, ended, authorisations } = state;
  const seenMs = view.time();
  const now = toTimestamp(seenMs);
  return {
    basis,
    subjects,
    seenMs,
    inForceBy: state.inForceBy(now),
    ended,
    authorisations: [...authorisations],
    nextMs: state.nextMoment(now),
  };
}

function ownOrigin(correlationId: string, causationId: string | null): Origin {
  return { actor: SUPERVISOR, correlationId, causationId, key: null, commandHash: null };
}
