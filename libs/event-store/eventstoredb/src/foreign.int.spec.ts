import { canonicalJson, type EventMetadata, sealEvent, StoredEvent, uuidv7 } from '#kernel';
import { decodeEvent, hashIsRight } from '#replay';
import { type EventStoreDbServer, startEventStoreDbServer } from '#testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { binaryEvent, EventStoreDBClient, jsonEvent } from '@eventstore/db-client';
import { EventStoreDbEventStore } from './index.ts';

const DEPOSIT = {
  accountId: '2',
  amount: '5',
  asset: 'BTC',
  depositId: 'd-1',
  source: { kind: 'bank', reference: 'r' },
};

describe('what stands on a server', () => {
  let server: EventStoreDbServer;
  let store: EventStoreDbEventStore;
  let client: EventStoreDBClient;
  beforeAll(async () => {
    server = await startEventStoreDbServer({ inMemory: true });
    const { connectionString } = server;
    const streamKinds = ['account-', 'party-'];
    store = await EventStoreDbEventStore.open({ connectionString, streamKinds });
    client = EventStoreDBClient.connectionString(connectionString);
  });
  afterAll(async () => {
    await store.close();
    await client.dispose();
    await server.stop();
  });

  function sealed(stream: string, revision: number, data: unknown = DEPOSIT) {
    const content = { id: uuidv7(), type: 'FundsDeposited', schemaVersion: 1, data };
    const unsealed: Omit<EventMetadata, 'hash'> = {
      actor: { id: 'test', roles: ['service'] },
      correlationId: 'c',
      causationId: null,
      key: null,
      commandHash: null,
      recordedAt: '2022-02-15T12:00:00.000Z',
      previousHash: null,
    };
    const { hash, texts } = sealEvent(stream, revision, { ...content, metadata: unsealed });
    return { ...content, metadata: { ...unsealed, hash }, texts };
  }

  it('is word for word what was sent, so that its hash holds', async () => {
    // Of these members JavaScript would change the order, and of the text the bytes.
    const data = { '10': 'a', '9': 'ünï\u2028', b: [1, null] };
    const event = sealed('account-1', 0, data);
    expect(event.texts.data).not.toBe(JSON.stringify(JSON.parse(event.texts.data)));
    await store.append('account-1', 'no-stream', [event]);
    const [recorded] = await store.read('account-1');
    if (recorded === undefined) throw new Error('nothing was stored');
    expect(StoredEvent.textsOf(recorded)).toEqual(event.texts);
    expect(hashIsRight(recorded, undefined)).toBe(true);
    // For whoever looks at the server: JSON, and the version where canonical JSON has it.
    for await (const { event: onServer } of client.readStream('account-1')) {
      expect(onServer).toMatchObject({ id: event.id, type: event.type, isJson: true, data });
      const metadata = { ...event.metadata, schemaVersion: 1 };
      expect(onServer?.metadata).toEqual(metadata);
      expect(JSON.stringify(onServer?.metadata)).toBe(canonicalJson(metadata));
    }
  });

  it('comes out as malformed when it was written by other means, and bricks no stream', async () => {
    const stream = 'account-2';
    const proper = sealed(stream, 0);
    const metadata = { ...proper.metadata, schemaVersion: 1 };
    const bytes = Buffer.from(JSON.stringify(metadata));
    const foreign = [
      binaryEvent({ type: 'FundsDeposited', data: Buffer.from(JSON.stringify(DEPOSIT)), metadata: bytes }),
      binaryEvent({ type: 'FundsDeposited', data: Buffer.from([0xff, 0, 0xfe]), metadata: Buffer.from([0xff]) }),
      jsonEvent({ type: 'FundsDeposited', data: DEPOSIT, metadata: Buffer.from('{"half":') }),
      jsonEvent({ type: 'FundsDeposited', data: DEPOSIT, metadata: proper.metadata }),
      jsonEvent({ type: 'FundsDeposited', data: DEPOSIT }),
      jsonEvent({ type: 'FundsDeposited', data: DEPOSIT, metadata: { ...metadata, schemaVersion: '1' } }),
      jsonEvent({ type: 'FundsDeposited', data: DEPOSIT, metadata: { schemaVersion: 1, ...proper.metadata } }),
      jsonEvent({ type: 'Unheard', data: null as never, metadata: 'text' as never }),
    ];
    await client.appendToStream(stream, foreign, { expectedRevision: 'no_stream' });
    const events = await store.read(stream);
    expect(events.map(({ id }) => id)).toEqual(foreign.map(({ id }) => id));
    expect(events.map((event) => decodeEvent(event).ok)).toEqual(foreign.map(() => false));
    await store.append(stream, foreign.length - 1, [sealed(stream, foreign.length)]);
    const own = (await store.read(stream)).at(-1);
    expect(own && decodeEvent(own).ok).toBe(true);
  });

  it('is passed over when it is none of ours, and such a stream is never written', async () => {
    await client.appendToStream('stranger-1', jsonEvent({ type: 'FundsDeposited', data: {} }));
    const before = await store.head();
    await store.append('party-1', 'no-stream', [sealed('party-1', 0)]);
    await client.appendToStream(
      'stranger-1',
      [1, 2, 3].map(() => jsonEvent({ type: 'FundsDeposited', data: {} })),
    );
    const head = await store.head();
    const page = { events: [expect.objectContaining({ stream: 'party-1' })], scannedTo: head, atEnd: true };
    const after = before ?? '';
    expect(await store.readAll({ after, limit: 5 })).toEqual(page);
    // The server looks for the type alone, and finds strangers' events, too.
    expect(await store.readAll({ after, limit: 1, filter: { types: ['FundsDeposited'] } })).toEqual(page);
    expect(await store.readAll({ limit: 9, filter: { streamPrefixes: ['stranger-'] } })).toMatchObject({ events: [] });
    for (const stream of ['stranger-1', '$settings', 'account']) {
      await expect(store.append(stream, 'no-stream', [sealed(stream, 0)])).rejects.toMatchObject({
        name: 'RangeError',
      });
      await expect(store.read(stream)).rejects.toMatchObject({ name: 'RangeError' });
    }
  });
});
