import { type LogEvent, type LogPosition } from './log-event.ts';
import { type LogView, type VisibleStream } from './log-view.ts';

/** How one read goes through one stream: revisions are inclusive in both directions. */
export interface StreamRead {
  readonly from: number | 'start' | 'end';
  readonly backwards: boolean;
  readonly maxCount: number;
}

/** How one read goes through all events. */
export interface AllRead {
  readonly from: LogPosition | 'start' | 'end';
  readonly backwards: boolean;
  readonly maxCount: number;
}

type Events = Extract<VisibleStream, { kind: 'events' }>;

/** What of a stream a read gives, and no more than it has when the read begins. */
export function* readStream(stream: Events, { from, backwards, maxCount }: StreamRead): Generator<LogEvent> {
  const { events, firstRevision, lastRevision, isHidden } = stream;
  const start = from === 'start' ? 0 : from === 'end' ? (backwards ? lastRevision : lastRevision + 1) : from;
  const step = backwards ? -1 : 1;
  let given = 0;
  let revision = backwards ? Math.min(start, lastRevision) : Math.max(start, firstRevision);
  for (; revision >= firstRevision && revision <= lastRevision && given < maxCount; revision += step) {
    const event = events[revision];
    if (event === undefined || isHidden(event)) continue;
    given += 1;
    yield event;
  }
}

/**
 * Deleted and truncated events stand among all events until a server is scavenged. Forwards the position is inclusive;
 * backwards, as on a real server, what begins at the position is not given: it has not ended there.
 */
export function* readAll(view: LogView, { from, backwards, maxCount }: AllRead): Generator<LogEvent> {
  const end = view.length;
  let index: number;
  if (from === 'start') index = backwards ? -1 : 0;
  else if (from === 'end') index = backwards ? end - 1 : end;
  else index = backwards ? view.endedBefore(from) - 1 : view.indexAtOrAfter(from);
  for (let given = 0; given < maxCount && index >= 0 && index < end; given += 1) {
    const event = view.at(index);
    if (event === undefined) return;
    index += backwards ? -1 : 1;
    yield event;
  }
}
