import {
  eventHash,
  sha256Hex,
  toTimestamp,
  type Actor,
  type DomainEvent,
  type EventMetadata,
  type RecordedEvent,
  type SealedEvent,
  type Timestamp,
} from '#kernel';

/** Where a stream stands: what the next event of it is chained to. */
export interface StreamEnd {
  readonly revision: number;
  readonly hash: string | null;
}

/** What `seal` puts into the envelope, where something other than its defaults is wanted. */
export interface SealOptions {
  /** Default: who acts by the data of the event. */
  readonly actor?: Actor;
  readonly correlationId?: string;
  readonly causationId?: string | null;
  /** The command's key. Default: none. `homeStream` defaults to the stream itself. */
  readonly key?: { readonly caller: string; readonly value: string; readonly homeStream?: string } | null;
  /** Default, with a key: the hash of the key's value. */
  readonly commandHash?: string | null;
  readonly recordedAt?: Timestamp;
  /** Default: 1. */
  readonly schemaVersion?: number;
  /** Makes the ids. Default: deterministic ones, never given out twice in this process. */
  readonly newId?: () => string;
}

export const TEST_ACTOR: Actor = { id: 'payments', roles: ['service'] };

/** The members of an event's data that name who acts: a checker stands before the maker, who is named beside. */
const NAMES = [
  'verifiedBy',
  'rejectedBy',
  'approvedBy',
  'confirmedBy',
  'dismissedBy',
  'answeredBy',
  'registeredBy',
  'raisedBy',
  'proposedBy',
  'requestedBy',
  'placedBy',
];

/** Who acts by the data of an event, or undefined where it names nobody. */
export function actorNamed({ data }: DomainEvent): Actor | undefined {
  const members = Object(data) as Readonly<Record<string, unknown>>;
  const id = NAMES.map((name) => members[name]).find((value) => typeof value === 'string');
  return id === undefined ? undefined : { id, roles: [] };
}

/** When logs made by hand begin. */
export const TEST_EPOCH: Timestamp = '2022-03-01T00:00:00.000Z';

let idsMade = 0;

/** An id of UUIDv7's shape, new for each call, the same ones in each run of a process. */
export function nextTestId(): string {
  idsMade += 1;
  return testId(idsMade);
}

/** The n-th id of UUIDv7's shape. */
export function testId(n: number): string {
  return `00000000-0000-7000-8000-${n.toString(16).padStart(12, '0')}`;
}

/**
 * Makes domain events ready to be stored: envelope, hash and link to the event before. The key stands on the first alone.
 *
 * @param end where the stream stands now; undefined for a new one
 */
export function seal(
  stream: string,
  end: StreamEnd | undefined,
  events: readonly DomainEvent[],
  options: SealOptions = {},
): readonly SealedEvent[] {
  const newId = options.newId ?? nextTestId;
  const sealed: SealedEvent[] = [];
  let revision = end === undefined ? 0 : end.revision + 1;
  let previousHash = end?.hash ?? null;
  for (const { type, data } of events) {
    const actor = options.actor ?? actorNamed({ type, data }) ?? TEST_ACTOR;
    const metadata = { ...envelope(stream, { ...options, actor }, sealed.length === 0), previousHash };
    const unsealed = { id: newId(), type, schemaVersion: options.schemaVersion ?? 1, data, metadata };
    const hash = eventHash(stream, revision, unsealed);
    sealed.push({ ...unsealed, metadata: { ...metadata, hash } });
    previousHash = hash;
    revision += 1;
  }
  return sealed;
}

function envelope(
  stream: string,
  options: SealOptions & { readonly actor: Actor },
  isFirst: boolean,
): Omit<EventMetadata, 'previousHash' | 'hash'> {
  const key = isFirst && options.key != null ? { homeStream: stream, ...options.key } : null;
  return {
    actor: options.actor,
    correlationId: options.correlationId ?? 'test',
    causationId: options.causationId ?? null,
    key,
    commandHash: key === null ? null : (options.commandHash ?? sha256Hex(key.value)),
    recordedAt: options.recordedAt ?? TEST_EPOCH,
  };
}

