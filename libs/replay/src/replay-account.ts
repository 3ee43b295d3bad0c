import { updatesAccount, type AccountEvent, type AccountState } from '#accounts';
import type { EventReader } from '#event-store';
import type { Position, Timestamp } from '#kernel';
import { StreamFold } from './fold.ts';
import { foldStream } from './fold-stream.ts';
import { isUpTo, type Moment } from './moment.ts';
import { readerUntil } from './reader-until.ts';
import { CitationResolver } from './resolver.ts';
import { StreamNames } from './stream-names.ts';

export interface AccountAsOf {
  readonly state: AccountState;
  readonly streamRevision: number;
  readonly position: Position;
  /** When the last event was recorded that the account shows: no refusal, no violation. */
  readonly updatedAt: Timestamp;
}

/**
 * The state of an account as of a moment, by replay of its own stream and of what its freezes cite.
 * @param signal ends the replay at its next read, with its reason
 * @returns undefined when the account had no event then
 */
export async function replayAccount(
  log: EventReader,
  accountId: string,
  at: Moment | undefined,
  signal?: AbortSignal,
): Promise<AccountAsOf | undefined> {
  const reader = readerUntil(signal, log);
  const stream = `account-${accountId}`;
  const fold = new StreamFold(stream, new CitationResolver(reader), new StreamNames(stream, { onlyCited: true }));
  const shown: { position: Position | undefined; updatedAt: Timestamp } = { position: undefined, updatedAt: '' };
  await foldStream(reader, fold, {
    isWanted: (recorded) => isUpTo(recorded, at),
    onFolded: ({ recorded, event }) => {
      shown.position = recorded.position;
      if (event !== undefined && updatesAccount(event as AccountEvent)) shown.updatedAt = event.metadata.recordedAt;
    },
  });
  const { position, updatedAt } = shown;
  if (position === undefined || fold.contents?.kind !== 'account') return undefined;
  return { state: fold.contents.state, streamRevision: fold.revision, position, updatedAt };
}
