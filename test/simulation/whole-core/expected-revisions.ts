import type { CommandRequest, Outcome } from '#command-handling';
import type { RecordedEvent } from '#kernel';
import type { AskedOnce } from './callers.ts';
import type { Saw } from './plan.ts';

/** A revision that a caller named as the one that it saw (`If-Match`), and how far the log had come when it did. */
export interface Expecting {
  readonly stream: string;
  readonly revision: number;
  readonly logLength: number;
}

/** What a command with an expected revision was told. */
export interface Told {
  readonly name: string;
  readonly type: CommandRequest['command']['type'];
  readonly expecting: Expecting;
  readonly outcome: Outcome;
  /** Events that the log held when the answer came. */
  readonly logLength: number;
}

/** Their first append is on another stream: the revision is looked at before it, and others may come in between. */
const LOOKING_FIRST: readonly string[] = ['FreezeAccount', 'OpenAccount'];

/** What a caller expects of the stream that a command is about; undefined for nothing, also where nothing stands on it yet. */
export function expectingOf(asked: AskedOnce, saw: Saw, log: readonly RecordedEvent[]): Expecting | undefined {
  if (saw === 'nothing' || 'all' in asked) return undefined;
  const stream = homeStreamOf(asked, log);
  const latest = log.findLast((event) => event.stream === stream)?.revision;
  const revision = latest === undefined || saw === 'latest' ? latest : latest - 1;
  if (stream === undefined || revision === undefined || revision < 0) return undefined;
  return { stream, revision, logLength: log.length };
}

function homeStreamOf(asked: Exclude<AskedOnce, { readonly all: unknown }>, log: readonly RecordedEvent[]) {
  const fields = asked.command as unknown as Readonly<Record<string, string | undefined>>;
  const { accountId, partyId, orderId, hitId, freezeId, requestId } = fields;
  if (freezeId !== undefined) {
    return log.find(({ type, data }) => type === 'AccountFrozen' && (data as typeof fields)['freezeId'] === freezeId)
      ?.stream;
  }
  if (accountId !== undefined) return `account-${accountId}`;
  if (partyId !== undefined) return `party-${partyId}`;
  if (orderId !== undefined) return `legalOrder-${orderId}`;
  if (hitId !== undefined) return `sanctionsHit-${hitId}`;
  return requestId === undefined ? undefined : `authorityRequest-${requestId}`;
}

/** Why an answer can't be right, by the revision that was expected. */
export function whyWrong(told: Told, log: readonly RecordedEvent[]): string | undefined {
  const { type, expecting, outcome } = told;
  const { stream, revision } = expecting;
  const next = log.findIndex((event) => event.stream === stream && event.revision === revision + 1);
  if (outcome.status === 'rejected' && outcome.rejection.code === 'revision-mismatch') {
    const isAsExpected = next < 0 || next >= told.logLength;
    return isAsExpected ? `${stream} was at ${revision}, as it had to be` : undefined;
  }
  const first = outcome.status === 'accepted' ? outcome.events[0]?.revision : outcome.revision;
  if (first === undefined) return undefined;
  if (LOOKING_FIRST.includes(type)) {
    const wasPast = next >= 0 && next < expecting.logLength;
    return wasPast ? `${stream} was past ${revision} when it was asked` : undefined;
  }
  return first === revision + 1 ? undefined : `it was decided on ${stream}@${first - 1}, and not at ${revision}`;
}
