export * from './canonical.ts';
export * from './clock.ts';
export * from './decider.ts';
export * from './envelope.ts';
export * from './ids.ts';
export * from './money.ts';
export * from './rejection.ts';
export * from './schema.ts';
