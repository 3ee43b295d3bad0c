import { SqliteEventStore } from '#event-store/sqlite';
import { startProjections } from '#projections';
import { demandLog, filesIn } from './composition.ts';
import { readConfig, type Environment } from './config/config.ts';
import { describeStartFailure } from './start-error.ts';

interface Output {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
}

/**
 * Builds the read models of the data folder anew. The log's lock keeps a running service out: it does this by itself.
 * @returns the exit code
 */
export async function rebuildReadModels(environment: Environment, output: Output): Promise<number> {
  let dataDir = '';
  try {
    ({ dataDir } = readConfig(environment));
    const files = filesIn(dataDir);
    demandLog(files);
    const store = await SqliteEventStore.open({ path: files.events });
    const projections = startProjections({ kind: 'in-process', reader: store, readModelFile: files.readModels });
    try {
      await projections.rebuild();
      output.stdout.write(`The read models in ${dataDir} are built anew.\n`);
    } finally {
      await projections.close();
      await store.close();
    }
    return 0;
  } catch (error) {
    output.stderr.write(`${describeStartFailure(error, { host: '', port: 0, dataDir })}\n`);
    return 1;
  }
}
