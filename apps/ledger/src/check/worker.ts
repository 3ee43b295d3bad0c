import { LogScan, SqliteEventReader } from '#event-store/sqlite';
import { parentPort, workerData } from 'node:worker_threads';
import { PartCheck } from './part-check.ts';
import type { FromWorker, ToWorker, WorkerData } from './protocol.ts';

/** One of the threads that check a log: reads the file by itself, and judges the streams of its part. */
async function check(port: NonNullable<typeof parentPort>, { path, end, part }: WorkerData): Promise<void> {
  const tell = (message: FromWorker): void => port.postMessage(message);
  const reader = new SqliteEventReader(path);
  const scan = new LogScan(path, end, part);
  const checked = new PartCheck(reader, part);
  for (let events = scan.next(); events !== undefined; events = scan.next()) {
    await checked.take(events);
    tell({ kind: 'progress', events: checked.events });
  }
  scan.close();
  tell({ kind: 'done', result: checked.result() });
  port.once('message', ({ questions }: ToWorker) => {
    tell({ kind: 'answered', unmet: checked.countUnmet(questions) });
    void reader.close();
    port.close();
  });
}

if (parentPort !== null) await check(parentPort, workerData as WorkerData);
