import { copyLog, makeFolderDurably, SqliteEventReader, syncFile, syncFolder } from '#event-store/sqlite';
import type { ChainFault } from '#replay';
import { realpathSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve, sep } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { filesIn } from '../data-folder.ts';
import { codeOf } from '../thrown.ts';
import { BackupError } from './backup-error.ts';
import { LOG_NAME, MANIFEST_NAME, writeManifest, type Manifest } from './manifest.ts';
import { beginUnfinished, removeLeft } from './unfinished.ts';
import { readThrough, sha256OfFile, type LogContents } from './verify.ts';

/** Told how far it is: what is done, how much of it, of how much, in what. */
export type OnProgress = (what: 'copying' | 'verifying', done: number, total: number, unit: string) => void;

export interface BackUpOptions {
  readonly dataDir: string;
  /** The folder that backups are kept in; each gets a folder of its own there. Made when it is not there. */
  readonly to: string;
  readonly now?: () => Date;
  readonly onProgress?: OnProgress;
}

export interface Backup {
  /** The folder of this backup. */
  readonly folder: string;
  readonly manifest: Manifest;
  /** What is wrong with events of the log itself, the first thousand. */
  readonly faults: readonly ChainFault[];
  /** Folders of backups that were not finished, of which it can't tell that nobody is making them. */
  readonly left: readonly string[];
}

/**
 * Makes a backup of the log while the service may run, reads it through, and only then gives it its name: what stands
 * under such a name is whole and on disk. Never touches an earlier one; removes what one left that was killed.
 * @throws BackupError, StoreError, or an error of a file: then nothing of this backup is left, nor a folder made for it
 */
export async function backUp(options: BackUpOptions): Promise<Backup> {
  const { dataDir, to } = options;
  demandApart(dataDir, to);
  const { remove } = makeFolderDurably(to);
  try {
    return await backUpInto(options);
  } catch (error) {
    remove();
    throw error;
  }
}

async function backUpInto(options: BackUpOptions): Promise<Backup> {
  const { dataDir, to, now = () => new Date(), onProgress = () => undefined } = options;
  const log = filesIn(dataDir).events;
  const madeAt = now().toISOString();
  const folder = join(to, madeAt.replaceAll(':', '-'));
  const left = removeLeft(to);
  const { folder: unfinished, end } = beginUnfinished(to);
  try {
    const copy = join(unfinished, LOG_NAME);
    await copyLog(log, copy, (done, total) => onProgress('copying', done, total, 'pages'));
    const onEvents = (done: number, total: number): void => onProgress('verifying', done, total, 'events');
    const contents = await readThrough(copy, onEvents, (damage) => damagedIn(log, damage));
    await demandFaithful(log, copy, contents.faults);
    const manifest = manifestOf(contents, madeAt, statSync(copy).size, await sha256OfFile(copy));
    writeFileSync(join(unfinished, MANIFEST_NAME), writeManifest(manifest), { mode: 0o600 });
    syncFile(join(unfinished, MANIFEST_NAME));
    syncFolder(unfinished);
    giveName(unfinished, folder);
    syncFolder(to);
    return { folder, manifest, faults: contents.faults, left };
  } finally {
    end();
  }
}

/** @throws BackupError when the backups would lie where the log does, and be lost with it */
function demandApart(dataDir: string, to: string): void {
  const [data, backups] = [realpathToBe(dataDir), realpathToBe(to)];
  if (backups !== data && !backups.startsWith(data + sep)) return;
  throw new BackupError(`${to} is in the data folder ${dataDir}, and would be lost with it: name another folder.`);
}

/** Of a folder that is not there, what it will be once it is made. */
function realpathToBe(path: string): string {
  const whole = resolve(path);
  try {
    return realpathSync(whole);
  } catch {
    const parent = dirname(whole);
    return parent === whole ? whole : join(realpathToBe(parent), basename(whole));
  }
}

/** The copy is gone when this is read. */
function damagedIn(log: string, damage: string): string {
  return `${log} is damaged (${damage}), or was copied wrongly: npm run check tells which.`;
}

/** A log may hold what was forced into it: then the copy must hold the very same. */
async function demandFaithful(log: string, copy: string, faults: readonly ChainFault[]): Promise<void> {
  if (faults.length === 0) return;
  const readers = [new SqliteEventReader(log), new SqliteEventReader(copy)] as const;
  try {
    for (const { stream, revision } of faults) {
      const [original, copied] = await Promise.all(
        readers.map((each) => each.read(stream, { from: revision, to: revision })),
      );
      if (!isDeepStrictEqual(original, copied)) {
        throw new BackupError(
          `Revision ${String(revision)} of ${stream} was copied wrongly. Check that disk, and try again.`,
        );
      }
    }
  } finally {
    for (const reader of readers) await reader.close();
  }
}

function manifestOf(contents: LogContents, madeAt: string, sizeBytes: number, sha256: string): Manifest {
  const { events, last, faultCount: faults } = contents;
  const { recordedAt } = Object(last?.metadata) as { readonly recordedAt?: unknown };
  return {
    format: 1,
    madeAt,
    events,
    lastPosition: last?.position ?? null,
    lastRecordedAt: typeof recordedAt === 'string' ? recordedAt : null,
    faults,
    sizeBytes,
    sha256,
  };
}

/** Renaming replaces an empty folder at most: an earlier backup is none. */
function giveName(unfinished: string, folder: string): void {
  try {
    renameSync(unfinished, folder);
  } catch (error) {
    if (codeOf(error) !== 'ENOTEMPTY' && codeOf(error) !== 'EEXIST') throw error;
    throw new BackupError(`${folder} is there already, and stays as it is: try again.`);
  }
}
