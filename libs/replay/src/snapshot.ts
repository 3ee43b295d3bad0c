import { sha256Hex, type RecordedEvent } from '#kernel';
import { chainHash, type Folded, type StreamFold } from './fold.ts';
import type { NamesIndex, RememberedNames } from './stream-names.ts';
import { decodeValue, encodeValue, type Unencodable } from './value-text.ts';

/**
 * How a snapshot is written. A change of what stands in a fold needs no other number: whatever folds is told by `rules`
 * (see ADR 24).
 */
const FORMAT = 1;

/** What a fold of one stream came to, to go on from. It decides nothing: whatever it says, the events say. */
export interface Snapshot {
  readonly format: typeof FORMAT;
  /** Names the code that folded: other code may judge otherwise. */
  readonly rules: string;
  readonly stream: string;
  readonly folded: Folded;
  readonly names: RememberedNames;
}

/** Why a snapshot is not gone on from. */
export type SnapshotMisfit =
  /** Not the text that was written. */
  | 'damaged'
  /** Of another format, or made by other code. */
  | 'other-version'
  /** The event at its revision is not the one that it was made after, or it is of another stream. */
  | 'other-log'
  /** It leaves names to the index that the index has not taken in. */
  | 'ahead-of-index';

/** Does not compile when a fold has what a snapshot can't keep. */
type Kept<Whole> = [Unencodable<Whole>] extends [never] ? Whole : never;

/**
 * The text of a snapshot. Only of a fold all of whose events are stored.
 * @param mostNames beyond the index's: with more of them it would be too large
 * @returns undefined when there are too many names
 */
export function encodeSnapshot(fold: StreamFold, rules: string, mostNames: number): string | undefined {
  const names = fold.names.remembered(mostNames);
  if (names === undefined) return undefined;
  const snapshot: Kept<Snapshot> = { format: FORMAT, rules, stream: fold.stream, folded: fold.folded, names };
  const content = encodeValue(snapshot);
  return `${sha256Hex(content)}\n${content}`;
}

/** Reads a snapshot that this very code may go on from, if the log and the index agree (`misfitOf`). */
export function decodeSnapshot(text: string, stream: string, rules: string): Snapshot | SnapshotMisfit {
  const end = text.indexOf('\n');
  const content = text.slice(end + 1);
  if (end < 0 || sha256Hex(content) !== text.slice(0, end)) return 'damaged';
  const snapshot = decodeValue(content) as Snapshot;
  // The number of another format comes as no surprise at run time.
  if ((snapshot.format as number) !== FORMAT || snapshot.rules !== rules) return 'other-version';
  return snapshot.stream === stream ? snapshot : 'other-log';
}

/**
 * Why the fold can't go on from this snapshot, as of now; undefined when it can.
 * @param last the event at the snapshot's revision, as the log has it
 */
export function misfitOf(
  { stream, folded, names }: Snapshot,
  last: RecordedEvent | undefined,
  index: NamesIndex,
): SnapshotMisfit | undefined {
  if (last?.revision !== folded.revision || chainHash(last) !== folded.lastHash) return 'other-log';
  const { leftToIndexUpTo } = names;
  if (leftToIndexUpTo < 0) return undefined;
  return index.indexedRevision(stream) >= leftToIndexUpTo ? undefined : 'ahead-of-index';
}
