import type { RecordedEvent } from '#kernel';
import { allEvents } from '#testing';
import { openLog } from './store.ts';

/** All events of the log of a service on a data folder. */
export async function wholeLog(dataDir: string): Promise<readonly RecordedEvent[]> {
  const reader = await openLog(dataDir);
  try {
    return await allEvents(reader);
  } finally {
    await reader.close();
  }
}
