import { StoreError } from '#event-store';
import { within } from '../call-timeout.ts';
import { readCertificates } from '../certificates.ts';
import { StreamsConnection } from '../client.ts';
import { type Failure, failureOfCall, whyNotOpened } from '../failures.ts';
import { type EventStoreDbSettings, readConnection } from '../settings.ts';

/** One call of these may wait for a server that has just been started. */
const CALL_TIMEOUT_MS = 10_000;
/** Nothing replaces the one connection here. */
const FIRST_GENERATION = 0;

/**
 * Works on a connection of its own, and closes it.
 * @throws StoreError `store-unavailable` that says in one line what is wrong, and never the password
 */
export async function connected<Result>(
  settings: EventStoreDbSettings,
  work: (connection: StreamsConnection) => Promise<Result>,
): Promise<Result> {
  const server = readConnection(settings);
  const connection = new StreamsConnection(server, readCertificates(server), FIRST_GENERATION);
  try {
    return await work(connection);
  } catch (error) {
    if (error instanceof StoreError) throw error;
    throw new StoreError('store-unavailable', whyNotOpened(failureOfCall(error), server));
  } finally {
    await connection.close();
  }
}

/** Waits for one call of the client's, with a bound of our own. */
export const bounded = <Value>(call: Promise<Value>): Promise<Value> => within(call, CALL_TIMEOUT_MS);

/** Whether it was the caller's rights that a call failed for. @throws the error, when it was something else */
export function isDenied(error: unknown): boolean {
  if ((error as { type?: unknown }).type === 'access-denied') return true;
  const failure: Failure = failureOfCall(error);
  if (failure.kind === 'refused' && failure.why === 'permission') return true;
  throw error;
}
