import { EventStoreDbEventStore } from '#event-store/eventstoredb';
import { type EventStoreDbServer, startEventStoreDbServer } from '#testing';
import { afterAll, beforeAll } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { describeEventStore, type StoreUnderTest } from './contract.ts';
import { describeRaces } from './contract-races.ts';

/** A real server to be tried instead of the one of the tests: `npm run test:eventstoredb`. */
const given = process.env['WRIT_EVENTSTOREDB_URL'];
let server: EventStoreDbServer | undefined;

beforeAll(async () => {
  if (given === undefined) server = await startEventStoreDbServer();
});
afterAll(() => server?.stop());

const adapter: StoreUnderTest = {
  // A log of its own: streams under a name that nothing had before.
  open: () =>
    EventStoreDbEventStore.open({
      connectionString: given ?? server?.connectionString ?? '',
      streamPrefix: `writ-test-${randomUUID()}-`,
    }),
  findsIds: 'in-place',
};

describeEventStore('EventStoreDbEventStore', adapter);
describeRaces('EventStoreDbEventStore', adapter, 6);
