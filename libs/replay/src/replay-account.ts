import { updatesAccount, type AccountEvent, type AccountState } from '#accounts';
import type { EventReader } from '#event-store';
import type { Position, Timestamp } from '#kernel';
import { StreamFold } from './fold.ts';
import { isUpTo, type Moment } from './moment.ts';
import { CitationResolver } from './resolver.ts';

export interface AccountAsOf {
  readonly state: AccountState;
  readonly streamRevision: number;
  readonly position: Position;
  /** When the last event was recorded that the account shows: no refusal, no violation. */
  readonly updatedAt: Timestamp;
}

/**
 * The state of an account as of a moment, by replay of its own stream and of what its freezes cite.
 * @returns undefined when the account had no event then
 */
export async function replayAccount(
  reader: EventReader,
  accountId: string,
  at: Moment | undefined,
): Promise<AccountAsOf | undefined> {
  const fold = new StreamFold(`account-${accountId}`, new CitationResolver(reader));
  let position: Position | undefined;
  let updatedAt: Timestamp = '';
  for (const recorded of await reader.read(fold.stream)) {
    if (!isUpTo(recorded, at)) break;
    const { event } = await fold.apply(recorded);
    position = recorded.position;
    if (event !== undefined && updatesAccount(event as AccountEvent)) updatedAt = event.metadata.recordedAt;
  }
  if (position === undefined || fold.contents?.kind !== 'account') return undefined;
  return { state: fold.contents.state, streamRevision: fold.revision, position, updatedAt };
}
