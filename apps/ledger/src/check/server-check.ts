import type { EventReader } from '#event-store';
import type { Position } from '#kernel';
import { resultOf, type CheckResult } from './log-check.ts';
import { PartCheck } from './part-check.ts';

const PAGE_EVENTS = 1_000;

/**
 * Checks a log that no file is of, from its first event to the one that is its last now, as `checkLogFile` does: what is
 * wrong with pages and numbers of a file can't be wrong here. By one thread, over a connection.
 * @param onProgress told up to which position events are judged, and of the last
 * @throws StoreError when the log can't be read
 */
export async function checkLogOnServer(
  reader: EventReader,
  onProgress: (done: Position, head: Position) => void = () => undefined,
): Promise<CheckResult> {
  const head = await reader.head();
  const checked = new PartCheck(reader, { index: 0, of: 1 });
  const ids = new Set<string>();
  const repeatedIds: string[] = [];
  for (let after: Position | undefined, atEnd = head === undefined; !atEnd;) {
    const page = await reader.readAll({ limit: PAGE_EVENTS, ...(after !== undefined && { after }) });
    const events = page.events.filter(({ position }) => position <= (head ?? ''));
    for (const { id } of events) if (ids.size === ids.add(id).size) repeatedIds.push(id);
    await checked.take(events);
    after = page.scannedTo;
    if (after !== undefined && head !== undefined) onProgress(after, head);
    atEnd = page.atEnd || (after ?? '') >= (head ?? '');
  }
  const part = checked.result();
  const noFile = { gaps: [], damage: [], schema: { foreign: [], missing: [] } };
  return resultOf(head, { ...noFile, events: part.events, repeatedIds }, [part]);
}
