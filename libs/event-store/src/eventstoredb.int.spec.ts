import { EventStoreDbEventStore } from '#event-store/eventstoredb';
import { randomUUID } from 'node:crypto';
import { describeEventStore, type StoreUnderTest } from './contract.ts';
import { describeRaces } from './contract-races.ts';

const connectionString = process.env['WRIT_EVENTSTOREDB_URL'] ?? '';

const adapter: StoreUnderTest = {
  open: () => EventStoreDbEventStore.open({ connectionString, streamPrefix: `test-${randomUUID()}-` }),
  findsIds: 'in-place',
};

describeEventStore('EventStoreDbEventStore', adapter);
describeRaces('EventStoreDbEventStore', adapter, 6);
