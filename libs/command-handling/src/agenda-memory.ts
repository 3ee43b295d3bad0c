import type { EventReader } from '#event-store';
import { sha256Hex, type Basis, type Position, type RecordedEvent } from '#kernel';
import { chainHash, type SnapshotMisfit } from '#replay';
import { foldRules, FOLDING } from './fold-rules.ts';
import type { SnapshotStore, SnapshotWatch } from './snapshots.ts';

/** Where the supervisor has to look, as of an event of the log. */
export interface RememberedAgenda {
  /** Kind and id of what waits, by a line break. */
  readonly items: readonly string[];
  readonly basesOn: readonly (readonly [address: string, bases: readonly Basis[]])[];
}

/** An event that was in the log. */
interface Witness {
  readonly stream: string;
  readonly revision: number;
  readonly position: Position;
  readonly hash: string;
}

interface Memory extends RememberedAgenda {
  readonly rules: string;
  /** The last event that the agenda has taken in. */
  readonly last: Witness;
  /** The last one of the log that was known: what is not remembered any more may be done by that one, and by none later. */
  readonly seen: Witness;
}

export interface AgendaMemoryOptions {
  readonly store: SnapshotStore;
  readonly watch?: SnapshotWatch | undefined;
  /** The last event of the log that is known, as the core has it. */
  readonly lastSeen?: () => RecordedEvent | undefined;
}

/** The name that it is kept under: no stream has it. */
const NAME = 'supervisor';

/**
 * Spares a start the reading of all events that ever told the supervisor where to look. As a snapshot, it is used only if
 * this very code wrote it and the log has the event up to which it goes, and the last one that was known: a log that went back
 * has not what it takes for done. Otherwise all is read again. It says where to look, never what to do.
 */
export class AgendaMemory {
  readonly #options: AgendaMemoryOptions;
  readonly #rules = foldRules(undefined, [...FOLDING, 'command-handling']);

  constructor(options: AgendaMemoryOptions) {
    this.#options = options;
  }

  /**
   * @returns what was remembered, and the position up to which it goes; undefined when there is nothing that fits
   * @throws StoreError when the log can't be read
   */
  async recall(reader: EventReader): Promise<(RememberedAgenda & { readonly position: Position }) | undefined> {
    const text = await this.#options.store.read(NAME);
    if (text === undefined) return undefined;
    const memory = this.#decode(text);
    const misfit = typeof memory === 'string' ? memory : await misfitOf(memory, reader);
    this.#options.watch?.(misfit ?? 'used', NAME);
    if (misfit !== undefined || typeof memory === 'string') return undefined;
    return { items: memory.items, basesOn: memory.basesOn, position: memory.last.position };
  }

  #decode(text: string): Memory | SnapshotMisfit {
    const end = text.indexOf('\n');
    const content = text.slice(end + 1);
    if (end < 0 || sha256Hex(content) !== text.slice(0, end)) return 'damaged';
    const memory = JSON.parse(content) as Memory;
    return memory.rules === this.#rules ? memory : 'other-version';
  }

  /** @param last the last event that the agenda has taken in; only while nothing of the agenda is being worked on */
  keep({ items, basesOn }: RememberedAgenda, last: RecordedEvent): void {
    const seen = this.#options.lastSeen?.() ?? last;
    const memory: Memory = { rules: this.#rules, last: witnessOf(last), seen: witnessOf(seen), items, basesOn };
    const content = JSON.stringify(memory);
    this.#options.store.put(NAME, `${sha256Hex(content)}\n${content}`);
  }
}

function witnessOf(event: RecordedEvent): Witness {
  const { stream, revision, position } = event;
  return { stream, revision, position, hash: chainHash(event) };
}

async function misfitOf(
  { last, seen }: Pick<Memory, 'last' | 'seen'>,
  reader: EventReader,
): Promise<SnapshotMisfit | undefined> {
  return (await isInLog(seen, reader)) && (await isInLog(last, reader)) ? undefined : 'other-log';
}

async function isInLog({ stream, revision, position, hash }: Witness, reader: EventReader): Promise<boolean> {
  const [event] = await reader.read(stream, { from: revision, to: revision });
  return event?.position === position && chainHash(event) === hash;
}
