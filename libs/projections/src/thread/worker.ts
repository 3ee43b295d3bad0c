import { parentPort, workerData } from 'node:worker_threads';
import { ProjectionRunner, type RunnerOptions } from '../runner.ts';
import type { FromWorker, LogSource, ToWorker, WorkerData } from '../worker-protocol.ts';

/** Shortest time between two notifications. */
const NOTICE_INTERVAL_MS = 10;

/** The log as this thread reads it. */
interface OpenLog {
  readonly reader: RunnerOptions['reader'];
  /** Says that the log has grown, to a reader that would not see it. */
  readonly notify: () => void;
}

/** Loads what it needs alone: who has a file needs no client of a server. */
async function openLog(log: LogSource): Promise<OpenLog> {
  if (log.kind === 'sqlite') {
    const { SqliteEventReader } = await import('#event-store/sqlite');
    const reader = new SqliteEventReader(log.file);
    return { reader, notify: () => reader.notify() };
  }
  const { EventStoreDbEventStore } = await import('#event-store/eventstoredb');
  return { reader: await EventStoreDbEventStore.open(log), notify: () => undefined };
}

/** The projections' thread: reads the log by itself, and writes the read models' file. */
async function serve(port: NonNullable<typeof parentPort>, data: WorkerData): Promise<void> {
  const { log, readModelFile, limits } = data;
  const tell = (message: FromWorker): void => port.postMessage(message);
  let onReleased: (() => void) | undefined;
  // What is sent meanwhile waits at the port. A log that can't be opened ends the thread, which is started again.
  const { reader, notify } = await openLog(log);
  const runner = new ProjectionRunner({
    reader,
    file: readModelFile,
    limits,
    onEvent: (event) => tell({ kind: 'event', event }),
    releaseReaders: () => new Promise((resolve) => (onReleased = resolve)),
  });

  async function close(): Promise<void> {
    onReleased?.();
    await runner.close();
    await reader.close();
    port.close();
  }

  port.on('message', (message: ToWorker) => {
    switch (message.kind) {
      case 'notify':
        notify();
        // Answered a little later: a busy log would otherwise send a notification with every commit.
        setTimeout(() => tell({ kind: 'noticed' }), NOTICE_INTERVAL_MS);
        return;
      case 'hurry':
        notify();
        runner.hurry();
        return;
      case 'rebuild': {
        const { id, cause } = message;
        // Refused only when the projections close, and then nobody waits any more.
        runner.rebuild(cause).then(
          () => tell({ kind: 'rebuilt', id }),
          () => undefined,
        );
        return;
      }
      case 'released':
        onReleased?.();
        return;
      case 'close':
        void close();
    }
  });
  runner.start();
}

if (parentPort !== null) await serve(parentPort, workerData as WorkerData);
