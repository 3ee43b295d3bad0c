import { hashHolds, type Position, type RecordedEvent } from '#kernel';
import { chainHash } from './fold.ts';
import { hashFault } from './registry.ts';

/** An event that is not what its place in its stream, its hash, or its link to the event before says. */
export interface ChainFault {
  readonly stream: string;
  readonly revision: number;
  readonly position: Position;
  readonly detail: string;
}

/**
 * Checks the revisions and the hash chains of a log, and nothing of what its events mean. It is given every event, in the
 * order of the log, and keeps some 200 bytes of each stream.
 */
export class ChainCheck {
  readonly #ends = new Map<string, { readonly revision: number; readonly hash: string }>();

  /** @returns what is wrong with the event; the next one is held against it as it stands, wrong or not */
  take(event: RecordedEvent): ChainFault | undefined {
    const { stream, revision, position } = event;
    const end = this.#ends.get(stream);
    this.#ends.set(stream, { revision, hash: chainHash(event) });
    const detail = faultIn(event, end);
    return detail === undefined ? undefined : { stream, revision, position, detail };
  }
}

function faultIn(
  event: RecordedEvent,
  end: { readonly revision: number; readonly hash: string } | undefined,
): string | undefined {
  const next = (end?.revision ?? -1) + 1;
  if (event.revision !== next) return `revision ${event.revision} stands where ${next} should`;
  // What was forced into the log need not have metadata at all.
  const { previousHash } = Object(event.metadata) as { readonly previousHash?: unknown };
  if (previousHash !== (end?.hash ?? null)) return 'previousHash is not the hash of the event before';
  return hashHolds(event) ? undefined : hashFault(event);
}
