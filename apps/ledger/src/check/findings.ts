import type { Position } from '#kernel';

/** Something in a log that should never be. */
export interface Finding {
  /** What kind of thing it is: it tells what to do. */
  readonly code: FindingCode;
  readonly stream: string;
  /** Undefined where no single event is at fault. */
  readonly revision: number | undefined;
  readonly position: Position | undefined;
  readonly detail: string;
}

export type FindingCode =
  | 'malformed-event'
  | 'hash-mismatch'
  | 'citation-unresolved'
  | 'illegal-event'
  | 'untied-account'
  | 'no-destination'
  | 'revision-gap'
  | 'position-gap'
  | 'repeated-id'
  | 'negative-balance'
  | 'books'
  | 'damaged-file'
  | 'foreign-schema'
  | 'missing-guard'
  | 'not-judged'
  | 'not-read';

const RESTORE =
  'Stop the service, keep this file as evidence, and restore the last backup that this check finds faultless.';
const COUNTS = 'Somebody wrote past the service: find out who can write to the folder. The event counts all the same:';
const AUDIT =
  'Somebody wrote past the service: find out who can write to the folder. The event changes nothing; /v1/audit/violations lists it, at the latest after `npm run rebuild`.';

/** What to do about each kind of finding. */
export const ADVICE: Readonly<Record<FindingCode, string>> = {
  'malformed-event': AUDIT,
  'hash-mismatch': `The event was changed after it was stored, or the file is damaged. ${RESTORE}`,
  'citation-unresolved': AUDIT,
  'illegal-event': AUDIT,
  'untied-account': `${COUNTS} no order or hit that names the holder freezes the account. ${RESTORE}`,
  'no-destination': `${COUNTS} the funds are on their way, and go to whoever opens an account of that id. ${RESTORE}`,
  'revision-gap': `Events of the stream were removed. ${RESTORE}`,
  'position-gap': `Events were removed from the log. ${RESTORE}`,
  'repeated-id': RESTORE,
  'negative-balance': `Do not rely on this balance. ${RESTORE}`,
  books: `Do not rely on any balance of this asset. ${RESTORE}`,
  'damaged-file': RESTORE,
  'foreign-schema': `The service does not start on this file. Somebody wrote past it: find out who can write to the folder. ${RESTORE}`,
  'missing-guard':
    'Somebody wrote past the service: find out who can write to the folder. The next start of the service makes it again; if this is the only finding, nothing else is to be done.',
  'not-judged': `See the other findings. ${RESTORE}`,
  'not-read': `Not every event could be read. ${RESTORE}`,
};

/** One line: where, what, and what to do. */
export function describeFinding({ code, stream, revision, position, detail }: Finding): string {
  const place = revision === undefined ? stream : `${stream}@${String(revision)}`;
  const where = position === undefined ? place : `${place} at position ${position}`;
  return `${code}: ${where}: ${detail}. ${ADVICE[code]}`;
}
