export * from './decider-spec.ts';
export * from './legal-order-samples.ts';
export * from './ledger-world.ts';
