import type { ChainAddress, Position } from '#kernel';
import type { HitSubject } from '#sanctions';
import type { NameKind } from './index-entries.ts';

/** What the command side asks of the read side: facts that can never become false, and how far they reach. */
export interface HomeStreamIndex {
  /** Last revision of the stream that the index has taken in, or -1; -1 also while the index is being built. */
  indexedRevision(stream: string): number;
  /**
   * An entry of a stream: a command key (`key`, id = caller + newline + value), a `deposit` and its `reversal`, a
   * `withdrawal`, a transfer on either side (`outgoing`, `incoming`) and its return (`returned`). It covers at least every revision that `indexedRevision` has ever given.
   * @throws RejectionError `read-model-behind` while the index is being built: "never seen" could be wrong
   */
  lookup(stream: string, kind: NameKind, id: string): IndexEntry | undefined;
  /**
   * The account that a freeze belongs to, or undefined when it is not indexed yet. Known from its authorisation on.
   * @throws RejectionError `read-model-behind` while the index is being built
   */
  accountOfFreeze(freezeId: string): string | undefined;
  /**
   * The hits that were raised for this subject and this very entry, as far as is indexed, the first one first.
   * @throws RejectionError `read-model-behind` while the index is being built
   */
  hitsOf(subject: HitSubject, entrySha256: string): readonly string[];
  /**
   * The parties to whom an address is linked as their own, as far as is indexed.
   * @throws RejectionError `read-model-behind` while the index is being built
   */
  partiesControlling(address: ChainAddress): readonly string[];
  /**
   * True for an event that was taken in and found legal, citations resolved. False says nothing: it may not be taken in yet.
   */
  isLegal(position: Position): boolean;
  /** The log up to here is indexed. */
  checkpoint(): Position | undefined;
}
export interface IndexEntry {
  /** Revision of the first event that made it. */
  readonly revision: number;
  /** Of a key: the command's hash. Of a withdrawal: its present state. Of all others: the id of that event, or absent. */
  readonly value?: string;
}
