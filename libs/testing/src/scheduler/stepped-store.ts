import {
  isStoreError,
  StoreError,
  type Appended,
  type EventStore,
  type ExpectedRevision,
  type ReadAllOptions,
  type ReadAllPage,
  type ReadStreamOptions,
} from '#event-store';
import type { Position, RecordedEvent, SealedEvent } from '#kernel';
import type { Observable } from 'rxjs';

/** How a call ends: as it should; done, but its acknowledgement lost; or lost before it was done. */
export type Ending = 'normal' | 'ack-lost' | 'request-lost';

/** A call of an actor that waits for its turn. */
export interface PendingCall {
  /** `turn` is a point to be scheduled that calls nothing. */
  readonly op: 'append' | 'read' | 'readAll' | 'head' | 'turn';
  /** The one stream that it is about, if it is one. */
  readonly stream: string | undefined;
  readonly label: string;
  /** Does it and hands the result to the actor. */
  perform(ending: Ending): Promise<Performed>;
}

/** What came of a call. */
export interface Performed {
  /** In a few words. */
  readonly words: string;
  /** All that the actor learns from it, as text: equal texts, equal answers. */
  readonly learnt: string;
  /** What it changed in the store, as text; empty when nothing. */
  readonly changed: string;
}

/**
 * A store as one actor sees it: each call waits until the scheduler lets it go on; what it then sees is what all actors
 * have done by then. Only reading and appending can be stepped.
 */
export class SteppedStore implements EventStore {
  readonly #store: EventStore;
  readonly #arrive: (call: PendingCall) => void;

  constructor(store: EventStore, arrive: (call: PendingCall) => void) {
    this.#store = store;
    this.#arrive = arrive;
  }

  get singleWriter(): boolean {
    return this.#store.singleWriter;
  }

  append(stream: string, expected: ExpectedRevision, events: readonly SealedEvent[]): Promise<Appended> {
    const label = `append ${stream} after ${String(expected)} ${events.map((event) => event.type).join(' ')}`;
    return this.#step(
      { op: 'append', stream, label },
      () => this.#store.append(stream, expected, events),
      ({ lastRevision, positions }) => ({
        words: `revision ${lastRevision}`,
        learnt: positions.join(' '),
        changed: `${stream} ${events.map(contentOf).join(' ')}`,
      }),
    );
  }

  read(stream: string, options?: ReadStreamOptions): Promise<readonly RecordedEvent[]> {
    return this.#step(
      { op: 'read', stream, label: `read ${stream}` },
      () => this.#store.read(stream, options),
      (events) => ({
        words: events.length === 0 ? 'nothing' : `${events.length} to ${String(events.at(-1)?.revision)}`,
        learnt: events.map(placeOf).join(' '),
        changed: '',
      }),
    );
  }

  readAll(options: ReadAllOptions): Promise<ReadAllPage> {
    return this.#step(
      { op: 'readAll', stream: undefined, label: 'readAll' },
      () => this.#store.readAll(options),
      ({ events, scannedTo }) => ({
        words: `${events.length} to ${String(scannedTo)}`,
        learnt: `${events.map(placeOf).join(' ')} ${String(scannedTo)}`,
        changed: '',
      }),
    );
  }

  head(): Promise<Position | undefined> {
    return this.#step(
      { op: 'head', stream: undefined, label: 'head' },
      () => this.#store.head(),
      (position) => ({ words: String(position), learnt: String(position), changed: '' }),
    );
  }

  /** @throws always: what comes by itself comes at nobody's turn */
  subscribeAll(): Observable<RecordedEvent> {
    throw new TypeError('a stepped store can only be read and appended to');
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  /** Waits for a turn without calling the store. */
  turn(label: string): Promise<void> {
    return this.#step(
      { op: 'turn', stream: undefined, label },
      () => Promise.resolve(),
      () => ({ words: 'done', learnt: '', changed: '' }),
    );
  }

  #step<Result>(
    call: Omit<PendingCall, 'perform'>,
    work: () => Promise<Result>,
    describe: (result: Result) => Performed,
  ): Promise<Result> {
    return new Promise((resolve, reject) => {
      const perform = async (ending: Ending): Promise<Performed> => {
        if (ending === 'request-lost') {
          reject(new StoreError('outcome-unknown', 'the request was lost'));
          return { words: 'lost before it was done', learnt: '', changed: '' };
        }
        const answer = work();
        const performed = answer.then(describe, describeError);
        if (ending === 'normal') {
          resolve(answer);
          return performed;
        }
        // Whatever the answer was, the actor does not hear it.
        const { words, changed } = await performed;
        reject(new StoreError('outcome-unknown', 'the acknowledgement was lost'));
        return { words: `${words}, acknowledgement lost`, learnt: '', changed };
      };
      this.#arrive({ ...call, perform });
    });
  }
}

function describeError(error: unknown): Performed {
  const words = isStoreError(error) ? error.code : String(error);
  return { words, learnt: words, changed: '' };
}

/** Tells events apart by all that is in them. */
function contentOf({ id, type, metadata }: SealedEvent): string {
  return `${id} ${type} ${metadata.hash}`;
}

function placeOf(event: RecordedEvent): string {
  return `${contentOf(event)} ${event.position}`;
}
