/** About 10 MB at most. */
export const MAX_HEADS = 100_000;

/** The last revisions of the streams used last, bounded: a stream that fell out is looked up in the file. */
export class HeadCache {
  readonly #heads = new Map<string, number>();

  get(stream: string): number | undefined {
    const head = this.#heads.get(stream);
    if (head !== undefined) this.set(stream, head);
    return head;
  }

  set(stream: string, head: number): void {
    // A Map keeps the order of insertion: what is set again goes to the end, and the front is the least recently used.
    this.#heads.delete(stream);
    this.#heads.set(stream, head);
    if (this.#heads.size <= MAX_HEADS) return;
    const [oldest] = this.#heads.keys();
    if (oldest !== undefined) this.#heads.delete(oldest);
  }

  get size(): number {
    return this.#heads.size;
  }

  clear(): void {
    this.#heads.clear();
  }
}
