import { StoreError, type SubscribeAllOptions } from '#event-store';
import type { Position, RecordedEvent } from '#kernel';
import type streams from '@eventstore/db-client/generated/streams_pb.js';
import type { Subscriber } from 'rxjs';
import type { ClientInUse } from './client-in-use.ts';
import type { ReadCall } from './client.ts';
import { fromWire, streamNameOf } from './event-codec.ts';
import { failureOfCall } from './failures.ts';
import { matches, type OwnStreams, type ServerFilter } from './own-streams.ts';
import { placeOf, positionAt } from './places.ts';
import { subscription as subscriptionTo } from './requests.ts';

const FIRST_PAUSE_MS = 20;
const MAX_PAUSE_MS = 2_000;

/** A subscription that goes on where it was cut, for as long as somebody listens. */
export class Following {
  readonly #clients: ClientInUse;
  readonly #own: OwnStreams;
  readonly #options: SubscribeAllOptions;
  readonly #subscriber: Subscriber<RecordedEvent>;
  /** All up to here was delivered, or does not match. */
  #after: Position | undefined;
  #call: ReadCall | undefined;
  #pauseMs = FIRST_PAUSE_MS;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  /** @throws RangeError for a position that is none */
  constructor(
    clients: ClientInUse,
    own: OwnStreams,
    options: SubscribeAllOptions,
    subscriber: Subscriber<RecordedEvent>,
  ) {
    if (options.after !== undefined) placeOf(options.after);
    this.#clients = clients;
    this.#own = own;
    this.#options = options;
    this.#subscriber = subscriber;
    this.#after = options.after;
    const filter = own.serverFilter(options.filter);
    // Where nothing can match nothing ever comes; it ends when the store does.
    if (filter !== undefined) void this.#connect(filter);
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#call?.cancel();
  }

  async #connect(filter: ServerFilter): Promise<void> {
    let call: ReadCall;
    try {
      call = await this.#clients.current.read(subscriptionTo(this.#after, filter));
    } catch (error) {
      this.#cut(error, filter);
      return;
    }
    let isOver = false;
    const end = (error: unknown): void => {
      if (isOver) return;
      isOver = true;
      call.cancel();
      this.#cut(error, filter);
    };
    call.on('data', (message: streams.ReadResp) => {
      if (isOver || this.#stopped) return;
      try {
        this.#take(message);
      } catch (error) {
        isOver = true;
        call.cancel();
        this.#subscriber.error(error);
      }
    });
    call.on('error', end);
    call.on('end', () => end(new Error('the server ended the subscription')));
    this.#call = call;
    if (this.#isStopped()) call.cancel();
  }

  /** Events come one by one, each delivered before the next is taken: whoever is slow holds up the connection. */
  #take(message: streams.ReadResp): void {
    const event = message.getEvent()?.getEvent();
    if (event !== undefined) {
      const stream = this.#own.fromServer(streamNameOf(event));
      const recorded = fromWire(event, stream ?? '');
      if (recorded.position <= (this.#after ?? '')) return;
      this.#after = recorded.position;
      if (stream !== undefined && matches(recorded, this.#options.filter)) this.#subscriber.next(recorded);
      this.#pauseMs = FIRST_PAUSE_MS;
      return;
    }
    const checkpoint = message.getCheckpoint();
    const position = checkpoint && positionAt(checkpoint.getCommitPosition(), checkpoint.getPreparePosition());
    if (position === undefined || position <= (this.#after ?? '')) return;
    this.#after = position;
    this.#pauseMs = FIRST_PAUSE_MS;
    this.#options.scanned?.(position);
  }

  #cut(error: unknown, filter: ServerFilter): void {
    if (this.#stopped) return;
    const failure = failureOfCall(error);
    if (failure.kind === 'refused') {
      this.#subscriber.error(new StoreError('store-unavailable', `subscription: ${failure.message}`));
      return;
    }
    const pauseMs = this.#pauseMs;
    this.#pauseMs = Math.min(2 * pauseMs, MAX_PAUSE_MS);
    this.#timer = setTimeout(() => void this.#connect(filter), pauseMs);
  }

  /** The compiler takes a member for unchanged by what was awaited. */
  #isStopped(): boolean {
    return this.#stopped;
  }
}
