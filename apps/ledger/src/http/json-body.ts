import { isUtf8 } from 'node:buffer';

/** Stands for a body that is not JSON until the handler's turn comes: who may not ask at all learns that first. */
export class MalformedBody {
  readonly message: string;
  constructor(message: string) {
    this.message = message;
  }
}

/** Reads a JSON body. Its content is checked later, `__proto__` and its like included: they stay ordinary fields here. */
export function parseJsonBody(bytes: Buffer): unknown {
  if (bytes.length === 0) return undefined;
  if (!isUtf8(bytes)) return new MalformedBody('must be JSON in UTF-8');
  try {
    return JSON.parse(bytes.toString('utf8')) as unknown;
  } catch {
    return new MalformedBody('must be valid JSON');
  }
}
