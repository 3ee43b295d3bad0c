import { LogScan, measureLog, SqliteEventReader, type LogExtent, type LogPart } from '#event-store/sqlite';
import type { Position } from '#kernel';
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { Finding } from './findings.ts';
import { PartCheck, type AssetSums, type PartResult, type Question, type UnfinishedSteps } from './part-check.ts';
import type { FromWorker, ToWorker, WorkerData } from './protocol.ts';

/** What a check came to. */
export interface CheckResult {
  readonly events: number;
  readonly head: Position | undefined;
  /** In the log's order; those of no single event come first. */
  readonly findings: readonly Finding[];
  /** Beyond those that were kept. */
  readonly moreFindings: number;
  readonly unfinished: UnfinishedSteps;
}

export interface CheckOptions {
  readonly path: string;
  /** Threads that share the work. Default: as many as there are processors, up to eight. */
  readonly threads?: number;
  /** Told how many events are judged, of how many. */
  readonly onProgress?: (done: number, total: number) => void;
}

const MOST_THREADS = 8;
const NOTHING: UnfinishedSteps = { transfers: 0, authorisations: 0, openings: 0 };

/**
 * Checks a log from its first event to the one that is its last now: hashes, chains, schemas, revisions, positions, ids,
 * citations, and that every event is legal where it stands; at the end the books. It reads the file and nothing else, and
 * changes nothing: the service may run.
 *
 * Threads share the streams. What an event cites on a stream of another thread is asked of that thread afterwards, so they
 * can say that all is well, and no more: where they find anything at all, everything is judged again by one, which tells exactly
 * what is wrong.
 * @throws StoreError when the file is no log, or can't be read
 */
export async function checkLogFile({ path, threads, onProgress }: CheckOptions): Promise<CheckResult> {
  const extent = measureLog(path);
  const { head } = extent;
  if (head === undefined) {
    return { events: 0, head, findings: findingsIn(extent, []), moreFindings: 0, unfinished: NOTHING };
  }
  const progress = (done: number): void => onProgress?.(done, extent.events);
  const of = Math.max(1, Math.min(threads ?? availableParallelism(), MOST_THREADS));
  const shared = of === 1 ? undefined : await judgeTogether({ path, end: head, of, progress });
  const isClean = shared?.unmet === 0 && findingsIn(extent, shared.parts).length === 0;
  const parts = shared !== undefined && isClean ? shared.parts : [await judgeAlone({ path, end: head, progress })];
  return {
    events: extent.events,
    head,
    findings: findingsIn(extent, parts),
    moreFindings: parts.reduce((sum, { moreFindings }) => sum + moreFindings, 0),
    unfinished: parts.map(({ unfinished }) => unfinished).reduce(addSteps, NOTHING),
  };
}

interface Judging {
  readonly path: string;
  readonly end: Position;
  readonly progress: (done: number) => void;
}

/** All streams, in the calling thread. */
async function judgeAlone({ path, end, progress }: Judging): Promise<PartResult> {
  const part = { index: 0, of: 1 };
  const reader = new SqliteEventReader(path);
  const scan = new LogScan(path, end, part);
  try {
    const checked = new PartCheck(reader, part);
    for (let events = scan.next(); events !== undefined; events = scan.next()) {
      await checked.take(events);
      progress(checked.events);
    }
    return checked.result();
  } finally {
    scan.close();
    await reader.close();
  }
}

/** @returns what each part came to, and how many of the events that one rests on another found otherwise */
async function judgeTogether({
  path,
  end,
  of,
  progress,
}: Judging & { readonly of: number }): Promise<{ parts: PartResult[]; unmet: number }> {
  const done = new Array<number>(of).fill(0);
  const threads = Array.from({ length: of }, (_, index) => {
    const onEvents = (events: number): void => {
      done[index] = events;
      progress(done.reduce((sum, each) => sum + each));
    };
    return new PartThread({ path, end, part: { index, of } }, onEvents);
  });
  try {
    const parts = await Promise.all(threads.map((thread) => thread.result));
    const questions = parts.flatMap((part) => part.questions);
    const unmet = await Promise.all(threads.map((thread) => thread.ask(questions)));
    return { parts, unmet: unmet.reduce((sum, each) => sum + each) };
  } finally {
    await Promise.all(threads.map((thread) => thread.end()));
  }
}

