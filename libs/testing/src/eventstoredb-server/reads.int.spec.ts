import {
  BACKWARDS,
  binaryEvent,
  END,
  EventStoreDBClient,
  FORWARDS,
  jsonEvent,
  NO_STREAM,
  type Position,
  START,
  streamNameFilter,
} from '@eventstore/db-client';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { type EventStoreDbServer, startEventStoreDbServer } from './index.ts';
import { collect, event, events, revisionsOf, thrownBy } from './spec-support.ts';

let server: EventStoreDbServer;
let client: EventStoreDBClient;

beforeAll(async () => {
  server = await startEventStoreDbServer({ inMemory: true });
  client = EventStoreDBClient.connectionString(server.connectionString);
});

afterAll(async () => {
  await client.dispose();
  await server.stop();
});

async function streamOf(count: number): Promise<string> {
  const stream = `account-${randomUUID()}`;
  if (count > 0) await client.appendToStream(stream, events(count), { expectedRevision: NO_STREAM });
  return stream;
}

async function revisions(stream: string, options: Parameters<EventStoreDBClient['readStream']>[1]): Promise<string> {
  return (await collect(client.readStream(stream, options))).map(({ event: read }) => String(read?.revision)).join(' ');
}

describe('a read of one stream', () => {
  it('gives events as they were stored', async () => {
    const stream = await streamOf(0);
    const [json, binary] = [
      jsonEvent({ type: 'Json', data: { amount: '12345678901234567890' }, metadata: { by: 'ä' } }),
      binaryEvent({ type: 'Binary', data: Buffer.from([0, 255]), metadata: Buffer.from([1, 254]) }),
    ];
    const before = Date.now();
    await client.appendToStream(stream, [json, binary]);

    const [first, second] = (await collect(client.readStream(stream))).map((resolved) => resolved.event);

    expect(first).toMatchObject({
      streamId: stream,
      id: json.id,
      revision: 0n,
      type: 'Json',
      isJson: true,
      data: { amount: '12345678901234567890' },
      metadata: { by: 'ä' },
    });
    expect(second).toMatchObject({ id: binary.id, revision: 1n, type: 'Binary', isJson: false });
    expect([second?.data, second?.metadata].map((bytes) => [...(bytes as Uint8Array)])).toEqual([
      [0, 255],
      [1, 254],
    ]);
    const created = Number(first?.created.getTime());
    expect(created).toBeGreaterThanOrEqual(before);
    expect(created).toBeLessThanOrEqual(Date.now());
  });

  it.each([
    ['forwards from the start', { direction: FORWARDS }, '0 1 2 3 4'],
    ['forwards from a revision, which it includes', { fromRevision: 2n }, '2 3 4'],
    ['forwards, no more than asked for', { fromRevision: 1n, maxCount: 2 }, '1 2'],
    ['forwards from beyond the last', { fromRevision: 5n }, ''],
    ['forwards from the end', { fromRevision: END }, ''],
    ['backwards from the end', { direction: BACKWARDS, fromRevision: END, maxCount: 2 }, '4 3'],
    ['backwards from a revision, which it includes', { direction: BACKWARDS, fromRevision: 2n }, '2 1 0'],
    ['backwards from beyond the last', { direction: BACKWARDS, fromRevision: 9n, maxCount: 1 }, '4'],
    ['backwards from the start', { direction: BACKWARDS, fromRevision: START }, '0'],
  ] as const)('goes %s', async (_, options, expected) => {
    expect(await revisions(await streamOf(5), options)).toBe(expected);
  });

  it('tells of a missing stream by a message, which has no code', async () => {
    const stream = await streamOf(0);

    const thrown = await thrownBy(collect(client.readStream(stream)));

    expect(thrown).toMatchObject({
      name: 'StreamNotFoundError',
      type: 'stream-not-found',
      code: undefined,
      message: expect.stringContaining('not found'),
    });
  });
});

