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
  /** Wakes the one who waits, if anybody does. */
  #wakeUp: () => void = () => undefined;

  constructor(reader: EventReader, after: Position | undefined, capacity: number) {
    this.#reader = reader;
    this.#after = after;
    this.#capacity = capacity;
  }

  /**
   * Waits for the next event, and then for all that the log holds by then, as far as it fits: larger batches cost less for
   * each event.
   * @returns 1 to `capacity` events in the log's order, or none when the source was closed
   * @throws whatever ended the subscription, after all that came before it was taken
   */
  async next(): Promise<readonly RecordedEvent[]> {
    this.#subscribe();
    await this.#until(() => this.#buffer.length > 0);
    if (!this.#closed && this.#ended === undefined) {
      const end = await this.#reader.head();
      await this.#until(() => this.#buffer.length >= this.#capacity || (this.#after ?? '') >= (end ?? ''));
    }
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

  /** Waits until there are such events, or nothing more will come. */
  async #until(condition: () => boolean): Promise<void> {
    while (!condition() && !this.#closed && this.#ended === undefined) {
      await new Promise<void>((resolve) => (this.#wakeUp = resolve));
    }
  }

  /** Nothing up to there is missing: a later subscription need not look through it again. */
  #skipTo(position: Position): void {
    if (position > (this.#after ?? '')) this.#after = position;
  }

  #subscribe(): void {
    if (this.#closed || (this.#subscription !== undefined && !this.#subscription.closed)) return;
    // Inclusive: the event that fills the buffer is kept, then the subscription ends.
    const untilFull = takeWhile<RecordedEvent>(() => this.#buffer.length + 1 < this.#capacity, true);
    this.#subscription = this.#reader
      .subscribeAll({ after: this.#after, scanned: (position) => this.#skipTo(position) })
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
