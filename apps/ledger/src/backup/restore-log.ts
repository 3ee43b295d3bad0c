import { demandNoLog, placeLog } from '#event-store/sqlite';
import { isStoreError } from '#event-store';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { filesIn } from '../data-folder.ts';
import { codeOf, messageOf } from '../thrown.ts';
import { BackupError } from './backup-error.ts';
import type { OnProgress } from './back-up.ts';
import { LOG_NAME, readManifest, type Manifest } from './manifest.ts';
import { readThrough, sha256OfFile } from './verify.ts';

export interface RestoreOptions {
  /** The folder of one backup. */
  readonly from: string;
  readonly dataDir: string;
  readonly onProgress?: OnProgress;
}

/**
 * Puts the log of a backup into a data folder that has none, once all of it has been read through. Read models and
 * snapshots of another log stay, and are made anew by the next start. What the supervisor remembers goes: of a log that went
 * on after the backup it can leave out a step that this one has open.
 * @throws BackupError, StoreError, or an error of a file: then the data folder has no log, as before
 */
export async function restoreLog({ from, dataDir, onProgress = () => undefined }: RestoreOptions): Promise<Manifest> {
  const { events: log, supervisor } = filesIn(dataDir);
  const manifest = readManifest(from);
  demandRoom(log);
  const backup = join(from, LOG_NAME);
  await demandAsTold(backup, manifest, onProgress);
  await placeLog(backup, log, async (path) => {
    if ((await sha256OfFile(path)) !== manifest.sha256)
      throw new BackupError(`${path} was written wrongly. Check the disk of ${dataDir}, and try again.`);
    rmSync(supervisor, { recursive: true, force: true });
  });
  return manifest;
}

function demandRoom(log: string): void {
  try {
    demandNoLog(log);
  } catch (error) {
    if (!isStoreError(error)) throw error;
    throw new BackupError(
      `${messageOf(error)}: a restore overwrites nothing. Stop the service and move the data folder away, or name another with --data.`,
    );
  }
}

/** @throws BackupError when the backup is not what its manifest says */
async function demandAsTold(backup: string, manifest: Manifest, onProgress: OnProgress): Promise<void> {
  const { sha256, events, lastPosition, faults } = manifest;
  const found = await sha256OfFile(backup).catch((error: unknown) => {
    throw new BackupError(`${backup} can't be read (${String(codeOf(error))}). Take another backup.`);
  });
  if (found !== sha256) {
    throw new BackupError(
      `${backup} is not as it was made: its SHA-256 is not that of the manifest. Take another backup.`,
    );
  }
  const contents = await readThrough(backup, (done, total) => onProgress('verifying', done, total, 'events'));
  if (
    contents.events !== events ||
    (contents.last?.position ?? null) !== lastPosition ||
    contents.faultCount !== faults
  ) {
    throw new BackupError(`${backup} does not hold what its manifest says. Take another backup.`);
  }
}
