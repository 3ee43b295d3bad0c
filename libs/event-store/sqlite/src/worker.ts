import { parentPort, workerData } from 'node:worker_threads';
import {
  failureOf,
  flattenOutcomes,
  type FromWorker,
  type ReadAnswer,
  type ReadRequest,
  type ToWorker,
  unflattenGroup,
  type WorkerOptions,
} from './protocol.ts';
import { SqliteLog } from './sqlite-log.ts';

/** The writer's thread: everything that waits for the disk happens here, one message after the other. */
function serve(port: NonNullable<typeof parentPort>, options: WorkerOptions): void {
  const tell = (message: FromWorker): void => port.postMessage(message);
  let log: SqliteLog;
  try {
    log = new SqliteLog(options);
  } catch (error) {
    tell({ kind: 'not-opened', failure: failureOf(error) });
    return;
  }
  const take = (message: ToWorker): void => {
    switch (message.kind) {
      case 'append': {
        const outcomes = flattenOutcomes(log.appendGroup(unflattenGroup(message.group), message.together));
        return tell({ kind: 'appended', outcomes, end: log.end, heads: log.heads });
      }
      case 'read':
        return tell({ kind: 'answers', answers: message.requests.map((request) => answer(log, request)) });
      case 'close':
        log.close();
        return port.close();
    }
  };
  let told = false;
  port.on('message', (message: ToWorker) => {
    take(message);
    if (told || log.damage === undefined) return;
    told = true;
    tell({ kind: 'damaged', message: log.damage.message });
  });
  tell({ kind: 'opened', notice: log.notice });
}

function answer(log: SqliteLog, request: ReadRequest): ReadAnswer {
  try {
    switch (request.kind) {
      case 'stream': {
        const { stream, from, to, backwards, limit } = request;
        return { kind: 'stream', ...log.reader.readStream(stream, from, to, backwards, limit) };
      }
      case 'all':
        return { kind: 'all', ...log.reader.readAll(request.after, request.filter, request.limit) };
      case 'head':
        return { kind: 'head', head: log.reader.head() };
      case 'seal':
        return { kind: 'seal', seal: log.seal };
    }
  } catch (error) {
    return { kind: 'failure', failure: failureOf(log.failureOf(error)) };
  }
}

if (parentPort !== null) serve(parentPort, workerData as WorkerOptions);
