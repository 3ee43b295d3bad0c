export * from './check.ts';
export * from './commands.ts';
export * from './decide.ts';
export * from './events.ts';
export * from './naming.ts';
export * from './state.ts';
export * from './views.ts';
export * from './projection.ts';
