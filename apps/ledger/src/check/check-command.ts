import { readStoreConfig, type Environment, type EventStoreDbConfig } from '../config/config.ts';
import { filesIn } from '../data-folder.ts';
import { dataFolder, readOptions } from '../options.ts';
import { describeStartFailure, StartError } from '../start-error.ts';
import { openEventStoreDb } from '../store/eventstoredb.ts';
import { howFar, unitOf } from '../store/how-far.ts';
import { counted, grouped, Progress, type Output } from '../terminal.ts';
import { describeFinding } from './findings.ts';
import { checkLogFile, type CheckResult } from './log-check.ts';
import { checkLogOnServer } from './server-check.ts';

const USAGE = 'Usage: npm run check [-- [--data <folder>] [--threads <number>]]';

/**
 * Checks the log of a data folder, or that on the server that is set, beside a running service or without one, and prints
 * what is wrong with it.
 * @returns the exit code: 0 when nothing is, otherwise 1
 */
export async function checkDataFolder(
  args: readonly string[],
  environment: Environment,
  output: Output,
): Promise<number> {
  let dataDir = '';
  try {
    const options = readOptions(args, ['data', 'threads'], USAGE);
    const store = options.data === undefined ? readStoreConfig(environment) : ({ kind: 'sqlite' } as const);
    dataDir = dataFolder(options, environment);
    const threads = readThreads(options.threads);
    const { events: path } = filesIn(dataDir);
    const progress = new Progress(output.stderr, 'checking');
    const result =
      store.kind === 'sqlite' ? await checkFile(path, threads, progress) : await checkServer(store, progress);
    const seconds = progress.end();
    const log = store.kind === 'sqlite' ? path : 'the log on EventStoreDB';
    for (const line of lines(log, result, seconds)) output.stdout.write(`${line}\n`);
    return result.findings.length === 0 ? 0 : 1;
  } catch (error) {
    output.stderr.write(`${describeStartFailure(error, { host: '', port: 0, dataDir })}\n`);
    return 1;
  }
}

function checkFile(path: string, threads: number | undefined, progress: Progress): Promise<CheckResult> {
  return checkLogFile({
    path,
    ...(threads !== undefined && { threads }),
    onProgress: (done, total) => {
      progress.at(done, total, 'events');
    },
  });
}

async function checkServer(config: EventStoreDbConfig, progress: Progress): Promise<CheckResult> {
  const store = await openEventStoreDb(config);
  try {
    return await checkLogOnServer(store, (done, head) => {
      progress.at(howFar(done), howFar(head), unitOf(head));
    });
  } finally {
    await store.close();
  }
}

function lines(
  path: string,
  { events, head, findings, moreFindings, unfinished }: CheckResult,
  seconds: number,
): string[] {
  const upTo = head === undefined ? '' : ` up to position ${head}`;
  const verdict = findings.length === 0 ? 'nothing is wrong' : counted(findings.length + moreFindings, 'finding');
  const { transfers, authorisations, openings } = unfinished;
  const steps = [
    [transfers, 'transfer', 'under way'],
    [authorisations, 'authorisation', 'without a freeze yet'],
    [openings, 'opening', 'under way'],
  ] as const;
  const hints = steps
    .filter(([count]) => count !== 0)
    .map(([count, what, how]) => `hint: ${counted(count, what)} ${how}: a running service finishes it within seconds.`);
  return [
    ...findings.map(describeFinding),
    ...(moreFindings > 0 ? [`… and ${grouped(moreFindings)} more, of which only the number is kept.`] : []),
    ...hints,
    `${path}: ${counted(events, 'event')}${upTo} checked in ${seconds.toFixed(1)} s: ${verdict}.`,
  ];
}

function readThreads(threads: string | undefined): number | undefined {
  if (threads === undefined) return undefined;
  if (!/^[1-8]$/.test(threads)) throw new StartError('--threads must be a whole number from 1 to 8.');
  return Number(threads);
}
