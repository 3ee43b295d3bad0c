import { parsePosition } from '#event-store';
import type { Position } from '#kernel';
import { CITABLE_TYPES } from '#replay';
import type { Worker } from 'node:worker_threads';
import type { PartLimits } from './part-build.ts';
import { mergeParts, MOST_PARTS, partPath, removeParts } from './part-file.ts';
import type { Checkpoint, ReadModel } from './read-model.ts';
import { startThread } from './start-thread.ts';

/** Where a build in parts finds the log, and how many share it. */
export interface InParts {
  /** The embedded store's file. */
  readonly log: string;
  /** Each has a thread; more than four are taken for four. */
  readonly parts: number;
}

export interface BuildInPartsOptions extends InParts {
  /** Of the read models: those of the parts are made beside it, and go. */
  readonly file: string;
  /** The last event that is taken in. */
  readonly end: Position;
  /** Of all parts together. */
  readonly limits: PartLimits;
  /** Ends the build early. */
  readonly signal: AbortSignal;
  /** Told how many events are taken in. */
  readonly onProgress: (events: number) => void;
}

/** What a thread is started with. */
export interface PartData {
  readonly log: string;
  readonly path: string;
  readonly end: Position;
  readonly part: { readonly index: number; readonly of: number };
  /** Types of events that are read of the streams of others, too: some of its own will cite them. */
  readonly alsoTypes: readonly string[];
  readonly limits: PartLimits;
}

export type FromPart =
  | { readonly kind: 'progress'; readonly events: number }
  /** It has closed its file. `last`: the last event of the part, if it has any. */
  | {
      readonly kind: 'built';
      readonly events: number;
      readonly last: Checkpoint | undefined;
      readonly isClean: boolean;
    };

/**
 * Builds read models that have no rows yet from a log, by several threads, each for some of its streams, up to an event.
 * They can say that all is well, and no more: where anything is found wrong, or can't be told by one part alone, nothing is done,
 * and the events are to be taken in one by one.
 * @returns whether the read models have all rows up to that event
 */
export async function buildInParts(model: ReadModel, logId: string, options: BuildInPartsOptions): Promise<boolean> {
  const { file } = options;
  const of = Math.min(options.parts, MOST_PARTS);
  removeParts(file);
  const threads = Array.from({ length: of }, (_, index) => new PartThread(dataOf(options, { index, of })));
  const stop = (): void => void Promise.all(threads.map((thread) => thread.end()));
  options.signal.addEventListener('abort', stop, { once: true });
  try {
    const tellHowFar = (): void => options.onProgress(threads.reduce((sum, { events }) => sum + events, 0));
    const lasts = await Promise.all(threads.map((thread) => thread.built(tellHowFar)));
    const last = lasts.find((each) => each?.position === options.end);
    const events = threads.reduce((sum, thread) => sum + thread.events, 0);
    if (options.signal.aborted) return false;
    // Every event took the next position, and is of one part.
    if (last === undefined || BigInt(events) !== parsePosition(options.end)) return false;
    return mergeParts(
      model,
      threads.map(({ path }) => path),
      { ...last, logId },
    );
  } catch {
    // Whatever it was, an event that can't be taken in or a disk that is full: one by one it is met again, and told.
    return false;
  } finally {
    options.signal.removeEventListener('abort', stop);
    await Promise.all(threads.map((thread) => thread.end()));
    removeParts(file);
  }
}

function dataOf({ log, file, end, limits }: BuildInPartsOptions, part: PartData['part']): PartData {
  const share = (most: number): number => Math.ceil(most / part.of);
  const { batch, streams, names } = limits;
  const shared = { batch: share(batch), streams: share(streams), names: share(names) };
  return { log, path: partPath(file, part.index), end, part, alsoTypes: CITABLE_TYPES, limits: shared };
}

class PartThread {
  readonly path: string;
  readonly #worker: Worker;
  #events = 0;

  constructor(data: PartData) {
    this.path = data.path;
    this.#worker = startThread('part-worker', data);
  }

  /** Events that it has taken in. */
  get events(): number {
    return this.#events;
  }

  /** @returns the last event of the part, when its file is whole and nothing is wrong with it */
  built(onProgress: () => void): Promise<Checkpoint | undefined> {
    return new Promise((resolve, reject) => {
      this.#worker.on('message', (message: FromPart) => {
        this.#events = message.events;
        onProgress();
        if (message.kind === 'progress') return;
        if (message.isClean) resolve(message.last);
        else reject(new Error('something is wrong with the log'));
      });
      this.#worker.once('error', reject);
      this.#worker.once('exit', () => reject(new Error('a thread of the build ended before its work')));
    });
  }

  async end(): Promise<void> {
    await this.#worker.terminate();
  }
}
