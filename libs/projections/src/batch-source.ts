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
  #wake: (() => void) | undefined;
  #closed = false;

  constructor(reader: EventReader, after: Position | undefined, capacity: number) {
    this.#reader = reader;
    this.#after = after;
    this.#capacity = capacity;
  }

  /**
   * Waits for the next events.
   * @returns 1 to `capacity` of them in the log's order, or none when the source was closed
   * @throws whatever ended the subscription, after all that came before it was taken
   */
  async next(): Promise<readonly RecordedEvent[]> {
    while (!this.#closed) {
      if (this.#buffer.length > 0) return this.#takeAll();
      if (this.#ended !== undefined) throw this.#ended.error;
      const woken = new Promise<void>((resolve) => (this.#wake = resolve));
      this.#subscribe();
      if (this.#buffer.length === 0) await woken;
    }
    return [];
  }

  /** Lets go of the subscription; a `next` that waits answers with none. */
  close(): void {
    this.#closed = true;
    this.#subscription?.unsubscribe();
    this.#wakeUp();
  }

  #takeAll(): readonly RecordedEvent[] {
    const batch = this.#buffer;
    this.#buffer = [];
    return batch;
  }

  #subscribe(): void {
    if (this.#subscription !== undefined && !this.#subscription.closed) return;
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

  #wakeUp(): void {
    this.#wake?.();
    this.#wake = undefined;
  }
}
