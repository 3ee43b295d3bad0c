import { updatesAccount, type AccountEvent, type AccountState } from '#accounts';
import type { EventReader } from '#event-store';
import { toMs, type Position, type Timestamp } from '#kernel';
import { StreamFold } from './fold.ts';
import { CitationResolver } from './resolver.ts';

/** A moment in the log: a position, or a time (each stream's events recorded up to it); both inclusive. */
export type Moment = { readonly position: Position } | { readonly time: Timestamp };

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
    if (at !== undefined && !isUpTo(recorded, at)) break;
    const { event } = await fold.apply(recorded);
    position = recorded.position;
    if (event !== undefined && updatesAccount(event as AccountEvent)) updatedAt = event.metadata.recordedAt;
  }
  if (position === undefined || fold.contents?.kind !== 'account') return undefined;
  return { state: fold.contents.state, streamRevision: fold.revision, position, updatedAt };
}

function isUpTo(event: { position: Position; metadata: { recordedAt: Timestamp } }, at: Moment): boolean {
  return 'position' in at ? event.position <= at.position : toMs(event.metadata.recordedAt) <= toMs(at.time);
}
