import { SqliteEventStore } from '#event-store/sqlite';
import { LedgerWorld } from '#testing';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Worker } from 'node:worker_threads';
import type { ProjectionEvent } from './projection-events.ts';
import { startThread } from './start-thread.ts';
import type { FromWorker, WorkerData } from './worker-protocol.ts';
import { WorkerRunner } from './worker-runner.ts';

let folder: string;
let store: SqliteEventStore;
let runner: WorkerRunner | undefined;
const readModelFile = (): string => join(folder, 'read-models.sqlite');

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'writ-worker-runner-'));
  store = await SqliteEventStore.open({ path: join(folder, 'events.sqlite') });
  await new LedgerWorld({ store }).openAccount();
});
afterEach(async () => {
  await runner?.close();
  await store.close();
  await rm(folder, { recursive: true });
});

/** The real thread, killed in the course of what it tells where `kills` says so: before it hears any answer. */
function killedAt(kills: (told: ProjectionEvent) => boolean): (data: WorkerData) => Worker {
  return (data) => {
    const worker = startThread('worker', data);
    worker.on('message', (message: FromWorker) => {
      if (message.kind === 'event' && kills(message.event)) void worker.terminate();
    });
    return worker;
  };
}

/** Starts the projections. @returns all that they told until they told what is waited for */
async function toldUntil(
  isLast: (told: ProjectionEvent) => boolean,
  newThread: (data: WorkerData) => Worker,
): Promise<readonly ProjectionEvent[]> {
  const told: ProjectionEvent[] = [];
  const enough = Promise.withResolvers<undefined>();
  const data = {
    log: { kind: 'sqlite', file: join(folder, 'events.sqlite') },
    readModelFile: readModelFile(),
    limits: { retryMs: 1, retryMaxMs: 2 },
  } as const;
  const onEvent = (event: ProjectionEvent): void => {
    told.push(event);
    if (isLast(event)) enough.resolve(undefined);
  };
  runner = new WorkerRunner(data, onEvent, newThread);
  runner.start();
  await enough.promise;
  return [...told];
}

/** How often it had failed by then, for each status; 0 where nothing is said to be wrong. */
function attemptsIn(told: readonly ProjectionEvent[]): readonly number[] {
  return told.flatMap((event) => (event.type === 'status' ? [event.status.failure?.attempts ?? 0] : []));
}

describe('a thread that ends again and again', () => {
  it('has failed once more each time, and is not said to go on, before it has taken anything in', async () => {
    // Read models that have to be thrown away: the thread says how it is, and waits until nobody has them open.
    await writeFile(readModelFile(), 'no database');
    let started = 0;
    const told = await toldUntil(
      ({ type }) => type === 'committed',
      killedAt(({ type }) => type === 'rebuilding' && (started += 1) <= 4),
    );
    const attempts = attemptsIn(told);
    const failed = attempts.slice(attempts.indexOf(1));
    expect([...new Set(failed)]).toEqual([1, 2, 3, 4, 0]);
    expect(failed.indexOf(0)).toBe(failed.length - 1);
    expect(told.slice(-2)).toMatchObject([{ type: 'status', status: { failure: undefined } }, { type: 'committed' }]);
    expect(runner?.status().failure).toBeUndefined();
  });

  it('begins to count anew when it has taken something in', async () => {
    const world = new LedgerWorld({ store });
    let commits = 0;
    const more = async (n: number): Promise<void> => {
      await world.accept({ type: 'RegisterParty', partyId: `more-${String(n)}`, kind: 'person', externalRef: 'r' });
    };
    let appended = Promise.resolve();
    const told = await toldUntil(
      () => commits === 4,
      killedAt(({ type }) => {
        if (type !== 'committed') return false;
        commits += 1;
        if (commits < 4) appended = more(commits);
        return commits < 4;
      }),
    );
    await appended;
    expect(new Set(attemptsIn(told))).toEqual(new Set([0, 1]));
  });
});
