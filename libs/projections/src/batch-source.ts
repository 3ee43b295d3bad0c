import type { EventReader } from '#event-store';
import type { Position, RecordedEvent } from '#kernel';
import { takeWhile, type Subscription } from 'rxjs';

/**
 * Batches from a subscription that pushes. Holds at most `capacity` events: when it is full it unsubscribes, and subscribes
 * again after the last of them when all were taken.
 */
export class BatchSource {
  readonly #reader: EventReader;
  readonly #capacity: number;
  #after: Position | undefined;
  #buffer: RecordedEvent[] = [];
  #subscription: Subscription | undefined;
  #ended: { readonly error: unknown } | undefined;
  #closed = false;
  /** The one who waits, and for how many events. */
  #waiter: { readonly count: number; readonly wake: () => void } | undefined;

  constructor(reader: EventReader, after: Position | undefined, capacity: number) {
    this.#reader = reader;
    this.#after = after;
    this.#capacity = capacity;
  }

  /**
   * Waits for the next event, and after it up to `lingerMs` for more to go with it.
   * @returns 1 to `capacity` events in the log's order, or none when the source was closed
   * @throws whatever ended the subscription, after all that came before it was taken
   */
  async next(lingerMs: number): Promise<readonly RecordedEvent[]> {
    this.#subscribe();
    await this.#wait(1);
    if (lingerMs > 0) await this.#wait(this.#capacity, lingerMs);
    if (this.#closed) return [];
    if (this.#buffer.length === 0 && this.#ended !== undefined) throw this.#ended.error;
    const batch = this.#buffer;
    this.#buffer = [];
    return batch;
  }

  /** Lets go of the subscription; a `next` that waits answers with none. */
  close(): void {
    this.#closed = true;
    this.#subscription?.unsubscribe();
    this.#wakeUp();
  }

  /** Until so many events are there, the time has passed, or nothing more will come. */
  async #wait(count: number, timeoutMs?: number): Promise<void> {
    if (this.#satisfies(count)) return;
    await new Promise<void>((resolve) => {
      const timer = timeoutMs === undefined ? undefined : setTimeout(resolve, timeoutMs);
      const wake = (): void => {
        clearTimeout(timer);
        resolve();
      };
      this.#waiter = { count, wake };
    });
    this.#waiter = undefined;
  }

  #satisfies(count: number): boolean {
    return this.#closed || this.#ended !== undefined || this.#buffer.length >= count;
  }

  #wakeUp(): void {
    if (this.#waiter !== undefined && this.#satisfies(this.#waiter.count)) this.#waiter.wake();
  }

  #subscribe(): void {
    if (this.#closed || (this.#subscription !== undefined && !this.#subscription.closed)) return;
    // Inclusive: the event that fills the buffer is kept, then the subscription ends.
    const untilFull = takeWhile<RecordedEvent>(() => this.#buffer.length + 1 < this.#capacity, true);
    this.#subscription = this.#reader
      .subscribeAll({ after: this.#after })
      .pipe(untilFull)
      .subscribe({
        next: (event) => {
          this.#buffer.push(event);
          this.#after = event.position;
          this.#wakeUp();
        },
        error: (error: unknown) => {
          this.#ended = { error };
          this.#wakeUp();
        },
        complete: () => {
          if (this.#buffer.length < this.#capacity) this.#ended = { error: new Error('the subscription ended') };
          this.#wakeUp();
        },
      });
  }
}
