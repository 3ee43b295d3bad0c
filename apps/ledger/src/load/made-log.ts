import type { EncodedEvent } from '#event-store';
import {
  canonicalJson,
  currentVersion,
  sealEvent,
  sha256Hex,
  SUPERVISOR,
  toTimestamp,
  type Actor,
  type CommandKey,
  type DomainEvent,
  type Recorded,
  type Timestamp,
} from '#kernel';
import { registry, type LedgerEvent } from '#replay';
import type { SeededRandom } from './random.ts';

/** Where the events of a made log go. */
export interface EventSink {
  add(stream: string, revision: number, event: EncodedEvent): void;
}

/** A command as somebody would have sent it. */
export interface MadeCommand {
  readonly actor: Actor;
  readonly homeStream: string;
  readonly path: string;
  /** The body of the request. */
  readonly content: object;
}

/** Who brings an event about. A command's key and hash stand on its first event of each stream. */
export interface MadeOrigin {
  readonly actor: Actor;
  readonly correlationId: string;
  readonly causationId: string | null;
  readonly key: CommandKey | null;
  readonly commandHash: string | null;
}

/** A stream that is being made, with its state in memory. */
export interface MadeStream<State, Event extends DomainEvent> {
  readonly name: string;
  readonly evolve: (state: State, event: Recorded<Event>) => State;
  state: State;
  revision: number;
  lastHash: string | null;
}

export function newStream<State, Event extends DomainEvent>(
  name: string,
  state: State,
  evolve: (state: State, event: Recorded<Event>) => State,
): MadeStream<State, Event> {
  return { name, evolve, state, revision: -1, lastHash: null };
}

/** The version in which events of each type are written now. */
const VERSIONS: ReadonlyMap<string, number> = new Map(
  Object.values(registry).flatMap((events) =>
    Array.from(events, ([type, definition]) => [type, currentVersion(definition)] as const),
  ),
);
const LARGEST_SEQUENCE = 0xfff;

/** A log on its way to a sink: it has the time, gives ids, and seals each event as the service would have. */
export class MadeLog {
  readonly #sink: EventSink;
  readonly #random: SeededRandom;
  #nowMs: number;
  #timestamp: Timestamp;
  #idMs = 0;
  #sequence = 0;
  #events = 0;
  #commands = 0;

  constructor(sink: EventSink, random: SeededRandom, startMs: number) {
    this.#sink = sink;
    this.#random = random;
    this.#nowMs = startMs;
    this.#timestamp = toTimestamp(startMs);
  }

  /** How many events were made. */
  get events(): number {
    return this.#events;
  }

  get now(): Timestamp {
    return this.#timestamp;
  }

  /** Lets time pass, in milliseconds. */
  wait(ms: number): void {
    this.#nowMs += Math.floor(ms);
    this.#timestamp = toTimestamp(this.#nowMs);
  }

  /** The origin of what a command appends. Each command has a key of its own. */
  asked({ actor, homeStream, path, content }: MadeCommand, causationId: string | null = null): MadeOrigin {
    this.#commands += 1;
    const value = `load-${String(this.#commands)}`;
    return {
      actor,
      correlationId: `req-${String(this.#commands)}`,
      causationId,
      key: { caller: actor.id, homeStream, value },
      // As the edge has it; the content has to be normalised already.
      commandHash: sha256Hex(canonicalJson({ content, method: 'POST', path })),
    };
  }

  /** The origin of what the service does of itself because of an event. */
  caused(causationId: string, correlationId = causationId): MadeOrigin {
    return { actor: SUPERVISOR, correlationId, causationId, key: null, commandHash: null };
  }

  /** Appends the events of one step. @returns them as recorded, but for their positions */
  append<State, Event extends DomainEvent>(
    stream: MadeStream<State, Event>,
    events: readonly Event[],
    origin: MadeOrigin,
  ): readonly Recorded<Event>[] {
    const [first, ...following] = events;
    if (first === undefined) return [];
    const leading = this.#appendOne(stream, first, origin);
    // What follows from the first event of a step, in the same append, is the service's own doing.
    const rest = this.caused(leading.id, origin.correlationId);
    return [leading, ...following.map((event) => this.#appendOne(stream, event, rest))];
  }

  #appendOne<State, Event extends DomainEvent>(
    stream: MadeStream<State, Event>,
    { type, data }: Event,
    origin: MadeOrigin,
  ): Recorded<Event> {
    const revision = stream.revision + 1;
    const metadata = { ...origin, recordedAt: this.#timestamp, previousHash: stream.lastHash };
    const unsealed = { id: this.#newId(), type, schemaVersion: VERSIONS.get(type) ?? 1, data, metadata };
    const { hash, texts } = sealEvent(stream.name, revision, unsealed);
    const { id, schemaVersion } = unsealed;
    this.#sink.add(stream.name, revision, { id, type, schemaVersion, ...texts });
    const recorded = { ...unsealed, metadata: { ...metadata, hash }, stream: stream.name, revision, position: '' };
    stream.revision = revision;
    stream.lastHash = hash;
    stream.state = stream.evolve(stream.state, recorded as Recorded<LedgerEvent> as Recorded<Event>);
    this.#events += 1;
    return recorded as Recorded<LedgerEvent> as Recorded<Event>;
  }

  /** A UUIDv7 of the log's own time; they rise, as those of a service do. */
  #newId(): string {
    if (this.#nowMs > this.#idMs) {
      this.#idMs = this.#nowMs;
      this.#sequence = 0;
    } else if (this.#sequence < LARGEST_SEQUENCE) {
      this.#sequence += 1;
    } else {
      this.#idMs += 1;
      this.#sequence = 0;
    }
    const time = this.#idMs.toString(16).padStart(12, '0');
    const sequence = this.#sequence.toString(16).padStart(3, '0');
    const [one, other] = [this.#random.hex(), this.#random.hex()];
    return `${time.slice(0, 8)}-${time.slice(8)}-7${sequence}-8${one.slice(0, 3)}-${one.slice(4)}${other}`;
  }
}
