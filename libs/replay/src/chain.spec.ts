import type { RecordedEvent } from '#kernel';
import { LedgerWorld, tellStory } from '#testing';
import { beforeAll, expect, it } from '@jest/globals';
import { ChainCheck, type ChainFault } from './index.ts';

let log: readonly RecordedEvent[];
beforeAll(async () => {
  const world = new LedgerWorld();
  await tellStory(world);
  log = await world.log();
});

function faultsOf(events: readonly RecordedEvent[]): readonly ChainFault[] {
  const chains = new ChainCheck();
  return events.flatMap((event) => chains.take(event) ?? []);
}

/** The log with one event of a long stream replaced, in its middle. */
function withOne(replaced: (event: RecordedEvent) => readonly RecordedEvent[]): {
  readonly events: readonly RecordedEvent[];
  readonly at: RecordedEvent;
} {
  const at = log.find(({ stream, revision }) => stream === 'account-acc-1' && revision === 3);
  if (at === undefined) throw new Error('the story tells more of acc-1');
  return { events: log.flatMap((event) => (event === at ? replaced(event) : [event])), at };
}

it('finds nothing wrong with a log as it was written', () => {
  expect(log.length).toBeGreaterThan(100);
  expect(faultsOf(log)).toEqual([]);
});

it.each<[string, (event: RecordedEvent) => RecordedEvent]>([
  ['content', (event) => ({ ...event, data: { ...(event.data as object), amount: '1' } })],
  ['type', (event) => ({ ...event, type: 'FundsHeld' })],
  ['id', (event) => ({ ...event, id: '00000000-0000-7000-8000-00000000ffff' })],
  ['time', (event) => ({ ...event, metadata: { ...event.metadata, recordedAt: '2022-01-01T00:00:00.000Z' } })],
  ['actor', (event) => ({ ...event, metadata: { ...event.metadata, actor: { id: 'someone', roles: [] } } })],
])('names the event whose %s was changed, and no other', (_, change) => {
  const { events, at } = withOne((event) => [change(event)]);
  const { stream, revision, position } = at;
  expect(faultsOf(events)).toEqual([{ stream, revision, position, detail: 'hash is not that of the content' }]);
});

it('names what comes after an event whose hash was changed, as well', () => {
  const { events, at } = withOne((event) => [{ ...event, metadata: { ...event.metadata, hash: 'a'.repeat(64) } }]);
  expect(faultsOf(events).map(({ revision, detail }) => [revision, detail])).toEqual([
    [at.revision, 'hash is not that of the content'],
    [at.revision + 1, 'previousHash is not the hash of the event before'],
  ]);
});

it('names the event that follows one which is gone, or stands twice', () => {
  const gone = withOne(() => []);
  expect(faultsOf(gone.events)).toEqual([
    expect.objectContaining({ revision: gone.at.revision + 1, detail: 'revision 4 stands where 3 should' }),
  ]);
  const twice = withOne((event) => [event, event]);
  expect(faultsOf(twice.events)).toEqual([
    expect.objectContaining({ revision: twice.at.revision, detail: 'revision 3 stands where 4 should' }),
  ]);
});

it('takes whatever was forced into a log', () => {
  const forced = (metadata: unknown): RecordedEvent => ({
    id: 'x',
    type: 'X',
    schemaVersion: 1,
    data: null,
    metadata: metadata as RecordedEvent['metadata'],
    stream: 'new',
    revision: 0,
    position: '1',
  });
  for (const metadata of [null, 'text', 1, [], { previousHash: null, hash: 7 }]) {
    expect(faultsOf([forced(metadata)])).toHaveLength(1);
  }
});
