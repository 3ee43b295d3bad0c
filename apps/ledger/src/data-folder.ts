import { join } from 'node:path';

/** The log, and what can be made from it again, read models and snapshots; all in the data folder. */
export function filesIn(dataDir: string): {
  readonly events: string;
  readonly readModels: string;
  readonly snapshots: string;
  readonly supervisor: string;
} {
  return {
    events: join(dataDir, 'events.db'),
    readModels: join(dataDir, 'read-models.db'),
    snapshots: join(dataDir, 'snapshots'),
    supervisor: join(dataDir, 'supervisor'),
  };
}
