import { Code, type Grpc, Metadata } from './protocol.ts';

/** A call that ends with a status, its trailers saying what of the store's errors it is. */
export class CallError extends Error implements Partial<Grpc.StatusObject> {
  readonly code: Grpc.status;
  readonly details: string;
  readonly metadata = new Metadata();

  constructor(code: Grpc.status, details: string, trailers: Readonly<Record<string, string>> = {}) {
    super(details);
    this.code = code;
    this.details = details;
    for (const [key, value] of Object.entries(trailers)) this.metadata.set(key, value);
  }
}

export interface Address {
  readonly host: string;
  readonly port: number;
}

export const notLeader = (leader: Address): CallError =>
  new CallError(Code.NOT_FOUND, 'Leader info available', {
    exception: 'not-leader',
    'leader-endpoint-host': leader.host,
    'leader-endpoint-port': String(leader.port),
  });

export const streamDeleted = (stream: string): CallError =>
  new CallError(Code.FAILED_PRECONDITION, `Event stream '${stream}' is deleted.`, {
    exception: 'stream-deleted',
    'stream-name': stream,
  });

export const accessDenied = (): CallError =>
  new CallError(Code.PERMISSION_DENIED, 'Access Denied', { exception: 'access-denied' });

export const unauthenticated = (): CallError => new CallError(Code.UNAUTHENTICATED, 'Unauthenticated');

export const maximumAppendSizeExceeded = (maxAppendSizeBytes: number): CallError =>
  new CallError(Code.INVALID_ARGUMENT, `Maximum Append Size of ${maxAppendSizeBytes} Exceeded.`, {
    exception: 'maximum-append-size-exceeded',
    'maximum-append-size': String(maxAppendSizeBytes),
  });

/** The form of deletes alone: an append is answered with a message. */
export const wrongExpectedVersion = (stream: string, expected: number, actual: number): CallError =>
  new CallError(
    Code.FAILED_PRECONDITION,
    `Delete failed due to WrongExpectedVersion. Stream: ${stream}, Expected version: ${expected}, Actual version: ${actual}`,
    {
      exception: 'wrong-expected-version',
      'stream-name': stream,
      'expected-version': String(expected),
      'actual-version': String(actual),
    },
  );

export const serverNotReady = (): CallError => new CallError(Code.UNAVAILABLE, 'Server Is Not Ready');

export const invalidPosition = (): CallError =>
  new CallError(Code.INVALID_ARGUMENT, 'Trying to read from an invalid position.');

export const invalidReadPosition = (): CallError =>
  new CallError(Code.UNKNOWN, 'Unexpected ReadAllResult: InvalidPosition');

export const consumerTooSlow = (): CallError =>
  new CallError(
    Code.ABORTED,
    'Operation timed out: Consumer too slow to handle event while live. Client resubscription required.',
  );

export const cancelledByServer = (): CallError => new CallError(Code.CANCELLED, 'Cancelled');

export const invalidRequest = (what: string): CallError => new CallError(Code.INVALID_ARGUMENT, what);
