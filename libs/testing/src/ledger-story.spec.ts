import { registry } from '#replay';
import { expect, it } from '@jest/globals';
import { checkLog, describeBreaches, LedgerWorld, tellStory } from './index.ts';

/** A party's own commands are refused for no recorded reason: an opening is refused on the stream of its account. */
const NEVER_TOLD = ['party CommandRefused'];

it('tells every event on every kind of stream, and leaves nothing undone', async () => {
  const world = new LedgerWorld();
  await tellStory(world);
  const log = await world.log();
  const told = new Set(log.map(({ stream, type }) => `${stream.slice(0, stream.indexOf('-'))} ${type}`));
  const known = Object.entries(registry).flatMap(([kind, events]) =>
    [...events.keys()].map((type) => `${kind} ${type}`),
  );
  expect(known.filter((each) => !told.has(each))).toEqual(NEVER_TOLD);
  expect(world.failures).toEqual([]);
  expect(describeBreaches(checkLog(log, { quiescent: true }), log)).toBe('');
});
