import {
  type AllStreamSubscription,
  END,
  EventStoreDBClient,
  eventTypeFilter,
  jsonEvent,
  type JSONEventData,
  NO_STREAM,
  type Position,
  START,
  streamNameFilter,
  type StreamSubscription,
} from '@eventstore/db-client';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type EventStoreDbServer, startEventStoreDbServer } from './index.ts';
import { describeError, event, events, numberOf, type Thrown, until } from './spec-support.ts';

/** What arrived by a subscription, in its order: events by stream and number, turns, checkpoints. */
interface Watched {
  readonly log: string[];
  readonly checkpoints: Position[];
  readonly thrown: Thrown[];
  readonly subscription: AllStreamSubscription | StreamSubscription;
}

let server: EventStoreDbServer;
let client: EventStoreDBClient;
/** Where the log ended before the test. */
let before: Position;
const watching: Watched[] = [];
let tests = 0;

beforeAll(async () => {
  server = await startEventStoreDbServer({ inMemory: true });
  client = EventStoreDBClient.connectionString(server.connectionString);
});

afterAll(async () => {
  await client.dispose();
  await server.stop();
});

beforeEach(async () => {
  tests += 1;
  const { position } = await client.appendToStream('between-tests', event(tests));
  before = position as Position;
});

afterEach(async () => {
  for (const { subscription } of watching.splice(0)) await subscription.unsubscribe().catch(() => undefined);
});

/** The same server without anything in its log. */
async function startAnew(): Promise<void> {
  await client.dispose();
  await server.restart();
  client = EventStoreDBClient.connectionString(server.connectionString);
}

function watch(
  subscribe: (checkpointReached: (_: unknown, position: Position) => Promise<void>) => Watched['subscription'],
): Watched {
  const log: string[] = [];
  const checkpoints: Position[] = [];
  const thrown: Thrown[] = [];
  const subscription = subscribe((_, position) => {
    log.push('checkpoint');
    checkpoints.push(position);
    return Promise.resolve();
  });
  subscription.on('caughtUp', () => log.push('caught up'));
  subscription.on('error', (error) => thrown.push(describeError(error)));
  subscription.on('data', (resolved) => {
    log.push(`${resolved.event?.streamId ?? 'none'} ${String(numberOf(resolved))}`);
  });
  const watched = { log, checkpoints, thrown, subscription };
  watching.push(watched);
  return watched;
}

describe('a subscription to all events', () => {
  it('gives what there is, then says so, then gives what comes, in one order', async () => {
    await client.appendToStream('account-1', events(2));
    const { log } = watch(() => client.subscribeToAll({ fromPosition: before }));
    await until(() => log.includes('caught up'));
    await client.appendToStream('account-2', event(7));
    await client.appendToStream('account-1', event(8));
    await until(() => log.length >= 5);

    expect(log).toEqual(['account-1 0', 'account-1 1', 'caught up', 'account-2 7', 'account-1 8']);
  });

  it('begins after the position that it is given, and from the end with what comes', async () => {
    const { position } = await client.appendToStream('account-1', event(0));
    await client.appendToStream('account-1', event(1));
    const after = watch(() => client.subscribeToAll({ fromPosition: position as Position }));
    const fromEnd = watch(() => client.subscribeToAll({ fromPosition: END }));
    await until(() => after.log.length === 2 && fromEnd.log.length === 1);
    await client.appendToStream('account-1', event(2));
    await until(() => after.log.length === 3 && fromEnd.log.length === 2);

    expect(after.log).toEqual(['account-1 1', 'caught up', 'account-1 2']);
    expect(fromEnd.log).toEqual(['caught up', 'account-1 2']);
  });

  it('refuses a position within an event', async () => {
    await client.appendToStream('account-1', events(2));
    const { thrown } = watch(() => client.subscribeToAll({ fromPosition: { commit: 513n, prepare: 513n } }));
    await until(() => thrown.length === 1);

    expect(thrown).toMatchObject([
      { name: 'UnknownError', code: 3, message: '3 INVALID_ARGUMENT: Trying to read from an invalid position.' },
    ]);
  });

  it.each([
    ['prefixes of streams', streamNameFilter({ prefixes: ['account-', 'party-'] }), ['account-1 0', 'party-1 1']],
    ['an expression on streams', streamNameFilter({ regex: '-2$' }), ['other-2 2']],
    ['prefixes of types', eventTypeFilter({ prefixes: ['Other'] }), ['other-1 3']],
    [
      'an expression on types',
      eventTypeFilter({ regex: '^[^$]*$' }),
      ['account-1 0', 'party-1 1', 'other-2 2', 'other-1 3'],
    ],
  ])('filters by %s, on the server', async (_, filter, expected) => {
    await client.appendToStream('account-1', event(0));
    await client.appendToStream('party-1', event(1));
    await client.setStreamMetadata('party-1', { maxCount: 5 });
    await client.appendToStream('other-2', event(2));
    await client.appendToStream('other-1', jsonEvent({ type: 'Other', data: { n: 3 } }));
    const { log } = watch(() => client.subscribeToAll({ fromPosition: before, filter }));
    await until(() => log.includes('caught up'));

    expect(log.filter((line) => line !== 'caught up')).toEqual(expected);
  });
});

