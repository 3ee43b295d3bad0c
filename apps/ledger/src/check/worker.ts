import { LogScan, measureLog, SqliteEventReader } from '#event-store/sqlite';
import { CITABLE_TYPES } from '#replay';
import { parentPort, workerData } from 'node:worker_threads';
import { PartCheck } from './part-check.ts';
import type { FromWorker, ToWorker, WorkerData } from './protocol.ts';

/** Shortest time between two messages on how far it is. */
const PROGRESS_MS = 100;

/** One of the threads that check a log: reads the file by itself, and judges the streams of its part, or measures the whole. */
async function check(port: NonNullable<typeof parentPort>, { path, end, part }: WorkerData): Promise<void> {
  const tell = (message: FromWorker): void => port.postMessage(message);
  if (part === undefined) {
    tell({ kind: 'measured', extent: measureLog(path, end) });
    return;
  }
  const reader = new SqliteEventReader(path);
  const scan = new LogScan(path, { end, part, alsoTypes: CITABLE_TYPES, comparesIndexes: true });
  const checked = new PartCheck(reader, part);
  for (let events = scan.next(), toldMs = 0; events !== undefined; events = scan.next()) {
    await checked.take(events);
    if (performance.now() - toldMs < PROGRESS_MS) continue;
    toldMs = performance.now();
    tell({ kind: 'progress', events: checked.events });
  }
  checked.takeHidden(scan.hidden());
  scan.close();
  tell({ kind: 'done', result: checked.result() });
  port.once('message', ({ questions }: ToWorker) => {
    tell({ kind: 'answered', unmet: checked.countUnmet(questions) });
    void reader.close();
    port.close();
  });
}

if (parentPort !== null) await check(parentPort, workerData as WorkerData);
