import { type LogEvent } from './log-event.ts';

/** What an append expects of its stream: the exact revision of its last event, or one of three words. */
export type ExpectedRevision = number | 'no_stream' | 'any' | 'stream_exists';

/** What the check has to know of the stream. */
export interface CheckedStream {
  readonly events: readonly LogEvent[];
  /** Or the stream whose metadata it holds is. */
  readonly tombstoned: boolean;
  readonly softDeleted: boolean;
  /** Whether any metadata were set for it. */
  readonly hasMetadata: boolean;
}

export type CommitDecision =
  | { readonly kind: 'store' }
  | { readonly kind: 'replay'; readonly lastRevision: number }
  | { readonly kind: 'wrong'; readonly currentRevision: number }
  | { readonly kind: 'deleted' };

/** Where the event of an id was stored of late, by this process; what `any` knows a replay by. */
export type RecentEvent = (id: string) => { readonly stream: string; readonly revision: number } | undefined;

/** A stream without events is at revision -1. */
export const currentRevision = (stream: CheckedStream): number => stream.events.length - 1;

/**
 * Whether an append is stored, is a replay of one that was, or is refused. Only ids are compared: a replay with other data
 * is a replay. A replay of a part of an append is one too; a replay with one event more is not, and its revision is wrong.
 */
export function checkCommit(
  name: string,
  stream: CheckedStream,
  expected: ExpectedRevision,
  ids: readonly string[],
  recent: RecentEvent,
): CommitDecision {
  if (stream.tombstoned) return { kind: 'deleted' };
  if (expected === 'any' || expected === 'stream_exists') return checkLoose(name, stream, expected, ids, recent);
  return checkExact(stream, expected === 'no_stream' ? -1 : expected, ids);
}

function checkLoose(
  name: string,
  stream: CheckedStream,
  expected: 'any' | 'stream_exists',
  ids: readonly string[],
  recent: RecentEvent,
): CommitDecision {
  const current = currentRevision(stream);
  if (expected === 'stream_exists') {
    if (stream.softDeleted) return { kind: 'deleted' };
    if (current < 0 && !stream.hasMetadata) return { kind: 'wrong', currentRevision: current };
  }
  let lastRevision = -1;
  for (const [place, id] of ids.entries()) {
    const known = recent(id);
    if (known?.stream !== name) return place === 0 ? { kind: 'store' } : { kind: 'wrong', currentRevision: current };
    lastRevision = known.revision;
  }
  return ids.length === 0 ? { kind: 'store' } : { kind: 'replay', lastRevision };
}

function checkExact(stream: CheckedStream, expected: number, ids: readonly string[]): CommitDecision {
  const current = currentRevision(stream);
  if (expected === current) return { kind: 'store' };
  const wrong: CommitDecision = { kind: 'wrong', currentRevision: current };
  if (expected > current || ids.length === 0) return wrong;
  const differing = ids.findIndex((id, place) => stream.events[expected + 1 + place]?.id !== id);
  if (differing === -1) return { kind: 'replay', lastRevision: expected + ids.length };
  // What was deleted softly begins anew for whoever expects no stream.
  return differing === 0 && expected === -1 && stream.softDeleted ? { kind: 'store' } : wrong;
}
