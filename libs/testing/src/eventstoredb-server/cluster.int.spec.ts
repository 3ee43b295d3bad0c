import { EventStoreDBClient, NO_STREAM, type Position, START } from '@eventstore/db-client';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { type ConnectionStringOptions, type EventStoreDbServer, startEventStoreDbServer } from './index.ts';
import { collect, event, events, numberOf, numbersOf, thrownBy, until, untilItSucceeds } from './spec-support.ts';

let server: EventStoreDbServer;
let client: EventStoreDBClient;
let connected: EventStoreDBClient | undefined;
let stream: string;

beforeAll(async () => {
  server = await startEventStoreDbServer({ nodeCount: 3, inMemory: true });
});

beforeEach(async () => {
  stream = `account-${randomUUID()}`;
  for (const node of [0, 1, 2]) await server.setUp(node, true);
  await server.changeLeader(0);
});

afterEach(async () => {
  await connected?.dispose();
  connected = undefined;
});

afterAll(async () => {
  await server.stop();
});

function connect(options: ConnectionStringOptions): EventStoreDBClient {
  client = EventStoreDBClient.connectionString(server.connectionStringFor(options));
  connected = client;
  return client;
}

const LEADER = { requiresLeader: true };

describe('discovery', () => {
  it('has three addresses', () => {
    expect(new Set(server.ports).size).toBe(3);
    expect(server.connectionString.match(/127\.0\.0\.1:\d+/gu)).toHaveLength(3);
  });

  it.each(['all', 'discover'] as const)('leads a client to the leader, by the list of %s', async (to) => {
    await server.changeLeader(1);
    connect({ to });
    await client.appendToStream(stream, event(0), { expectedRevision: NO_STREAM, ...LEADER });
    // Only node 1 could: a follower would have refused it.
    expect(await numbersOf(client, stream)).toEqual([0]);

    await server.inject({ kind: 'deny', node: 1 });
    expect(await thrownBy(client.appendToStream(stream, event(1)))).toMatchObject({ name: 'AccessDeniedError' });
  });

  it('leads a client to a follower that wants one', async () => {
    connect({ parameters: { nodePreference: 'follower' } });

    expect(await thrownBy(collect(client.readAll({ requiresLeader: true })))).toMatchObject({ name: 'NotLeaderError' });
  });

  it('leads a client past a node that is down, to the next that leads', async () => {
    connect({});
    await client.appendToStream(stream, event(0), { expectedRevision: NO_STREAM, ...LEADER });
    await server.setUp(0, false);
    const again = event(1);
    const answer = await untilItSucceeds(() =>
      client.appendToStream(stream, again, { expectedRevision: 0n, ...LEADER }),
    );

    expect(answer.nextExpectedRevision).toBe(1n);
    expect(await numbersOf(client, stream)).toEqual([0, 1]);
  });
});

describe('a follower', () => {
  it('ends the BatchAppend call of whoever wants the leader, and names it; the client then goes there', async () => {
    connect({ to: 2 });

    const thrown = await thrownBy(client.appendToStream(stream, event(0), { expectedRevision: NO_STREAM, ...LEADER }));

    expect(thrown).toMatchObject({
      name: 'NotLeaderError',
      type: 'not-leader',
      code: 5,
      message: '5 NOT_FOUND: Leader info available',
      error: { leader: { address: '127.0.0.1', port: server.ports[0] } },
    });
    const answer = await untilItSucceeds(() =>
      client.appendToStream(stream, event(0), { expectedRevision: NO_STREAM, ...LEADER }),
    );
    expect(answer.nextExpectedRevision).toBe(0n);
  });

  it.each([
    [
      'a plain Append',
      () => client.appendToStream(stream, event(0), { credentials: { username: 'a', password: 'b' }, ...LEADER }),
    ],
    ['a read of a stream', () => collect(client.readStream(stream, LEADER))],
    ['a read of all events', () => collect(client.readAll(LEADER))],
    ['a subscription', () => collect(client.subscribeToAll(LEADER))],
    ['a delete', () => client.tombstoneStream(stream, LEADER)],
  ])('refuses %s that wants the leader', async (_, call) => {
    connect({ to: 1 });

    expect(await thrownBy(call())).toMatchObject({ name: 'NotLeaderError', code: 5 });
  });

  it('passes an append on to the leader for whoever does not ask for it, and serves reads', async () => {
    connect({ to: 1 });
    await client.appendToStream(stream, events(2), { expectedRevision: NO_STREAM });

    expect(await numbersOf(client, stream)).toEqual([0, 1]);
  });

  it('misses what was acknowledged while it lags, as if it were not there', async () => {
    connect({ to: 1 });
    await client.appendToStream(stream, event(0), { expectedRevision: NO_STREAM });
    await server.setLagging(1, true);
    await client.appendToStream(stream, event(1), { expectedRevision: 0n });
    const unseen = `account-${randomUUID()}`;
    const { position } = await client.appendToStream(unseen, event(0), { expectedRevision: NO_STREAM });
    const seen: unknown[] = [];
    const subscription = client.subscribeToAll({ fromPosition: START });
    subscription.on('data', (resolved) => {
      if (resolved.event?.streamId === unseen) seen.push(numberOf(resolved));
    });
    await new Promise((resolve) => subscription.once('caughtUp', resolve));

    expect(await numbersOf(client, stream)).toEqual([0]);
    expect(await thrownBy(collect(client.readStream(unseen)))).toMatchObject({ name: 'StreamNotFoundError' });
    expect(await collect(client.readAll({ fromPosition: position as Position }))).toEqual([]);
    expect(seen).toEqual([]);

    await server.setLagging(1, false);
    await until(() => seen.length === 1);
    expect(await numbersOf(client, stream)).toEqual([0, 1]);
    await subscription.unsubscribe();
  });
});

describe('a change of the leader', () => {
  it('is noticed by an append that wants the leader; its replay at the new one is stored once', async () => {
    connect({});
    await client.appendToStream(stream, event(0), { expectedRevision: NO_STREAM, ...LEADER });
    await server.changeLeader(2);

    const sent = event(1);
    const append = () => client.appendToStream(stream, sent, { expectedRevision: 0n, ...LEADER });
    // The wish for the leader stands in the call that all appends share: it is the call that is refused.
    expect(await thrownBy(append())).toMatchObject({
      name: 'NotLeaderError',
      error: { leader: { port: server.ports[2] } },
    });
    const answer = await untilItSucceeds(append);

    expect(answer.nextExpectedRevision).toBe(1n);
    expect(await numbersOf(client, stream)).toEqual([0, 1]);
  });

  it('can be feigned to one append, with the address of the node itself', async () => {
    connect({ to: 0 });
    await server.inject({ kind: 'not-leader', streamPrefix: stream });
    const sent = event(0);
    const append = () => client.appendToStream(stream, sent, { expectedRevision: NO_STREAM });

    expect(await thrownBy(append())).toMatchObject({
      name: 'NotLeaderError',
      error: { leader: { port: server.ports[0] } },
    });
    expect((await untilItSucceeds(append)).nextExpectedRevision).toBe(0n);
  });
});
