import type { EventReader } from '#event-store';
import type { Position } from '#kernel';
import { Judge, StreamNames, type HomeStreamIndex, type IndexEntry, type NameKind } from '#replay';
import { emptyIndex } from '#testing';

/** An index of names as the projections make it, which takes in what the log has when it is told to. */
export class JudgedIndex implements HomeStreamIndex {
  readonly accountOfFreeze = emptyIndex.accountOfFreeze;
  readonly hitsOf = emptyIndex.hitsOf;
  readonly partiesControlling = emptyIndex.partiesControlling;
  readonly checkpoint = emptyIndex.checkpoint;
  readonly #reader: EventReader;
  readonly #judge: Judge;
  readonly #names = new Map<string, StreamNames>();
  readonly #revisions = new Map<string, number>();
  readonly #illegal = new Set<Position>();
  #after: Position | undefined;

  constructor(reader: EventReader) {
    this.#reader = reader;
    this.#judge = new Judge(reader);
  }

  /** Takes in all that there is, or so many events. */
  async takeIn(limit = 100_000): Promise<void> {
    const after = this.#after === undefined ? {} : { after: this.#after };
    for (const recorded of (await this.#reader.readAll({ ...after, limit })).events) {
      const { event } = await this.#judge.judge(recorded);
      const names = this.#names.get(recorded.stream) ?? new StreamNames(recorded.stream);
      this.#names.set(recorded.stream, names);
      if (event === undefined) this.#illegal.add(recorded.position);
      else names.note(event);
      this.#revisions.set(recorded.stream, recorded.revision);
      this.#after = recorded.position;
    }
  }

  indexedRevision(stream: string): number {
    return this.#revisions.get(stream) ?? -1;
  }

  isLegal(position: Position): boolean {
    return this.#after !== undefined && position <= this.#after && !this.#illegal.has(position);
  }

  lookup(stream: string, kind: NameKind, id: string): IndexEntry | undefined {
    return this.#names.get(stream)?.lookup(kind, id);
  }
}
