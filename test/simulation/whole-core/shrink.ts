/**
 * Leaves out what is not needed for a failure: halves first, then quarters, down to single parts, as long as it still fails.
 * @param fails whether it still fails with these parts alone, in their order
 * @param goOn false when the time for it is over: what is smallest by then is the answer
 */
export async function shrink<Part>(
  parts: readonly Part[],
  fails: (parts: readonly Part[]) => Promise<boolean>,
  goOn: () => boolean,
): Promise<readonly Part[]> {
  let smallest = parts;
  let size = Math.ceil(smallest.length / 2);
  while (smallest.length > 0 && goOn()) {
    const before = smallest.length;
    for (let from = 0; from < smallest.length && goOn();) {
      const without = [...smallest.slice(0, from), ...smallest.slice(from + size)];
      if (await fails(without)) smallest = without;
      else from += size;
    }
    if (size === 1 && smallest.length === before) break;
    size = Math.max(1, Math.ceil(Math.min(size, smallest.length) / 2));
  }
  return smallest;
}
