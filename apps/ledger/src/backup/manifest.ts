import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { codeOf, messageOf } from '../thrown.ts';
import { BackupError } from './backup-error.ts';

export const LOG_NAME = 'events.db';
export const MANIFEST_NAME = 'manifest.json';

const schema = z.strictObject({
  format: z.literal(1),
  /** All that was acknowledged before this time is in the backup. */
  madeAt: z.string(),
  events: z.int().nonnegative(),
  /** Position of the last event, and the time that stands on it; null for a log without events. Others may have a later one. */
  lastPosition: z.string().nullable(),
  lastRecordedAt: z.string().nullable(),
  /** Events whose hash or place in the chain is wrong in the log itself: they are in the backup as they are. */
  faults: z.int().nonnegative(),
  sizeBytes: z.int().positive(),
  /** Of the file beside the manifest. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});

/** What a backup holds: it stands in a file beside the log's copy. */
export type Manifest = Readonly<z.infer<typeof schema>>;

export function writeManifest(manifest: Manifest): string {
  return `${JSON.stringify(manifest, undefined, 2)}\n`;
}

/** @throws BackupError when the folder has no manifest, or none that this version can read */
export function readManifest(folder: string): Manifest {
  const path = join(folder, MANIFEST_NAME);
  let parsed: unknown;
  try {
    parsed = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') {
      throw new BackupError(`${folder} is no backup: it has no ${MANIFEST_NAME}. ${adviceOn(folder)}`);
    }
    throw new BackupError(`${path} can't be read (${messageOf(error)}). Take another backup.`);
  }
  const { data, error } = schema.safeParse(parsed);
  if (data !== undefined) return data;
  const where = error.issues.map(({ path: at }) => at.join('.') || 'the whole').join(', ');
  throw new BackupError(`${path} is not a manifest of this version of Writ (${where}). Take another backup.`);
}

/** Names begin with their time, so the newest is the last. */
function adviceOn(folder: string): string {
  const newest = globSync(`20*/${MANIFEST_NAME}`, { cwd: folder }).sort().at(-1);
  if (newest === undefined) return 'Name the folder of one backup.';
  return `Name one of those in it: the newest is ${join(folder, dirname(newest))}.`;
}
