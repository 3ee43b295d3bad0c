import { isStoreError } from '#event-store';
import type { Rejection } from '#kernel';
import { codeOf } from '../thrown.ts';
import { CURSOR_RULE } from '../validation/rules.ts';
import { malformedRequest, ProblemError, type Problem } from './problem.ts';

/**
 * What to answer for whatever was thrown. Errors that nobody expected tell nothing of themselves: no stack, no SQL, no path.
 */
export function problemOfThrown(thrown: unknown): Problem {
  if (thrown instanceof ProblemError) return thrown.problem;
  if (isNamed(thrown, 'RejectionError')) return problemOfRejection((thrown as { rejection: Rejection }).rejection);
  if (isNamed(thrown, 'MalformedCursorError')) {
    return malformedRequest([{ field: 'cursor', message: CURSOR_RULE }]);
  }
  if (isStoreError(thrown)) return { code: 'store-unavailable', detail: 'The store could not answer. Ask again.' };
  return problemOfStatus(statusOf(thrown), codeOf(thrown));
}

export function problemOfRejection({ code, detail, extra }: Rejection): Problem {
  return { code, detail, extra };
}

/** Errors of the framework: what they say of themselves is theirs, the words are ours. */
function problemOfStatus(status: number, code: unknown): Problem {
  switch (status) {
    case 404:
      return { code: 'not-found', detail: 'There is no such route: see /docs.' };
    case 413:
      return { code: 'payload-too-large', detail: 'The body has more bytes than this service takes.' };
    case 415:
      return { code: 'unsupported-media-type', detail: 'A body must come with Content-Type: application/json.' };
    case 503:
      return { code: 'overloaded', detail: 'The service has too much to do. Ask again later.' };
  }
  if (status < 400 || status >= 500)
    return { code: 'internal-error', detail: 'Something went wrong here, and was logged.' };
  return malformedRequest([FIELDS_OF_FRAMEWORK_CODES.get(code) ?? { field: 'request', message: 'could not be read' }]);
}

const FIELDS_OF_FRAMEWORK_CODES = new Map<unknown, { field: string; message: string }>([
  ['FST_ERR_BAD_URL', { field: 'path', message: 'must have valid percent-encoding' }],
  ['FST_ERR_MAX_PARAM_LENGTH', { field: 'path', message: 'is too long' }],
  ['FST_ERR_CTP_INVALID_CONTENT_LENGTH', { field: 'Content-Length', message: 'must be the size of the body' }],
]);

/** Of Fastify's errors, and of Nest's, which wrap them. */
function statusOf(thrown: unknown): number {
  if (typeof thrown !== 'object' || thrown === null) return 500;
  const { status, statusCode } = thrown as { status?: unknown; statusCode?: unknown };
  if (typeof status === 'number') return status;
  return typeof statusCode === 'number' ? statusCode : 500;
}

function isNamed(thrown: unknown, name: string): boolean {
  return typeof thrown === 'object' && thrown !== null && (thrown as { name?: unknown }).name === name;
}
