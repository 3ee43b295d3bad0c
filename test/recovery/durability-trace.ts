/**
 * Reads what `strace -f -y` wrote of the service, in the order in which things began and ended, and tells of each event
 * whether its bytes in the write-ahead log were synced before a socket was given an answer that names it.
 */
export class DurabilityTrace {
  /** Calls that have begun in a thread, and not ended: the text of their beginning. */
  readonly #begun = new Map<string, string>();
  /** Events whose bytes were written, and not synced yet when the sync that is under way began. */
  readonly #written = new Set<string>();
  readonly #underSync = new Map<string, ReadonlySet<string>>();
  readonly #synced = new Set<string>();
  /** For each event that an answer names: whether it was synced when the first such answer was begun to be written. */
  readonly #answered = new Map<string, boolean>();
  #syncs = 0;

  /** How often the write-ahead log was synced. */
  get syncs(): number {
    return this.#syncs;
  }

  /** Takes the next line. */
  take(line: string): void {
    const [, thread = '', rest = ''] = /^(\d+)\s+(.*)$/.exec(line) ?? [];
    const resumed = /^<\.\.\. \w+ resumed>/.test(rest);
    const isWhole = !rest.endsWith('<unfinished ...>');
    if (!resumed) this.#begin(thread, rest);
    if (isWhole) this.#end(thread, resumed ? (this.#begun.get(thread) ?? '') : rest);
    if (isWhole) this.#begun.delete(thread);
    else this.#begun.set(thread, rest);
  }

  /** @param ids of the events that callers were told of */
  judge(ids: readonly string[]): {
    readonly proven: number;
    readonly tooEarly: readonly string[];
    readonly unseen: readonly string[];
  } {
    const unseen = ids.filter((id) => !this.#answered.has(id));
    const tooEarly = ids.filter((id) => this.#answered.get(id) === false);
    return { proven: ids.length - unseen.length - tooEarly.length, tooEarly, unseen };
  }

  /** What a call could already have done: an answer may leave with its first byte. */
  #begin(thread: string, call: string): void {
    if (isSync(call)) this.#underSync.set(thread, new Set(this.#written));
    if (!isAnswer(call)) return;
    for (const id of idsIn(call)) if (!this.#answered.has(id)) this.#answered.set(id, this.#synced.has(id));
  }

  /** What a call has done for sure. */
  #end(thread: string, call: string): void {
    if (isWalWrite(call)) for (const id of idsIn(call)) if (!this.#synced.has(id)) this.#written.add(id);
    if (!isSync(call)) return;
    this.#syncs += 1;
    for (const id of this.#underSync.get(thread) ?? []) {
      this.#synced.add(id);
      this.#written.delete(id);
    }
  }
}

const isWalWrite = (call: string): boolean => /^pwritev?(64)?\(\d+<[^>]*events\.db-wal>/.test(call);
const isSync = (call: string): boolean => /^f(data)?sync\(\d+<[^>]*events\.db-wal>/.test(call);
const isAnswer = (call: string): boolean => /^(write|writev|sendto|sendmsg)\(\d+<(socket|TCP)/.test(call);

function idsIn(call: string): readonly string[] {
  return call.match(/[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/g) ?? [];
}
