import { isStoreError } from '#event-store';
import type { EventStoreDbEventStore, EventStoreDbSettings } from '#event-store/eventstoredb';
import { registry } from '#replay';
import type { EventStoreDbConfig } from '../config/config.ts';
import { StartError } from '../start-error.ts';
import { messageOf, sentence } from '../thrown.ts';

/** How the names of our streams begin: what else is on the server is somebody else's. */
const STREAM_KINDS: readonly string[] = Object.keys(registry).map((kind) => `${kind}-`);

export function settingsOf({
  kind: _,
  ...server
}: EventStoreDbConfig): Omit<EventStoreDbSettings, 'streamKinds'> & { readonly streamKinds: readonly string[] } {
  return { ...server, streamKinds: STREAM_KINDS };
}

/**
 * Opens the store on a server. Its client is loaded here and not before: who has a file needs none.
 * @throws StartError that says in one line what is wrong, and what to look at
 */
export async function openEventStoreDb(config: EventStoreDbConfig): Promise<EventStoreDbEventStore> {
  const { EventStoreDbEventStore } = await import('#event-store/eventstoredb');
  try {
    return await EventStoreDbEventStore.open(settingsOf(config));
  } catch (error) {
    if (!isStoreError(error)) throw error;
    throw new StartError(
      `${sentence(messageOf(error))} See WRIT_EVENTSTOREDB_URL and what follows it in docs/operations.md.`,
    );
  }
}
