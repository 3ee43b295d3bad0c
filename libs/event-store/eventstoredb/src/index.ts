export * from './eventstoredb-event-store.ts';
export { type Connection, type Credentials, type EventStoreDbSettings, nameOf, readConnection } from './settings.ts';
