export * from './decider-spec.ts';
export * from './legal-order-samples.ts';
export * from './ledger-world.ts';
export * from './invariants.ts';
export * from './log-builder.ts';
export * from './forgeries.ts';
