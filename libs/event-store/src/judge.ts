import { type AppendRequest, NO_REVISION } from './encode.ts';
import { StoreError } from './port.ts';

/** Where an event stands in the log. */
export interface EventPlace {
  readonly stream: string;
  readonly revision: number;
  readonly position: bigint;
}

/** What is to become of an append: stored, answered as the first time, or refused. */
export type Verdict =
  | { readonly kind: 'store' }
  | { readonly kind: 'replay'; readonly positions: readonly bigint[] }
  | { readonly kind: 'refuse'; readonly error: StoreError };

/**
 * The rule of every append, for adapters that see their log while they decide.
 * @param head the last revision of the append's stream, or `NO_REVISION`
 * @param placeOf finds the event with an id anywhere in the log
 */
export function judgeAppend(
  append: AppendRequest,
  head: number,
  placeOf: (id: string) => EventPlace | undefined,
): Verdict {
  const { stream, expected, events } = append;
  if (hasRepeatedId(append)) return refuse('duplicate-event-id', `an id stands twice in an append to ${stream}`);
  if (expected !== head) {
    const positions = positionsOfReplay(append, placeOf);
    if (positions !== undefined) return { kind: 'replay', positions };
    const actual = head === NO_REVISION ? 'no-stream' : head;
    const message = `${stream} is at ${nameRevision(head)}, not at ${nameRevision(expected)}`;
    return { kind: 'refuse', error: new StoreError('wrong-expected-revision', message, actual) };
  }
  const taken = events.find((event) => placeOf(event.id) !== undefined);
  if (taken !== undefined) return refuse('duplicate-event-id', `event ${taken.id} stands in the log already`);
  return { kind: 'store' };
}

function hasRepeatedId({ events }: AppendRequest): boolean {
  return events.length > 1 && new Set(events.map((event) => event.id)).size < events.length;
}

/** The positions of the append's events if each stands exactly where this append would have put it. */
function positionsOfReplay(
  { stream, expected, events }: AppendRequest,
  placeOf: (id: string) => EventPlace | undefined,
): readonly bigint[] | undefined {
  const positions: bigint[] = [];
  for (const [index, event] of events.entries()) {
    const place = placeOf(event.id);
    if (place?.stream !== stream || place.revision !== expected + 1 + index) return undefined;
    positions.push(place.position);
  }
  return positions;
}

function refuse(code: 'duplicate-event-id', message: string): Verdict {
  return { kind: 'refuse', error: new StoreError(code, message) };
}

function nameRevision(revision: number): string {
  return revision === NO_REVISION ? 'no event' : `revision ${revision}`;
}
