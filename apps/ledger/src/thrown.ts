/** The message of whatever was thrown. */
export function messageOf(thrown: unknown): string {
  return isObject(thrown) && typeof thrown['message'] === 'string' ? thrown['message'] : String(thrown);
}

/** As a sentence: with one full stop, also where the message of a library has one. */
export function sentence(message: string): string {
  return `${message.replace(/\.+$/, '')}.`;
}

/** The `code` of an error of Node or of a library, e.g. `ENOENT`. */
export function codeOf(thrown: unknown): unknown {
  return isObject(thrown) ? thrown['code'] : undefined;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
