import type { EventReader } from '#event-store';
import type { RecordedEvent } from '#kernel';
import type { StreamFold } from './fold.ts';
import type { JudgedEvent } from './judged.ts';

/** Most events of one stream that are read at once. */
export const STREAM_PAGE_EVENTS = 500;

/** What reads streams. */
export type StreamReader = Pick<EventReader, 'read'>;

export interface StreamRange {
  /** Revision of the first event (inclusive). */
  readonly from?: number;
  /** Revision of the last event (inclusive). Default: to the end, as it is when the last page is read. */
  readonly to?: number | undefined;
}

/**
 * The events of a stream in its order, a page at a time: a long one is never in memory as a whole, and the thread's other
 * work has its turn between two pages. What fits into one page costs one read, and no turn.
 * @throws StoreError when the stream can't be read
 */
export async function* pagesOf(
  reader: StreamReader,
  stream: string,
  { from = 0, to }: StreamRange = {},
): AsyncGenerator<readonly RecordedEvent[], void, undefined> {
  for (let start = from; ;) {
    const end = to === undefined ? {} : { to };
    const page = await reader.read(stream, { from: start, limit: STREAM_PAGE_EVENTS, ...end });
    yield page;
    const last = page.at(-1)?.revision;
    if (last === undefined || page.length < STREAM_PAGE_EVENTS || last === to) return;
    start = last + 1;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

export interface FoldOptions {
  /** Revision of the last event to be folded (inclusive). Default: to the end of the stream. */
  readonly to?: number | undefined;
  /** False for the first event that is not to be folded: it and all after it are left out. Default: none is. */
  readonly isWanted?: (recorded: RecordedEvent) => boolean;
  /** Told of each event that was folded, in order. */
  readonly onFolded?: (judged: JudgedEvent) => void;
}

/**
 * Folds what a stream has beyond what is folded of it, however long it is. Meanwhile the fold is half done: nobody else may
 * fold on, nor take it for the stream's state. When it fails, all that was folded stands, and it may be called again.
 * @throws StoreError when a stream can't be read
 * @throws DamagedStreamError as `StreamFold.apply`
 */
export async function foldStream(reader: StreamReader, fold: StreamFold, options: FoldOptions = {}): Promise<void> {
  const { to, isWanted, onFolded } = options;
  for await (const page of pagesOf(reader, fold.stream, { from: fold.revision + 1, to })) {
    for (const recorded of page) {
      if (isWanted?.(recorded) === false) return;
      const applied = fold.apply(recorded);
      const judged = applied instanceof Promise ? await applied : applied;
      onFolded?.(judged);
    }
  }
}
