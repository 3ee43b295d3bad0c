import { parsePosition } from '#event-store';
import {
  damagesIn,
  endOfLog,
  LogScan,
  lookBeforeReading,
  measureLog,
  readAhead,
  schemaFaultsIn,
  SqliteEventReader,
  type LogExtent,
} from '#event-store/sqlite';
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
/** What a thread has for what lives shortly: by itself V8 takes several times as much, and the processor's caches hold less of it. */
const YOUNG_MIB = 96;
const NOTHING: UnfinishedSteps = { transfers: 0, authorisations: 0, openings: 0 };

/**
 * Checks a log from its first event to the one that is its last now: hashes, chains, schemas, revisions, positions, ids,
 * citations, and that every event is legal where it stands; at the end the books. It reads the file and nothing else, and
 * changes nothing: the service may run.
 *
 * Threads share the streams. What an event cites on a stream of another thread is asked of that thread afterwards, so they
 * can say that all is well, and no more: where they find anything at all, everything is judged again by one, which tells exactly
 * what is wrong. So it is where an opening is under way.
 * Where the file itself is damaged, what stands before the damage is judged.
 * @throws StoreError when the file is no log, or can't be read, or acknowledged events are gone with what stood beside it
 */
export async function checkLogFile({ path, threads, onProgress }: CheckOptions): Promise<CheckResult> {
  const beside = lookBeforeReading(path);
  const damage = beside === undefined ? [] : [beside.message];
  const nothing: LogExtent = { events: 0, gaps: [], repeatedIds: [], damage, schema: schemaFaultsIn(path) };
  const end = endOfLog(path);
  if (end === undefined) return resultOf(undefined, nothing, []);
  const progress = (done: number): void => onProgress?.(done, Number(parsePosition(end)));
  const of = Math.max(1, Math.min(threads ?? availableParallelism(), MOST_THREADS));
  const finished = new AbortController();
  const ahead = readAhead(path, finished.signal).catch(() => undefined);
  try {
    const { extent: file, shared } =
      of === 1 ? await measured(path, end, ahead) : await together({ path, end, of, progress });
    const extent = { ...file, damage: [...damage, ...file.damage] };
    const isClean = shared !== undefined && isRight(extent, shared);
    return resultOf(end, extent, isClean ? shared.parts : [await judgeAlone({ path, end, progress })]);
  } catch (error) {
    const found = damagesIn(path);
    if (found.length === 0) throw error;
    // Counted by their positions: a table that is damaged can't be counted.
    const extent = { ...nothing, events: Number(parsePosition(end)), damage: [...damage, ...found] };
    return resultOf(end, extent, [await judgeAlone({ path, end, progress }, 'up-to-damage')]);
  } finally {
    finished.abort();
    await (
      await ahead
    )?.();
  }
}

