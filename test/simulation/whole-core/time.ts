import type { Clock } from '#kernel';

/** Most steps of one run: one that needs more does not come to an end. */
const MOST_STEPS = 300_000;

interface Due {
  readonly atMs: number;
  readonly serial: number;
  readonly work: () => void;
}

/**
 * The time of a simulation: it stands still while anything can go on, and then moves to the next thing that waits for it.
 * Whatever waits for the same moment goes on in the order in which it began to wait, so a run is the same each time.
 */
export class SimulatedTime implements Clock {
  #nowMs: number;
  #serial = 0;
  #steps = 0;
  /** A binary heap: the next is the first. */
  readonly #heap: Due[] = [];

  constructor(startMs: number) {
    this.#nowMs = startMs;
  }

  now(): number {
    return this.#nowMs;
  }

  /** Does something after a while, and not within this turn. */
  after(ms: number, work: () => void): void {
    this.#serial += 1;
    this.#push({ atMs: this.#nowMs + Math.max(0, ms), serial: this.#serial, work });
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.after(ms, resolve));
  }

  /** As when a machine sleeps: what was due meanwhile is done late, once, and in its order. */
  leap(ms: number): void {
    this.#nowMs += ms;
  }

  /**
   * Lets everything go on until a condition holds, or for so long.
   * @throws Error when the run does not come to an end
   */
  async run(untilMs: number, isOver: () => boolean = () => false): Promise<void> {
    await settle();
    while (!isOver()) {
      const next = this.#heap[0];
      if (next === undefined || next.atMs > untilMs) {
        this.#nowMs = Math.max(this.#nowMs, untilMs);
        return;
      }
      this.#steps += 1;
      if (this.#steps > MOST_STEPS) throw new Error('the simulation does not come to an end');
      this.#pop();
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.work();
      await settle();
    }
  }

  #push(due: Due): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(due);
    while (at > 0) {
      const parentAt = (at - 1) >> 1;
      const parent = heap[parentAt];
      if (parent === undefined || !isBefore(due, parent)) break;
      heap[at] = parent;
      at = parentAt;
    }
    heap[at] = due;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      const [leftAt, rightAt] = [2 * at + 1, 2 * at + 2];
      const [left, right] = [heap[leftAt], heap[rightAt]];
      const [child, childAt] =
        right !== undefined && left !== undefined && isBefore(right, left) ? [right, rightAt] : [left, leftAt];
      if (child === undefined || !isBefore(child, last)) break;
      heap[at] = child;
      at = childAt;
    }
    heap[at] = last;
  }
}

function isBefore(one: Due, other: Due): boolean {
  return one.atMs < other.atMs || (one.atMs === other.atMs && one.serial < other.serial);
}

/** All that can go on without time goes on: microtasks are done before the next macrotask, however many there are. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
