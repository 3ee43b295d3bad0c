import { type LogEvent } from '../log/log-event.ts';
import { invalidRequest } from '../wire/errors.ts';
import { type Streams } from '../wire/protocol.ts';

/** A real server looks at so many events before it says where it is, when the client names no number. */
export const DEFAULT_WINDOW = 32;

/** What a client asked to be given of all events, and how often to be told how far the server has looked. */
export interface EventFilter {
  readonly matches: (event: LogEvent) => boolean;
  /** So many events are looked at for one page. */
  readonly window: number;
  /** A checkpoint after so many events that were looked at. */
  readonly checkpointInterval: number;
}

/** @throws CallError when it filters on nothing */
export function parseFilter(options: Streams.ReadReq.Options.FilterOptions): EventFilter {
  const byStream = options.getStreamIdentifier();
  const expression = byStream ?? options.getEventType();
  if (expression === undefined) throw invalidRequest('A filter is on the name of the stream or the type of the event.');
  const regex = expression.getRegex() === '' ? undefined : new RegExp(expression.getRegex(), 'u');
  const prefixes = expression.getPrefixList();
  const allows = (text: string): boolean => regex?.test(text) ?? prefixes.some((prefix) => text.startsWith(prefix));
  const window = options.hasMax() ? options.getMax() : DEFAULT_WINDOW;
  return {
    matches: (event) => allows(byStream === undefined ? event.type : event.stream),
    window,
    checkpointInterval: window * options.getCheckpointintervalmultiplier(),
  };
}
