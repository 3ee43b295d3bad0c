import { isStoreError, type OrderedAppends, type OrderedEventStore } from '#event-store';
import type { RecordedEvent } from '#kernel';
import { messageOf } from '../thrown.ts';
import { CopyError } from './copy-error.ts';
import { describeEvent, textsOf } from './same-event.ts';

/** How much may be on its way at once. */
export interface Window {
  readonly events: number;
  readonly bytes: number;
}

export const WINDOW: Window = { events: 1_000, bytes: 8 * 1024 * 1024 };

/** Of one append; a single event may have more bytes. */
const MOST_EVENTS = 200;
const MOST_BYTES = 500_000;

/** Consecutive events of one stream, which are appended together. */
export interface Run {
  readonly events: readonly [RecordedEvent, ...RecordedEvent[]];
  readonly sizeBytes: number;
}

/** Takes the next run from events in their order. */
export class Runs {
  #events: [RecordedEvent, ...RecordedEvent[]] | undefined;
  #sizeBytes = 0;

  /** Adds an event. @returns the run that it does not belong to any more, if it ends one */
  add(event: RecordedEvent): Run | undefined {
    const { data, metadata } = textsOf(event);
    const sizeBytes = data.length + metadata.length;
    const last = this.#events?.at(-1);
    const belongs =
      last?.stream === event.stream &&
      last.revision + 1 === event.revision &&
      (this.#events?.length ?? 0) < MOST_EVENTS &&
      this.#sizeBytes + sizeBytes <= MOST_BYTES;
    if (belongs) {
      this.#events?.push(event);
      this.#sizeBytes += sizeBytes;
      return undefined;
    }
    const ended = this.end();
    this.#events = [event];
    this.#sizeBytes = sizeBytes;
    return ended;
  }

  end(): Run | undefined {
    const events = this.#events;
    this.#events = undefined;
    return events === undefined ? undefined : { events, sizeBytes: this.#sizeBytes };
  }
}

/** Sends runs of events in their order, a bounded window of them at a time, until one fails. */
export class OrderedSending {
  readonly #appends: OrderedAppends;
  readonly #window: Window;
  readonly #underWay = new Set<Promise<void>>();
  #events = 0;
  #bytes = 0;
  #failure: { readonly error: unknown } | undefined;
  #wake: () => void = () => undefined;

  constructor(destination: OrderedEventStore, window: Window) {
    this.#appends = destination.appendInOrder();
    this.#window = window;
  }

  /**
   * Sends a run as soon as there is room for it.
   * @param alone waits until it is stored
   * @throws what the first that failed was refused with
   */
  async send(run: Run, alone: boolean): Promise<void> {
    while (this.#failure === undefined && !this.#hasRoomFor(run)) {
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    this.#throwFailure();
    const work = this.#store(run);
    this.#underWay.add(work);
    void work.finally(() => this.#underWay.delete(work));
    if (!alone) return;
    await work;
    this.#throwFailure();
  }

  /** Waits until all that was sent is stored or was refused. @throws as `send` */
  async finish(): Promise<void> {
    await Promise.all(this.#underWay);
    this.#throwFailure();
  }

  /** Waits as `finish`, whatever comes of it, and lets go. */
  async end(): Promise<void> {
    await Promise.all(this.#underWay);
    this.#appends.end();
  }

  async #store(run: Run): Promise<void> {
    const { events, sizeBytes } = run;
    this.#events += events.length;
    this.#bytes += sizeBytes;
    const [{ stream, revision }] = events;
    try {
      await this.#appends.append(
        stream,
        revision === 0 ? 'no-stream' : revision - 1,
        events.map((event) => {
          const { id, type, schemaVersion, data, metadata } = event;
          return { id, type, schemaVersion, data, metadata, texts: textsOf(event) };
        }),
      );
    } catch (error) {
      this.#failure ??= { error: canBeTriedAgain(error) ? error : unstorable(run, error) };
    }
    this.#events -= events.length;
    this.#bytes -= sizeBytes;
    this.#wake();
  }

  #hasRoomFor({ events, sizeBytes }: Run): boolean {
    if (this.#events === 0) return true;
    return this.#events + events.length <= this.#window.events && this.#bytes + sizeBytes <= this.#window.bytes;
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}

/** Whether what failed may go well another time, after a look at what is stored. */
export function canBeTriedAgain(error: unknown): boolean {
  return (
    isStoreError(error, 'store-unavailable') ||
    isStoreError(error, 'outcome-unknown') ||
    isStoreError(error, 'wrong-expected-revision')
  );
}

function unstorable({ events }: Run, error: unknown): unknown {
  if (isStoreError(error, 'store-full')) {
    return new CopyError('There is no room at the destination: make some, and give the same command again.');
  }
  if (isStoreError(error, 'log-sealed')) return error;
  const [first, ...others] = events;
  const more = others.length === 0 ? '' : ` or one of the ${String(others.length)} after it`;
  return new CopyError(
    `The destination can't have ${describeEvent(first)}${more}: ${messageOf(error)}. Nothing behind it was copied.`,
  );
}
