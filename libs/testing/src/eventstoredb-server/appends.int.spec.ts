import { ANY, EventStoreDBClient, jsonEvent, NO_STREAM, STREAM_EXISTS } from '@eventstore/db-client';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { type EventStoreDbServer, startEventStoreDbServer } from './index.ts';
import { collect, event, events, numbersOf, revisionsOf, thrownBy } from './spec-support.ts';

let server: EventStoreDbServer;
let client: EventStoreDBClient;
/** Credentials for one call have the client use the plain Append call instead of BatchAppend. */
const PLAIN = { credentials: { username: 'anybody', password: 'any' } };

beforeAll(async () => {
  server = await startEventStoreDbServer();
  client = EventStoreDBClient.connectionString(server.connectionString);
});

afterAll(async () => {
  await client.dispose();
  await server.stop();
});

/** A stream that no other test has, with so many events. */
async function streamOf(count: number): Promise<string> {
  const stream = `account-${randomUUID()}`;
  if (count > 0) await client.appendToStream(stream, events(count), { expectedRevision: NO_STREAM });
  return stream;
}

describe.each([
  ['BatchAppend', {}],
  ['Append', PLAIN],
])('by the call %s', (call, options) => {
  it('stores events and answers the revision of the last, and its position among all events', async () => {
    await server.resetCounts();
    const stream = await streamOf(0);

    const first = await client.appendToStream(stream, events(3), { expectedRevision: NO_STREAM, ...options });
    const second = await client.appendToStream(stream, event(3), { expectedRevision: 2n, ...options });

    expect(first).toMatchObject({ success: true, nextExpectedRevision: 2n });
    expect(second).toMatchObject({ success: true, nextExpectedRevision: 3n });
    const stored = await collect(client.readStream(stream));
    expect(stored.map(({ event: { revision } = { revision: -1n } }) => revision)).toEqual([0n, 1n, 2n, 3n]);
    expect([first.position, second.position]).toEqual([stored[2]?.event?.position, stored[3]?.event?.position]);
    expect(await server.counts()).toMatchObject({
      appends: 2,
      plainAppends: call === 'Append' ? 2 : 0,
      storedAppends: 2,
      storedEvents: 4,
      reads: 1,
    });
  });

  it.each([
    ['no stream', NO_STREAM, 'no_stream'],
    ['a revision before the last', 0n, 0n],
    ['a revision after the last', 9n, 9n],
  ] as const)('refuses an append that expects %s, with an empty message and no code', async (_, expected, told) => {
    const stream = await streamOf(3);

    const thrown = await thrownBy(client.appendToStream(stream, event(9), { expectedRevision: expected, ...options }));

    expect(thrown).toMatchObject({
      name: 'WrongExpectedVersionError',
      type: 'wrong-expected-version',
      message: '',
      code: undefined,
      error: { streamName: stream, expectedVersion: told, actualVersion: 2n },
    });
    expect(await revisionsOf(client, stream)).toEqual([0n, 1n, 2n]);
  });

  it.each([
    ['a revision', 0n, 0n],
    ['that it exists', STREAM_EXISTS, 'stream_exists'],
  ] as const)('refuses an append that expects %s of a stream that is not there', async (_, expected, told) => {
    const stream = await streamOf(0);

    const thrown = await thrownBy(client.appendToStream(stream, event(0), { expectedRevision: expected, ...options }));

    expect(thrown).toMatchObject({
      name: 'WrongExpectedVersionError',
      error: { expectedVersion: told, actualVersion: 'no_stream' },
    });
  });

  it('refuses an append over the limit, which counts the data of its events alone', async () => {
    const stream = await streamOf(0);
    const text = (bytes: number): string => 'x'.repeat(bytes - '{"s":""}'.length);
    const sized = (bytes: number) =>
      jsonEvent({ type: 'Sized', data: { s: text(bytes) }, metadata: { m: 'y'.repeat(999) } });

    const thrown = await thrownBy(
      client.appendToStream(stream, [sized(1_048_000), sized(577)], { expectedRevision: NO_STREAM, ...options }),
    );
    const atLimit = await client.appendToStream(stream, [sized(1_048_000), sized(576)], options);

    expect(thrown).toMatchObject({
      name: 'MaxAppendSizeExceededError',
      type: 'maximum-append-size-exceeded',
      code: call === 'Append' ? 3 : undefined,
      message: call === 'Append' ? '3 INVALID_ARGUMENT: Maximum Append Size of 1048576 Exceeded.' : '',
      error: { maxAppendSize: 1_048_576 },
    });
    expect(atLimit.nextExpectedRevision).toBe(1n);
  });

  it('refuses an append to a stream that was ended', async () => {
    const stream = await streamOf(1);
    await client.tombstoneStream(stream);

    const thrown = await thrownBy(client.appendToStream(stream, event(1), { expectedRevision: ANY, ...options }));

    expect(thrown).toMatchObject({
      name: 'StreamDeletedError',
      type: 'stream-deleted',
      code: call === 'Append' ? 9 : undefined,
      message: call === 'Append' ? `9 FAILED_PRECONDITION: Event stream '${stream}' is deleted.` : '',
      error: { streamName: stream },
    });
  });
});