describe('checkpoints of a filtered subscription', () => {
  const filter = (
    checkpointReached: (_: unknown, position: Position) => Promise<void>,
  ): ReturnType<typeof streamNameFilter> =>
    streamNameFilter({ prefixes: ['account-'], maxSearchWindow: 2, checkpointInterval: 2, checkpointReached });

  it('come while it catches up, also where nothing matches, and lead to where they were given', async () => {
    await client.appendToStream('account-1', event(0));
    await client.appendToStream('other-1', events(12));
    await client.appendToStream('account-1', event(1));
    const { log, checkpoints } = watch((reached) =>
      client.subscribeToAll({ fromPosition: before, filter: filter(reached) }),
    );
    await until(() => log.includes('caught up'));

    expect(log.filter((line) => line !== 'checkpoint')).toEqual(['account-1 0', 'account-1 1', 'caught up']);
    expect(log.indexOf('account-1 1')).toBeGreaterThan(log.indexOf('checkpoint'));
    expect(checkpoints.length).toBeGreaterThanOrEqual(3);
    // In pages of two: a checkpoint that is no event's is where a page began, and its prepare position is 0.
    expect(checkpoints[1]).toMatchObject({ prepare: 0n });

    for (const position of checkpoints.slice(0, -1)) {
      const resumed = watch(() =>
        client.subscribeToAll({ fromPosition: position, filter: filter(() => Promise.resolve()) }),
      );
      await until(() => resumed.log.includes('caught up'));
      expect(resumed.log).toEqual(['account-1 1', 'caught up']);
    }
  });

  it('come after so many live events, also where nothing matches', async () => {
    await client.appendToStream('account-1', event(0));
    const { log } = watch((reached) => client.subscribeToAll({ fromPosition: before, filter: filter(reached) }));
    await until(() => log.includes('caught up'));
    log.length = 0;
    for (let n = 0; n < 8; n += 1) await client.appendToStream('other-1', event(n));
    await client.appendToStream('account-1', event(1));
    await until(() => log.includes('account-1 1'));

    expect(log).toEqual(['checkpoint', 'checkpoint', 'account-1 1']);
  });

  it('go out as the largest position while nothing has matched in a short log, and never again', async () => {
    await startAnew();
    await client.appendToStream('other-1', event(0));
    const { log, checkpoints } = watch((reached) =>
      client.subscribeToAll({ fromPosition: START, filter: filter(reached) }),
    );
    await until(() => log.includes('caught up'));
    await client.appendToStream('other-1', events(8));
    await client.appendToStream('account-1', event(1));
    await until(() => log.includes('account-1 1'));

    const largest = 2n ** 64n - 1n;
    expect(checkpoints).toEqual([{ commit: largest, prepare: largest }]);
  });
});

describe('a subscription to one stream', () => {
  it('gives what is after a revision, and waits for a stream that is not there', async () => {
    await client.appendToStream('single-1', events(3));
    const after = watch(() => client.subscribeToStream('single-1', { fromRevision: 0n }));
    const early = watch(() => client.subscribeToStream('single-2'));
    await until(() => after.log.includes('caught up') && early.log.includes('caught up'));
    await client.appendToStream('single-2', event(0));
    await client.appendToStream('single-1', event(3));
    await until(() => after.log.length === 4 && early.log.length === 2);

    expect(after.log).toEqual(['single-1 1', 'single-1 2', 'caught up', 'single-1 3']);
    expect(early.log).toEqual(['caught up', 'single-2 0']);
  });

  it('ends when the stream is deleted for good', async () => {
    await client.appendToStream('ended-1', event(0));
    const { log, thrown } = watch(() => client.subscribeToStream('ended-1'));
    await until(() => log.includes('caught up'));
    await client.tombstoneStream('ended-1');
    await until(() => thrown.length === 1);

    expect(thrown).toMatchObject([{ name: 'StreamDeletedError', code: 9 }]);
  });
});

