import { LogScan, partOfStream, SqliteEventReader } from '#event-store/sqlite';
import { parentPort, workerData } from 'node:worker_threads';
import type { FromPart, PartData } from '../build-in-parts.ts';
import { PartBuild } from '../part-build.ts';

/** Shortest time between two messages on how far it is. */
const PROGRESS_MS = 100;

/** One of the threads that build read models in parts: reads the log by itself, and makes the rows of its streams. */
async function build(
  tell: (message: FromPart) => void,
  { log, path, end, part, alsoTypes, limits }: PartData,
): Promise<void> {
  const reader = new SqliteEventReader(log);
  const scan = new LogScan(log, { end, part, alsoTypes });
  const isOfAnother = (stream: string): boolean => partOfStream(stream, part.of) !== part.index;
  const building = new PartBuild({ ...limits, reader, path, isOfAnother });
  let events = scan.next();
  for (let toldMs = 0; events !== undefined && building.isClean; events = scan.next()) {
    await building.take(events);
    if (performance.now() - toldMs < PROGRESS_MS) continue;
    toldMs = performance.now();
    tell({ kind: 'progress', events: building.events });
  }
  const last = building.end();
  scan.close();
  await reader.close();
  tell({ kind: 'built', events: building.events, last, isClean: building.isClean });
}

const port = parentPort;
if (port !== null) {
  await build((message) => port.postMessage(message), workerData as PartData);
  port.close();
}
