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
  /** Does it and hands the result to the actor. @returns the result in a few words */
  perform(ending: Ending): Promise<string>;
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
      ({ lastRevision }) => `revision ${lastRevision}`,
    );
  }

  read(stream: string, options?: ReadStreamOptions): Promise<readonly RecordedEvent[]> {
    return this.#step(
      { op: 'read', stream, label: `read ${stream}` },
      () => this.#store.read(stream, options),
      (events) => (events.length === 0 ? 'nothing' : `${events.length} to ${String(events.at(-1)?.revision)}`),
    );
  }

  readAll(options: ReadAllOptions): Promise<ReadAllPage> {
    return this.#step(
      { op: 'readAll', stream: undefined, label: 'readAll' },
      () => this.#store.readAll(options),
      ({ events, scannedTo }) => `${events.length} to ${String(scannedTo)}`,
    );
  }

  head(): Promise<Position | undefined> {
    return this.#step({ op: 'head', stream: undefined, label: 'head' }, () => this.#store.head(), String);
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
      () => 'done',
    );
  }

  #step<Result>(
    call: Omit<PendingCall, 'perform'>,
    work: () => Promise<Result>,
    describe: (result: Result) => string,
  ): Promise<Result> {
    return new Promise((resolve, reject) => {
      const perform = async (ending: Ending): Promise<string> => {
        if (ending === 'request-lost') {
          reject(new StoreError('outcome-unknown', 'the request was lost'));
          return 'lost before it was done';
        }
        const answer = work();
        const inWords = answer.then(describe, (error: unknown) => (isStoreError(error) ? error.code : String(error)));
        if (ending === 'normal') {
          resolve(answer);
          return inWords;
        }
        // Whatever the answer was, the actor does not hear it.
        const result = await inWords;
        reject(new StoreError('outcome-unknown', 'the acknowledgement was lost'));
        return `${result}, acknowledgement lost`;
      };
      this.#arrive({ ...call, perform });
    });
  }
}