describe('idempotency', () => {
  it('answers a replay at the same expected revision with the first answer, and stores nothing', async () => {
    const stream = await streamOf(2);
    const appended = events(3);
    const first = await client.appendToStream(stream, appended, { expectedRevision: 1n });
    await client.appendToStream(stream, event(9), { expectedRevision: 4n });

    const replayed = await client.appendToStream(stream, appended, { expectedRevision: 1n });

    expect(replayed).toEqual(first);
    expect(await revisionsOf(client, stream)).toEqual([0n, 1n, 2n, 3n, 4n, 5n]);
  });

  it('takes a replay of a part of an append for one, and answers the revision of that part', async () => {
    const stream = await streamOf(0);
    const appended = events(3);
    await client.appendToStream(stream, appended, { expectedRevision: NO_STREAM });

    const replayed = await client.appendToStream(stream, appended.slice(0, 2), { expectedRevision: NO_STREAM });

    expect(replayed.nextExpectedRevision).toBe(1n);
  });

  it('refuses a replay with one event more', async () => {
    const stream = await streamOf(0);
    const appended = events(2);
    await client.appendToStream(stream, appended, { expectedRevision: NO_STREAM });

    const thrown = await thrownBy(
      client.appendToStream(stream, [...appended, event(2)], { expectedRevision: NO_STREAM }),
    );

    expect(thrown).toMatchObject({ name: 'WrongExpectedVersionError', error: { actualVersion: 1n } });
  });

  it('refuses the same ids at another expected revision, or in another order', async () => {
    const stream = await streamOf(1);
    const [one, two] = [event(1), event(2)];
    await client.appendToStream(stream, [one, two], { expectedRevision: 0n });

    const elsewhere = await thrownBy(client.appendToStream(stream, [one, two], { expectedRevision: NO_STREAM }));
    const reordered = await thrownBy(client.appendToStream(stream, [two, one], { expectedRevision: 0n }));

    expect([elsewhere.name, reordered.name]).toEqual(['WrongExpectedVersionError', 'WrongExpectedVersionError']);
  });

  it('compares ids alone: other data under the same id are a replay', async () => {
    const stream = await streamOf(0);
    const id = randomUUID();
    await client.appendToStream(stream, event(1, id), { expectedRevision: NO_STREAM });

    const replayed = await client.appendToStream(stream, event(2, id), { expectedRevision: NO_STREAM });

    expect(replayed.nextExpectedRevision).toBe(0n);
    expect(await numbersOf(client, stream)).toEqual([1]);
  });

  it('stores the same id twice within one append, and an id that another stream has', async () => {
    const [stream, other] = [await streamOf(0), await streamOf(0)];
    const id = randomUUID();

    const answer = await client.appendToStream(stream, [event(1, id), event(2, id)], { expectedRevision: NO_STREAM });
    await client.appendToStream(other, event(3, id), { expectedRevision: NO_STREAM });

    expect(answer.nextExpectedRevision).toBe(1n);
    expect(await numbersOf(client, stream)).toEqual([1, 2]);
    expect(await numbersOf(client, other)).toEqual([3]);
  });

  it('knows a replay without an expected revision by its ids, until the server is started again', async () => {
    const stream = await streamOf(0);
    const appended = event(1);
    await client.appendToStream(stream, appended, { expectedRevision: ANY });
    const replayed = await client.appendToStream(stream, appended, { expectedRevision: ANY });
    const mixed = await thrownBy(client.appendToStream(stream, [appended, event(2)], { expectedRevision: ANY }));
    expect(replayed.nextExpectedRevision).toBe(0n);
    expect(mixed).toMatchObject({ name: 'WrongExpectedVersionError', error: { expectedVersion: 'any' } });

    await client.dispose();
    await server.restart();
    client = EventStoreDBClient.connectionString(server.connectionString);
    const again = await client.appendToStream(stream, appended, { expectedRevision: ANY });

    expect(again.nextExpectedRevision).toBe(1n);
    expect(await numbersOf(client, stream)).toEqual([1, 1]);
  });

  it('knows a replay at an exact revision after a restart as well', async () => {
    const stream = await streamOf(0);
    const appended = events(2);
    const first = await client.appendToStream(stream, appended, { expectedRevision: NO_STREAM });

    await client.dispose();
    await server.restart();
    client = EventStoreDBClient.connectionString(server.connectionString);

    expect(await client.appendToStream(stream, appended, { expectedRevision: NO_STREAM })).toEqual(first);
  });
});

