import type { Environment } from '../config/config.ts';
import { dataFolder, readOptions } from '../options.ts';
import { counted, Progress, type Output } from '../terminal.ts';
import { describeStartFailure, StartError } from '../start-error.ts';
import { codeOf, messageOf } from '../thrown.ts';
import { backUp, type OnProgress } from './back-up.ts';
import { demandFile } from '../store/demand-file.ts';
import { BackupError } from './backup-error.ts';
import type { Manifest } from './manifest.ts';
import { restoreLog } from './restore-log.ts';

const USAGE_OF_BACKUP = 'Usage: npm run backup -- --to <folder for backups> [--data <data folder>]';
const OF_A_SERVER =
  'Back up the server, as its own documentation says; to back up or restore a file, name its folder with --data.';
const USAGE_OF_RESTORE = 'Usage: npm run restore -- --from <folder of one backup> [--data <data folder>]';

/**
 * The backup command: tells on standard output what the backup holds, or on standard error in one line why there is none.
 * @returns the exit code
 */
export async function runBackup(args: readonly string[], environment: Environment, output: Output): Promise<number> {
  return reporting(output, async () => {
    const { to, dataDir } = readArguments(args, 'to', USAGE_OF_BACKUP, environment);
    const backup = await withProgress(output, (onProgress) => backUp({ dataDir, to, onProgress }), {
      dataDir,
      place: to,
    });
    output.stdout.write(`The log in ${dataDir} is backed up in ${backup.folder}\n${linesOf(backup.manifest)}`);
    for (const left of backup.left) {
      output.stderr.write(`${left} is a backup that was not finished: delete it when no backup runs.\n`);
    }
    const [fault] = backup.faults;
    if (fault !== undefined) {
      const { faults } = backup.manifest;
      const are =
        faults === 1
          ? '1 event of the log itself does not hold, and is in the backup as it is.'
          : `${String(faults)} events of the log itself do not hold, and are in the backup as they are.`;
      output.stderr.write(
        `${are} ` +
          `The first is revision ${String(fault.revision)} of ${fault.stream}: ${fault.detail}. Read docs/operations/violation-seen.md.\n`,
      );
    }
  });
}

/** The restore command, likewise. */
export async function runRestore(args: readonly string[], environment: Environment, output: Output): Promise<number> {
  return reporting(output, async () => {
    const { from, dataDir } = readArguments(args, 'from', USAGE_OF_RESTORE, environment);
    const work = (onProgress: OnProgress): Promise<Manifest> => restoreLog({ from, dataDir, onProgress });
    const manifest = await withProgress(output, work, { dataDir, place: dataDir });
    output.stdout.write(`The log of ${from} is restored in ${dataDir}\n${linesOf(manifest)}`);
    output.stdout.write('The next start builds the read models anew.\n');
  });
}

async function reporting(output: Output, work: () => Promise<void>): Promise<number> {
  try {
    await work();
    return 0;
  } catch (error) {
    output.stderr.write(`${messageOf(error)}\n`);
    return 1;
  }
}

async function withProgress<Result>(
  output: Output,
  work: (onProgress: OnProgress) => Promise<Result>,
  where: { readonly dataDir: string; readonly place: string },
): Promise<Result> {
  const lines = new Map<string, Progress>();
  try {
    return await work((what, done, total, unit) => {
      let line = lines.get(what);
      if (line === undefined) {
        line = new Progress(output.stderr, what);
        lines.set(what, line);
      }
      line.at(done, total, unit);
    });
  } catch (error) {
    throw new BackupError(describeFailure(error, where));
  } finally {
    for (const line of lines.values()) line.end();
  }
}

function describeFailure(
  error: unknown,
  { dataDir, place }: { readonly dataDir: string; readonly place: string },
): string {
  if (error instanceof BackupError) return error.message;
  const code = codeOf(error);
  if (code === 'store-full' || code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG') {
    return `There is no room in ${place} (${messageOf(error)}). Nothing of it was kept: make room, and try again.`;
  }
  if (typeof code === 'string' && /^E[A-Z]+$/.test(code)) {
    return `${place} can't be used (${messageOf(error)}). Make it a folder that this user may write to, or name another.`;
  }
  return describeStartFailure(error, { host: '', port: 0, dataDir });
}

function linesOf({ madeAt, events, lastPosition, lastRecordedAt, faults, sizeBytes, sha256 }: Manifest): string {
  const rows = [
    ['made at', madeAt],
    ['events', events.toLocaleString('en')],
    ['last position', lastPosition ?? 'none'],
    ['recorded at', lastRecordedAt ?? 'never'],
    ['bytes', sizeBytes.toLocaleString('en')],
    ['sha256', sha256],
  ] as const;
  const told = rows.map(([name, value]) => `  ${name.padEnd(14)}${value}\n`).join('');
  return `${told}  ${verdictOn(faults)}\n`;
}

function verdictOn(faults: number): string {
  if (faults === 0) return `${'verified'.padEnd(14)}every revision, link and hash`;
  return `verified, but for ${counted(faults, 'event')} of the log itself: docs/operations/violation-seen.md`;
}

function readArguments<Name extends 'to' | 'from'>(
  args: readonly string[],
  name: Name,
  usage: string,
  environment: Environment,
): Record<Name | 'dataDir', string> {
  const options: Partial<Record<'to' | 'from' | 'data', string>> = readOptions(args, [name, 'data'], usage);
  const folder = options[name];
  if (folder === undefined || folder === '') throw new StartError(usage);
  if (options.data === undefined) demandFile(environment, OF_A_SERVER);
  return { [name]: folder, dataDir: dataFolder(options, environment) } as Record<Name | 'dataDir', string>;
}
