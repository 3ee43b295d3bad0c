export * from './fold.ts';
export * from './home-stream-index.ts';
export * from './index-entries.ts';
export * from './judge.ts';
export * from './judged.ts';
export * from './registry.ts';
export * from './replay-account.ts';
export * from './resolver.ts';
