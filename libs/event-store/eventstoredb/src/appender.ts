import { type Appended, type EncodedAppend, StoreError } from '#event-store';
import type { Bound, Position } from '#kernel';
import type streams from '@eventstore/db-client/generated/streams_pb.js';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Batch } from './batch.ts';
import { CallTimeout, within } from './call-timeout.ts';
import type { ClientInUse } from './client-in-use.ts';
import type { StreamsConnection } from './client.ts';
import { isSame, type OutgoingEvent, toWire } from './event-codec.ts';
import { type Failure, failureOfAppend, failureOfCall, wrongRevision } from './failures.ts';
import type { OwnStreams } from './own-streams.ts';
import { positionAt } from './places.ts';
import type { Reads } from './reads.ts';
import { batchAppend } from './requests.ts';

/** Most that the server takes in one append (24.x): data, metadata, and the type in two bytes a character. */
const SERVER_MAX_APPEND_BYTES = 1_048_576;
const MAX_WAITING = 10_000;
const MAX_WAITING_BYTES = 67_108_864;
/** Ids of appends whose outcome nobody knows yet, so that their repetition is looked at closely. */
const MAX_DOUBTFUL = 10_000;
/** A try that is not answered leaves time for another one. */
const TRIES_A_CALL = 2;
const FIRST_PAUSE_MS = 10;
const MAX_PAUSE_MS = 250;

/** An append on its way. */
export interface Outgoing {
  readonly append: EncodedAppend;
  /** The stream as the server calls it. */
  readonly stream: string;
  readonly events: readonly OutgoingEvent[];
}

interface Stored {
  readonly lastRevision: number;
  readonly position: Position | undefined;
}

export type Attempt = { readonly stored: Stored } | { readonly failure: Failure };

/** Appends, sends again what may have been lost, and gives back the places of what was stored. */
export class Appender {
  readonly #clients: ClientInUse;
  readonly #reads: Reads;
  readonly #own: OwnStreams;
  readonly #timeoutMs: number;
  readonly #batches = new WeakMap<StreamsConnection, Promise<Batch>>();
  readonly #doubtful = new Set<string>();
  readonly #underWay = new Set<Promise<unknown>>();
  #waitingBytes = 0;

  constructor(clients: ClientInUse, reads: Reads, own: OwnStreams, timeoutMs: number) {
    this.#clients = clients;
    this.#reads = reads;
    this.#own = own;
    this.#timeoutMs = timeoutMs;
  }

  readonly bounds: readonly Bound[] = [
    { what: 'appends-waiting', most: MAX_WAITING, inUse: () => this.#underWay.size },
    { what: 'append-bytes-waiting', most: MAX_WAITING_BYTES, inUse: () => this.#waitingBytes },
  ];

  async append(append: EncodedAppend): Promise<Appended> {
    const outgoing = prepare(append, this.#own);
    const { sizeBytes } = append;
    if (this.#underWay.size >= MAX_WAITING || this.#waitingBytes + sizeBytes > MAX_WAITING_BYTES) {
      throw new StoreError('store-unavailable', 'too many appends wait for the event store');
    }
    this.#waitingBytes += sizeBytes;
    const work = this.#run(outgoing);
    this.#underWay.add(work);
    try {
      return await work;
    } finally {
      this.#underWay.delete(work);
      this.#waitingBytes -= sizeBytes;
    }
  }

  /** Waits for what is under way. */
  async idle(): Promise<void> {
    await Promise.allSettled(this.#underWay);
  }

  /**
   * Whether this user may append, found out by an append that can store nothing: no stream is ever at such a revision.
   * @returns why not
   */
  async checkAccess(timeoutMs: number): Promise<Failure | undefined> {
    const append = { stream: '', expected: Number.MAX_SAFE_INTEGER - 1, events: [], sizeBytes: 0 };
    const nothing = Buffer.from('{}');
    const event: OutgoingEvent = { id: randomUUID(), type: 'access-check', data: nothing, metadata: nothing };
    const attempt = await this.#send({ append, stream: this.#own.neverUsed, events: [event] }, timeoutMs);
    return 'failure' in attempt && attempt.failure.kind !== 'wrong-revision' ? attempt.failure : undefined;
  }

  async #run(outgoing: Outgoing): Promise<Appended> {
    const first = outgoing.events[0]?.id ?? '';
    const highest = this.#reads.highest;
    const wasDoubtful = this.#doubtful.has(first);
    try {
      const { stored, resent } = await this.#store(outgoing);
      const doubt = resent || wasDoubtful || !isAbove(stored.position, highest);
      const appended = await this.#placesOf(outgoing, stored, doubt);
      this.#doubtful.delete(first);
      return appended;
    } catch (error) {
      if (error instanceof StoreError && error.code === 'outcome-unknown') this.#remember(first);
      throw error;
    }
  }

  #remember(id: string): void {
    this.#doubtful.add(id);
    const [oldest] = this.#doubtful;
    if (this.#doubtful.size > MAX_DOUBTFUL && oldest !== undefined) this.#doubtful.delete(oldest);
  }

  /** Sends the same bytes until there is an answer that says what became of them, or the time is over. */
  async #store(outgoing: Outgoing): Promise<{ readonly stored: Stored; readonly resent: boolean }> {
    const { append } = outgoing;
    const deadline = performance.now() + this.#timeoutMs;
    let maybeStored = false;
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, MAX_PAUSE_MS)) {
      const leftMs = Math.max(1, deadline - performance.now());
      const attempt = await this.#send(outgoing, Math.min(leftMs, this.#timeoutMs / TRIES_A_CALL));
      if ('stored' in attempt) return { stored: attempt.stored, resent: maybeStored };
      const { failure } = attempt;
      if (failure.kind === 'wrong-revision') throw wrongRevision(append.stream, append.expected, failure.actual);
      if (failure.kind === 'too-large') throw tooLarge(append.sizeBytes);
      if (failure.kind === 'transient') maybeStored ||= !failure.unsent;
      if (failure.kind === 'refused' || !(await pausedInTime(pauseMs, deadline))) {
        throw new StoreError(
          maybeStored ? 'outcome-unknown' : 'store-unavailable',
          `append to ${append.stream}: ${failure.message}`,
        );
      }
    }
  }

