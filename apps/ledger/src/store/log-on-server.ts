import type { EventStore } from '#event-store';
import { existsSync, readdirSync } from 'node:fs';
import type { Logger } from 'pino';
import type { filesIn } from '../data-folder.ts';
import { StartError } from '../start-error.ts';

/**
 * What is made from a log that has events is not there beside one that has none: then this is another server, another prefix,
 * or all was lost. To go on would be to say of all that was recorded that it never was. A log of its own in the data folder
 * is not used, and that is said.
 * @throws StartError, and StoreError when the server can't be read
 */
export async function demandLogOnServer(
  store: Pick<EventStore, 'head'>,
  { events, snapshots, supervisor }: ReturnType<typeof filesIn>,
  logger: Pick<Logger, 'warn'>,
): Promise<void> {
  if (existsSync(events)) {
    logger.warn({ file: events }, 'the data folder has a log of its own: it is not used, the log is on the server');
  }
  const left = [snapshots, supervisor].filter((folder) => existsSync(folder) && readdirSync(folder).length > 0);
  if (left.length === 0 || (await store.head()) !== undefined) return;
  throw new StartError(
    `The event store has no event of ours, and ${left.join(' and ')}, made from a log, is there. Check WRIT_EVENTSTOREDB_URL and WRIT_EVENTSTOREDB_PREFIX; to begin an empty log, delete what was made from the old one.`,
  );
}
