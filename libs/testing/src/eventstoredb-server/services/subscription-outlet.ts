import { type LogEvent } from '../log/log-event.ts';
import { type FaultKind, type SubscriptionEnd } from '../options.ts';
import { cancelledByServer, consumerTooSlow } from '../wire/errors.ts';
import { eventResponse } from '../wire/messages.ts';
import { streams, type Streams } from '../wire/protocol.ts';
import { type OpenSubscription, type ServiceContext } from './context.ts';
import { type Outlet } from './outlet.ts';

/** So many events may wait for a client that is live: a real server has room for as many before and behind its queue. */
export const LIVE_ROOM = 64;

/** What a subscription is served with. */
export interface SubscriptionCall {
  readonly context: ServiceContext;
  readonly options: Streams.ReadReq.Options;
  /** `$all` for all events. */
  readonly stream: string;
  readonly outlet: SubscriptionOutlet;
  /** @throws CallError when an ACL that was set meanwhile has taken the caller's right */
  readonly stillAllowed: () => void;
}

/** Where a subscription's answers go, until it is dropped. */
export class SubscriptionOutlet implements OpenSubscription {
  readonly #outlet: Outlet;
  readonly #dropConnection: () => void;
  readonly #end: Extract<FaultKind, { kind: 'drop-subscription' }> | undefined;
  #sentEvents = 0;

  constructor(
    outlet: Outlet,
    dropConnection: () => void,
    end: Extract<FaultKind, { kind: 'drop-subscription' }> | undefined,
  ) {
    this.#outlet = outlet;
    this.#dropConnection = dropConnection;
    this.#end = end;
  }

  get closed(): boolean {
    return this.#outlet.closed;
  }

  async send(response: Streams.ReadResp): Promise<void> {
    await this.#outlet.send(response);
  }

  async sendEvent(event: LogEvent): Promise<void> {
    if (this.closed) return;
    const full = this.#outlet.send(eventResponse(event));
    this.#sentEvents += 1;
    this.dropIfDue();
    if (full !== undefined) await full;
  }

  /** From here on the client has all there is, and is told what comes. */
  async sendCaughtUp(): Promise<void> {
    await this.send(new streams.ReadResp().setCaughtUp(new streams.ReadResp.CaughtUp()));
  }

  async nextChange(): Promise<void> {
    await this.#outlet.nextChange();
  }

  /** When a test asked for it after so many events as were sent. */
  dropIfDue(): void {
    if (this.#end !== undefined && this.#sentEvents >= this.#end.afterEvents) this.drop(this.#end.as);
  }

  drop(as: SubscriptionEnd): void {
    if (as === 'connection-dropped') this.#dropConnection();
    else this.#outlet.fail(as === 'cancelled' ? cancelledByServer() : consumerTooSlow());
  }
}
