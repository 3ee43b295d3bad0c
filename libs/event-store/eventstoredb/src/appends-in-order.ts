import {
  type EncodedAppend,
  encodeAppend,
  type EventToAppend,
  type ExpectedRevision,
  type OrderedAppends,
  StoreError,
} from '#event-store';
import { randomUUID } from 'node:crypto';
import { attemptOf, type Outgoing, prepare, tooLarge } from './appender.ts';
import { Batch } from './batch.ts';
import { CallTimeout, within } from './call-timeout.ts';
import type { ClientInUse } from './client-in-use.ts';
import { type Failure, failureOfCall, wrongRevision } from './failures.ts';
import type { OwnStreams } from './own-streams.ts';
import { batchAppend } from './requests.ts';

/**
 * Appends on one call of their own, which the server takes in one after the other, and nothing is sent twice. The first that
 * fails ends the call. What was sent behind it by then may be stored all the same where the server refuses one append and
 * takes the next: who relies on the order looks at what is stored.
 */
export class AppendsInOrder implements OrderedAppends {
  readonly #clients: ClientInUse;
  readonly #own: OwnStreams;
  readonly #timeoutMs: number;
  readonly #client: ClientInUse['current'];
  readonly #batch: Promise<Batch>;
  #failure: Error | undefined;

  constructor(clients: ClientInUse, own: OwnStreams, timeoutMs: number) {
    this.#clients = clients;
    this.#own = own;
    this.#timeoutMs = timeoutMs;
    this.#client = clients.current;
    this.#batch = within(
      this.#client.batchAppend().then((call) => new Batch(call)),
      timeoutMs,
    );
    // Whoever appends is told.
    this.#batch.catch(() => undefined);
  }

  async append(stream: string, expected: ExpectedRevision, events: readonly EventToAppend[]): Promise<void> {
    const [append, outgoing] = this.#prepare(stream, expected, events);
    try {
      await this.#send(append, outgoing);
    } catch (error) {
      throw this.#fail(error);
    }
  }

  end(): void {
    this.#fail(new StoreError('outcome-unknown', 'the appends in order were ended'));
    this.#cancel();
  }

  /** @throws what is wrong with it: nothing is sent after it, and what was sent before it goes on its way */
  #prepare(...asked: Parameters<OrderedAppends['append']>): readonly [EncodedAppend, Outgoing] {
    if (this.#failure !== undefined) throw this.#failure;
    try {
      const append = encodeAppend(...asked);
      return [append, prepare(append, this.#own)];
    } catch (error) {
      this.#failure = asError(error);
      throw error;
    }
  }

  async #send(append: EncodedAppend, { stream, events }: Outgoing): Promise<void> {
    const id = randomUUID();
    const request = batchAppend(id, stream, append, events);
    try {
      // They go on in the order in which they began to wait.
      const batch = await this.#batch;
      if (batch.ended) throw new Error('the server ended the call');
      const attempt = attemptOf(await batch.send(id, request, this.#timeoutMs));
      if ('failure' in attempt) throw storeErrorOf(attempt.failure, append);
      const { lastRevision } = attempt.stored;
      if (lastRevision !== append.expected + events.length) {
        throw new StoreError(
          'wrong-expected-revision',
          `${append.stream} goes on at ${lastRevision} on the server`,
          lastRevision,
        );
      }
    } catch (error) {
      if (error instanceof StoreError) throw error;
      if (error instanceof CallTimeout) this.#clients.replace(this.#client);
      throw storeErrorOf(failureOfCall(error), append);
    }
  }

  #fail(error: unknown): Error {
    if (this.#failure === undefined) {
      this.#failure = asError(error);
      this.#cancel();
    }
    return this.#failure;
  }

  #cancel(): void {
    this.#batch.then(
      (batch) => batch.cancel(),
      () => undefined,
    );
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

function storeErrorOf(failure: Failure, { stream, expected, sizeBytes }: EncodedAppend): StoreError {
  switch (failure.kind) {
    case 'wrong-revision':
      return wrongRevision(stream, expected, failure.actual);
    case 'too-large':
      return tooLarge(sizeBytes);
    case 'refused':
      return new StoreError('store-unavailable', `append to ${stream}: ${failure.message}`);
    case 'transient':
      return new StoreError('outcome-unknown', `append to ${stream}: ${failure.message}`);
  }
}