describe('a read of all events', () => {
  async function all(options: Parameters<EventStoreDBClient['readAll']>[0]): Promise<(bigint | undefined)[]> {
    return (await collect(client.readAll(options))).map(({ event: read }) => read?.position.commit);
  }

  it('gives them in the order of the log, in both directions', async () => {
    await streamOf(3);
    await streamOf(2);

    const forwards = await all({});
    const backwards = await all({ direction: BACKWARDS, fromPosition: END });

    expect(forwards.length).toBeGreaterThanOrEqual(5);
    expect(forwards).toEqual([...forwards].sort((a, b) => Number((a ?? 0n) - (b ?? 0n))));
    expect(backwards).toEqual([...forwards].reverse());
    expect(forwards[0]).toBeGreaterThan(0n);
  });

  it('includes the position forwards, and begins before it backwards', async () => {
    const stream = await streamOf(3);
    const read = await collect(client.readStream(stream));
    const [first, second, third] = read.map((resolved) => resolved.event?.position?.commit);
    const fromPosition = read[1]?.event?.position as Position;

    expect(await all({ fromPosition, maxCount: 2 })).toEqual([second, third]);
    expect(await all({ fromPosition, direction: BACKWARDS, maxCount: 1 })).toEqual([first]);
  });

  it('is not filtered by this client, whatever it is asked for: subscriptions are', async () => {
    const stream = await streamOf(2);
    const options = { fromPosition: END, direction: BACKWARDS, maxCount: 2 } as const;
    const filtered = { ...options, filter: streamNameFilter({ prefixes: ['none-'] }) };

    expect((await collect(client.readAll(filtered))).map(({ event: read }) => read?.streamId)).toEqual([
      stream,
      stream,
    ]);
  });

  it('refuses a position within an event', async () => {
    const [read] = await collect(client.readStream(await streamOf(1)));
    const commit = (read?.event?.position?.commit ?? 0n) + 1n;

    const thrown = await thrownBy(all({ fromPosition: { commit, prepare: commit } }));

    expect(thrown).toMatchObject({ name: 'UnknownError', code: 2 });
  });

  it('shows what the system keeps there too: metadata, and the ends of streams', async () => {
    const stream = await streamOf(1);
    await client.setStreamMetadata(stream, { maxCount: 9 });
    await client.tombstoneStream(stream);

    const [end, metadata, event0] = await collect(
      client.readAll({ direction: BACKWARDS, fromPosition: END, maxCount: 3 }),
    );

    expect(end?.event).toMatchObject({ streamId: stream, type: '$streamDeleted', revision: 2n ** 63n - 1n });
    expect(metadata?.event).toMatchObject({ streamId: `$$${stream}`, type: '$metadata', data: { $maxCount: 9 } });
    expect(event0?.event).toMatchObject({ streamId: stream, type: 'Numbered' });
  });
});

describe('metadata of a stream', () => {
  it('are a stream of their own, of which the last event alone is shown', async () => {
    const stream = await streamOf(1);
    await client.setStreamMetadata(stream, { acl: { writeRoles: ['ledger'], readRoles: ['auditor'] }, note: 1 });
    const second = await client.setStreamMetadata(stream, { maxCount: 7 }, { expectedRevision: 0n });

    expect(second.nextExpectedRevision).toBe(1n);
    expect(await revisionsOf(client, `$$${stream}`)).toEqual([1n]);
    const read = await client.getStreamMetadata(stream);
    expect(read.metadata).toEqual({ maxCount: 7 });
    // Trap: it is called a revision, and is the position.
    const [last] = await collect(client.readAll({ direction: BACKWARDS, fromPosition: END, maxCount: 1 }));
    expect(read.metastreamRevision).toBe(last?.event?.position.commit);
  });

  it('$maxCount leaves the last events, in both directions', async () => {
    const stream = await streamOf(5);
    await client.setStreamMetadata(stream, { maxCount: 2 });

    expect(await revisions(stream, {})).toBe('3 4');
    expect(await revisions(stream, { direction: BACKWARDS, fromRevision: END })).toBe('4 3');
  });

  it('$tb leaves what is from there on, also nothing', async () => {
    const stream = await streamOf(3);
    await client.setStreamMetadata(stream, { truncateBefore: 1 });
    expect(await revisions(stream, {})).toBe('1 2');

    await client.setStreamMetadata(stream, { truncateBefore: 3 });
    expect(await revisions(stream, {})).toBe('');
    expect(await revisions(stream, { direction: BACKWARDS, fromRevision: END })).toBe('');
  });

  it('$maxAge hides what is older', async () => {
    const stream = await streamOf(2);
    await client.setStreamMetadata(stream, { maxAge: 1 });
    await delay(1_100);
    await client.appendToStream(stream, event(2), { expectedRevision: 1n });

    expect(await revisions(stream, {})).toBe('2');
    expect(await revisions(stream, { direction: BACKWARDS, fromRevision: END })).toBe('2');
  });

  it('hides nothing from a read of all events', async () => {
    const stream = await streamOf(2);
    await client.setStreamMetadata(stream, { truncateBefore: 2 });

    const last = await collect(client.readAll({ direction: BACKWARDS, fromPosition: END, maxCount: 3 }));

    expect(last.map(({ event: read }) => read?.streamId)).toEqual([`$$${stream}`, stream, stream]);
  });
});