describe('an append of no events', () => {
  it('succeeds where the revision is right, and stores nothing', async () => {
    const stream = await streamOf(2);

    const answer = await client.appendToStream(stream, [], { expectedRevision: 1n });

    expect(answer).toMatchObject({ success: true, nextExpectedRevision: 1n });
    expect(await revisionsOf(client, stream)).toEqual([0n, 1n]);
  });

  it('is refused where the revision is wrong', async () => {
    const stream = await streamOf(2);

    const thrown = await thrownBy(client.appendToStream(stream, [], { expectedRevision: NO_STREAM }));

    expect(thrown.name).toBe('WrongExpectedVersionError');
  });
});

describe('deletes', () => {
  it('hides what was deleted softly, and goes on with its revisions for whoever expects no stream', async () => {
    const stream = await streamOf(2);
    await client.deleteStream(stream, { expectedRevision: 1n });
    expect(await thrownBy(collect(client.readStream(stream)))).toMatchObject({ name: 'StreamNotFoundError' });
    expect(await client.getStreamMetadata(stream)).toMatchObject({ metadata: { truncateBefore: 2 ** 63 } });

    const answer = await client.appendToStream(stream, event(5), { expectedRevision: NO_STREAM });

    expect(answer.nextExpectedRevision).toBe(2n);
    expect(await revisionsOf(client, stream)).toEqual([2n]);
    expect(await client.getStreamMetadata(stream)).toMatchObject({ metadata: { truncateBefore: 2 } });
  });

  it('refuses an append that expects another revision than the last of what was deleted softly', async () => {
    const stream = await streamOf(3);
    await client.deleteStream(stream);

    const thrown = await thrownBy(client.appendToStream(stream, event(5), { expectedRevision: 1n }));
    const answer = await client.appendToStream(stream, event(6), { expectedRevision: 2n });

    expect(thrown).toMatchObject({ name: 'WrongExpectedVersionError', error: { actualVersion: 2n } });
    expect(answer.nextExpectedRevision).toBe(3n);
    expect(await revisionsOf(client, stream)).toEqual([3n]);
  });

  it('brings back a stream that was deleted softly, without what it had, when its metadata are set', async () => {
    const stream = await streamOf(2);
    await client.deleteStream(stream);
    await client.setStreamMetadata(stream, { note: 1 });

    expect(await revisionsOf(client, stream)).toEqual([]);
    expect((await client.getStreamMetadata(stream)).metadata).toEqual({ note: 1, truncateBefore: 2 });
    await client.appendToStream(stream, event(2), { expectedRevision: 1n });
    expect(await revisionsOf(client, stream)).toEqual([2n]);
  });

  it('refuses an append that expects a stream to exist which was deleted softly', async () => {
    const stream = await streamOf(1);
    await client.deleteStream(stream);

    const thrown = await thrownBy(client.appendToStream(stream, event(1), { expectedRevision: STREAM_EXISTS }));

    expect(thrown).toMatchObject({ name: 'StreamDeletedError', message: '' });
  });

  it('ends a stream for good: it can be neither read, nor deleted, nor described', async () => {
    const stream = await streamOf(1);
    await client.tombstoneStream(stream, { expectedRevision: 0n });

    const attempts = [
      () => collect(client.readStream(stream)),
      () => client.deleteStream(stream),
      () => client.tombstoneStream(stream),
      () => collect(client.readStream(`$$${stream}`)),
    ];

    for (const attempt of attempts) {
      expect(await thrownBy(attempt())).toMatchObject({ name: 'StreamDeletedError', type: 'stream-deleted', code: 9 });
    }
    expect(await thrownBy(client.setStreamMetadata(stream, {}))).toMatchObject({ name: 'StreamDeletedError' });
  });

  it.each(['deleteStream', 'tombstoneStream'] as const)(
    '%s at a wrong revision is refused by trailers',
    async (how) => {
      const stream = await streamOf(2);

      const thrown = await thrownBy(client[how](stream, { expectedRevision: 0n }));

      expect(thrown).toMatchObject({
        name: 'WrongExpectedVersionError',
        type: 'wrong-expected-version',
        code: 9,
        error: { streamName: stream, expectedVersion: 0n, actualVersion: 1n },
      });
      expect(thrown.message).toContain('Delete failed due to WrongExpectedVersion.');
      expect(await revisionsOf(client, stream)).toEqual([0n, 1n]);
    },
  );

  it('refuses the soft delete of a stream that is not there', async () => {
    const thrown = await thrownBy(client.deleteStream(await streamOf(0)));

    expect(thrown).toMatchObject({ name: 'WrongExpectedVersionError', code: 9 });
  });
});