/** A thread that judges one part. */
class PartThread {
  readonly result: Promise<PartResult>;
  readonly #answer: Promise<number>;
  readonly #worker: Worker;

  constructor(data: WorkerData & { readonly part: LogPart }, onEvents: (events: number) => void) {
    const fromSource = import.meta.url.endsWith('.ts');
    this.#worker = new Worker(new URL(fromSource ? './worker.ts' : './worker.js', import.meta.url), {
      workerData: data,
      ...(fromSource && { execArgv: ['--conditions=writ-source', '--disable-warning=ExperimentalWarning'] }),
    });
    const result = Promise.withResolvers<PartResult>();
    const answer = Promise.withResolvers<number>();
    const fail = (error: unknown): void => {
      result.reject(error);
      answer.reject(error);
    };
    this.#worker.on('message', (message: FromWorker) => {
      if (message.kind === 'progress') onEvents(message.events);
      else if (message.kind === 'done') result.resolve(message.result);
      else answer.resolve(message.unmet);
    });
    this.#worker.once('error', fail);
    this.#worker.once('exit', () => fail(new Error('a thread of the check ended before its work')));
    this.result = result.promise;
    this.#answer = answer.promise;
    // Whoever waits for the one learns of the failure; the other may never be waited for.
    this.result.catch(() => undefined);
    this.#answer.catch(() => undefined);
  }

  ask(questions: readonly Question[]): Promise<number> {
    const message: ToWorker = { kind: 'asked', questions };
    this.#worker.postMessage(message);
    return this.#answer;
  }

  async end(): Promise<void> {
    await this.#worker.terminate();
  }
}

/** All that is wrong, of the log and of its events. */
export function findingsIn(extent: LogExtent, parts: readonly PartResult[]): readonly Finding[] {
  const judged = parts.reduce((sum, { events }) => sum + events, 0);
  const ofLog = { stream: 'the log', revision: undefined, position: undefined };
  const findings: Finding[] = [
    ...extent.damage.map((detail) => ({ ...ofLog, code: 'damaged-file' as const, detail })),
    ...extent.gaps.map((position) => ({ ...ofLog, code: 'position-gap' as const, detail: gapText(position) })),
    ...extent.repeatedIds.map((id) => ({
      ...ofLog,
      code: 'repeated-id' as const,
      detail: `the id ${id} stands twice`,
    })),
    ...unbalanced(parts.flatMap((part) => part.sums)).map((detail) => ({ ...ofLog, code: 'books' as const, detail })),
  ];
  if (judged !== extent.events) {
    const detail = `${String(extent.events)} events are counted, and ${String(judged)} were read`;
    findings.push({ ...ofLog, code: 'not-read', detail });
  }
  const ofEvents = parts.flatMap((part) => part.findings);
  return [...findings, ...ofEvents.sort((one, other) => ((one.position ?? '') < (other.position ?? '') ? -1 : 1))];
}

function gapText(position: Position): string {
  return /^0+$/.test(position) ? 'the first position is missing' : `the position after ${position} is missing`;
}

/**
 * What all accounts have, what is on its way, and what the outside world has given come to nothing, for each asset.
 * @returns where they do not
 */
export function unbalanced(ofParts: readonly AssetSums[]): readonly string[] {
  const sums = new Map<string, Omit<AssetSums, 'asset'>>();
  for (const { asset, external, transit, held } of ofParts) {
    const known = sums.get(asset) ?? { external: 0n, transit: 0n, held: 0n };
    const summed = { external: known.external + external, transit: known.transit + transit, held: known.held + held };
    sums.set(asset, summed);
  }
  return Array.from(sums).flatMap(([asset, { external, transit, held }]) => {
    const problems: string[] = [];
    const sum = external + transit + held;
    if (sum !== 0n) problems.push(`the trial balance of ${asset} is ${String(sum)} minor units, not zero`);
    if (transit < 0n) problems.push(`more ${asset} came out of transit than went in: ${String(-transit)} minor units`);
    return problems;
  });
}

function addSteps(one: UnfinishedSteps, other: UnfinishedSteps): UnfinishedSteps {
  return {
    transfers: one.transfers + other.transfers,
    authorisations: one.authorisations + other.authorisations,
    openings: one.openings + other.openings,
  };
}
