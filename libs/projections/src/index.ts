export * from './queries-api.ts';
export type { ProjectionEvent, ProjectionFailure, ProjectionStatus, RunnerLimits } from './runner.ts';
export * from './start.ts';
