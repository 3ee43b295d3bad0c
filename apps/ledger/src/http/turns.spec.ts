import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { Turn, Turns } from './turns.ts';

/** Turns whose names are noted when they begin; those of `x1`, `x2` and so on are about the account `x`. */
class Noted {
  readonly begun: string[] = [];
  readonly turns: Turns;
  readonly #all = new Map<string, Turn>();

  constructor(most: number, mostOfOne: number) {
    this.turns = new Turns({ what: 'turns', most, mostOfOne, longestMs: 1_000 });
  }

  take(...names: readonly string[]): void {
    for (const name of names) {
      const account = name.startsWith('-') ? undefined : name.slice(0, 1);
      const turn = new Turn(account, (isLate) => this.begun.push(isLate ? `${name} late` : name));
      this.#all.set(name, turn);
      this.turns.take(turn);
    }
  }

  end(...names: readonly string[]): void {
    for (const name of names) {
      const turn = this.#all.get(name);
      if (turn !== undefined) this.turns.end(turn);
    }
  }
}

describe('turns', () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  it('begin at once while there is room, and then in the order in which they came', () => {
    const noted = new Noted(2, 2);
    noted.take('a1', '-1', 'b1', 'a2', 'c1');
    expect(noted.begun).toEqual(['a1', '-1']);
    noted.end('-1');
    expect(noted.begun).toEqual(['a1', '-1', 'b1']);
    noted.end('a1', 'b1');
    expect(noted.begun).toEqual(['a1', '-1', 'b1', 'a2', 'c1']);
    expect(noted.turns.bound.inUse()).toBe(2);
  });

  it('are no more than its share of one account, of those that are worked on or next', () => {
    const noted = new Noted(4, 2);
    noted.take('a1', 'a2', 'a3', 'a4', 'b1', 'c1', 'd1');
    expect(noted.begun).toEqual(['a1', 'a2', 'b1', 'c1']);
    // Behind the one that waited before it came next.
    noted.end('a1');
    expect(noted.begun.at(-1)).toBe('d1');
    noted.end('b1');
    expect(noted.begun.at(-1)).toBe('a3');
    noted.end('a2', 'a3');
    expect(noted.begun.at(-1)).toBe('a4');
  });

  it('that are over before they begin leave no trace, wherever they waited', () => {
    const noted = new Noted(2, 1);
    noted.take('a1', 'b1', 'a2', 'a3', 'a4', 'c1');
    noted.end('a2', 'c1');
    expect(noted.begun).toEqual(['a1', 'b1']);
    // It comes next, and is over before its turn.
    noted.take('-1');
    noted.end('a1', 'a3', 'b1', '-1');
    expect(noted.begun).toEqual(['a1', 'b1', '-1', 'a4']);
    noted.end('a4');
    expect(noted.turns.bound.inUse()).toBe(0);
  });

  it('are late after the time that nobody waits for, and not before', () => {
    const noted = new Noted(1, 1);
    noted.take('a1', 'b1');
    jest.advanceTimersByTime(1_000);
    noted.end('a1');
    noted.take('c1');
    jest.advanceTimersByTime(1_001);
    noted.end('b1');
    expect(noted.begun).toEqual(['a1', 'b1', 'c1 late']);
  });

  it('that end as soon as they begin do not pile up', () => {
    const turns = new Turns({ what: 'turns', most: 1, mostOfOne: 1, longestMs: 1_000 });
    const first = new Turn('a', () => undefined);
    turns.take(first);
    let ended = 0;
    for (let n = 0; n < 20_000; n += 1) {
      const turn: Turn = new Turn('a', () => {
        ended += 1;
        turns.end(turn);
      });
      turns.take(turn);
    }
    turns.end(first);
    expect([ended, turns.bound.inUse()]).toEqual([20_000, 0]);
  });

  it('whatever comes and goes, leave no place empty that someone waits for, and none taken at the end', () => {
    const step = fc.record({
      account: fc.constantFrom('a', 'b', 'c', '-'),
      ends: fc.nat(),
      isEnd: fc.constantFrom(true, false, false),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const noted = new Noted(3, 2);
        const open: string[] = [];
        let ended: readonly string[] = [];
        for (const [n, { account, ends, isEnd }] of steps.entries()) {
          if (isEnd && open.length > 0) {
            const [name = ''] = open.splice(ends % open.length, 1);
            noted.end(name, name);
            ended = [...ended, name];
          } else {
            open.push(`${account}${String(n)}`);
            noted.take(`${account}${String(n)}`);
          }
          const working = open.filter((name) => noted.begun.includes(name));
          expect(noted.turns.bound.inUse()).toBe(working.length);
          const ofOne = (name: string): number => working.filter((other) => other.startsWith(name.slice(0, 1))).length;
          expect(working.every((name) => name.startsWith('-') || ofOne(name) <= 2)).toBe(true);
          const ready = open.filter((name) => !working.includes(name) && (name.startsWith('-') || ofOne(name) < 2));
          expect(working.length === 3 || ready.length === 0).toBe(true);
        }
        noted.end(...open);
        expect(noted.turns.bound.inUse()).toBe(0);
      }),
      { numRuns: 1_000 },
    );
  });
});
