import { type Grpc, type Streams } from '../wire/protocol.ts';

type ReadCall = Grpc.ServerWritableStream<Streams.ReadReq, Streams.ReadResp>;

/** Where a read's answers go, no faster than the client takes them. */
export class Outlet {
  readonly #call: ReadCall;
  readonly #wakers = new Set<() => void>();
  #closed = false;

  constructor(call: ReadCall) {
    this.#call = call;
    const close = (): void => {
      this.#closed = true;
      this.wake();
    };
    call.on('cancelled', close);
    call.on('close', close);
    call.on('error', close);
    call.on('drain', () => this.wake());
  }

  /** The client has gone, or the call has ended. */
  get closed(): boolean {
    return this.#closed;
  }

  /** @returns a promise only when the client has to catch up first; it is kept when the call closes, too */
  send(response: Streams.ReadResp): Promise<void> | undefined {
    if (this.#closed || this.#call.write(response)) return undefined;
    return this.#untilWoken(() => !this.#call.writableNeedDrain);
  }

  /** Waits until something may have changed: an append, room for more, the end of the call. */
  async nextChange(): Promise<void> {
    if (this.#closed) return;
    await new Promise<void>((resolve) => this.#wakers.add(resolve));
  }

  wake(): void {
    const wakers = [...this.#wakers];
    this.#wakers.clear();
    for (const waker of wakers) waker();
  }

  end(): void {
    if (!this.#closed) this.#call.end();
  }

  /** Ends the call with the error's status, after what was sent. */
  fail(error: Error): void {
    if (!this.#closed) this.#call.emit('error', error);
  }

  async #untilWoken(isDone: () => boolean): Promise<void> {
    while (!this.#closed && !isDone()) await this.nextChange();
  }
}
