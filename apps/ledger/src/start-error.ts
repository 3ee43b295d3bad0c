import { isStoreError } from '#event-store';
import { ConfigError } from './config/config.ts';
import { codeOf, messageOf, sentence } from './thrown.ts';

/** Why the service can't start, in one line for whoever started it: what, where, and what to do. */
export class StartError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'StartError';
  }
}

/** What to print for whatever stopped the start. */
export function describeStartFailure(thrown: unknown, place: { host: string; port: number; dataDir: string }): string {
  if (thrown instanceof ConfigError || thrown instanceof StartError) return thrown.message;
  const code = codeOf(thrown);
  const address = `${place.host}:${String(place.port)}`;
  if (code === 'EADDRINUSE')
    return `${address} is taken by another program: stop that one, or set PORT to another port.`;
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND')
    return `${address} is no address of this machine: set HOST to one.`;
  if (code === 'EACCES' && isListening(thrown)) return `${address} may not be listened on: set PORT to 1024 or more.`;
  if (isStoreError(thrown)) return `${sentence(messageOf(thrown))} ${adviceFor(messageOf(thrown))}`;
  if (typeof code === 'string' && FILE_ERRORS.includes(code)) {
    return `The data folder ${place.dataDir} can't be used (${code}): make it writable, or set WRIT_DATA_DIR to another.`;
  }
  return messageOf(thrown);
}

const FILE_ERRORS = ['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EEXIST', 'ENOSPC'];

function isListening(thrown: unknown): boolean {
  return (thrown as { syscall?: unknown }).syscall === 'listen';
}

const ADVICE: readonly (readonly [said: RegExp, advice: string])[] = [
  [
    /^the connection string of the event store /,
    'See WRIT_EVENTSTOREDB_URL and what follows it in docs/operations.md.',
  ],
  [
    /^the copy /,
    'Is its disk full, or may its folder not be written? Nothing of it was kept, and the log is untouched.',
  ],
  [
    /^the log to be /,
    'See that its disk has room and its folder can be written, and try again: nothing of it was kept.',
  ],
  [/ can't be read \(/, 'Look at its disk (dmesg): docs/operations/log-lost-or-damaged.md.'],
  [/ is in use by another process/, 'Stop that one, or set WRIT_DATA_DIR to another folder.'],
  [
    / is sealed/,
    'Start it there, with the settings of that store; if the move was called off, take the seal off: docs/operations/moving.md.',
  ],
  [/ is not the lock /, 'Delete it: nothing is kept in it.'],
  [/ has format /, 'Start the version of Writ that wrote it, or a newer one.'],
  [/the disk is full/, 'Make room, and start again.'],
  [/there is no such file/, 'Name a data folder that has a log.'],
  [/ can't be (written|opened) /, "Make it and its folder readable and writable for the service's user."],
  [/ is gone/, 'Put it back, or restore a backup: see "When it does not start" in docs/operations.md.'],
  [/ is (damaged|cut off)/, 'Restore a backup: see "When it does not start" in docs/operations.md.'],
];

function adviceFor(message: string): string {
  const known = ADVICE.find(([said]) => said.test(message));
  return known?.[1] ?? 'Set WRIT_DATA_DIR to another folder, or restore the file from a backup.';
}
