/** How many are worked on at the same time. */
const AT_ONCE = 16;

/** Work in pieces: whoever asks for them does something else in between, or drops the rest. */
export type Pieces = AsyncGenerator<void, void, void>;

/** Works through a list, a few members at a time. @returns what came of each, in their order */
export async function fewAtATime<Item, Result>(
  items: readonly Item[],
  work: (item: Item) => Promise<Result>,
): Promise<readonly Result[]> {
  const results: Result[] = [];
  for (let at = 0; at < items.length; at += AT_ONCE) {
    results.push(...(await Promise.all(items.slice(at, at + AT_ONCE).map(work))));
  }
  return results;
}

/** The same where nothing comes of it: each few members are a piece. */
export async function* fewInAPiece<Item>(items: readonly Item[], work: (item: Item) => Promise<void>): Pieces {
  for (let at = 0; at < items.length; at += AT_ONCE) {
    await Promise.all(items.slice(at, at + AT_ONCE).map(work));
    yield;
  }
}

/** Takes all steps, one after the other: one that fails keeps no other waiting. @throws what the first such step failed of */
export async function* inTurn(steps: readonly (() => Pieces)[]): Pieces {
  const failures: unknown[] = [];
  for (const step of steps) {
    try {
      yield* step();
    } catch (error) {
      failures.push(error);
    }
  }
  for (const failure of failures) throw failure;
}

/** Works through a list, one member after the other, each a piece. @throws as above */
export function eachInTurn<Item>(items: readonly Item[], work: (item: Item) => Promise<void>): Pieces {
  return inTurn(items.map((item) => () => fewInAPiece([item], work)));
}

/** Does all of it at once. */
export async function toEnd(pieces: Pieces): Promise<void> {
  while ((await pieces.next()).done !== true);
}
