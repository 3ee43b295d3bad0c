import type { EventFilter, EventReader } from '#event-store';
import {
  isRejection,
  pointerTo,
  SUPERVISOR,
  toMs,
  toTimestamp,
  type Basis,
  type EventPointer,
  type Position,
  type RecordedEvent,
} from '#kernel';
import { decideLegalOrder, expiryMs, type Authorisation, type LegalOrderState, type OrderEnd } from '#legal-orders';
import { decideParty } from '#parties';
import { idOfStream } from '#replay';
import { Agenda, AGENDA_EVENTS, nameOfEnd, transferOfItem, type Item } from './agenda.ts';
import type { Core } from './core.ts';
import { subjectsOf, supervising, type Freezing } from './freezing.ts';
import type { Openings } from './opening.ts';
import type { Origin, View } from './plan.ts';
import { stateOf } from './streams.ts';
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
/** Authorisations of one order that are tended at the same time. */
const TENDED_TOGETHER = 16;
const PAGE = 1_000;
const FILTER: EventFilter = { types: AGENDA_EVENTS };

/**
 * Finishes what stands between two appends, expires orders, names and un-names parties, and lifts what rests on an order
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
      for (const event of page.events) await this.#note(event);
      this.#position = page.scannedTo ?? after;
      if (page.atEnd) return;
    }
  }

  async #note(event: RecordedEvent): Promise<void> {
    const end = nameOfEnd(event);
    if (end !== undefined && !(await this.#core.streams.stands(pointerTo(event), end.kind, end.id))) return;
    const { index, machine } = this.#core;
    this.#agenda.note(event, machine.clock.now(), (position) => index.isLegal(position));
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
      case 'order':
        return this.tendOrder(item.id);
      case 'party':
        return this.#tendParty(item.id);
      case 'transfer':
        return this.#transferring.finish(transferOfItem(item.id));
    }
  }

  /** Does all that an order's stream asks for now, and notes when to look again. */
  async tendOrder(orderId: string): Promise<void> {
    await this.#expire(orderId);
    const order = await this.#core.streams.inspect(`legalOrder-${orderId}`, (view) => orderFacts(view));
    if (order === undefined) return;
    if (order.nextMs !== undefined) this.#agenda.add({ kind: 'order', id: orderId }, order.nextMs);
    if (order.inForceBy !== undefined) await this.#nameAll(order, order.inForceBy);
    await this.#settleAll(order);
    if (order.ended !== undefined) await this.#unnameAll(order, order.ended);
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

  /** Walks the authorisations on the order's own stream, not a read model: each is settled, and lifted when the order ended. */
  async #settleAll(order: OrderFacts): Promise<void> {
    const todo = order.authorisations.filter(
      ({ pointer }) => !this.#agenda.isSettled(pointer.eventId, order.ended !== undefined),
    );
    for (let at = 0; at < todo.length; at += TENDED_TOGETHER) {
      await Promise.all(todo.slice(at, at + TENDED_TOGETHER).map((each) => this.#settle(each, order.ended)));
    }
  }

  async #settle({ pointer, accountId }: Authorisation, ended: OrderEnd | undefined): Promise<void> {
    await this.#freezing.settle(pointer, { by: 'supervisor', actor: SUPERVISOR, correlationId: pointer.eventId });
    if (ended !== undefined) await this.#freezing.lift(accountId, pointer.eventId, ended);
    this.#agenda.settled(pointer.eventId, ended !== undefined);
  }

  async #nameAll({ basis, parties, nowMs }: OrderFacts, citation: EventPointer): Promise<void> {
    for (const partyId of parties) await this.#changeNaming({ type: 'NameParty', partyId, basis, citation }, nowMs);
  }

  async #unnameAll({ basis, parties }: OrderFacts, { pointer, endedAt }: OrderEnd): Promise<void> {
    for (const partyId of parties) {
      await this.#changeNaming({ type: 'UnnameParty', partyId, basis, citation: pointer }, toMs(endedAt));
    }
  }

  /** @param citedMs when what it rests on was so: the order in force, or its end */
  async #changeNaming(
    command: Parameters<typeof decideParty>[0] & { type: 'NameParty' | 'UnnameParty' },
    citedMs: number,
  ): Promise<void> {
    await this.#core.streams.decide(`party-${command.partyId}`, (view) => {
      const nowMs = view.time(citedMs);
      const context = { now: toTimestamp(nowMs), actor: SUPERVISOR };
      const decision = decideParty(command, stateOf(view, 'party'), context);
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
      const ended = await this.#core.streams.inspect(
        `legalOrder-${basis.id}`,
        (view) => stateOf(view, 'legalOrder').ended,
      );
      if (ended === undefined) continue;
      await this.#changeNaming({ type: 'UnnameParty', partyId, basis, citation: ended.pointer }, toMs(ended.endedAt));
    }
  }
}

interface OrderFacts {
  readonly basis: Basis;
  readonly parties: readonly string[];
  /** The verification, when the order is verified, effective and not ended. */
  readonly inForceBy: EventPointer | undefined;
  readonly ended: OrderEnd | undefined;
  readonly authorisations: readonly Authorisation[];
  /** When this was so. */
  readonly nowMs: number;
  /** When the clock alone will change something: the order becomes effective, or expires. */
  readonly nextMs: number | undefined;
}

function orderFacts(view: View): OrderFacts | undefined {
  const order = stateOf(view, 'legalOrder');
  const { instrument, ended, authorisations } = order;
  if (instrument === undefined) return undefined;
  const nowMs = view.time();
  return {
    basis: { kind: 'legal-order', id: idOfStream(view.stream) },
    parties: subjectsOf(instrument).parties,
    inForceBy: order.state === 'verified' && toMs(instrument.effectiveAt) <= nowMs ? order.verified : undefined,
    ended,
    authorisations: [...authorisations],
    nowMs,
    nextMs: order.state === 'verified' ? nextMoment(order, nowMs) : undefined,
  };
}

function nextMoment(order: LegalOrderState, nowMs: number): number | undefined {
  const { instrument } = order;
  if (instrument === undefined) return undefined;
  const moments = [toMs(instrument.effectiveAt), expiryMs(order) ?? NaN];
  const coming = moments.filter((ms) => ms > nowMs);
  return coming.length === 0 ? undefined : Math.min(...coming);
}

function ownOrigin(correlationId: string, causationId: string | null): Origin {
  return { actor: SUPERVISOR, correlationId, causationId, key: null, commandHash: null };
}
