import { toMs, type Clock } from '#kernel';
import { TEST_EPOCH } from '../log-builder.ts';

/** A clock that stands still until it is told to go on. */
export class VirtualTime implements Clock {
  #nowMs: number;

  constructor(nowMs: number = toMs(TEST_EPOCH)) {
    this.#nowMs = nowMs;
  }

  now(): number {
    return this.#nowMs;
  }

  advance(ms: number): void {
    this.#nowMs += ms;
  }
}
