import type { Recorded, RecordedEvent } from '#kernel';

/** One of a command's events, by its type. The core has checked their data. @throws Error when there is none: a bug */
export function eventOfType<Event extends { readonly type: string; readonly data: unknown }>(
  events: readonly RecordedEvent[],
  ...types: readonly Event['type'][]
): Recorded<Event> {
  const event = events.find(({ type }) => types.includes(type));
  if (event === undefined) throw new Error(`the command recorded no ${types.join(' or ')}`);
  return event as unknown as Recorded<Event>;
}
