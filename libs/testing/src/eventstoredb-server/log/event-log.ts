import { randomUUID } from 'node:crypto';
import {
  checkCommit,
  currentRevision,
  type CheckedStream,
  type ExpectedRevision,
  type RecentEvent,
} from './commit-check.ts';
import { type LogEvent, type ProposedEvent, TOMBSTONE_REVISION } from './log-event.ts';
import { type LogFile, type Transaction } from './log-file.ts';
import {
  describedStreamOf,
  isMetadataStream,
  isSoftDeleted,
  METADATA_OF_METADATA,
  metadataStreamOf,
  parseStreamMetadata,
  parseSystemSettings,
  SETTINGS_STREAM,
  SOFT_DELETED_JSON,
  type StreamMetadata,
  type SystemSettings,
  undeletedMetadata,
} from './stream-metadata.ts';

/** No event stands at position 0: records that clients never see come first, as on a real server. */
const FIRST_POSITION = 512;
/** What a record has beside the event's own bytes. */
const RECORD_OVERHEAD_BYTES = 128;
/** `any` knows so many of the latest ids; a real server has a bound too, in bytes. */
const RECENT_EVENTS_LIMIT = 100_000;

interface Success {
  /** -1 when the stream has no events. */
  readonly lastRevision: number;
  readonly position: number;
}

export type AppendOutcome =
  | ({ readonly kind: 'stored' } & Success)
  | ({ readonly kind: 'replayed' } & Success)
  | { readonly kind: 'wrong'; readonly currentRevision: number }
  | { readonly kind: 'deleted' };

interface StreamState {
  readonly events: LogEvent[];
  tombstoned: boolean;
  /** Of the last event of the stream of its metadata; undefined when there is none. */
  metadata: StreamMetadata | undefined;
}

/** All events in one order, and each stream's. What is appended is in the file before anybody sees it. */
export class EventLog {
  readonly #file: LogFile | undefined;
  readonly #all: LogEvent[] = [];
  readonly #streams = new Map<string, StreamState>();
  readonly #recent = new Map<string, { readonly stream: string; readonly revision: number }>();
  readonly #listeners = new Set<() => void>();
  #settings: SystemSettings = {};
  #end = FIRST_POSITION;

  constructor(file: LogFile | undefined, transactions: readonly Transaction[]) {
    this.#file = file;
    for (const transaction of transactions) this.#apply(transaction);
  }

  /** All events, oldest first; it grows. */
  get all(): readonly LogEvent[] {
    return this.#all;
  }

  /** Where the next record will start. */
  get end(): number {
    return this.#end;
  }

  get settings(): SystemSettings {
    return this.#settings;
  }

  /** A stream's events by their revisions; it grows. */
  eventsOf(stream: string): readonly LogEvent[] {
    return this.#streams.get(stream)?.events ?? [];
  }

