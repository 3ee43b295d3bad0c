import { isUtf8 } from 'node:buffer';
import type { IncomingHttpHeaders } from 'node:http';
import { isPlainUtf8 } from './headers.ts';
import { malformedRequest, type Problem } from './problem.ts';

/** Stands for a body that can't be read until the handler's turn comes: who may not ask at all learns that first. */
export class UnreadableBody {
  readonly problem: Problem;
  constructor(problem: Problem) {
    this.problem = problem;
  }
}

/** Reads a JSON body. Its content is checked later, `__proto__` and its like included: they stay ordinary fields here. */
export function parseJsonBody(bytes: Buffer, headers: IncomingHttpHeaders): unknown {
  if (bytes.length === 0) return undefined;
  if (!isPlainUtf8(headers)) {
    const detail = 'A body must be in UTF-8, and come without a Content-Encoding.';
    return new UnreadableBody({ code: 'unsupported-media-type', detail });
  }
  if (!isUtf8(bytes)) return malformed('must be JSON in UTF-8');
  try {
    return JSON.parse(bytes.toString('utf8')) as unknown;
  } catch {
    return malformed('must be valid JSON');
  }
}

function malformed(message: string): UnreadableBody {
  return new UnreadableBody(malformedRequest([{ field: 'body', message }]));
}
