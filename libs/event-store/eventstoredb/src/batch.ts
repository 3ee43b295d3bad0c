import type streams from '@eventstore/db-client/generated/streams_pb.js';
import { CallTimeout } from './call-timeout.ts';
import type { BatchCall } from './client.ts';
import { readUuid } from './event-codec.ts';

interface Waiting {
  readonly timer: NodeJS.Timeout;
  readonly resolve: (answer: streams.BatchAppendResp) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * One call of BatchAppend with the appends that wait for their answers on it. Its table is its own, so its end concerns no
 * other connection, and an answer that nobody waits for any more is let go.
 */
export class Batch {
  readonly #call: BatchCall;
  readonly #waiting = new Map<string, Waiting>();
  #ended = false;
  #answers = 0;

  constructor(call: BatchCall) {
    this.#call = call;
    call.on('data', (answer: streams.BatchAppendResp) => this.#settle(answer));
    call.on('error', (error: unknown) => this.#end(error));
    call.on('end', () => this.#end(new Error('the server ended the call')));
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Whether the server takes appends on this call: what ends it later is no refusal of those on it. */
  get answered(): boolean {
    return this.#answers > 0;
  }

  /**
   * Sends an append.
   * @returns its answer, good or bad
   * @throws what ended the call before there was one; CallTimeout when none came in time
   */
  send(correlationId: string, request: streams.BatchAppendReq, timeoutMs: number): Promise<streams.BatchAppendResp> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(correlationId);
        reject(new CallTimeout());
      }, timeoutMs);
      this.#waiting.set(correlationId, { resolve, reject, timer });
      this.#call.write(request);
    });
  }

  /** Ends the call: what the server has not taken in yet, it does not get. */
  cancel(): void {
    this.#end(new Error('the call was cancelled'));
    this.#call.cancel();
  }

  #settle(answer: streams.BatchAppendResp): void {
    this.#answers += 1;
    const id = readUuid(answer.getCorrelationId());
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return;
    this.#waiting.delete(id);
    clearTimeout(waiting.timer);
    waiting.resolve(answer);
  }

  #end(error: unknown): void {
    this.#ended = true;
    // Where the server ended the call in order, its other half would stay open, and the client would wait for it.
    this.#call.end();
    const all = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { reject, timer } of all) {
      clearTimeout(timer);
      reject(error);
    }
  }
}
