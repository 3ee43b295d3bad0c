import { toTimestamp, type DecidedOn, type Timestamp } from '#kernel';
import type { Core } from './core.ts';
import type { View } from './plan.ts';

/** What another stream told in its turn. */
export interface Look<Seen> {
  readonly seen: Seen;
  readonly decidedOn: DecidedOn;
  /** The time at which it was so. */
  readonly nowMs: number;
}

/**
 * Looks at a stream from within the turn of another: what is seen was so as of a revision and a time, which stays true.
 * @param ownMs the time of the one who looks
 */
export function look<Seen>(
  core: Core,
  stream: string,
  ownMs: number,
  see: (view: View, now: Timestamp) => Seen,
): Promise<Look<Seen>> {
  return core.streams.inspect(stream, (view) => {
    const { revision } = view;
    const nowMs = view.time(ownMs);
    const decidedOn = { stream, revision: revision < 0 ? null : String(revision) };
    return { seen: see(view, toTimestamp(nowMs)), decidedOn, nowMs };
  });
}
