import type { EventReader } from '#event-store';
import { acquireLock, SqliteEventReader, SqliteEventStore } from '#event-store/sqlite';
import { startProjections, type InParts, type ProjectionEvent } from '#projections';
import { existsSync, mkdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname } from 'node:path';
import { readStoreConfig, type Environment, type EventStoreDbConfig } from './config/config.ts';
import { demandLog, filesIn } from './data-folder.ts';
import { dataFolder, readOptions } from './options.ts';
import { openEventStoreDb } from './store/eventstoredb.ts';
import { howFar, unitOf } from './store/how-far.ts';
import { Progress, type Output } from './terminal.ts';
import { describeStartFailure, StartError } from './start-error.ts';

const USAGE = 'Usage: npm run rebuild [-- --data <folder>]';
/** A rebuild that fails so often in a row will not go on by itself. */
const MOST_ATTEMPTS = 5;

/**
 * Builds the read models of the data folder anew. The folder's lock keeps a running service out: it does this by itself.
 * @returns the exit code
 */
export async function rebuildReadModels(
  args: readonly string[],
  environment: Environment,
  output: Output,
): Promise<number> {
  let dataDir = '';
  try {
    dataDir = dataFolder(readOptions(args, ['data'], USAGE), environment);
    const files = filesIn(dataDir);
    const store = readStoreConfig(environment);
    await (store.kind === 'sqlite' ? rebuildFromFile(files, output) : rebuildFromServer(store, files, output));
    output.stdout.write(`The read models in ${dataDir} are built anew.\n`);
    return 0;
  } catch (error) {
    output.stderr.write(`${describeStartFailure(error, { host: '', port: 0, dataDir })}\n`);
    return 1;
  }
}

type Files = ReturnType<typeof filesIn>;

async function rebuildFromFile(files: Files, output: Output): Promise<void> {
  demandLog(files);
  if (!existsSync(files.events)) {
    throw new StartError(`There is no log in ${dirname(files.events)}: name a data folder that has one with --data.`);
  }
  const store = await SqliteEventStore.open({ path: files.events });
  // The store holds the lock; it would read in its own thread, and hand over each event.
  const reader = new SqliteEventReader(files.events);
  try {
    await rebuild(reader, files, output, { log: files.events, parts: availableParallelism() });
  } finally {
    await reader.close();
    await store.close();
  }
}

async function rebuildFromServer(config: EventStoreDbConfig, files: Files, output: Output): Promise<void> {
  mkdirSync(dirname(files.events), { recursive: true, mode: 0o700 });
  const release = acquireLock(files.events);
  try {
    const store = await openEventStoreDb(config);
    await rebuild(store, files, output).finally(() => store.close());
  } finally {
    release();
  }
}

async function rebuild(reader: EventReader, { readModels }: Files, output: Output, inParts?: InParts): Promise<void> {
  const head = await reader.head();
  const progress = new Progress(output.stderr, 'rebuilding');
  const stuck = Promise.withResolvers<never>();
  const projections = startProjections({
    kind: 'in-process',
    reader,
    readModelFile: readModels,
    inParts,
    onEvent: (event) => {
      if (event.type === 'building-in-parts') progress.at(event.events, howFar(head), unitOf(head));
      if (event.type === 'committed') progress.at(howFar(event.checkpoint), howFar(head), unitOf(head));
      const why = reasonToGiveUp(event);
      if (why !== undefined) stuck.reject(new StartError(why));
    },
  });
  try {
    await Promise.race([projections.rebuild(), stuck.promise]);
  } finally {
    progress.end();
    await projections.close();
  }
}

function reasonToGiveUp(event: ProjectionEvent): string | undefined {
  if (event.type !== 'status' || event.status.failure === undefined) return undefined;
  const { attempts, position, message } = event.status.failure;
  if (attempts < MOST_ATTEMPTS) return undefined;
  const where = position === undefined ? '' : ` at position ${position}`;
  return `The read models can't be built${where}: ${message}. The log is untouched: see docs/operations/projector-stopped.md.`;
}