export function resultOf(head: Position | undefined, extent: LogExtent, parts: readonly PartResult[]): CheckResult {
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

/** All streams, in the calling thread; where asked for, as far as the file can be read. */
async function judgeAlone({ path, end, progress }: Judging, far?: 'up-to-damage'): Promise<PartResult> {
  const part = { index: 0, of: 1 };
  const reader = new SqliteEventReader(path);
  // What is wrong with the indexes of a damaged file was told with the damage.
  const scan = new LogScan(path, { end, part, comparesIndexes: far === undefined });
  try {
    const checked = new PartCheck(reader, part);
    try {
      for (let events = scan.next(); events !== undefined; events = scan.next()) {
        await checked.take(events);
        progress(checked.events);
      }
      checked.takeHidden(scan.hidden());
    } catch (error) {
      if (far === undefined) throw error;
    }
    return checked.result();
  } finally {
    scan.close();
    await reader.close();
  }
}

/** What several threads found out: of the log, and what they made of its events. */
interface Together {
  readonly extent: LogExtent;
  /** Absent where nobody judged yet. `unmet`: how many of the events that one part rests on another found otherwise. */
  readonly shared?: { readonly parts: PartResult[]; readonly unmet: number };
}

function isRight(extent: LogExtent, { parts, unmet }: NonNullable<Together['shared']>): boolean {
  const left = parts.reduce((sum, { openingsLeft }) => sum + openingsLeft, 0n);
  return unmet === 0 && left === 0n && findingsIn(extent, parts).length === 0;
}

/** In the calling thread: what is read ahead has to come first. */
async function measured(path: string, end: Position, ahead: Promise<unknown>): Promise<Together> {
  await ahead;
  return { extent: measureLog(path, end) };
}

/** One thread more measures meanwhile. */
async function together({ path, end, of, progress }: Judging & { readonly of: number }): Promise<Together> {
  const done = new Array<number>(of).fill(0);
  const measuring = new CheckThread({ path, end });
  const threads = Array.from({ length: of }, (_, index) => {
    const onEvents = (events: number): void => {
      done[index] = events;
      progress(done.reduce((sum, each) => sum + each));
    };
    return new CheckThread({ path, end, part: { index, of } }, onEvents);
  });
  try {
    const [extent, ...parts] = await Promise.all([measuring.extent, ...threads.map((thread) => thread.result)]);
    const questions = parts.flatMap((part) => part.questions);
    const unmet = await Promise.all(threads.map((thread) => thread.ask(questions)));
    return { extent, shared: { parts, unmet: unmet.reduce((sum, each) => sum + each) } };
  } finally {
    await Promise.all([measuring, ...threads].map((thread) => thread.end()));
  }
}

/** A thread that judges one part, or measures the log. */
class CheckThread {
  /** Of one that measures. */
  readonly extent: Promise<LogExtent>;
  /** Of one that judges. */
  readonly result: Promise<PartResult>;
  readonly #answer: Promise<number>;
  readonly #worker: Worker;

  constructor(data: WorkerData, onEvents: (events: number) => void = () => undefined) {
    const fromSource = import.meta.url.endsWith('.ts');
    this.#worker = new Worker(new URL(fromSource ? './worker.ts' : './worker.js', import.meta.url), {
      workerData: data,
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MIB },
      ...(fromSource && { execArgv: ['--conditions=writ-source', '--disable-warning=ExperimentalWarning'] }),
    });
    const extent = Promise.withResolvers<LogExtent>();
    const result = Promise.withResolvers<PartResult>();
    const answer = Promise.withResolvers<number>();
    const fail = (error: unknown): void => {
      for (const { reject } of [extent, result, answer]) reject(error);
    };
    this.#worker.on('message', (message: FromWorker) => {
      if (message.kind === 'progress') onEvents(message.events);
      else if (message.kind === 'measured') extent.resolve(message.extent);
      else if (message.kind === 'done') result.resolve(message.result);
      else answer.resolve(message.unmet);
    });
    this.#worker.once('error', fail);
    this.#worker.once('exit', () => fail(new Error('a thread of the check ended before its work')));
    this.extent = extent.promise;
    this.result = result.promise;
    this.#answer = answer.promise;
    // Whoever waits for the one learns of the failure; the others may never be waited for.
    for (const promise of [this.extent, this.result, this.#answer]) promise.catch(() => undefined);
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
function findingsIn(extent: LogExtent, parts: readonly PartResult[]): readonly Finding[] {
  const judged = parts.reduce((sum, { events }) => sum + events, 0);
  const ofLog = { stream: 'the log', revision: undefined, position: undefined };
  const findings: Finding[] = [
    ...extent.damage.map((detail) => ({ ...ofLog, code: 'damaged-file' as const, detail })),
    ...extent.schema.foreign.map((detail) => ({ ...ofLog, code: 'foreign-schema' as const, detail })),
    ...extent.schema.missing.map((name) => ({
      ...ofLog,
      code: 'missing-guard' as const,
      detail: `the ${name} is missing`,
    })),
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
