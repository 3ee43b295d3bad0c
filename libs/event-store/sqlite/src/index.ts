export * from './backup.ts';
export * from './sqlite-event-reader.ts';
export * from './sqlite-event-store.ts';
