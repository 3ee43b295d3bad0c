import { type Appended, type EncodedAppend, encodeAppend, StoreError } from '#event-store';
import type { EventToAppend, ExpectedRevision, OrderedAppends } from '#event-store';
import type { WaitingAppend } from './writer-thread.ts';

/** Of one transaction: enough that its sync hardly counts. */
const MOST_EVENTS = 4_000;
const MOST_BYTES = 4 * 1024 * 1024;

interface Waiting {
  readonly append: EncodedAppend;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Transactions one after the other, each with all the appends that came while the last one was under way, all of them or none:
 * so nothing is ever stored behind what failed.
 */
export class AppendsInOrder implements OrderedAppends {
  readonly #send: (appends: readonly WaitingAppend[]) => void;
  #waiting: Waiting[] = [];
  #isUnderWay = false;
  #failure: Error | undefined;

  /** @param send takes all of them, or throws and takes none */
  constructor(send: (appends: readonly WaitingAppend[]) => void) {
    this.#send = send;
  }

  append(stream: string, expected: ExpectedRevision, events: readonly EventToAppend[]): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) throw this.#failure;
      try {
        this.#waiting.push({ append: encodeAppend(stream, expected, events), resolve, reject });
      } catch (error) {
        // What is before it goes on its way; what comes after it must not.
        this.#failure = asError(error);
        throw this.#failure;
      }
      void this.#run();
    });
  }

  end(): void {
    this.#fail(new StoreError('outcome-unknown', 'the appends in order were ended'));
  }

  async #run(): Promise<void> {
    if (this.#isUnderWay) return;
    this.#isUnderWay = true;
    // Those that are asked for in the same breath go together.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const group = this.#takeGroup();
      try {
        await this.#store(group);
        for (const { resolve } of group) resolve();
      } catch (error) {
        for (const { reject } of group) reject(error);
        this.#fail(error);
      }
    }
    this.#isUnderWay = false;
  }

  async #store(group: readonly Waiting[]): Promise<void> {
    const together = {};
    const waiting: WaitingAppend[] = [];
    const all = group.map(
      ({ append }) => new Promise<Appended>((resolve, reject) => waiting.push({ append, together, resolve, reject })),
    );
    this.#send(waiting);
    await Promise.all(all);
  }

  #takeGroup(): readonly Waiting[] {
    let events = 0;
    let bytes = 0;
    const end = this.#waiting.findIndex(({ append }, index) => {
      events += append.events.length;
      bytes += append.sizeBytes;
      return index > 0 && (events > MOST_EVENTS || bytes > MOST_BYTES);
    });
    return this.#waiting.splice(0, end < 0 ? this.#waiting.length : end);
  }

  #fail(error: unknown): void {
    this.#failure ??= asError(error);
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { reject } of waiting) reject(this.#failure);
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
