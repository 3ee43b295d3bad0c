import { EventStoreDbEventStore } from '#event-store/eventstoredb';
import { eventStoreDbUnderTest, newStreamPrefix } from '#testing';
import { afterAll, beforeAll } from '@jest/globals';
import { describeEventStore, type StoreUnderTest } from './contract.ts';
import { describeRaces } from './contract-races.ts';

/** A bound, not a measure: a real server may be far, or busy. */
const CALL_TIMEOUT_MS = 30_000;

let server: Awaited<ReturnType<typeof eventStoreDbUnderTest>>;

beforeAll(async () => {
  server = await eventStoreDbUnderTest();
});
afterAll(() => server.stop());

const adapter: StoreUnderTest = {
  // A log of its own: streams under a name that nothing had before.
  open: () =>
    EventStoreDbEventStore.open({
      ...server.settings,
      streamPrefix: newStreamPrefix(),
      callTimeoutMs: CALL_TIMEOUT_MS,
    }),
  findsIds: 'in-place',
};

describeEventStore('EventStoreDbEventStore', adapter);
describeRaces('EventStoreDbEventStore', adapter, 6);
