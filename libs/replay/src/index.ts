export * from './home-stream-index.ts';
export * from './judged.ts';