/** What a forged event says of itself; whatever is absent is as it should be. */
export interface Forgery {
  readonly id?: unknown;
  readonly revision?: number;
  readonly position?: string;
  readonly schemaVersion?: unknown;
  /** Members of the metadata that differ. */
  readonly metadata?: Readonly<Record<string, unknown>>;
  /** Stands in place of all metadata. */
  readonly wholeMetadata?: unknown;
}

export interface AppendOptions extends Omit<SealOptions, 'key' | 'recordedAt' | 'actor'> {
  /** Who acts: an id, or an actor. Default: who acts by the data of the first event, or `payments`. */
  readonly actor?: string | Actor;
  /** The value of the command's key, or all of it, or null for none. Default: a new one of the actor. */
  readonly key?: string | SealOptions['key'];
  readonly recordedAt?: Timestamp;
}

/** Builds a log by hand, an append at a time: each a second after the one before, properly sealed. */
export class LogBuilder {
  readonly #events: RecordedEvent[] = [];
  readonly #ends = new Map<string, StreamEnd>();
  #nowMs = Date.parse(TEST_EPOCH);
  #keys = 0;
  #ids = 0;

  get events(): readonly RecordedEvent[] {
    return this.#events;
  }

  get now(): Timestamp {
    return toTimestamp(this.#nowMs);
  }

  /** Lets time pass before the next append. */
  wait(ms: number): this {
    this.#nowMs += ms;
    return this;
  }

  /** Appends the events of one command. @returns the first of them as recorded */
  append(stream: string, events: DomainEvent | readonly DomainEvent[], options: AppendOptions = {}): RecordedEvent {
    this.wait(1000);
    const list = Array.isArray(events) ? (events as readonly DomainEvent[]) : [events as DomainEvent];
    const sealed = seal(stream, this.#ends.get(stream), list, this.#sealOptions(list[0], options));
    const recorded = sealed.map((event) => this.#record(stream, event));
    const [first] = recorded;
    if (first === undefined) throw new RangeError('an append has at least one event');
    return first;
  }

  /**
   * Appends one event that differs from a proper one in its envelope. Its hash is that of what it says, unless the forged
   * metadata bring one along.
   */
  forge(stream: string, event: DomainEvent, forgery: Forgery, options: AppendOptions = {}): RecordedEvent {
    this.wait(1000);
    const [proper] = seal(stream, this.#ends.get(stream), [event], this.#sealOptions(event, options));
    if (proper === undefined) throw new RangeError('nothing was sealed');
    const { metadata = {}, wholeMetadata, revision, position, ...rest } = forgery;
    const at = revision ?? this.#nextRevision(stream);
    const merged = { ...proper, ...rest, metadata: { ...proper.metadata, ...metadata } } as SealedEvent;
    const hash = 'hash' in metadata ? merged.metadata.hash : eventHash(stream, at, merged);
    const resealed = { ...merged, metadata: { ...merged.metadata, hash } };
    const stored = 'wholeMetadata' in forgery ? ({ ...resealed, metadata: wholeMetadata } as SealedEvent) : resealed;
    return this.#record(stream, stored, at, position);
  }

  #record(
    stream: string,
    event: SealedEvent,
    revision = this.#nextRevision(stream),
    position = (this.#events.length + 1).toString(16).padStart(16, '0'),
  ): RecordedEvent {
    const recorded = { ...event, stream, revision, position };
    this.#events.push(recorded);
    const { hash } = (event.metadata as unknown as { hash?: string } | null) ?? {};
    this.#ends.set(stream, { revision, hash: hash ?? null });
    return recorded;
  }

  #nextRevision(stream: string): number {
    return (this.#ends.get(stream)?.revision ?? -1) + 1;
  }

  #sealOptions(first: DomainEvent | undefined, options: AppendOptions): SealOptions {
    const { actor: who = (first && actorNamed(first)) ?? TEST_ACTOR, key: asked, ...rest } = options;
    const actor = typeof who === 'string' ? { id: who, roles: [] } : who;
    const key = asked === undefined || typeof asked === 'string' ? this.#keyOf(actor, asked) : asked;
    return { recordedAt: this.now, newId: () => this.#newId(), ...rest, actor, key };
  }

  #keyOf(actor: Actor, value: string | undefined): { caller: string; value: string } {
    this.#keys += 1;
    return { caller: actor.id, value: value ?? `key-${String(this.#keys)}` };
  }

  #newId(): string {
    this.#ids += 1;
    return testId(this.#ids);
  }
}
