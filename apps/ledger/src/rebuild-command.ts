import { parsePosition } from '#event-store';
import { SqliteEventReader, SqliteEventStore } from '#event-store/sqlite';
import type { Position } from '#kernel';
import { startProjections, type ProjectionEvent } from '#projections';
import { existsSync } from 'node:fs';
import type { Environment } from './config/config.ts';
import { demandLog, filesIn } from './data-folder.ts';
import { dataFolder, readOptions } from './options.ts';
import { Progress, type Output } from './terminal.ts';
import { describeStartFailure, StartError } from './start-error.ts';

const USAGE = 'Usage: npm run rebuild [-- --data <folder>]';
/** A rebuild that fails so often in a row will not go on by itself. */
const MOST_ATTEMPTS = 5;

/**
 * Builds the read models of the data folder anew. The log's lock keeps a running service out: it does this by itself.
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
    demandLog(files);
    if (!existsSync(files.events)) {
      throw new StartError(`There is no log in ${dataDir}: name a data folder that has one with --data.`);
    }
    const store = await SqliteEventStore.open({ path: files.events });
    try {
      // The store holds the lock; it would read in its own thread, and hand over each event.
      await rebuild(files, output);
    } finally {
      await store.close();
    }
    output.stdout.write(`The read models in ${dataDir} are built anew.\n`);
    return 0;
  } catch (error) {
    output.stderr.write(`${describeStartFailure(error, { host: '', port: 0, dataDir })}\n`);
    return 1;
  }
}

async function rebuild({ events, readModels }: ReturnType<typeof filesIn>, output: Output): Promise<void> {
  const reader = new SqliteEventReader(events);
  const head = await reader.head();
  const progress = new Progress(output.stderr, 'rebuilding');
  const stuck = Promise.withResolvers<never>();
  const projections = startProjections({
    kind: 'in-process',
    reader,
    readModelFile: readModels,
    onEvent: (event) => {
      if (event.type === 'committed') progress.at(countTo(event.checkpoint), countTo(head), 'events');
      const why = reasonToGiveUp(event);
      if (why !== undefined) stuck.reject(new StartError(why));
    },
  });
  try {
    await Promise.race([projections.rebuild(), stuck.promise]);
  } finally {
    progress.end();
    await projections.close();
    await reader.close();
  }
}

function reasonToGiveUp(event: ProjectionEvent): string | undefined {
  if (event.type !== 'status' || event.status.failure === undefined) return undefined;
  const { attempts, position, message } = event.status.failure;
  if (attempts < MOST_ATTEMPTS) return undefined;
  const where = position === undefined ? '' : ` at position ${position}`;
  return `The read models can't be built${where}: ${message}. The log is untouched: see docs/operations/projector-stopped.md.`;
}

function countTo(position: Position | undefined): number {
  return position === undefined ? 0 : Number(parsePosition(position));
}
