import { comparePositions, type LogEvent, type LogPosition, positionOf } from '../log/log-event.ts';
import { type LogView } from '../log/log-view.ts';
import { consumerTooSlow, invalidPosition } from '../wire/errors.ts';
import { checkpointResponse, logPosition } from '../wire/messages.ts';
import { DEFAULT_WINDOW, type EventFilter, parseFilter } from './event-filter.ts';
import { LIVE_ROOM, type SubscriptionCall, type SubscriptionOutlet } from './subscription-outlet.ts';

/** Before the first event. On the wire it becomes the largest position there is: see `#sendCheckpoint`. */
const NOWHERE: LogPosition = { commit: -1, prepare: -1 };

/** A subscription to all events from after a position, in the order of the log, with or without a filter. */
export async function subscribeToAll(call: SubscriptionCall): Promise<void> {
  const filter = call.options.getFilter();
  await new AllSubscription(call, filter === undefined ? undefined : parseFilter(filter)).run();
}

/**
 * First it catches up, page by page; then it is live, and the client is told so. A client that does not take what it is sent
 * falls back to catching up. With a filter it says now and then how far it has looked, also where nothing matches, in the
 * places in which version 24.2 does.
 */
class AllSubscription {
  readonly #view: LogView;
  readonly #outlet: SubscriptionOutlet;
  readonly #filter: EventFilter | undefined;
  readonly #call: SubscriptionCall;
  /** Where live events are counted from, for checkpoints. */
  readonly #subscribedAt: number;
  /** Where the client is: the last event or checkpoint that it was sent. */
  #checkpoint: LogPosition;
  #lastSent: LogPosition | undefined;

  constructor(call: SubscriptionCall, filter: EventFilter | undefined) {
    const { context, options, outlet } = call;
    this.#call = call;
    this.#view = context.view;
    this.#outlet = outlet;
    this.#filter = filter;
    this.#subscribedAt = this.#view.length;
    const last = this.#view.at(this.#view.length - 1);
    const end = last === undefined ? NOWHERE : positionOf(last);
    const all = options.getAll();
    const from = all?.hasStart() ? NOWHERE : all?.hasEnd() ? end : logPosition(all?.getPosition());
    this.#checkpoint = from.commit === Infinity ? end : from;
  }

  async run(): Promise<void> {
    if (this.#view.indexAfter(this.#checkpoint) >= this.#view.length) await this.#goLive();
    while (!this.#outlet.closed) {
      await this.#catchUp();
      await this.#goLive();
    }
  }

  async #catchUp(): Promise<void> {
    if (!this.#view.isBoundary({ ...this.#checkpoint, commit: Math.max(0, this.#checkpoint.commit) })) {
      throw invalidPosition();
    }
    let lookedAt = 0;
    let pageStart: LogPosition = this.#checkpoint.commit < 0 ? { commit: 0, prepare: 0 } : this.#checkpoint;
    // Inclusive, as pages of reads are: the event at the checkpoint is passed over below.
    let index = this.#view.indexAtOrAfter(this.#checkpoint);
    while (!this.#outlet.closed) {
      const page = this.#page(index);
      for (const event of page.matching) {
        if (comparePositions(positionOf(event), this.#checkpoint) <= 0) continue;
        await this.#outlet.sendEvent(event);
        this.#checkpoint = positionOf(event);
      }
      lookedAt += page.end - index;
      if (page.isLast) {
        await this.#sendCheckpoint(this.#checkpoint);
        return;
      }
      if (this.#filter !== undefined && lookedAt >= this.#filter.checkpointInterval) {
        lookedAt %= this.#filter.checkpointInterval;
        if (comparePositions(this.#checkpoint, pageStart) < 0) this.#checkpoint = pageStart;
        await this.#sendCheckpoint(this.#checkpoint);
      }
      index = page.end;
      // The next page starts where this one's last record ends: no event of the log need have that position.
      pageStart = { commit: this.#view.at(index - 1)?.endPosition ?? 0, prepare: 0 };
    }
  }

  /** Up to a page of events that match, or a window of events that were looked at. */
  #page(start: number): { readonly matching: readonly LogEvent[]; readonly end: number; readonly isLast: boolean } {
    const matching: LogEvent[] = [];
    const window = this.#filter?.window ?? DEFAULT_WINDOW;
    let index = start;
    for (; matching.length < DEFAULT_WINDOW && index - start < window; index += 1) {
      const event = this.#view.at(index);
      if (event === undefined) return { matching, end: index, isLast: true };
      if (this.#filter?.matches(event) ?? true) matching.push(event);
    }
    return { matching, end: index, isLast: false };
  }

  /** @returns when the client has fallen behind, or is gone */
  async #goLive(): Promise<void> {
    await this.#outlet.sendCaughtUp();
    let index = this.#view.indexAfter(this.#checkpoint);
    while (!this.#outlet.closed) {
      const event = this.#view.at(index);
      if (event === undefined) {
        await this.#outlet.nextChange();
        this.#call.stillAllowed();
      } else if (this.#view.length - index > LIVE_ROOM) {
        if (this.#call.context.dropsSlowConsumers) throw consumerTooSlow();
        await this.#sendCheckpoint(this.#checkpoint);
        return;
      } else {
        await this.#sendLive(event);
        index += 1;
      }
    }
  }

  async #sendLive(event: LogEvent): Promise<void> {
    const position = positionOf(event);
    if (this.#filter?.matches(event) ?? true) {
      await this.#outlet.sendEvent(event);
      this.#checkpoint = position;
    }
    const { checkpointInterval } = this.#filter ?? { checkpointInterval: Infinity };
    if (event.index < this.#subscribedAt || (event.index - this.#subscribedAt + 1) % checkpointInterval !== 0) return;
    await this.#sendCheckpoint(position);
    this.#checkpoint = position;
  }

  /**
   * A checkpoint is sent once, and none that goes back. Version 24.2.0 has a fault that clients must live with: when nothing
   * has matched in a log that is shorter than the interval, "nowhere yet" goes out as the largest position of all, and no
   * checkpoint after it, since none is larger.
   */
  async #sendCheckpoint(checkpoint: LogPosition): Promise<void> {
    if (this.#filter === undefined) return;
    const position = checkpoint.commit < 0 ? { commit: Infinity, prepare: Infinity } : checkpoint;
    if (this.#lastSent !== undefined && comparePositions(position, this.#lastSent) <= 0) return;
    this.#lastSent = position;
    await this.#outlet.send(checkpointResponse(position));
  }
}
