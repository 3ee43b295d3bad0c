/**
 * What is under way, where much comes and goes: a place each, and the place of what has gone is given to what comes next.
 *
 * A `Set` would do the same, at a price that is paid elsewhere. It makes its table anew time and again, the old one refers to
 * the next, and V8 looks for garbage among what has lived a while only now and then: until then one old table that nobody
 * uses keeps all that came after it, here every request with all that belongs to it. That was a third of the service's work.
 */
export class Slots<Item extends object> {
  readonly #items: (Item | undefined)[] = [];
  readonly #free: number[] = [];

  /** How many are in. */
  get size(): number {
    return this.#items.length - this.#free.length;
  }

  /** @returns where it is, for `remove` */
  add(item: Item): number {
    const slot = this.#free.pop() ?? this.#items.length;
    this.#items[slot] = item;
    return slot;
  }

  /** @param slot that `add` gave. Once only: it may be another's by then. */
  remove(slot: number): void {
    this.#items[slot] = undefined;
    this.#free.push(slot);
  }

  /** What is in now, in no order. */
  items(): readonly Item[] {
    return this.#items.filter((item) => item !== undefined);
  }
}
