import { type ExpectedRevision, NO_REVISION, StoreError } from '#event-store';
import type { Status } from '@eventstore/db-client/generated/status_pb.js';
import shared from '@eventstore/db-client/generated/shared_pb.js';
import { type Connection, nameOf } from './settings.ts';

/** Why a call failed, as far as anybody can know. */
export type Failure =
  | { readonly kind: 'wrong-revision'; readonly actual: ExpectedRevision }
  | { readonly kind: 'too-large' }
  /** It will fail again, and nothing was stored. */
  | {
      readonly kind: 'refused';
      readonly why: 'permission' | 'credentials' | 'deleted' | 'other';
      readonly message: string;
    }
  /** It may go well another time. `unsent` when it is certain that the server did nothing of it. */
  | { readonly kind: 'transient'; readonly unsent: boolean; readonly message: string };

/** Status codes of gRPC. */
const INVALID_ARGUMENT = 3;
const PERMISSION_DENIED = 7;
const UNIMPLEMENTED = 12;
const UNAVAILABLE = 14;
const UNAUTHENTICATED = 16;

/** What grpc-js says of a call that found no connection to be sent on. */
const NEVER_CONNECTED = 'No connection established';

const DENIED = { kind: 'refused', why: 'permission', message: 'the event store denies access' } as const;
const UNKNOWN_USER = {
  kind: 'refused',
  why: 'credentials',
  message: 'the event store refuses user and password',
} as const;
const DELETED = { kind: 'refused', why: 'deleted', message: 'the stream was deleted for good on the server' } as const;

/** What errors of gRPC and of the client have, whatever their class. */
interface CallError {
  readonly message?: unknown;
  readonly details?: unknown;
  readonly code?: unknown;
  readonly metadata?: { readonly getMap?: () => Readonly<Record<string, unknown>> };
}

/**
 * Classifies what ended a call. By gRPC's code and the server's trailer `exception`, never by class: a refused connection
 * is a plain Error, and a lost one has several types.
 */
export function failureOfCall(error: unknown): Failure {
  const call = (error ?? {}) as CallError;
  const message = messageOf(call);
  switch (exceptionOf(call)) {
    case 'access-denied':
      return DENIED;
    case 'stream-deleted':
      return DELETED;
    case 'not-leader':
      return { kind: 'transient', unsent: false, message: 'the node is not the leader' };
    default:
  }
  switch (call.code) {
    case PERMISSION_DENIED:
      return DENIED;
    case UNAUTHENTICATED:
      return UNKNOWN_USER;
    case INVALID_ARGUMENT:
    case UNIMPLEMENTED:
      return { kind: 'refused', why: 'other', message };
    case UNAVAILABLE:
      return { kind: 'transient', unsent: message.includes(NEVER_CONNECTED), message };
    default:
      return { kind: 'transient', unsent: false, message };
  }
}

/** Whether there was no server at all where the call went. */
export function metNobody(failure: Failure): boolean {
  return failure.kind === 'transient' && failure.message.includes(NEVER_CONNECTED);
}

/** Classifies the answer to one append of a batch. */
export function failureOfAppend(status: Status): Failure {
  const details = status.getDetails();
  switch (details?.getTypeName()) {
    case 'event_store.client.WrongExpectedVersion': {
      const wrong = shared.WrongExpectedVersion.deserializeBinary(details.getValue_asU8());
      const actual = wrong.hasCurrentStreamRevision() ? Number(wrong.getCurrentStreamRevision()) : 'no-stream';
      return { kind: 'wrong-revision', actual };
    }
    case 'event_store.client.MaximumAppendSizeExceeded':
      return { kind: 'too-large' };
    case 'event_store.client.AccessDenied':
      return DENIED;
    case 'event_store.client.StreamDeleted':
      return DELETED;
    case 'event_store.client.BadRequest':
      return {
        kind: 'refused',
        why: 'other',
        message: `the event store takes the append for malformed: ${status.getMessage()}`,
      };
    case 'google.protobuf.Empty':
      // The server did not handle it: it is not ready, too busy, or has no leader.
      return { kind: 'transient', unsent: true, message: status.getMessage() };
    default:
      return { kind: 'transient', unsent: false, message: status.getMessage() };
  }
}

/** @param stream as it is called here */
export function wrongRevision(stream: string, expected: number, actual: ExpectedRevision): StoreError {
  const is = actual === 'no-stream' ? 'no event' : `revision ${actual}`;
  const wanted = expected === NO_REVISION ? 'no event' : `revision ${expected}`;
  return new StoreError('wrong-expected-revision', `${stream} is at ${is}, not at ${wanted}`, actual);
}

const TLS_WORDS =
  /certificate|self.signed|altname|\bSSL\b|\bTLS\b|EPROTO|wrong version number|unable to (?:verify|get)/i;
/** What says that nobody is there at all. */
const NOBODY_THERE = /ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|no answer|discover/;

/** Says in one line why a store can't be opened. */
export function whyNotOpened(failure: Failure, connection: Connection): string {
  const store = `the event store at ${nameOf(connection)}`;
  const user = connection.credentials?.username;
  if (failure.kind === 'wrong-revision' || failure.kind === 'too-large') return `${store} is none that can be used`;
  const message = failure.message
    .replace(/\s+/g, ' ')
    .replace(/ Resolution note: $/, '')
    .trim();
  if (failure.kind === 'refused' && failure.why === 'credentials')
    return `${store} refuses the password of ${user ?? '?'}`;
  if (failure.kind === 'refused' && failure.why === 'permission') {
    return user === undefined
      ? `${store} wants a user and password, or gives everybody no permission to read and append`
      : `${store} gives ${user} no permission to read and append (or the password is wrong)`;
  }
  if (connection.tls && TLS_WORDS.test(message)) return `TLS with ${store} fails: ${message}`;
  const hint = !connection.tls && !NOBODY_THERE.test(message) ? ' (it may want TLS, and tls=false is set)' : '';
  return `${store} can't be reached: ${message}${hint}`;
}

export function messageOf(error: unknown): string {
  const { message, details } = (error ?? {}) as CallError;
  if (typeof details === 'string' && details !== '') return details;
  return typeof message === 'string' && message !== '' ? message : 'no reason given';
}

function exceptionOf({ metadata }: CallError): string | undefined {
  const exception = metadata?.getMap?.()['exception'];
  return typeof exception === 'string' ? exception : undefined;
}
