import { type EventFilter, type ReadAllOptions, type ReadAllPage, StoreError, type StreamRange } from '#event-store';
import type { Bound, Position, RecordedEvent } from '#kernel';
import type streams from '@eventstore/db-client/generated/streams_pb.js';
import { setTimeout as sleep } from 'node:timers/promises';
import { CallTimeout } from './call-timeout.ts';
import type { ClientInUse } from './client-in-use.ts';
import { deletionMark, fromWire, streamNameOf, type WireEvent } from './event-codec.ts';
import { failureOfCall } from './failures.ts';
import { matches, type OwnStreams, type ServerFilter } from './own-streams.ts';
import { placeOf } from './places.ts';
import { type Patience, readToEnd } from './read-call.ts';
import { readOfAll, readOfStream } from './requests.ts';
import { Turns } from './turns.ts';

/** Reads at once: a server lets a connection have 100 calls, and subscriptions and appends need some. */
const READS_AT_ONCE = 64;
const MAX_WAITING = 10_000;
/** A try that is not answered leaves time for another one. */
const TRIES_A_CALL = 2;
/**
 * A server that searches says nothing until it finds something, however long that takes, so whether it is there is asked
 * beside, in the middle of a try. It looks through 65,000 events a second or more: that is for a log of 200 million.
 */
const QUESTIONS_A_TRY = 2;
const MAX_SEARCH_MS = 60 * 60_000;
/** What is found within this time is near: it need not be known what is behind it. */
const NEAR_MS = 50;
/** Events of a page of those that came since. */
const PAGE = 500;
const FIRST_PAUSE_MS = 10;
const MAX_PAUSE_MS = 250;
/** Events asked for beyond those that are wanted, once that was too few; and the most. */
const FIRST_SPARE = 50;
const MAX_SPARE = 2_000;
/** The last revision that can be asked for by number; what is beyond is read from the end. */
const LAST = Number.MAX_SAFE_INTEGER;

/** What is asked for, and how many events at most. */
interface Read {
  readonly request: streams.ReadReq;
  readonly count: number;
  /** Whether the server looks for what matches a filter. */
  readonly searches?: boolean;
}

/**
 * How far this process knows what there is: nothing of ours stands behind `head` up to `upTo`, which may be the place of a
 * stranger's event. It spares looking through those again and again.
 */
interface Looked {
  readonly head: Position | undefined;
  readonly upTo: Position;
}

/** Whoever reads at places in a stream that was deleted for good is told so. */
class StreamDeleted extends StoreError {
  constructor(message: string) {
    super('store-unavailable', `read: ${message}`);
  }
}

/** Reads, from the leader, and tries again what failed while there is time. */
export class Reads {
  readonly #clients: ClientInUse;
  readonly #own: OwnStreams;
  readonly #timeoutMs: number;
  readonly #turns = new Turns(READS_AT_ONCE, MAX_WAITING);
  #highest: Position | undefined;
  #looked: Looked | undefined;
  /** The question that is under way. */
  #asked: Promise<unknown> | undefined;

  constructor(clients: ClientInUse, own: OwnStreams, timeoutMs: number) {
    this.#clients = clients;
    this.#own = own;
    this.#timeoutMs = timeoutMs;
  }

