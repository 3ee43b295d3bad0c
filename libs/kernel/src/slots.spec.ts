import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Slots } from './slots.ts';

interface Item {
  readonly n: number;
}

const numbers = (items: readonly Item[]): readonly number[] => items.map(({ n }) => n).sort((a, b) => a - b);

describe('slots', () => {
  it('have what was added and was not removed, as a set has', () => {
    fc.assert(
      fc.property(fc.array(fc.option(fc.nat(), { nil: undefined }), { maxLength: 200 }), (steps) => {
        const slots = new Slots<Item>();
        const expected = new Map<number, number>();
        for (const [n, remove] of steps.entries()) {
          const added = [...expected];
          const gone = remove === undefined ? undefined : added[remove % Math.max(added.length, 1)];
          if (gone === undefined) expected.set(n, slots.add({ n }));
          else {
            slots.remove(gone[1]);
            expected.delete(gone[0]);
          }
          expect(slots.size).toBe(expected.size);
        }
        expect(numbers(slots.items())).toEqual([...expected.keys()].sort((a, b) => a - b));
      }),
    );
  });

  it('take no more places than were needed at once', () => {
    const slots = new Slots<Item>();
    const kept = slots.add({ n: 0 });
    const places = Array.from({ length: 1_000 }, (_, n) => {
      const slot = slots.add({ n });
      slots.remove(slot);
      return slot;
    });
    expect(Math.max(kept, ...places)).toBe(1);
  });
});
