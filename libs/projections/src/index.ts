export type { InParts } from './build-in-parts.ts';
export type * from './projection-events.ts';
export * from './queries-api.ts';
export type { RebuildCause } from './read-model.ts';
export type { RunnerLimits } from './runner.ts';
export * from './start.ts';
export { DOERS, TASK_KINDS, WAITS_FOR, type Doer, type TaskKind, type TaskView } from './tasks.ts';
export type { LogSource } from './worker-protocol.ts';
