export * from './ledger-api.ts';
