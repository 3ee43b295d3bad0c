import type { EventToAppend } from '#event-store';
import type { Position } from '#kernel';

/** What settles an authorisation, on the account's stream. */
export const SETTLING: readonly string[] = ['AccountFrozen', 'FreezeVaried'];

/** How far the log had come when those who settle authorisations looked. */
export class Looks {
  #end: Position;
  readonly #before = new Map<string, Position>();

  /** @param end of the log that a run starts from */
  constructor(end: Position) {
    this.#end = end;
  }

  /** Where the log ends now. */
  get end(): Position {
    return this.#end;
  }

  committed(position: Position): void {
    if (position > this.#end) this.#end = position;
  }

  /**
   * @param end of the log when the account's stream was looked at, before it was decided what the authorisation comes to: the
   * basis is looked at after that, and so with all that stood in the log by then
   */
  sent(events: readonly EventToAppend[], end: Position | undefined): void {
    for (const { id, type } of events) {
      if (!SETTLING.includes(type) || this.#before.has(id)) continue;
      if (end === undefined) throw new Error(`${type} ${id} was decided on a stream that nobody looked at`);
      this.#before.set(id, end);
    }
  }

  /** Where the log ended before it was decided that this event should be. */
  before(eventId: string): Position | undefined {
    return this.#before.get(eventId);
  }
}
