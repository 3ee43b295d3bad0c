import { type EventReader, isStoreError, type OrderedEventStore } from '#event-store';
import type { Position } from '#kernel';
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../thrown.ts';
import { CopyError } from './copy-error.ts';
import { LogPages } from './log-pages.ts';
import { canBeTriedAgain, OrderedSending, type Run, Runs, type Window, WINDOW } from './ordered-sending.ts';
import { demandSame, describeEvent } from './same-event.ts';

/** So much is copied before it is read back: after a failure no more than this is read again. */
const CHUNK_EVENTS = 100_000;
/** Rounds in which nothing is achieved, and the pauses between them: two minutes of an outage. */
const MAX_IDLE_ROUNDS = 60;
/** What is refused for its revision again and again has a gap before it. */
const MAX_REFUSED_ROUNDS = 5;
const FIRST_PAUSE_MS = 50;
const MAX_PAUSE_MS = 2_000;

export interface LogCopyOptions {
  readonly source: EventReader;
  readonly destination: OrderedEventStore;
  /** Told of events that stand in the destination, and the source's position of the last. */
  readonly onProgress?: (events: number, position: Position) => void;
  readonly window?: Window;
  readonly chunkEvents?: number;
  /** Rounds without progress before it gives up. */
  readonly maxIdleRounds?: number;
}

/** How far a copy is, verified event by event. */
export interface Copied {
  readonly events: number;
  /** The source's position of the last; undefined for none. */
  readonly position: Position | undefined;
}

/**
 * Copies a log into another store: same streams, revisions, ids, texts, and the same total order, since citations point back in
 * it. Source and destination are walked side by side from their first event; where the destination ends, copying begins, and
 * what was copied is read back and compared in turn. So a copy that was broken off, wherever, goes on when it is begun again,
 * and what ends well was compared from the first event to the last.
 */
export class LogCopy {
  readonly #options: LogCopyOptions;
  readonly #window: Window;
  /** Up to here both are the same. */
  #events = 0;
  #sourceAt: Position | undefined;
  #destinationAt: Position | undefined;
  #sourceEnded = false;
  /**
   * Whether appends of unknown outcome may be on their way, of a run that was broken off or of a call that failed, and be stored
   * behind the comparison. As many events as can be under way are sent one run after the other then: whichever is stored first,
   * the late one or the one that was sent again, those before it are stored already.
   */
  #isDoubtful = true;
  /** So many events are to be there before several are under way. */
  #carefulUpTo = 0;

  constructor(options: LogCopyOptions) {
    this.#options = options;
    this.#window = options.window ?? WINDOW;
  }

  get copied(): Copied {
    return { events: this.#events, position: this.#sourceAt };
  }

  /**
   * Copies until the destination has all that the source had at some moment on the way, or `near` events less, read back.
   * @throws CopyError when the destination is no copy of the source, or can't become one; whatever it was when the stores did not
   * answer for minutes: what is copied stays, and it can be begun again
   */
  async copyToEnd(near?: number): Promise<void> {
    let verified = -1;
    let idle = 0;
    let rest: { readonly events: number; readonly isAll: boolean } | undefined;
    for (;;) {
      let failure: unknown;
      try {
        await this.compare();
        if (this.#sourceEnded) return;
        if (near !== undefined && rest?.isAll === true && rest.events <= near) return;
        rest = await this.#copyChunk();
      } catch (error) {
        if (!canBeTriedAgain(error)) throw error;
        failure = error;
        rest = undefined;
        this.#isDoubtful = true;
      }
      idle = this.#events > verified ? 0 : idle + 1;
      verified = this.#events;
      if (idle > 0 || failure !== undefined) await this.#pause(idle, failure);
    }
  }

  /**
   * Compares from the last place on, up to where the destination ends.
   * @throws CopyError when it is no copy of the source, or goes on where the source ends; StoreError
   */
  async compare(): Promise<void> {
    const source = new LogPages(this.#options.source, this.#sourceAt);
    const destination = new LogPages(this.#options.destination, this.#destinationAt);
    for (;;) {
      if (destination.isSpent || source.isSpent) await Promise.all([destination.fill(), source.fill()]);
      const [expected, found] = [source.peek(), destination.peek()];
      this.#sourceEnded = expected === undefined;
      if (found === undefined) return;
      if (expected === undefined) {
        throw new CopyError(
          `The destination has more than the source: ${describeEvent(found)} comes after the source's last event. It goes its own way already; nothing was changed there.`,
        );
      }
      demandSame(expected, found);
      source.take();
      destination.take();
      this.#events += 1;
      this.#sourceAt = expected.position;
      this.#destinationAt = found.position;
      this.#options.onProgress?.(this.#events, expected.position);
    }
  }

  /** Sends what comes next. @returns how much, and whether that was all there was */
  async #copyChunk(): Promise<{ readonly events: number; readonly isAll: boolean }> {
    const { source, destination, chunkEvents = CHUNK_EVENTS } = this.#options;
    if (this.#isDoubtful && destination.storesLate) this.#carefulUpTo = this.#events + this.#window.events;
    this.#isDoubtful = false;
    const pages = new LogPages(source, this.#sourceAt);
    const sending = new OrderedSending(destination, this.#window);
    const runs = new Runs();
    let events = 0;
    const send = async (run: Run | undefined): Promise<void> => {
      if (run === undefined) return;
      await sending.send(run, this.#events + events < this.#carefulUpTo);
      events += run.events.length;
    };
    try {
      for (let taken = 0; taken < chunkEvents; taken += 1) {
        if (pages.isSpent) await pages.fill();
        const event = pages.take();
        if (event === undefined) break;
        await send(runs.add(event));
        if (taken % 100 === 0) this.#options.onProgress?.(this.#events + events, event.position);
      }
      await send(runs.end());
      await sending.finish();
      return { events, isAll: events < chunkEvents };
    } finally {
      await sending.end();
    }
  }

  async #pause(idle: number, failure: unknown): Promise<void> {
    const { maxIdleRounds = MAX_IDLE_ROUNDS } = this.#options;
    const most = isStoreError(failure, 'wrong-expected-revision') ? MAX_REFUSED_ROUNDS : maxIdleRounds;
    if (idle > most) {
      const why = failure === undefined ? 'what is stored there is not given back' : messageOf(failure);
      throw new CopyError(
        `The copy does not get on: ${why}. ${String(this.#events)} events are copied and verified; begin it again with the same command.`,
      );
    }
    await sleep(Math.min(FIRST_PAUSE_MS * 2 ** idle, MAX_PAUSE_MS));
  }
}