  /** One try: never throws. */
  async #send({ append, stream, events }: Outgoing, timeoutMs: number): Promise<Attempt> {
    const client = this.#clients.current;
    const startedAt = performance.now();
    let batch: Batch;
    try {
      batch = await within(this.#batchOf(client), timeoutMs);
    } catch (error) {
      if (error instanceof CallTimeout) this.#clients.replace(client);
      const failure = failureOfCall(error);
      return { failure: failure.kind === 'transient' ? { ...failure, unsent: true } : failure };
    }
    try {
      const id = randomUUID();
      const leftMs = Math.max(1, timeoutMs - (performance.now() - startedAt));
      const answer = await batch.send(id, batchAppend(id, stream, append, events), leftMs);
      return attemptOf(answer);
    } catch (error) {
      if (error instanceof CallTimeout) this.#clients.replace(client);
      const failure = failureOfCall(error);
      const ofOthers = failure.kind === 'refused' && batch.answered;
      return { failure: ofOthers ? { kind: 'transient', unsent: false, message: failure.message } : failure };
    }
  }

  /** The call that carries the client's appends; another one once it ended. */
  async #batchOf(client: StreamsConnection): Promise<Batch> {
    const known = this.#batches.get(client);
    if (known !== undefined && !(await known).ended) return known;
    if (this.#batches.get(client) === known) {
      const opening = client.batchAppend().then((call) => new Batch(call));
      this.#batches.set(client, opening);
      opening.catch(() => {
        if (this.#batches.get(client) === opening) this.#batches.delete(client);
      });
    }
    return this.#batchOf(client);
  }

  /** The server tells the place of the last event only, and of a repetition perhaps not even that: then it is read. */
  async #placesOf({ append, stream, events }: Outgoing, stored: Stored, doubt: boolean): Promise<Appended> {
    const firstRevision = append.expected + 1;
    const lastRevision = append.expected + events.length;
    if (stored.lastRevision !== lastRevision) {
      throw new Error(`${append.stream} was cut or deleted on the server: it goes on at ${stored.lastRevision}`);
    }
    if (!doubt && events.length === 1 && stored.position !== undefined) {
      this.#reads.note(stored.position);
      return { firstRevision, lastRevision, positions: [stored.position] };
    }
    const found = await this.#reads.wireEvents(stream, firstRevision, events.length).catch((error: unknown) => {
      // It is stored; where, will be known when it is sent again.
      throw new StoreError('outcome-unknown', `append to ${append.stream}: ${String(error)}`);
    });
    const positions = found.map((event, index) => {
      const sent = events[index];
      if (sent === undefined || !isSame(event, sent)) {
        throw new StoreError(
          'duplicate-event-id',
          `an event of ${append.stream} has an id of this append, and other content`,
        );
      }
      return positionAt(event.getCommitPosition(), event.getPreparePosition());
    });
    const known = positions.filter((position) => position !== undefined);
    if (known.length < events.length) throw new Error(`events of ${append.stream} that were stored can't be read`);
    for (const position of known) this.#reads.note(position);
    return { firstRevision, lastRevision, positions: known };
  }
}

/**
 * Fixes what is sent.
 * @throws StoreError `duplicate-event-id` or `append-too-large`; RangeError or TypeError for what this store can't have
 */
export function prepare(append: EncodedAppend, own: OwnStreams): Outgoing {
  const stream = own.toServer(append.stream);
  const events = append.events.map(toWire);
  if (new Set(events.map(({ id }) => id)).size < events.length) {
    throw new StoreError('duplicate-event-id', `an id stands twice in an append to ${append.stream}`);
  }
  const serverBytes = events.reduce(
    (sum, { data, metadata, type }) => sum + data.length + metadata.length + 2 * type.length,
    0,
  );
  if (serverBytes > SERVER_MAX_APPEND_BYTES) throw tooLarge(serverBytes);
  return { append, stream, events };
}

export function attemptOf(answer: streams.BatchAppendResp): Attempt {
  const error = answer.getError();
  if (error !== undefined) return { failure: failureOfAppend(error) };
  const success = answer.getSuccess();
  const position = success?.getPosition();
  return {
    stored: {
      lastRevision: Number(success?.getCurrentRevision()),
      position: position && positionAt(position.getCommitPosition(), position.getPreparePosition()),
    },
  };
}

/** Waits. @returns false when there is no time left for another try, as where the process stood still meanwhile */
async function pausedInTime(pauseMs: number, deadline: number): Promise<boolean> {
  if (performance.now() + pauseMs >= deadline) return false;
  await sleep(pauseMs);
  return performance.now() < deadline;
}

function isAbove(position: Position | undefined, highest: Position | undefined): boolean {
  return position !== undefined && position > (highest ?? '');
}

export function tooLarge(sizeBytes: number): StoreError {
  return new StoreError('append-too-large', `the event store takes no append of ${sizeBytes} bytes`);
}
