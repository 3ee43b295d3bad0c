import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { StartError } from './start-error.ts';

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

/**
 * What is made from a log was not there before it. Where it is there alone, the log is lost or elsewhere, and to begin a new
 * one would say of all that was recorded that it never was.
 * @throws StartError when that is so
 */
export function demandLog({ events, readModels, snapshots }: ReturnType<typeof filesIn>): void {
  if (existsSync(events)) return;
  const left = [readModels, snapshots].filter((path) => existsSync(path));
  if (left.length === 0) return;
  throw new StartError(
    `${events} is gone, and ${left.join(' and ')}, made from it, is there. Put it back, or restore it from a backup; to begin an empty log, delete what was made from the old one.`,
  );
}
