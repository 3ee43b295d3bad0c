export * from './backup.ts';
export * from './bulk-log.ts';
export { damageIn } from './file.ts';
export { acquireLock } from './lock.ts';
export * from './log-scan.ts';
export { readSeal, type Seal, sealLog, unsealLog } from './seal.ts';
export * from './sqlite-event-reader.ts';
export * from './sqlite-event-store.ts';
export * from './sync.ts';
