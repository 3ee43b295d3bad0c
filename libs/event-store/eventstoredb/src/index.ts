export * from './eventstoredb-event-store.ts';
export { type Connection, type Credentials, type EventStoreDbSettings, nameOf, readConnection } from './settings.ts';
export { ACCESS_FINDINGS, type AccessFinding, type AccessRole, checkAccess } from './access/check-access.ts';
export { type AccessChange, type AccessGrant, setAccess } from './access/set-access.ts';
