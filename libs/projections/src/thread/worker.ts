import { SqliteEventReader } from '#event-store/sqlite';
import { parentPort, workerData } from 'node:worker_threads';
import { ProjectionRunner } from '../runner.ts';
import type { FromWorker, ToWorker, WorkerData } from '../worker-protocol.ts';

/** Shortest time between two notifications. */
const NOTICE_INTERVAL_MS = 10;

/** The projections' thread: reads the embedded store's file by itself, and writes the read models' file. */
function serve(port: NonNullable<typeof parentPort>, { eventFile, readModelFile, limits }: WorkerData): void {
  const tell = (message: FromWorker): void => port.postMessage(message);
  let onReleased: (() => void) | undefined;
  const reader = new SqliteEventReader(eventFile);
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
        reader.notify();
        // Answered a little later: a busy log would otherwise send a notification with every commit.
        setTimeout(() => tell({ kind: 'noticed' }), NOTICE_INTERVAL_MS);
        return;
      case 'hurry':
        reader.notify();
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

if (parentPort !== null) serve(parentPort, workerData as WorkerData);
