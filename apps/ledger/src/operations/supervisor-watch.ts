import type { SupervisorWatch } from '#command-handling';
import { RejectionError } from '#kernel';
import { MissingEventsError } from '#replay';
import type { Logger } from 'pino';
import type { ClockWatch } from './clock-watch.ts';

/** Most gaps that are told of once each; of further ones nothing is said: by then there is no doubt. */
const MOST_TOLD = 1_000;

/** Tells what the supervisor failed to do, and once of each stream that nothing is decided on, because events are missing. */
export function watchSupervisor(logger: Logger, clock: Pick<ClockWatch, 'foundBehind'>): SupervisorWatch {
  const told = new Set<string>();
  const missing = ({ stream, revision }: MissingEventsError): void => {
    if (told.has(stream) || told.size >= MOST_TOLD) return;
    told.add(stream);
    logger.error({ stream, revision }, 'events are missing from the log: nothing is decided that rests on this stream');
  };
  return {
    failed: (item, error) => {
      if (error instanceof MissingEventsError) missing(error);
      if (error instanceof RejectionError && error.rejection.code === 'clock-unreliable') clock.foundBehind();
      logger.warn({ item, err: error }, 'a step of the supervisor failed, and will be tried again');
    },
    missing,
  };
}
