import type { EventFilter, EventReader } from '#event-store';
import type { Bound, Position, RecordedEvent } from '#kernel';
import { decodeEvent } from '#replay';
import type { Subscription } from 'rxjs';
import type { Machine } from './ports.ts';

/** For how long the movements of an account make way for one authorisation, in milliseconds. */
export const MAKE_WAY_MS = 2_000;
/** Authorisations that are made way for at the same time: for more nobody does, and they are placed when they come first. */
const MAX_OPEN = 10_000;
const RETRY_MS = 500;
const FILTER: EventFilter = { types: ['FreezeAuthorised', 'AccountFrozen', 'FreezeVaried', 'FreezeAbandoned'] };

/**
 * Whoever appends to an account one event after another keeps all other instances from it: each of their appends comes too
 * late. So every instance follows the log, and from an authorisation of a freeze until its outcome, though not for longer
 * than two seconds, holds back its own movements of that account. What it sees is a hint: the account's stream decides, and a
 * freeze that nobody made way for is as right as any, only later.
 */
export class MakingWay {
  readonly #reader: EventReader;
  readonly #machine: Machine;
  readonly #noted: (stream: string) => void;
  /** By the account's stream and the authorisation's id, until when. */
  readonly #open = new Map<string, Map<string, number>>();
  #size = 0;
  #subscription: Subscription | undefined;
  #after: Position | undefined;
  #isFollowing = false;

  /** @param noted told of each authorisation that is made way for */
  constructor(reader: EventReader, machine: Machine, noted: (stream: string) => void) {
    this.#reader = reader;
    this.#machine = machine;
    this.#noted = noted;
  }

  get bound(): Bound {
    return { what: 'freezes-made-way-for', most: MAX_OPEN, inUse: () => this.#size };
  }

  /**
   * Follows the log from its end, and goes on after failures. Does nothing when it does so already.
   * @throws StoreError when the end of the log can't be read
   */
  async follow(): Promise<void> {
    if (this.#isFollowing) return;
    this.#after = await this.#reader.head();
    this.#isFollowing = true;
    this.#subscribe();
  }

  stop(): void {
    this.#isFollowing = false;
    this.#subscription?.unsubscribe();
  }

  /** True while movements of the account on this stream are held back. */
  makesWay(stream: string): boolean {
    const open = this.#open.get(stream);
    if (open === undefined) return false;
    const nowMs = this.#machine.clock.now();
    for (const [id, untilMs] of open) if (untilMs <= nowMs) this.#forget(stream, id);
    return open.size > 0;
  }

  #subscribe(): void {
    if (!this.#isFollowing) return;
    const scanned = (position: Position): void => {
      this.#after = position;
    };
    this.#subscription = this.#reader.subscribeAll({ after: this.#after, filter: FILTER, scanned }).subscribe({
      next: (event) => this.#note(event),
      // The store can't be read now, or closes: then nothing is appended either.
      error: () => void this.#machine.sleep(RETRY_MS).then(() => this.#subscribe()),
    });
  }

  #note(recorded: RecordedEvent): void {
    this.#after = recorded.position;
    const decoded = decodeEvent(recorded);
    if (!decoded.ok) return;
    const { event } = decoded;
    switch (event.type) {
      case 'FreezeAuthorised':
        this.#makeWay(`account-${event.data.accountId}`, event.id);
        return;
      case 'AccountFrozen':
      case 'FreezeVaried':
      case 'FreezeAbandoned':
        this.#forget(event.stream, event.data.citation.eventId);
        return;
      default:
        return;
    }
  }

  #makeWay(stream: string, id: string): void {
    if (this.#size >= MAX_OPEN) this.#forgetPast();
    if (this.#size >= MAX_OPEN) return;
    const open = this.#open.get(stream) ?? new Map<string, number>();
    this.#open.set(stream, open);
    if (!open.has(id)) this.#size += 1;
    open.set(id, this.#machine.clock.now() + MAKE_WAY_MS);
    this.#noted(stream);
  }

  #forget(stream: string, id: string): void {
    const open = this.#open.get(stream);
    if (open?.delete(id) !== true) return;
    this.#size -= 1;
    if (open.size === 0) this.#open.delete(stream);
  }

  /** What nobody asked about since is over all the same. */
  #forgetPast(): void {
    for (const stream of this.#open.keys()) this.makesWay(stream);
  }
}
