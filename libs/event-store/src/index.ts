export * from './encode.ts';
export * from './follow.ts';
export * from './judge.ts';
export * from './port.ts';
export * from './position.ts';
export * from './read-options.ts';
