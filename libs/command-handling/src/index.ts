export * from './ledger-api.ts';
export { createLedger, type Ledger, type LedgerOptions } from './ledger.ts';
export { type AgendaMemoryOptions } from './agenda-memory.ts';
export { DEFAULT_LIMITS, MAX_CLOCK_LAG_MS, realMachine, type Limits, type Machine } from './ports.ts';
export { foldRules } from './fold-rules.ts';
export { SnapshotFiles, type SnapshotFilesOptions } from './snapshot-files.ts';
export { type SnapshotOptions, type SnapshotOutcome, type SnapshotStore, type SnapshotWatch } from './snapshots.ts';
export { type CommandMetrics } from './streams.ts';
export { type Supervisor, type SupervisorWatch } from './supervisor.ts';
