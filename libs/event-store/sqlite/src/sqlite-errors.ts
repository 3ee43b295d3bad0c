/** Primary result codes of SQLite (https://www.sqlite.org/rescode.html); the extended ones have more in the higher bits. */
const SQLITE_PERM = 3;
const SQLITE_BUSY = 5;
const SQLITE_READONLY = 8;
const SQLITE_CORRUPT = 11;
const SQLITE_FULL = 13;
const SQLITE_CANTOPEN = 14;
const SQLITE_CONSTRAINT = 19;
const SQLITE_NOTADB = 26;
/** Extended: the disk does not give what is to be read, or less than that. */
const SQLITE_IOERR_READ = 266;
const SQLITE_IOERR_SHORT_READ = 522;
/** Extended: a trigger that raises an error. */
const SQLITE_CONSTRAINT_TRIGGER = 1811;

export function isBusy(error: unknown): boolean {
  return primaryCode(error) === SQLITE_BUSY;
}

export function isFull(error: unknown): boolean {
  return primaryCode(error) === SQLITE_FULL || systemCode(error) === 'ENOSPC';
}

/** Whether this process may not do with a file what it has to. */
export function isForbidden(error: unknown): boolean {
  const code = primaryCode(error);
  if (code === SQLITE_PERM || code === SQLITE_READONLY || code === SQLITE_CANTOPEN) return true;
  return ['EACCES', 'EPERM', 'EROFS'].includes(systemCode(error) ?? '');
}

/** Whether a file was read and can't be what was written. */
export function isDamaged(error: unknown): boolean {
  return primaryCode(error) === SQLITE_CORRUPT || isNotADatabase(error);
}

/** An error like SQLite's own of a file that can't be what was written. */
export function damaged(message: string): Error {
  return Object.assign(new Error(message), { errcode: SQLITE_CORRUPT });
}

export function isConstraint(error: unknown): boolean {
  return primaryCode(error) === SQLITE_CONSTRAINT;
}

/** Whether a trigger kept a statement from what it was to do. */
export function isStoppedByTrigger(error: unknown): boolean {
  return extendedCode(error) === SQLITE_CONSTRAINT_TRIGGER;
}

/** Whether a disk did not give what a file has. */
export function isUnread(error: unknown): boolean {
  const code = extendedCode(error);
  return code === SQLITE_IOERR_READ || code === SQLITE_IOERR_SHORT_READ;
}

export function isNotADatabase(error: unknown): boolean {
  return primaryCode(error) === SQLITE_NOTADB;
}

/** What an error says of itself, wherever it comes from: errors of Node's own are not always `instanceof Error` here. */
export function messageOf(error: unknown): string {
  const message = (error as { message?: unknown } | null | undefined)?.message;
  return typeof message === 'string' ? message : String(error);
}

function primaryCode(error: unknown): number | undefined {
  const code = extendedCode(error);
  return code === undefined ? undefined : code & 0xff;
}

function extendedCode(error: unknown): number | undefined {
  const code = (error as { errcode?: unknown } | null | undefined)?.errcode;
  return typeof code === 'number' ? code : undefined;
}

function systemCode(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null | undefined)?.code;
  return typeof code === 'string' ? code : undefined;
}
