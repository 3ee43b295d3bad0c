import {
  type AppendRequest,
  type EncodedEvent,
  type EventFilter,
  type ExpectedRevision,
  isStoreError,
  type StoreErrorCode,
} from '#event-store';
import type { LogPage, StreamPage } from './log-reader.ts';
import type { Seal } from './schema.ts';
import { messageOf } from './sqlite-errors.ts';
import type { AppendOutcome, SqliteLogOptions } from './sqlite-log.ts';

/** What the thread is started with. */
export type WorkerOptions = SqliteLogOptions;

/** A group of appends as a few flat lists: copied between threads in a fraction of the time that objects take. */
export interface FlatGroup {
  readonly streams: readonly string[];
  readonly expected: readonly number[];
  /** Number of events of each append; the lists below have one entry for each event. */
  readonly counts: readonly number[];
  readonly ids: readonly string[];
  readonly types: readonly string[];
  readonly schemaVersions: readonly number[];
  readonly data: readonly string[];
  readonly metadata: readonly string[];
}

export interface Failure {
  readonly code: StoreErrorCode;
  readonly message: string;
  readonly actual?: ExpectedRevision | undefined;
}

export interface FlatOutcomes {
  /** The positions of the events of each append that succeeded, one append after the other. */
  readonly positions: BigUint64Array;
  readonly failures: readonly (Failure & { readonly append: number })[];
}

export type ReadRequest =
  | {
      readonly kind: 'stream';
      readonly stream: string;
      readonly from: number;
      readonly to: number;
      readonly backwards: boolean;
      readonly limit: number;
    }
  | { readonly kind: 'all'; readonly after: bigint; readonly filter: EventFilter; readonly limit: number }
  | { readonly kind: 'head' }
  | { readonly kind: 'seal' };

export type ReadAnswer =
  | ({ readonly kind: 'stream' } & StreamPage)
  | ({ readonly kind: 'all' } & LogPage)
  | { readonly kind: 'head'; readonly head: bigint }
  | { readonly kind: 'seal'; readonly seal: Seal | undefined }
  | { readonly kind: 'failure'; readonly failure: Failure };

export type ToWorker =
  | { readonly kind: 'append'; readonly group: FlatGroup; readonly together: boolean }
  | { readonly kind: 'read'; readonly requests: readonly ReadRequest[] }
  | { readonly kind: 'close' };

/** `appended` answers the appends, `answers` the reads, each in the order in which they were sent. */
export type FromWorker =
  | { readonly kind: 'opened'; readonly notice: string | undefined }
  | { readonly kind: 'not-opened'; readonly failure: Failure }
  | { readonly kind: 'appended'; readonly outcomes: FlatOutcomes; readonly end: bigint; readonly heads: number }
  | { readonly kind: 'answers'; readonly answers: readonly ReadAnswer[] }
  /** Once: nothing is appended from now on. */
  | { readonly kind: 'damaged'; readonly message: string };

export function flattenGroup(waiting: readonly { readonly append: AppendRequest }[]): FlatGroup {
  const streams: string[] = [];
  const expected: number[] = [];
  const counts: number[] = [];
  const ids: string[] = [];
  const types: string[] = [];
  const schemaVersions: number[] = [];
  const data: string[] = [];
  const metadata: string[] = [];
  for (const { append } of waiting) {
    streams.push(append.stream);
    expected.push(append.expected);
    counts.push(append.events.length);
    for (const event of append.events) {
      ids.push(event.id);
      types.push(event.type);
      schemaVersions.push(event.schemaVersion);
      data.push(event.data);
      metadata.push(event.metadata);
    }
  }
  return { streams, expected, counts, ids, types, schemaVersions, data, metadata };
}

export function unflattenGroup(group: FlatGroup): readonly AppendRequest[] {
  const events = group.ids.map((id, index): EncodedEvent => ({
    id,
    type: at(group.types, index),
    schemaVersion: at(group.schemaVersions, index),
    data: at(group.data, index),
    metadata: at(group.metadata, index),
  }));
  let start = 0;
  return group.streams.map((stream, index) => {
    const end = start + at(group.counts, index);
    const append = { stream, expected: at(group.expected, index), events: events.slice(start, end) };
    start = end;
    return append;
  });
}

export function flattenOutcomes(outcomes: readonly AppendOutcome[]): FlatOutcomes {
  const failures: (Failure & { append: number })[] = [];
  const positions: bigint[] = [];
  for (const [append, outcome] of outcomes.entries()) {
    if (isStoreError(outcome)) failures.push({ append, ...failureOf(outcome) });
    else positions.push(...outcome);
  }
  return { positions: BigUint64Array.from(positions), failures };
}

/** What can be said of an error to another thread. */
export function failureOf(error: unknown): Failure {
  if (isStoreError(error)) return { code: error.code, message: error.message, actual: error.actual };
  return { code: 'store-unavailable', message: messageOf(error) };
}

function at<Item>(list: readonly Item[], index: number): Item {
  const item = list[index];
  if (item === undefined) throw new RangeError('a message between the threads is incomplete');
  return item;
}
