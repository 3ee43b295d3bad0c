import type { EventReader } from '#event-store';
import { systemClock, toTimestamp, type RecordedEvent } from '#kernel';
import { Judge } from '#replay';
import { PartFile } from './part-file.ts';
import { projectors } from './projectors.ts';
import { checkpointAt, type Checkpoint } from './read-model.ts';
import { CommittedNames } from './sqlite-home-stream-index.ts';

/** What a part has in memory, at most. */
export interface PartLimits {
  /** Events of one transaction. */
  readonly batch: number;
  readonly streams: number;
  readonly names: number;
}

export interface PartBuildOptions extends PartLimits {
  /** Over the same log. */
  readonly reader: EventReader;
  /** Of the part: see `PartFile`. */
  readonly path: string;
  /** Whether a stream is another part's. */
  readonly isOfAnother: (stream: string) => boolean;
}

/**
 * Judges the events of some streams in the log's order, and makes the rows that they make, beside others that do the same for
 * the streams that are left. What an event rests on in a stream of another part is taken for granted, and noted: so all that
 * was made counts only if every part has found nothing wrong, and everything that was noted is so (`mergeParts`).
 */
export class PartBuild {
  readonly #options: PartBuildOptions;
  readonly #file: PartFile;
  readonly #judge: Judge;
  #last: RecordedEvent | undefined;
  #events = 0;
  #uncommitted = 0;
  #isClean = true;

  constructor(options: PartBuildOptions) {
    const { reader, path, isOfAnother, streams, names } = options;
    this.#options = options;
    this.#file = new PartFile(path);
    this.#judge = new Judge(reader, {
      index: new CommittedNames(this.#file.model.db, this.#file.model.staged),
      maxStreams: streams,
      maxNames: names,
      others: { judge: isOfAnother, askLater: (pointer, kind, name) => this.#file.ask(pointer, kind, name) },
    });
  }

  /** Events of this part that were taken. */
  get events(): number {
    return this.#events;
  }

  /** False when something is wrong with the log, or with a row: then nothing that was made counts. */
  get isClean(): boolean {
    return this.#isClean && this.#file.model.missed === 0;
  }

  /** Takes the next events of the part, and those of others that its own may cite. @throws whatever a projector does */
  async take(events: readonly RecordedEvent[]): Promise<void> {
    const seenAt = toTimestamp(systemClock.now());
    for (const recorded of events) {
      if (this.#options.isOfAnother(recorded.stream)) {
        this.#judge.noteUnjudged(recorded);
        continue;
      }
      const verdict = this.#judge.judge(recorded);
      const judged = verdict instanceof Promise ? await verdict : verdict;
      if (judged.violation !== undefined) {
        this.#isClean = false;
        return;
      }
      this.#file.take(
        recorded.position,
        projectors.flatMap((projector) => projector.project(judged, seenAt)),
      );
      this.#last = recorded;
      this.#events += 1;
      this.#uncommitted += 1;
      if (this.#uncommitted >= this.#options.batch) this.#commit();
    }
  }

  /** Call when all events were taken. The file is closed then. @returns the last event; undefined where there was none */
  end(): Checkpoint | undefined {
    this.#commit();
    this.#file.close();
    return this.#last && checkpointAt(this.#last, undefined);
  }

  #commit(): void {
    if (this.#last === undefined) return;
    this.#file.commit(checkpointAt(this.#last, undefined));
    this.#uncommitted = 0;
  }
}