describe('a subscription that is dropped', () => {
  it('for slowness, on request: code 10, and the client does not go on by itself', async () => {
    const { log, thrown } = watch(() => client.subscribeToAll({ fromPosition: before }));
    await until(() => log.includes('caught up'));

    expect(await server.dropSubscriptions('consumer-too-slow')).toBe(1);
    await until(() => thrown.length === 1);
    await client.appendToStream('account-1', event(0));

    expect(thrown).toMatchObject([{ name: 'TimeoutError', type: 'timeout', code: 10 }]);
    expect(thrown[0]?.message).toContain('Consumer too slow');
    expect(log).toEqual(['caught up']);
    expect(await server.dropSubscriptions('cancelled')).toBe(0);
  });

  it.each([
    ['consumer-too-slow', { name: 'TimeoutError', code: 10 }],
    ['cancelled', { name: 'CancelledError', code: 1 }],
    ['connection-dropped', { name: 'UnavailableError', code: 14 }],
  ] as const)('after so many events, as %s', async (as, expected) => {
    await server.resetCounts();
    await client.appendToStream('account-1', events(5));
    await server.inject({ kind: 'drop-subscription', afterEvents: 3, as });
    const { log, thrown } = watch(() => client.subscribeToAll({ fromPosition: before }));
    await until(() => thrown.length === 1);
    const again = watch(() => client.subscribeToAll({ fromPosition: before }));
    await until(() => again.log.includes('caught up'));

    expect(thrown).toMatchObject([expected]);
    if (as !== 'connection-dropped') expect(log).toEqual(['account-1 0', 'account-1 1', 'account-1 2']);
    expect(again.log).toHaveLength(6);
    expect((await server.counts()).subscriptions).toBe(2);
  });
});

describe('a client that does not take what comes', () => {
  const wide = (n: number): JSONEventData => jsonEvent({ type: 'Wide', data: { n, s: 'x'.repeat(20_000) } });
  const COUNT = 300;
  const PAGE = 20;

  async function flood(to: EventStoreDBClient, stream: string): Promise<AllStreamSubscription> {
    const subscription = to.subscribeToAll({ fromPosition: END });
    await new Promise((resolve) => subscription.once('confirmation', resolve));
    for (let n = 0; n < COUNT; n += PAGE) {
      const page = Array.from({ length: PAGE }, (_, place) => wide(n + place));
      await to.appendToStream(stream, page, { expectedRevision: n === 0 ? NO_STREAM : BigInt(n - 1) });
    }
    return subscription;
  }

  it('is given all, in order, by a server that lets it catch up', async () => {
    const subscription = await flood(client, 'wide-1');
    const numbers: unknown[] = [];
    let timesCaughtUp = 0;
    subscription.on('caughtUp', () => (timesCaughtUp += 1));
    subscription.on('data', (resolved) => numbers.push(numberOf(resolved)));
    await until(() => numbers.length === COUNT && timesCaughtUp >= 1);

    expect(numbers).toEqual(Array.from({ length: COUNT }, (_, n) => n));
    // Once before the flood, which was not listened to, and once after it.
    expect(timesCaughtUp).toBe(1);
    await subscription.unsubscribe();
  });

  it('is dropped by a server that does so', async () => {
    const dropping = await startEventStoreDbServer({ inMemory: true, slowConsumers: 'drop' });
    try {
      const another = EventStoreDBClient.connectionString(dropping.connectionString);
      const subscription = await flood(another, 'wide-1');
      const thrown: Thrown[] = [];
      subscription.on('error', (error) => thrown.push(describeError(error)));
      subscription.resume();
      await until(() => thrown.length === 1);

      expect(thrown).toMatchObject([{ name: 'TimeoutError', type: 'timeout', code: 10 }]);
      expect(thrown[0]?.message).toContain('Consumer too slow to handle event while live');
      await another.dispose();
    } finally {
      await dropping.stop();
    }
  });
});
