import type { SupervisorWatch } from '#command-handling';
import { RejectionError } from '#kernel';
import { DamagedStreamError } from '#replay';
import type { Logger } from 'pino';
import type { ClockWatch } from './clock-watch.ts';

/** Most streams that are told of once each; of further ones nothing is said: by then there is no doubt. */
const MOST_TOLD = 1_000;

const DAMAGE: Readonly<Record<DamagedStreamError['damage'], string>> = {
  missing: 'events are missing from the log: nothing is decided that rests on this stream',
  changed: 'an event of the log was changed after it was recorded: nothing is decided that rests on this stream',
};

/** Tells what the supervisor failed to do, and once of each stream that nothing is decided on, because it is damaged. */
export function watchSupervisor(logger: Logger, clock: Pick<ClockWatch, 'foundBehind'>): SupervisorWatch {
  const told = new Set<string>();
  const damaged = ({ stream, revision, damage }: DamagedStreamError): void => {
    if (told.has(stream) || told.size >= MOST_TOLD) return;
    told.add(stream);
    logger.error({ stream, revision }, DAMAGE[damage]);
  };
  return {
    failed: (item, error) => {
      if (error instanceof DamagedStreamError) damaged(error);
      if (error instanceof RejectionError && error.rejection.code === 'clock-unreliable') clock.foundBehind();
      logger.warn({ item, err: error }, 'a step of the supervisor failed, and will be tried again');
    },
    damaged,
  };
}
