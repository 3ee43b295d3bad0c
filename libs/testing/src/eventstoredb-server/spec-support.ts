/** What the specs of the server share: the client as it is, and what it throws in full. */
import { type EventStoreDBClient, jsonEvent, type JSONEventData } from '@eventstore/db-client';
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';

const CONDITION_LIMIT_MS = 30_000;
const POLL_MS = 20;

/** An event with a number by which a test knows it again. */
export function event(n: number, id: string = randomUUID()): JSONEventData {
  return jsonEvent({ id, type: 'Numbered', data: { n }, metadata: { by: 'a test' } });
}

/** So many events, numbered from 0. */
export const events = (count: number): JSONEventData[] => Array.from({ length: count }, (_, n) => event(n));

export async function collect<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of stream) all.push(item);
  return all;
}

/** What a client throws: the class of the error and what it says of itself. */
export interface Thrown {
  readonly name: string;
  readonly type: unknown;
  readonly code: unknown;
  readonly message: string;
  readonly error: Error & Readonly<Record<string, unknown>>;
}

/** @throws when nothing is thrown */
export async function thrownBy(work: Promise<unknown>): Promise<Thrown> {
  let result: unknown;
  try {
    result = await work;
  } catch (error) {
    return describeError(error);
  }
  throw new Error(`nothing was thrown, but the answer was ${String(result)}`);
}

export function describeError(thrown: unknown): Thrown {
  if (!(thrown instanceof Error)) throw new Error(`no error was thrown, but ${String(thrown)}`);
  const error = thrown as Error & Readonly<Record<string, unknown>>;
  return { name: error.constructor.name, type: error['type'], code: error['code'], message: error.message, error };
}

/** The revisions of what a stream has, by a read of all of it. */
export async function revisionsOf(client: EventStoreDBClient, stream: string): Promise<bigint[]> {
  return (await collect(client.readStream(stream))).map((resolved) => resolved.event?.revision ?? -1n);
}

/** The numbers of the events of a stream, as `event` made them. */
export async function numbersOf(client: EventStoreDBClient, stream: string): Promise<unknown[]> {
  return (await collect(client.readStream(stream))).map((resolved) => numberOf(resolved));
}

export function numberOf(resolved: { readonly event?: { readonly data: unknown } }): unknown {
  return (resolved.event?.data as { readonly n?: unknown } | undefined)?.n;
}

/** Tries again until it succeeds: what a client does that goes on after a failure. */
export async function untilItSucceeds<T>(work: () => Promise<T>): Promise<T> {
  const limit = Date.now() + CONDITION_LIMIT_MS;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (Date.now() > limit) throw error;
      await delay(POLL_MS);
    }
  }
}

/** @throws when it does not come true in time */
export async function until(isTrue: () => boolean): Promise<void> {
  const limit = Date.now() + CONDITION_LIMIT_MS;
  while (!isTrue()) {
    if (Date.now() > limit) throw new Error('what a test waited for has not come true');
    await delay(POLL_MS);
  }
}