  readonly bounds: readonly Bound[] = [{ what: 'reads-waiting', most: MAX_WAITING, inUse: () => this.#turns.waiting }];

  /** The highest position that this process has seen of the log: what is appended from now on stands behind it. */
  get highest(): Position | undefined {
    return this.#highest;
  }

  note(position: Position): void {
    if (position > (this.#highest ?? '')) this.#highest = position;
  }

  async stream(stream: string, { from, to, backwards, limit }: StreamRange): Promise<readonly RecordedEvent[]> {
    const name = this.#own.toServer(stream);
    const span = backwards ? from - to + 1 : to - from + 1;
    const count = Math.min(limit, span);
    if (count <= 0) return [];
    const start = backwards && from === LAST ? 'end' : BigInt(from);
    const request = readOfStream(name, { from: start, backwards, count });
    const events = await this.#collect({ request, count }, (event) => this.#decode(event, stream)).catch(
      (error: unknown) => (error instanceof StreamDeleted ? [deletionMark(stream)] : Promise.reject(error as Error)),
    );
    const [low, high] = backwards ? [to, from] : [from, to];
    return events.filter(({ revision }) => revision >= low && revision <= high);
  }

  /** Events as the server has them. @param stream as the server calls it */
  wireEvents(stream: string, from: number, count: number): Promise<readonly WireEvent[]> {
    const request = readOfStream(stream, { from: BigInt(from), backwards: false, count });
    return this.#collect({ request, count }, (event) => event);
  }

  async all({ after, filter, limit }: ReadAllOptions): Promise<ReadAllPage> {
    if (!Number.isSafeInteger(limit) || limit < 1) throw new RangeError('the limit of a page is a whole number from 1');
    if (after !== undefined) placeOf(after);
    // Before the page, so that all up to it was looked at.
    const narrow = filter?.types !== undefined || filter?.streamPrefixes !== undefined;
    const head = narrow ? await this.head() : undefined;
    const serverFilter = this.#own.serverFilter(filter);
    const found =
      serverFilter === undefined ? [] : await this.#page(this.#startAfter(after), serverFilter, filter, limit + 1);
    const events = found.slice(0, limit);
    const last = events.at(-1)?.position;
    if (found.length > limit) return { events, scannedTo: last, atEnd: false };
    return { events, scannedTo: laterOf(laterOf(after, last), head), atEnd: true };
  }

  /** The place of the last event of ours. */
  async head(): Promise<Position | undefined> {
    const filter = this.#own.serverFilter();
    if (filter === undefined) return undefined;
    const near = await this.#lastNear(filter);
    if (near !== undefined) return this.#note(near.position, near.position);
    const known = this.#looked;
    // Before the search, so that all up to it was looked at.
    const end = await this.#collect(lastOfAll(), (event) => fromWire(event, '').position);
    const upTo = end[0];
    if (upTo === undefined) return undefined;
    if (known !== undefined && known.upTo <= upTo) {
      return this.#note((await this.#lastAfter(known.upTo, filter)) ?? known.head, upTo);
    }
    const search = { ...lastMatching(filter), searches: true };
    const [last] = await this.#collect(search, (event) => this.#decodeOwn(event));
    return this.#note(last?.position, upTo);
  }

  /** The last event of ours, or that there is none, if the server says so at once: otherwise undefined. */
  async #lastNear(filter: ServerFilter): Promise<{ readonly position: Position | undefined } | undefined> {
    let position: Position | undefined;
    const whenIdle = (): Promise<void> => Promise.reject(new Error('nothing is near'));
    try {
      await this.#turns.run(() =>
        this.#readOnce(lastMatching(filter), { idleMs: NEAR_MS, whenIdle }, (event) => {
          position = this.#decodeOwn(event)?.position;
        }),
      );
      return { position };
    } catch {
      // Whatever it was: it is asked for again, with patience.
      return undefined;
    }
  }

  async #lastAfter(from: Position, filter: ServerFilter): Promise<Position | undefined> {
    let last: Position | undefined;
    for (let start = from; ; start = last ?? start) {
      const page = await this.#page(start, filter, undefined, PAGE);
      last = page.at(-1)?.position ?? last;
      if (page.length < PAGE) return last;
    }
  }

  #note(head: Position | undefined, upTo: Position | undefined): Position | undefined {
    const looked = laterOf(head, upTo);
    this.#looked = looked === undefined ? undefined : { head, upTo: looked };
    return head;
  }

  /** Where to look for what stands behind a place of ours. */
  #startAfter(after: Position | undefined): Position | undefined {
    return this.#looked !== undefined && this.#looked.head === after ? this.#looked.upTo : after;
  }

  /** One read that needs nothing but permission. @throws what the call threw; it is not tried again */
  async probe(timeoutMs: number): Promise<void> {
    await this.#ask(timeoutMs);
  }

  /** The first events after a place that match: the server's answers are looked through until there are enough. */
  async #page(
    after: Position | undefined,
    serverFilter: ServerFilter,
    filter: EventFilter | undefined,
    wanted: number,
  ): Promise<readonly RecordedEvent[]> {
    const found: RecordedEvent[] = [];
    let from = after;
    // More each time: what the server's filter lets through may be mostly of strangers.
    for (let spare = 0; ; spare = Math.min(2 * spare + FIRST_SPARE, MAX_SPARE)) {
      const missing = wanted - found.length;
      // A read begins with the event at its start, which was seen already.
      const count = missing + spare + (from === undefined ? 0 : 1);
      const places: Position[] = [];
      const request = readOfAll(from, { backwards: false, count, filter: serverFilter });
      const page = await this.#collect({ request, count, searches: true }, (event) => {
        const own = this.#decodeOwn(event);
        places.push(own?.position ?? fromWire(event, '').position);
        return own;
      });
      const start = from ?? '';
      found.push(...page.filter((event) => event.position > start && matches(event, filter)).slice(0, missing));
      if (places.length < count || found.length >= wanted) return found;
      from = places.at(-1) ?? from;
    }
  }

  /** @returns undefined for an event of a stranger's stream */
  #decodeOwn(event: WireEvent): RecordedEvent | undefined {
    const stream = this.#own.fromServer(streamNameOf(event));
    return stream === undefined ? undefined : this.#decode(event, stream);
  }

  #decode(event: WireEvent, stream: string): RecordedEvent {
    const recorded = fromWire(event, stream);
    this.note(recorded.position);
    return recorded;
  }

  /** @throws StoreError `store-unavailable` when no try went well in time */
  #collect<Item>(read: Read, pick: (event: WireEvent) => Item | undefined): Promise<readonly Item[]> {
    return this.#turns.run(async () => {
      let deadline = performance.now() + this.#timeoutMs;
      const searchedUntil = performance.now() + MAX_SEARCH_MS;
      const whenIdle = async (timeoutMs: number): Promise<void> => {
        if (this.#clients.closed) throw new StoreError('store-unavailable', 'the store is closed');
        if (performance.now() > searchedUntil)
          throw new StoreError('store-unavailable', 'read: the search takes too long');
        await this.#stillThere(timeoutMs);
        deadline = performance.now() + this.#timeoutMs;
      };
      for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, MAX_PAUSE_MS)) {
        const items: Item[] = [];
        try {
          const leftMs = Math.max(1, deadline - performance.now());
          const tryMs = Math.min(leftMs, this.#timeoutMs / TRIES_A_CALL);
          const idleMs = read.searches === true ? tryMs / QUESTIONS_A_TRY : tryMs;
          const patience = { idleMs, ...(read.searches === true && { whenIdle: () => whenIdle(tryMs) }) };
          await this.#readOnce(read, patience, (event) => {
            const item = pick(event);
            if (item !== undefined) items.push(item);
          });
          return items;
        } catch (error) {
          if (error instanceof StoreError) throw error;
          if (this.#clients.closed) throw new StoreError('store-unavailable', 'the store is closed');
          const failure = failureOfCall(error);
          const isTransient = failure.kind === 'transient';
          if (failure.kind === 'refused' && failure.why === 'deleted') throw new StreamDeleted(failure.message);
          if (!isTransient || performance.now() + pauseMs >= deadline) {
            throw new StoreError('store-unavailable', `read: ${'message' in failure ? failure.message : failure.kind}`);
          }
        }
        await sleep(pauseMs);
      }
    });
  }

  /** One answer serves all who search. */
  async #stillThere(timeoutMs: number): Promise<void> {
    this.#asked ??= this.#ask(timeoutMs).finally(() => (this.#asked = undefined));
    await this.#asked;
  }

  /** For the last event of all, which is answered at once. */
  async #ask(timeoutMs: number): Promise<void> {
    await this.#readOnce(lastOfAll(), { idleMs: timeoutMs }, (event) => this.note(fromWire(event, '').position));
  }

  async #readOnce({ request, count }: Read, patience: Patience, take: (event: WireEvent) => void): Promise<void> {
    const client = this.#clients.current;
    let taken = 0;
    try {
      await readToEnd(client, request, patience, (message) => {
        const event = message.getEvent()?.getEvent();
        if (event === undefined) return false;
        take(event);
        taken += 1;
        return taken >= count;
      });
    } catch (error) {
      if (error instanceof CallTimeout) this.#clients.replace(client);
      throw error;
    }
  }
}

/** Answered at once, unless the server is not there. */
function lastOfAll(): Read {
  return { request: readOfAll(undefined, { backwards: true, count: 1 }), count: 1 };
}

function lastMatching(filter: ServerFilter): Read {
  return { request: readOfAll(undefined, { backwards: true, count: 1, filter }), count: 1 };
}

function laterOf(one: Position | undefined, other: Position | undefined): Position | undefined {
  return (one ?? '') > (other ?? '') ? one : other;
}
