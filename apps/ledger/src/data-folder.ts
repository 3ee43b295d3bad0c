import { UNFINISHED_SUFFIX } from '#event-store/sqlite';
import { existsSync, readdirSync, statSync } from 'node:fs';
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
 * Whether there is a log, or its write-ahead log at least: what opens it says what is missing. A file without a byte is none: a
 * first start left it that was killed before it had made one.
 */
export function hasLog({ events }: Pick<ReturnType<typeof filesIn>, 'events'>): boolean {
  return [events, `${events}-wal`].some((path) => (statSync(path, { throwIfNoEntry: false })?.size ?? 0) > 0);
}

/**
 * Where there is no log, nothing may show that there was one, or was to be one: to begin a new one there would say of all that
 * was recorded that it never was. What is made from a log was not there before it; the supervisor names its last event. A
 * restore and a load call the log otherwise until it is whole.
 * @throws StartError when something does
 */
export function demandLog(files: ReturnType<typeof filesIn>): void {
  const { events, readModels, snapshots, supervisor } = files;
  if (hasLog(files)) return;
  const unfinished = events + UNFINISHED_SUFFIX;
  if (existsSync(unfinished)) {
    throw new StartError(
      `${unfinished} is there, and ${events} is not: a restore or a load was cut off, or is still at work. Let it end, or give the same command again; to begin an empty log, delete that file.`,
    );
  }
  const left = [readModels, snapshots].filter((path) => existsSync(path));
  if (existsSync(supervisor) && readdirSync(supervisor).length > 0) left.push(supervisor);
  if (left.length === 0) return;
  throw new StartError(
    `${events} is gone, and ${left.join(' and ')}, made from it, is there. Put it back, or restore it from a backup; to begin an empty log, delete what was made from the old one.`,
  );
}
