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

/**
 * Reads a JSON body. Its content is checked later, `__proto__` and its like included: they stay ordinary fields here. One
 * with a name twice in an object is refused: whoever looked at it before may have taken the other value.
 */
export function parseJsonBody(bytes: Buffer, headers: IncomingHttpHeaders): unknown {
  if (bytes.length === 0) return undefined;
  if (!isPlainUtf8(headers)) {
    const detail = 'A body must be in UTF-8, and come without a Content-Encoding.';
    return new UnreadableBody({ code: 'unsupported-media-type', detail });
  }
  if (!isUtf8(bytes)) return malformed('must be JSON in UTF-8');
  const text = bytes.toString('utf8');
  let value: unknown;
  try {
    value = JSON.parse(text) as unknown;
  } catch {
    return malformed('must be valid JSON');
  }
  return membersIn(value) === membersWritten(text) ? value : malformed('must not have a name twice in one object');
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;

/** How many members valid JSON has as it is written: one for each colon outside of strings. Looks at each character once. */
function membersWritten(text: string): number {
  let members = 0;
  let isInString = false;
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    if (unit === QUOTE) isInString = !isInString;
    else if (!isInString) members += unit === COLON ? 1 : 0;
    else if (unit === BACKSLASH) at += 1;
  }
  return members;
}

/** How many members are left of it: of two with one name the parser keeps the last. A deep value takes no stack. */
function membersIn(value: unknown): number {
  let members = 0;
  const waiting = [value];
  while (waiting.length > 0) {
    const next = waiting.pop();
    if (typeof next !== 'object' || next === null) continue;
    const within: readonly unknown[] = Object.values(next);
    if (!Array.isArray(next)) members += within.length;
    for (const each of within) if (typeof each === 'object') waiting.push(each);
  }
  return members;
}

function malformed(message: string): UnreadableBody {
  return new UnreadableBody(malformedRequest([{ field: 'body', message }]));
}