  /** With its stream a stream of metadata ends, too. */
  isTombstoned(stream: string): boolean {
    return (
      this.#streams.get(stream)?.tombstoned === true ||
      (isMetadataStream(stream) && this.#streams.get(describedStreamOf(stream))?.tombstoned === true)
    );
  }

  metadataOf(stream: string): StreamMetadata {
    return isMetadataStream(stream) ? METADATA_OF_METADATA : (this.#streams.get(stream)?.metadata ?? {});
  }

  /** Calls back after each append; whoever listens reads what is new. @returns what ends it */
  onAppend(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Has all who listen look again. */
  wake(): void {
    for (const listener of [...this.#listeners]) listener();
  }

  append(stream: string, expected: ExpectedRevision, proposed: readonly ProposedEvent[]): AppendOutcome {
    const checked = this.#checked(stream);
    const ids = proposed.map(({ id }) => id);
    const decision = checkCommit(stream, checked, expected, ids, this.#recentEvent);
    if (decision.kind === 'replay') {
      const { lastRevision } = decision;
      return { kind: 'replayed', lastRevision, position: checked.events[lastRevision]?.position ?? this.#end };
    }
    if (decision.kind !== 'store') return decision;
    const position = this.#store(stream, proposed, checked.softDeleted);
    return { kind: 'stored', lastRevision: this.eventsOf(stream).length - 1, position };
  }

  /** Hides what the stream has, which may begin anew. */
  softDelete(stream: string, expected: ExpectedRevision): AppendOutcome {
    const checked = this.#checked(stream);
    const decision = checkCommit(stream, checked, expected, [randomUUID()], this.#recentEvent);
    if (decision.kind === 'wrong' || decision.kind === 'deleted') return decision;
    if (currentRevision(checked) < 0 && !checked.hasMetadata) return { kind: 'wrong', currentRevision: -1 };
    const position = this.#store(metadataStreamOf(stream), [systemEvent('$metadata', SOFT_DELETED_JSON)], false);
    return { kind: 'stored', lastRevision: currentRevision(checked), position };
  }

  /** Ends the stream for good. */
  tombstone(stream: string, expected: ExpectedRevision): AppendOutcome {
    const decision = checkCommit(stream, this.#checked(stream), expected, [randomUUID()], this.#recentEvent);
    if (decision.kind === 'wrong' || decision.kind === 'deleted') return decision;
    const event = this.#placed(systemEvent('$streamDeleted', '{}'), stream, TOMBSTONE_REVISION, this.#end);
    this.#commit({ events: [event], sizeBytes: event.endPosition - event.position });
    return { kind: 'stored', lastRevision: TOMBSTONE_REVISION, position: event.position };
  }

  readonly #recentEvent: RecentEvent = (id) => this.#recent.get(id);

  #checked(stream: string): CheckedStream {
    return {
      events: this.eventsOf(stream),
      tombstoned: this.isTombstoned(stream),
      softDeleted: isSoftDeleted(this.metadataOf(stream)),
      hasMetadata: this.eventsOf(metadataStreamOf(stream)).length > 0,
    };
  }

  /** @returns the position of the last of them; of the record that stands for them when there are none */
  #store(stream: string, proposed: readonly ProposedEvent[], undeletes: boolean): number {
    if (proposed.length === 0) {
      const position = this.#end;
      this.#commit({ events: [], sizeBytes: RECORD_OVERHEAD_BYTES });
      return position;
    }
    const first = this.eventsOf(stream).length;
    const events: Omit<LogEvent, 'index'>[] = [];
    let position = this.#end;
    const place = (event: ProposedEvent, to: string, revision: number): void => {
      const placed = this.#placed(event, to, revision, position);
      events.push(placed);
      position = placed.endPosition;
    };
    for (const [offset, event] of proposed.entries()) place(event, stream, first + offset);
    const last = events.at(-1)?.position ?? position;
    const undeleted = undeletes ? stream : this.#undeletedByMetadata(stream);
    if (undeleted !== undefined) {
      const metadataStream = metadataStreamOf(undeleted);
      const data = (undeletes ? this.eventsOf(metadataStream) : proposed).at(-1)?.data ?? new Uint8Array();
      const from = undeletes ? first : this.eventsOf(undeleted).length;
      const revision = this.eventsOf(metadataStream).length + (undeletes ? 0 : proposed.length);
      place({ ...systemEvent('$metadata', ''), data: undeletedMetadata(data, from) }, metadataStream, revision);
    }
    this.#commit({ events, sizeBytes: position - this.#end });
    return last;
  }

  /** Whoever sets metadata of a stream that is deleted softly brings it back, without what it had. */
  #undeletedByMetadata(stream: string): string | undefined {
    const described = isMetadataStream(stream) ? describedStreamOf(stream) : undefined;
    return described !== undefined && isSoftDeleted(this.metadataOf(described)) ? described : undefined;
  }

  #placed(event: ProposedEvent, stream: string, revision: number, position: number): Omit<LogEvent, 'index'> {
    const { data, metadata, type } = event;
    const sizeBytes = RECORD_OVERHEAD_BYTES + stream.length + type.length + data.length + metadata.length;
    return { ...event, stream, revision, position, endPosition: position + sizeBytes, createdMs: Date.now() };
  }

  #commit(transaction: Transaction): void {
    this.#file?.write(transaction);
    const firstNew = this.#all.length;
    this.#apply(transaction);
    // Ids are known to `any` while the process lives: no file brings them back.
    for (const { id, stream, revision } of this.#all.slice(firstNew)) this.#remember(id, stream, revision);
    this.wake();
  }

  #apply(transaction: Transaction): void {
    this.#end += transaction.sizeBytes;
    for (const stored of transaction.events) {
      const event: LogEvent = { ...stored, index: this.#all.length };
      this.#all.push(event);
      const state = this.#stateOf(event.stream);
      if (event.revision === TOMBSTONE_REVISION) state.tombstoned = true;
      else state.events.push(event);
      if (isMetadataStream(event.stream)) {
        this.#stateOf(describedStreamOf(event.stream)).metadata = parseStreamMetadata(event.data);
      }
      if (event.stream === SETTINGS_STREAM) this.#settings = parseSystemSettings(event.data);
    }
  }

  #stateOf(stream: string): StreamState {
    const known = this.#streams.get(stream);
    if (known !== undefined) return known;
    const state: StreamState = { events: [], tombstoned: false, metadata: undefined };
    this.#streams.set(stream, state);
    return state;
  }

  #remember(id: string, stream: string, revision: number): void {
    this.#recent.set(id, { stream, revision });
    if (this.#recent.size <= RECENT_EVENTS_LIMIT) return;
    const [oldest] = this.#recent.keys();
    if (oldest !== undefined) this.#recent.delete(oldest);
  }
}

function systemEvent(type: string, json: string): ProposedEvent {
  return { id: randomUUID(), type, isJson: true, data: Buffer.from(json), metadata: new Uint8Array() };
}
